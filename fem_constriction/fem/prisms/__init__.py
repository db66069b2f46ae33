"""Contacts of any outline: triangles that follow it, extruded through the stack; bounds on both sides."""
