"""Seconds, memory and errors, beside peers and limits."""
