"""Contacts that are any set of rectangles: the mode expansion against its own symmetries, against itself, and refused cells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import fem_constriction as fc
from validation import oracles
from validation.oracles import Admittance, LayeredCell

CENTRED = LayeredCell(
    width=(1.0, 1.0),
    thickness=0.7,
    contact=(0.5, 0.5),
    conductivity=1.0,
    permittivity=1e-3,
    charge_transfer=Admittance(10.0, 0.5),
    pore=Admittance(0.0, 0.3),
)
S = [0.0, 1.0, 30j]


def at(cell: LayeredCell, *regions: tuple[float, float, float, float], **changes: object) -> LayeredCell:
    return replace(cell, contact=(0.0, 0.0), regions=regions, **changes)  # type: ignore[arg-type]


def test_pieces_of_the_centred_square_are_the_centred_square() -> None:
    halves = at(CENTRED, (0.25, 0.25, 0.75, 0.5), (0.25, 0.5, 0.75, 0.75), (0.25, 0.25, 0.75, 0.75))
    np.testing.assert_allclose(oracles.impedance(halves, S, 6)[0], oracles.impedance(CENTRED, S, 6)[0], rtol=1e-11)


def test_a_quarter_in_its_corner_has_four_times_the_impedance() -> None:
    corner = at(CENTRED, (0.25, 0.25, 0.5, 0.5), width=(0.5, 0.5))
    np.testing.assert_allclose(oracles.impedance(corner, S, 6)[0] / 4, oracles.impedance(CENTRED, S, 6)[0], rtol=1e-9)


def test_one_tile_of_a_period_is_the_whole_period() -> None:
    # three edges along x in the one description, one in the other: other bases, so each to its own estimate
    tile = at(CENTRED, (0.0, 0.25, 0.3, 0.75))
    both = at(CENTRED, (0.0, 0.25, 0.3, 0.75), (1.7, 0.25, 2.0, 0.75), width=(2.0, 1.0))
    third = at(CENTRED, (0.0, 0.25, 0.3, 0.75), (1.7, 0.25, 2.3, 0.75), width=(3.0, 1.0))
    one, error = oracles.impedance(tile, S, 6)
    two, error_two = oracles.impedance(both, S, 6)
    three, error_three = oracles.impedance(third, S, 6)
    assert np.all(np.abs(2 * two / one - 1) <= error + error_two)
    assert np.all(np.abs(3 * three / one - 1) <= error + error_three)
    assert error_three.max() < 1e-4  # of order 6, at a thickness of 0.7: 6e-5 here


def test_off_the_middle_resistance_rises_and_mirror_images_agree() -> None:
    left, right, turned = (
        oracles.resistance(at(CENTRED, region), 5)[0]
        for region in ((0.1, 0.2, 0.6, 0.7), (0.4, 0.3, 0.9, 0.8), (0.2, 0.1, 0.7, 0.6))
    )
    assert left == pytest.approx(right, rel=1e-9)
    assert left == pytest.approx(turned, rel=1e-9)
    assert left > 1.001 * oracles.resistance(CENTRED, 5)[0]


def test_estimates_of_contacts_off_the_middle_cover_the_error() -> None:
    cell = at(CENTRED, (0.1, 0.25, 0.4, 0.75), charge_transfer=None)
    best, _ = oracles.impedance(cell, S, 7)
    z, error = oracles.impedance(cell, S, 5)
    true = np.abs(z / best - 1)
    assert np.all(true <= error)
    assert error.max() < 100 * true.max()


@pytest.mark.parametrize("backend", ["fem", "network"])
def test_both_backends_meet_two_rectangles_off_the_middle(backend: str) -> None:
    regions = [((0.15, 0.5), (0.3, 0.4)), ((0.8, 0.5), (0.4, 0.4))]
    cell = fc.Cell(
        geometry={"width": "50 um", "thickness": "40 um"},
        electrolyte={
            "conductivity": "0.46 mS/cm",
            "relative_permittivity": 150,
            "grain_boundaries": {"layers": 3, "thickness": "10 nm", "conductivity": "1 uS/cm", "relative_permittivity": 150},
        },
        working_electrode={
            "contact": {
                "shape": "regions",
                "regions": [
                    {"shape": "rectangle", "centre": [50e-6 * v for v in c], "size": [50e-6 * v for v in s]} for c, s in regions
                ],
            },
            "charge_transfer": {"resistance": "1 ohm cm^2", "capacitance": "8.85 uF/cm^2"},
            "pore": {"capacitance": "8.85 uF/cm^2"},
        },
    )
    frequency = [1.0, 1e4, 1e7]
    truth, error = oracles.spectrum(oracles.from_description(cell.model_dump(mode="json", exclude_none=True)), frequency, 6)
    z = fc.solve(cell, frequency, backend=backend)
    assert np.all(np.abs(z.impedance - truth) <= z.uncertainty + error * np.abs(truth))
    assert np.max(z.uncertainty / np.abs(truth)) < 1e-3  # the accuracy asked by default


def test_contacts_that_a_mode_expansion_does_not_know_are_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        at(CENTRED, (0.5, 0.5, 1.1, 0.7))
    with pytest.raises(ValueError, match="give one of them"):
        replace(CENTRED, regions=((0.0, 0.0, 0.5, 0.5),))
    electrode = {"contact": {"shape": "disc", "fraction": 0.2}}
    cell = {"geometry": {"width": 1.0, "thickness": 1.0}, "electrolyte": {"conductivity": 1.0}, "working_electrode": electrode}
    with pytest.raises(ValueError, match="squares and rectangles"):
        oracles.from_description(cell)
    electrode["contact"] = {"shape": "regions", "regions": [{"shape": "disc", "centre": [0.5, 0.5], "radius": 0.1}]}
    with pytest.raises(ValueError, match="rectangles along the axes"):
        oracles.from_description(cell)
