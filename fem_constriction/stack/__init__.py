"""Laterally uniform stacks, solved on their face: what lies below is eliminated exactly."""
