"""Meshes from files: tetrahedra and hexahedra with jumps."""
