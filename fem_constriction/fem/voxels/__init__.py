"""Label images: Lagrange elements on their voxels, with jumps on the faces between grains."""
