"""phi may jump across named faces: the cells around every node, in groups that hang together by facets that are not cut.

Each group has a node of its own. Where a surface ends inside the electrolyte the cells around its rim still hang together, so
the rim keeps its nodes; where three grains meet, a line has three of each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from fem_constriction.geometry.facets import Facets, Integers


@dataclass(frozen=True, eq=False)
class Cut:
    """cells: the new nodes of each cell, as many as before; origin: the old node of each new one, (nodes,)."""

    cells: Integers
    origin: Integers
    old: Integers
    facets: Facets

    def side(self, facets: Integers, cell: Integers) -> Integers:
        """Return the new nodes of facets as one of their cells has them, (facets, 3 or 4), in the facet's own order."""
        return np.take_along_axis(self.cells[cell], _places(self.old, cell, self.facets.vertices[facets]), axis=1)

    def outside(self, facets: Integers) -> Integers:
        """Return the new nodes of facets that belong to one cell."""
        return self.side(facets, self.facets.first[0][facets])

    def sides(self, facets: Integers) -> tuple[Integers, Integers]:
        """Return the new nodes of facets between two cells, on the one side and on the other, opposite ones in one place."""
        inner, one, other = self.facets.pairs
        at = np.searchsorted(inner, facets)
        return self.side(facets, one[at]), self.side(facets, other[at])


def cut(cells: Integers, facets: Facets, where: Integers) -> Cut:
    """Return cells (n, 4 or 8) with nodes of their own on both sides of the facets `where`."""
    inner, one, other = facets.pairs
    whole = ~np.isin(inner, where)
    inner, one, other = inner[whole], one[whole], other[whole]
    width = cells.shape[1]
    corners = [each[:, None] * width + _places(cells, each, facets.vertices[inner]) for each in (one, other)]
    a, b = (each.ravel() for each in corners)
    graph = sparse.coo_array((np.ones(a.size, dtype=np.int8), (a, b)), shape=(cells.size, cells.size))
    number, node = connected_components(graph, directed=False)
    origin = np.empty(number, dtype=np.int64)
    origin[node] = cells.ravel()
    return Cut(node.reshape(cells.shape).astype(np.int64), origin, cells, facets)


def _places(cells: Integers, cell: Integers, vertices: Integers) -> Integers:
    """Where in its cell each vertex of a facet stands, (facets, 3 or 4)."""
    return np.asarray(np.argmax(cells[cell][:, None, :] == vertices[:, :, None], axis=2), dtype=np.int64)
