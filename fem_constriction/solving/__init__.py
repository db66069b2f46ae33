"""A backend, one grid, a family of grids and its limit."""
