"""The main job on a contact that no voxel grid fits: it agrees, is enclosed from both sides, and a wrong radius is caught."""

from __future__ import annotations

import numpy as np
import pytest
from outline_cells import DISC, MANY, cell, regions

import fem_constriction as fc
from fem_constriction.grids.grid import Grid
from fem_constriction.stack.layered import Layered
from network import Network
from validation import crosscheck


class Wider(Network):
    """The network of a disc of a radius 2 % too large."""

    name = "wider"

    def layered(self, cell: fc.Cell, grid: Grid) -> Layered | None:
        wide = cell.vary({"working_electrode.contact.fraction": 1.02**2 * cell.contact_fraction})
        return super().layered(wide, self.grid(wide, int(grid.name.split()[-1])))


@pytest.mark.long
def test_the_backends_agree_on_a_disc_and_its_constriction_is_enclosed_by_potentials_and_currents() -> None:
    disc = cell(DISC, layers=2)
    result = crosscheck(disc, np.geomspace(1e-3, 1e9, 25), discs=False)
    assert result.refusal is None
    assert result.agreement.verdict == "agree"
    assert result.geometric is not None and result.geometric.enclosure is not None
    low, high = result.geometric.enclosure
    # Triangles of level 1: the gap of 3e-4 of R_Cstr is measured, 1e-3 leaves a third.
    assert 0 < high - low < 1e-3 * low
    assert low - result.geometric.uncertainty <= result.geometric.value <= high + result.geometric.uncertainty
    (enclosure,) = result.agreement.enclosures
    assert not enclosure.violations
    assert "network" not in enclosure.names  # voxels that an outline cuts bound nothing
    # One arc does not fit the constriction exactly: fitted and geometric R differ by a fifth here, not by more than a third.
    assert result.constriction.R.value == pytest.approx(result.geometric.value, rel=1 / 3)


@pytest.mark.long
def test_a_disc_with_a_radius_two_percent_too_large_is_a_disagreement_outside_the_enclosure() -> None:
    result = crosscheck(cell(DISC, layers=2), [1e-3, 1e2], backends=[Wider(), "fem"], discs=False)
    assert result.agreement.verdict == "disagree"
    assert result.refusal is not None and result.refusal.startswith("nothing is extracted: wider and fem disagree")
    assert result.geometric is not None and result.geometric.enclosure is not None
    wide, uncertainty = result.geometric.by_backend["wider"]
    assert wide + uncertainty < result.geometric.enclosure[0]


@pytest.mark.long
def test_the_backends_agree_on_a_face_without_symmetry() -> None:
    """1325 and 5241 nodes whose modes are never computed, and a network that knows nothing of triangles."""
    result = crosscheck(cell(regions(MANY[0]), layers=2), np.geomspace(1.0, 1e6, 7), discs=False)
    assert result.refusal is None
    assert result.agreement.verdict == "agree"
    fem = result.families["fem"]
    routes = [solution.description["route"] for solution in fem.solutions]
    assert routes[0] == "mode by mode"  # 339 nodes
    assert set(routes[1:]) == {"functions of the plane"}
    (enclosure,) = result.agreement.enclosures
    assert not enclosure.violations
    assert result.geometric is not None and result.geometric.enclosure is not None
    low, high = result.geometric.enclosure
    assert 0 < high - low < 1e-3 * low
    assert low - result.geometric.uncertainty <= result.geometric.value <= high + result.geometric.uncertainty
