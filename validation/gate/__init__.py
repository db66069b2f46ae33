"""Agree, then extract: the main job."""
