"""Label images in the cross-check: both backends on families of cut voxels, and R_Cstr against the body under full contact."""

from __future__ import annotations

import numpy as np
import pytest

from fem_constriction.fem import FiniteElements
from fem_constriction.problem.one_dimensional import one_dimensional_resistance
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.full_contact import spread
from fem_constriction.solving.refinement import solve_family
from network import Network
from tests.shared.images import BOUNDARY, image_cell
from validation.gate.run import crosscheck, judge, prepare
from validation.gate.spread import geometric_by_spreading, spread_families

pytestmark = pytest.mark.filterwarnings("ignore::fem_constriction.errors.PicturedWarning")


def test_a_polycrystal_is_agreed_on_enclosed_and_inside_its_discs() -> None:
    structure = {"generator": "voronoi", "grains": 6, "seed": 1, "boundary": BOUNDARY}
    cell = image_cell((4, 6, 6), 4 / 9, structure)
    result = crosscheck(cell, np.geomspace(1e-1, 1e7, 5), tolerance=0.2)
    agreement = result.agreement
    assert (agreement.verdict, agreement.faults) == ("agree", ())
    assert agreement.enclosures[0].names == ("fem", "network")
    assert not agreement.enclosures[0].violations
    assert agreement.discs is not None
    for limit in agreement.limits.values():
        assert agreement.discs.holds(limit.impedance, limit.uncertainty).all()
    assert [route.exempt for route in agreement.routes] == ["", ""]
    geometric = result.geometric
    assert geometric is not None and geometric.enclosure is not None
    low, high = geometric.enclosure
    assert low < geometric.value < high
    assert geometric.resolved


def test_one_grain_has_the_geometric_resistance_of_its_circuit() -> None:
    """Where the body is homogeneous what is subtracted is the one-dimensional circuit, pores that conduct included."""
    electrode = {
        "charge_transfer": {"resistance": "1 ohm cm^2"},
        "pore": {"depth": "1 nm", "relative_permittivity": 1, "conductivity": "1e-8 S/m"},
    }
    cell = image_cell((4, 6, 6), 4 / 9, {"generator": "cubic", "grain_size": "6 um"}, electrode=electrode)
    problem = Problem.of(cell)
    plain = one_dimensional_resistance(problem)
    even = spread(problem)
    assert even is not None
    for backend in (Network(), FiniteElements()):
        assert solve_family(even, backend, None).resistance()[0] == pytest.approx(plain, rel=1e-7)
    families = {"network": solve_family(problem, Network(), None)}
    geometric = geometric_by_spreading(families, spread_families(problem, families))
    assert geometric.value == pytest.approx(families["network"].resistance()[0] - plain, rel=1e-5)


def test_unresolved_names_the_parts_of_voxels_that_resolve_it() -> None:
    """Said from three grids; the fourth one of both backends is then known to the tolerance."""
    labels = np.ones((4, 6, 6), dtype=int)
    labels[2:] = 2
    electrode = {"charge_transfer": {"resistance": "1 ohm cm^2"}}
    cell = image_cell(labels.shape, 4 / 9, {"image": labels, "boundary": BOUNDARY}, electrode=electrode)
    points, tolerance = np.geomspace(1e-2, 1, 3), 1e-3
    found = judge(cell, prepare([cell], points, side_by_side=False), points, tolerance=tolerance, discs=False).agreement
    assert found.verdict == "unresolved"
    note = next(each for each in found.notes if each.startswith("unresolved by"))
    assert "network with each voxel cut into 8" in note and "fem with each voxel cut into 8" in note
    finer = [
        solve_family(Problem.of(cell), backend, None, levels=range(4)).resistance() for backend in (Network(), FiniteElements())
    ]
    assert abs(finer[0][0] - finer[1][0]) <= sum(u for _, u in finer) <= tolerance * finer[0][0]
