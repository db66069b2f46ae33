"""Two paths in parallel: time constants survive where both hold the same processes, and mix where they differ (equation S5).

The worked example of docs/circuits.md, recomputed: its tables are read from the text.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from fem_constriction.processes.circuits import Arc, Circuit
from fem_constriction.processes.elements import Admittance
from fem_constriction.reduction.reduced import ReducedModel, Relaxation

DOCS = (Path(__file__).parents[2] / "docs" / "circuits.md").read_text()
F = np.geomspace(1e-1, 1e8, 91)
BULK = Arc(name="bulk", resistance=100.0, capacitance=1e-6 / 100)  # 100 ohm, 1 us
BOUNDARY = Arc(name="grain_boundary", resistance=50.0, capacitance=1e-3 / 50)  # 50 ohm, 1 ms
CONTACT = Arc(name="charge_transfer", resistance=40.0, capacitance=1e-3 / 40)  # 40 ohm, 1 ms
PORE = Arc(name="pore", resistance=float("inf"), capacitance=1e-5)  # 10 uF


def network(paths: list[list[tuple[Arc, float]]]) -> ReducedModel:
    """Every path: two elements from the port to ground, each so many times the arc; unknowns: the nodes between, the port."""
    size = len(paths) + 1
    matrices: dict[str, np.ndarray] = {}
    processes = {}
    for node, path in enumerate(paths):
        for (arc, times), ends in zip(path, ([(size - 1, 1.0), (node, -1.0)], [(node, 1.0)]), strict=True):
            branch = np.zeros(size)
            for place, sign in ends:
                branch[place] = sign
            matrix = matrices.setdefault(arc.name, np.zeros((size, size)))
            matrix += np.outer(branch, branch) / times
            processes[arc.name] = Admittance.of(1 / arc.resistance, arc.capacitance)
    port = np.zeros(size)
    port[-1] = 1.0
    shifts = np.array([0.0, 1e3, 1e6])
    return ReducedModel(matrices, port, {}, np.eye(size), processes, shifts)


def known(found: Relaxation) -> list[tuple[float, float]]:
    """(R, tau) of the relaxations that are there."""
    keep = found.resistance > 1e-9 * found.resistance.sum()
    return list(zip(found.resistance[keep].tolist(), found.tau[keep].tolist(), strict=True))


def expected(a: tuple[float, float], c: tuple[float, float]) -> list[tuple[float, float]]:
    """Z = a1 a2/A z_b + c1 c2/C z_g + (a1 c2 - a2 c1)^2/(A C) / (C y_b + A y_g), A = a1 + a2, C = c1 + c2."""
    A, C = sum(a), sum(c)
    mixed = C / BULK.resistance + A / BOUNDARY.resistance, C * BULK.capacitance + A * BOUNDARY.capacitance
    gamma = (a[0] * c[1] - a[1] * c[0]) ** 2 / (A * C)
    return [
        (a[0] * a[1] / A * BULK.resistance, BULK.tau),
        (c[0] * c[1] / C * BOUNDARY.resistance, BOUNDARY.tau),
        (gamma / mixed[0], mixed[1] / mixed[0]),
    ]


def tables() -> list[list[list[float]]]:
    """The rows of numbers of every table of the worked example."""
    example = DOCS[DOCS.index("## Parallel paths") :]
    found: list[list[list[float]]] = []
    for block in re.findall(r"(?:^\|.*\n)+", example, flags=re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in block.splitlines()[2:]]
        found.append([[float(cell.split()[0]) for cell in row if re.match(r"[\d.]", cell)] for row in rows])
    return found


def test_the_closed_form_is_the_parallel_circuit() -> None:
    for a, c in (((1, 1), (1, 1)), ((1, 3), (1, 1.5)), ((2, 0.3), (0.5, 4))):
        paths = [a[k] * BULK.impedance(F) + c[k] * BOUNDARY.impedance(F) for k in (0, 1)]
        arcs = tuple(
            Arc(name=f"{n}", resistance=r, capacitance=tau / r if r else 0.0) for n, (r, tau) in enumerate(expected(a, c))
        )
        np.testing.assert_allclose(Circuit(arcs=arcs).impedance(F), 1 / (1 / paths[0] + 1 / paths[1]), rtol=1e-12)


def test_time_constants_survive_where_paths_hold_the_same_processes() -> None:
    same, other = tables()[0]
    for row in (same, other):
        a, c, numbers = tuple(row[:2]), tuple(row[2:4]), row[4:]
        found = known(network([[(BOUNDARY, c[k]), (BULK, a[k])] for k in (0, 1)]).relaxation())
        wanted = sorted((pair for pair in expected(a, c) if pair[0]), key=lambda pair: pair[1])
        np.testing.assert_allclose(found, wanted, rtol=1e-9)  # condition of a 3 x 3 problem over three decades
        for (resistance, tau), said in zip(expected(a, c), np.reshape(numbers, (3, 2)), strict=True):
            assert said[0] == pytest.approx(resistance, rel=5e-3, abs=1e-12)  # three digits in the text
            if resistance:
                assert 1e-6 * said[1] == pytest.approx(tau, rel=5e-3)
    assert same[8] == 0 < other[8]  # proportional paths do not mix
    assert BULK.tau < 1e-6 * other[9] < BOUNDARY.tau  # what mixes lies between


def test_time_constants_mix_where_paths_differ() -> None:
    found = known(network([[(CONTACT, 1.0), (BULK, 2.0)], [(PORE, 1.0), (BULK, 2.0)]]).relaxation())
    np.testing.assert_allclose([[r, 1e6 * tau] for r, tau in found], tables()[1], rtol=5e-3)  # three digits in the text
    times = [tau for _, tau in found]
    assert times[0] == pytest.approx(BULK.tau, rel=1e-9)  # in both paths
    # in one path alone: neither its own time constant, nor that of pore and contact side by side
    beside = CONTACT.resistance * (CONTACT.capacitance + PORE.capacitance)
    assert all(abs(np.log(tau / one)) > 0.02 for tau in times[1:] for one in (CONTACT.tau, beside))
    assert sum(r for r, _ in found) == pytest.approx(240.0, rel=1e-12)  # direct current: the path through the contact
