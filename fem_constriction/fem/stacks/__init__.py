"""Stacks of rectangles: tensor-product elements, layer by layer."""
