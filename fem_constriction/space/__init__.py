"""What a backend offers in space: potentials, currents, interpolation."""
