"""Outlines and facets: shapes, no physics."""
