"""What a cell file says: sections, regions, units, meshes and images, validated."""
