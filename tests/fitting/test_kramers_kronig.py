"""What obeys the Kramers-Kronig relations passes, a violation is flagged, and too few data show nothing."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import oracle
import pytest

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.fitting.kramers_kronig import densest, kramers_kronig
from fem_constriction.processes.of_cell import admittances
from network import Network

F = np.geomspace(1e-3, 1e9, 241)  # 20 per decade
W = 2 * np.pi * F
PAPER = 1e-8  # claim 3: 1e-6 %


def arc(resistance: float, tau: float, omega: np.ndarray = W) -> np.ndarray:
    return np.asarray(resistance / (1 + 1j * omega * tau))


def cell_like(omega: np.ndarray = W) -> np.ndarray:
    """Four arcs with the sizes of figure 2 at 25 % contact."""
    pairs = ((4.3e5, 2.9e-8), (3.3e5, 2.2e-6), (1.5e5, 5e-5), (2e5, 8.5e-4))
    return np.asarray(sum(arc(r, tau, omega) for r, tau in pairs))


def spectrum(impedance: np.ndarray, frequency: np.ndarray = F) -> fc.Spectrum:
    return fc.Spectrum(frequency, impedance)


@pytest.mark.parametrize("per_decade", [4, 6, 8, 10, 12])
def test_an_exact_sum_leaves_what_the_density_leaves(per_decade: int) -> None:
    random, largest = np.random.default_rng(1), []
    for arcs in (1, 2, 4, 8) * 5:
        tau = 10 ** random.uniform(np.log10(0.1 / W.max()), np.log10(10 / W.min()), arcs)
        total = sum(arc(r, t) for r, t in zip(10 ** random.uniform(-2, 0, arcs), tau, strict=True))
        found = kramers_kronig(spectrum(total + random.choice([0, 1e-3, 0.3])), per_decade)
        largest.append(found.largest)
    # The formula is that of theory with a measured factor: neither exceeded nor, where an arc lies between two tau, idle.
    assert 0.2 * found.floor < max(largest) < found.floor


def test_one_complex_solve_per_frequency_passes_at_the_papers_residual(small: fc.Cell) -> None:
    network = Network()
    assembly = network.assemble(small, network.uniform(small, 6))
    impedance = oracle.direct(assembly, admittances(small), 2j * np.pi * F)
    found = kramers_kronig(spectrum(impedance))
    assert found.enough and found.unknowns == 142 and found.data == 482
    assert found.passed(PAPER)
    impedance[120] *= 1 + 1e-4  # claim 3: flagged
    assert not kramers_kronig(spectrum(impedance)).passed(PAPER)


def test_61_points_over_12_decades_show_nothing() -> None:
    few = np.geomspace(1e-3, 1e9, 61)
    wrong = cell_like(2 * np.pi * few) * (1 + 1e-2 * np.random.default_rng(2).normal(size=61))
    found = kramers_kronig(spectrum(wrong, few))
    assert found.largest < PAPER  # nonsense passes
    assert not found.enough and not found.passed(PAPER)
    assert "61 frequencies are 122 data for 142 unknowns" in found.reason and "too few data" in found.reason


def test_a_violation_at_one_frequency_stays_where_it_is_seen() -> None:
    z, size = cell_like(), 1e-4
    seen = kramers_kronig(spectrum(z)).seen
    assert np.mean(seen > 0.5) > 0.95 and np.median(seen) > 0.7
    for place in range(0, F.size, 20):
        for turn in (1, 1j, np.exp(0.25j * np.pi)):
            wrong = z.copy()
            wrong[place] *= 1 + size * turn
            found = kramers_kronig(spectrum(wrong))
            stays = abs(found.residual[place])
            assert stays > size * seen[place] - found.floor
            if seen[place] > 0.1:
                assert not found.passed(PAPER)


def test_the_ends_of_the_band_are_blind() -> None:
    z = cell_like()
    seen = kramers_kronig(spectrum(z)).seen
    assert seen[[0, -1]].max() < 1e-3 < 0.3 < seen[5:-5].min()
    # an inductance of the leads at the last frequency alone: a process beyond the band might look like it
    z[-1] *= 1 + 1e-4
    assert kramers_kronig(spectrum(z)).largest < 1e-4


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("noise", lambda z: z * (1 + 1e-4 * np.random.default_rng(3).normal(size=z.size))),
        ("real part off over a decade", lambda z: z + 1e-4 * np.abs(z) * np.exp(-(np.log10(F / 1e3) ** 2))),
        ("a step in the modulus", lambda z: z * np.where(F > 1e3, 1 + 1e-4, 1)),
        ("phase lag of a delay that is too early", lambda z: z * np.exp(1e-4j * np.tanh(np.log10(F / 1e2)))),
        ("a resistance that drifts while it is measured", lambda z: z + 1e-4 * z[0].real * np.sin(np.arange(F.size) / 15)),
    ],
)
def test_a_violation_of_1e_4_is_flagged(name: str, wrong: object) -> None:
    found = kramers_kronig(spectrum(wrong(cell_like())))  # type: ignore[operator]
    assert found.enough and not found.passed(PAPER), name
    assert 1e-6 < found.largest < 1e-3  # two orders above the tolerance, and of the size of what was planted


@pytest.mark.parametrize(
    "impedance",
    [
        cell_like() + 1 / (1j * W * 1e-9),
        1 / (1j * W * 1e-6) + arc(1.0, 1e-6),
        cell_like() + 100 + 1j * W * 1e-9,
        (1j * W) ** -0.8,
        arc(1.0, 1e-3) + arc(1.0, 1e9),
        np.tanh(np.sqrt(1j * W * 1e-3)) / np.sqrt(1j * W * 1e-3),
    ],
    ids=["blocking", "mostly blocking", "inductive", "constant phase", "arc far below the band", "finite diffusion"],
)
def test_what_obeys_the_relations_passes(impedance: np.ndarray) -> None:
    assert kramers_kronig(spectrum(impedance)).passed(PAPER)


def test_capacitance_and_inductance_are_followed_exactly_as_unknowns_of_their_own() -> None:
    z = 0.1 + arc(1.0, 1e-3) + 1j * W * 1e-6 + 1 / (1j * W * 1e-2)  # omega L = 6000 at the upper end
    assert kramers_kronig(spectrum(z)).largest > PAPER
    found = kramers_kronig(spectrum(z), capacitance=True, inductance=True)
    assert found.unknowns == 144 and found.passed(PAPER)


def test_order_and_units_do_not_matter() -> None:
    z = cell_like() * (1 + 1e-4 * np.sin(np.arange(F.size)))
    found, mixed = kramers_kronig(spectrum(z)), np.random.default_rng(4).permutation(F.size)
    other = kramers_kronig(spectrum(1e6 * z[mixed], 1e3 * F[mixed]))
    # directions whose singular value is near rounding are known to 1e-3: so much of the violation of 1e-4
    np.testing.assert_allclose(other.residual, found.residual[mixed], rtol=0, atol=1e-7)


def test_wrong_input() -> None:
    for wrong in (0, 31, 2.5):
        with pytest.raises(InputError, match=f"per_decade = {wrong} is not allowed: a whole number"):
            kramers_kronig(spectrum(cell_like()), wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="impedance = 0 ohm"):
        kramers_kronig(spectrum(np.zeros(F.size)))
    with pytest.raises(InputError, match="tolerance = 1e-08 is not allowed: 8 RC elements per decade leave up to 1.1e-07"):
        kramers_kronig(spectrum(cell_like()), 8).passed(PAPER)


def test_the_documented_floors_are_those_of_the_formula() -> None:
    text = (Path(__file__).parents[2] / "docs" / "circuits.md").read_text()
    section = text[text.index("## Kramers-Kronig test") : text.index("## Distribution")]
    rows = re.findall(r"^\| (\d+) \| ([\d.e-]+) \|$", section, flags=re.MULTILINE)
    assert [int(density) for density, _ in rows] == [4, 6, 8, 10, 12]
    for density, said in rows:
        found = kramers_kronig(spectrum(cell_like()), int(density)).floor
        assert float(said) == pytest.approx(found, rel=0.15)  # one digit, or two


def test_the_densest_test_is_one_that_the_data_are_enough_for() -> None:
    few = np.geomspace(1e-3, 1e9, 61)
    found = densest(spectrum(cell_like(2 * np.pi * few), few))
    assert found.enough and found.per_decade == 4
    assert not kramers_kronig(spectrum(cell_like(2 * np.pi * few), few), 5).enough
    assert densest(spectrum(cell_like())).per_decade == 10
    assert not densest(spectrum(cell_like()[:2], F[:2])).enough
