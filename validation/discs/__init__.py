"""Guaranteed discs: potentials and currents that enclose Z at every frequency."""
