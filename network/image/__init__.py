"""Label images: the network voxel by voxel, matrix-free."""
