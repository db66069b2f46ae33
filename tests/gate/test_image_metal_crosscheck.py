"""Electrodes in an image in cross-check, sweep and capability table: what is stated of R_Cstr, and what is said instead."""

from __future__ import annotations

from io import StringIO
from typing import Any

import numpy as np
import pytest
from images import BOUNDARY, image_cell
from rich.console import Console

import fem_constriction as fc
from fem_constriction.fem import FiniteElements
from fem_constriction.solving.capabilities import gap
from network import Network
from validation.gate.run import crosscheck, judge, prepare
from validation.show.report import crosscheck_report
from validation.study.measured import of_result

pytestmark = pytest.mark.filterwarnings("ignore::fem_constriction.errors.PicturedWarning")

POINTS = np.geomspace(1e-1, 1e7, 3)
TRANSFER = {"charge_transfer": {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"}}


def with_metal(permittivity: float = 0, **structure: Any) -> fc.Cell:
    """2 x 2 of 4 x 4 voxels of metal, void around it, three layers of electrolyte."""
    labels = np.zeros((4, 4, 4), dtype=int)
    labels[0] = 2
    labels[0, 1:3, 1:3] = 1
    hole = {"label": 2, "kind": "hole", "relative_permittivity": permittivity}
    phases = [{"label": 1, "kind": "electrode", "tied_to": "working"}, hole]
    return image_cell(labels.shape, 1, {"image": labels, "phases": phases, **structure}, electrode=TRANSFER)


def printed(result: Any) -> str:
    out = StringIO()
    Console(file=out, width=160).print(crosscheck_report(result))
    return out.getvalue()


def test_without_voids_no_constriction_is_stated_although_the_collector_is_whole() -> None:
    result = crosscheck(with_metal(), POINTS, tolerance=0.5)
    assert result.agreement.verdict == "agree" and result.geometric is None
    assert [route.exempt for route in result.agreement.routes] == ["", ""]
    text = " ".join(printed(result).split())
    assert "no geometric R_Cstr is stated: microstructure.voids names no voids" in text
    assert "geometric, R_DC" not in text
    discs = result.agreement.discs  # of an image with metal as of any other
    assert discs is not None and "no guaranteed discs" not in text
    assert all(discs.holds(each.impedance, each.uncertainty).all() for each in result.agreement.limits.values())
    numbers, _, _ = of_result(result)
    assert "R_geometric" not in numbers
    assert numbers["resistance_dc"] == pytest.approx(fc.resistance(with_metal()), rel=0.1)


def test_with_voids_it_is_that_of_a_contact_and_a_sweep_states_the_same() -> None:
    cell = with_metal(voids=[2])
    result = crosscheck(cell, POINTS, tolerance=0.5)
    geometric = result.geometric
    assert geometric is not None and geometric.enclosure is not None
    low, high = geometric.enclosure
    assert 0 < low < geometric.value < high
    assert "R_DC(same body under full contact)" in printed(result) and "1D-PM" not in printed(result).split("Fitted")[0]
    swept = judge(cell, prepare([cell], POINTS, side_by_side=False), POINTS, tolerance=0.5, every_fit=False).geometric
    assert swept is not None and abs(swept.value - geometric.value) <= swept.uncertainty + geometric.uncertainty
    numbers, _, _ = of_result(result)
    assert numbers["resistance_dc_uncertainty"] == geometric.direct_uncertainty != geometric.uncertainty


def test_a_polycrystal_under_full_contact_has_none_and_its_own_resistance() -> None:
    structure = {"generator": "voronoi", "grains": 6, "seed": 1, "boundary": BOUNDARY}
    cell = image_cell((4, 4, 4), 1, structure, electrode=TRANSFER)
    geometric = judge(cell, prepare([cell], POINTS, side_by_side=False), POINTS, tolerance=0.5, every_fit=False).geometric
    assert geometric is not None and (geometric.value, geometric.uncertainty, geometric.enclosure) == (0.0, 0.0, (0.0, 0.0))
    assert geometric.direct == pytest.approx(fc.resistance(cell), rel=0.05), "of the body, boundaries among it"


@pytest.mark.parametrize("task", ["spectrum", "budget", "fields", "crosscheck"])
def test_voids_that_store_charge_beside_charge_transfer_are_no_gap(task: str) -> None:
    chosen = [Network(), FiniteElements()] if task == "crosscheck" else [FiniteElements()]
    assert gap(task, with_metal(1), chosen) is None
