"""phi(x, y, z) and J = -kappa grad phi for 1 V at the working electrode: fields of a cell at any frequency."""

from fem_constriction.fields.section import Plane, Section
from fem_constriction.fields.solution import Fields, fields_at, solve_fields

__all__ = ["Fields", "Plane", "Section", "fields_at", "solve_fields"]
