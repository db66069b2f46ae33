"""A Cell, lowered once: what is solved, without the sections of its file."""
