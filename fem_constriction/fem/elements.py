"""Lagrange elements of one kind of cell: what their schemes have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fem_constriction.problem.faces import Mesher
from fem_constriction.solving.schemes import Scheme


@dataclass(frozen=True)
class Elements(Scheme):
    """degree: of the polynomials, 1 to 4; mesher: what triangulates a face, None for the cell's own choice.

    usual_degree: the one where none is asked for.
    """

    usual_degree: ClassVar[int] = 2

    degree: int
    mesher: Mesher | None
