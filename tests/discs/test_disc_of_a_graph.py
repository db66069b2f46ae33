"""Discs of a graph of resistors and capacitors, whose Z is a dense solution: the theorem knows no space, only balance.

Potentials of nodes and currents of branches take the place of fields: g = D phi, D' j = unit current at the port.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import linalg

from fem_constriction.errors import ComputationError
from fem_constriction.processes.elements import Admittance
from fem_constriction.reduction.reduced import ReducedModel
from validation.discs import guaranteed
from validation.discs.certificate import ROUNDING, Discs, Pairing

NODES = 7
F = np.geomspace(1e-2, 1e6, 9)

#: RC elements and one of constant phase, whose times lie in the band.
PLACES = {
    "resistive": Admittance.of(2.0),
    "both": Admittance.of(0.5, 1e-3),
    "capacitive": Admittance.of(0.0, 1e-4),
    "constant phase": Admittance.of(0.1, cpe=0.01, exponent=0.7),
}


@dataclass(frozen=True)
class Graph:
    """Incidences of the branches of each place, (branches, nodes): node 0 is the port, the last row's end is ground."""

    incidence: dict[str, np.ndarray]

    @classmethod
    def random(cls, seed: int, dry: str = "") -> Graph:
        """Six random branches of each place, one of them from the port; `dry`: a place beside a way of others all along."""
        random = np.random.default_rng(seed)
        found = {}
        for name in PLACES:
            ends = [(0, 1)] + [tuple(random.choice(NODES + 1, 2, replace=False)) for _ in range(5)]
            rows = np.zeros((6, NODES + 1))
            for row, (one, other) in zip(rows, ends, strict=True):
                row[one], row[other] = 1.0, -1.0
            found[name] = rows[:, :NODES] * random.uniform(0.5, 2.0, (6, 1))
        return cls(found)

    @property
    def branches(self) -> np.ndarray:
        return np.vstack(list(self.incidence.values()))

    def admittances(self, s: complex) -> np.ndarray:
        return np.concatenate([np.full(6, complex(PLACES[name](s))) for name in self.incidence])

    def impedance(self, s: complex) -> complex:
        system = self.branches.T @ (self.admittances(s)[:, None] * self.branches)
        return complex(np.linalg.solve(system, np.eye(NODES)[0])[0])

    def currents(self, seed: int, loops: int) -> tuple[np.ndarray, np.ndarray]:
        """Two currents of total 1 and some of total 0, one a row, and their totals; `loops` beyond what there are give all."""
        whole = linalg.null_space(self.branches.T)
        random = np.random.default_rng(seed)
        loop = whole.T if loops >= whole.shape[1] else (whole @ random.normal(size=(whole.shape[1], loops))).T
        plain = np.linalg.lstsq(self.branches.T, np.eye(NODES)[0], rcond=None)[0]
        unit = plain + 0.3 * random.normal(size=(2, whole.shape[1])) @ whole.T
        return np.vstack([unit, loop]), np.append(np.ones(2), np.zeros(len(loop)))


def pairing(
    graph: Graph, potentials: np.ndarray, currents: np.ndarray, totals: np.ndarray, *, direct: bool = True, unseen: float = 1.0
) -> Pairing:
    """Small matrices of potentials (a column each) and currents (a row each)."""
    split = dict(zip(graph.incidence, np.split(currents, len(graph.incidence), axis=1), strict=True))
    drops = {name: rows @ potentials for name, rows in graph.incidence.items()}
    shifts = np.append([0.0] * direct, [1.0, 1e3])
    model = ReducedModel({p: g.T @ g for p, g in drops.items()}, potentials[0], {}, potentials, PLACES, shifts, unseen=unseen)
    gram = {p: j @ j.T for p, j in split.items()}
    cross = {p: drops[p].T @ split[p].T for p in split}
    return Pairing(model, gram, cross, totals, np.where(totals > 0, 1e2, np.nan), ("potentials", "currents"))


def some(seed: int, potentials: int, loops: int) -> tuple[Graph, np.ndarray, np.ndarray, np.ndarray]:
    graph = Graph.random(seed)
    columns = np.linalg.qr(np.random.default_rng(seed + 100).normal(size=(NODES, potentials)))[0]
    return graph, columns, *graph.currents(seed + 200, loops)


@pytest.mark.parametrize("seed", range(6))
def test_z_lies_in_the_disc_and_the_disc_is_that_of_the_theorem(seed: int) -> None:
    """eta^2 is the least over all currents of unit total, here by least squares in the plain unknowns."""
    graph, columns, currents, totals = some(seed, 4, 3)
    discs = pairing(graph, columns, currents, totals).discs(F)
    for k, f in enumerate(F):
        s = 2j * np.pi * f
        y = graph.admittances(s)
        fields = graph.branches @ columns
        potential = np.linalg.solve(fields.T @ (y[:, None] * fields), columns[0])
        drop, lowest = fields @ potential, columns[0] @ potential
        start, differences = currents[0], (currents[1:] - totals[1:, None] * currents[0]).T
        root = np.sqrt(np.abs(y))
        weights = np.linalg.lstsq(differences / root[:, None], (y * drop - start) / root, rcond=None)[0]
        current = start + differences @ weights
        eta = np.sum(np.abs(y * drop - current) ** 2 / np.abs(y))
        highest = np.sum(current**2 / y)
        angles = np.angle([complex(each(s)) for each in PLACES.values()])
        half = (angles.max() - angles.min()) / 2
        assert discs.delta[k] == pytest.approx(half)
        assert discs.centre[k] == pytest.approx((lowest + highest) / 2, rel=1e-9)
        plain = eta / 2 * np.tan(np.pi / 4 + half / 2)
        energy = np.sum(np.abs(y) * np.abs(drop) ** 2) + np.sum(np.abs(current) ** 2 / np.abs(y))
        added = ROUNDING * energy / 2 * np.tan(np.pi / 4 + half / 2)
        assert discs.radius[k] == pytest.approx(plain + added, rel=1e-5)
        assert discs.radius[k] >= plain, "rounding makes a disc wider"
        assert discs.holds(np.full(F.shape, graph.impedance(s)))[k]


def test_of_all_potentials_and_all_currents_what_is_left_is_rounding() -> None:
    graph, columns, currents, totals = some(1, NODES, 99)
    exact = np.array([graph.impedance(2j * np.pi * f) for f in F])
    discs = pairing(graph, columns, currents, totals).discs(F)
    assert discs.centre == pytest.approx(exact, rel=1e-9) and np.all(discs.radius <= 10 * ROUNDING * np.abs(exact))
    low, high = pairing(graph, columns, currents, totals).enclosure(30.0)
    exact = graph.impedance(30.0).real
    assert low == pytest.approx(exact * (1 - ROUNDING), rel=1e-9) and high == pytest.approx(exact * (1 + ROUNDING), rel=1e-9)


def least(graph: Graph, y: np.ndarray, currents: np.ndarray, totals: np.ndarray) -> float:
    """The least sum of j^2/y over currents of unit total, with a Lagrange multiplier for the total."""
    form = currents @ (currents / y).T
    border = np.block([[form, totals[:, None]], [totals[None, :], np.zeros((1, 1))]])
    weights = np.linalg.lstsq(border, np.append(np.zeros(len(totals)), 1.0), rcond=None)[0][:-1]
    return float(weights @ form @ weights)


@pytest.mark.parametrize("s", [1e-1, 1e2, 1e5])
def test_at_real_s_both_sides_are_bounds_and_the_upper_one_is_the_least(s: float) -> None:
    graph, columns, currents, totals = some(3, 4, 3)
    made = pairing(graph, columns, currents, totals, unseen=1e9)
    low, high = made.enclosure(s)
    assert low <= graph.impedance(s).real <= high
    y = graph.admittances(s).real
    fields = graph.branches @ columns
    lowest = columns[0] @ np.linalg.solve(fields.T @ (y[:, None] * fields), columns[0])
    rounding = ROUNDING + made.potentials.rounding(np.array([s]))[0]
    assert rounding > 5 * ROUNDING and low == pytest.approx(lowest * (1 - rounding), rel=1e-9)
    assert high == pytest.approx(least(graph, y, currents, totals) * (1 + ROUNDING), rel=1e-9)


def test_at_direct_current_only_currents_that_avoid_what_blocks_bound_it() -> None:
    """Through a place of no conductance none may go: of the others the least energy, to rounding, is the upper bound."""
    graph, columns, _, _ = some(4, 4, 0)
    blocked = np.repeat([PLACES[name].conductance == 0 for name in graph.incidence], 6)
    others = graph.branches[~blocked]
    dry = np.zeros((3, blocked.size))  # two of total 1, and a small one of total 0
    loops = linalg.null_space(others.T)
    dry[:2, ~blocked] = np.linalg.lstsq(others.T, np.eye(NODES)[0], rcond=None)[0]
    dry[1:, ~blocked] += np.array([[0.5], [0.01]]) * np.random.default_rng(5).normal(size=(2, loops.shape[1])) @ loops.T
    wet, _ = graph.currents(6, 2)
    currents, totals = np.vstack([wet[:1], dry, wet[2:]]), np.array([1.0, 1, 1, 0, 0, 0])
    found = pairing(graph, columns, currents, totals)
    interval = found.discs(F).resistance
    assert interval is not None
    y = np.concatenate([np.full(6, PLACES[name].conductance) for name in graph.incidence])
    exact = np.linalg.solve(others.T @ (y[~blocked, None] * others), np.eye(NODES)[0])[0]
    own = least(graph, y[~blocked], dry[:, ~blocked], np.array([1.0, 1, 0]))
    fields = graph.branches @ columns
    lowest = columns[0] @ np.linalg.solve(fields.T @ (y[:, None] * fields), columns[0])
    assert interval == pytest.approx((lowest, own), rel=1e-7) and interval[0] <= exact <= interval[1]
    assert interval[0] < lowest and interval[1] > own, "rounding makes it wider"
    assert pairing(graph, columns, wet, np.array([1.0, 1, 0, 0])).discs(F).resistance is None, "all go through it"
    assert pairing(graph, columns, currents, totals, direct=False).discs(F).resistance is None, "no direct current was solved"


def test_other_materials_on_the_same_graph_have_discs_of_their_own() -> None:
    graph, columns, currents, totals = some(2, 4, 3)
    places = {name: place.times(3.0) for name, place in PLACES.items()}
    one, other = (pairing(graph, columns, currents, totals).discs(F, given) for given in (None, places))
    assert other.centre == pytest.approx(one.centre / 3, rel=1e-9) and other.radius == pytest.approx(one.radius / 3, rel=1e-5)


def test_what_potentials_and_currents_lack_to_the_work_of_unit_current_widens_a_disc() -> None:
    """A work that is wrong by 1e-3 V adds its size, twice, since the mixed term counts twice."""
    graph, columns, currents, totals = some(2, 4, 3)
    right = pairing(graph, columns, currents, totals)
    lacking: Any = {name: each + (1e-9 if name == "resistive" else 0.0) for name, each in right.cross.items()}
    wrong = Pairing(right.potentials, right.gram, lacking, totals, right.shifts, right.names)
    potential, weights = right.chosen(F, PLACES)
    one, other = right.discs(F), wrong.discs(F)
    work = 2e-9 * np.abs(potential.sum(0) * weights.conj().sum(0))
    widened = (other.radius - one.radius) / (0.5 * np.tan(np.pi / 4 + one.delta / 2))
    assert np.all(widened <= 2.001 * work + 1e-12) and np.all(widened >= -1e-12)
    assert np.max(widened / work) > 1


def test_rounding_of_the_potentials_matrices_widens_discs_and_the_interval_of_direct_current() -> None:
    """Where it is thought to be 1e9 times what it is, 1e-7 or so: that part of both energies, and of R_DC."""
    graph, columns, currents, totals = some(4, 4, 3)
    conducting = {name: place if place.conductance else Admittance.of(0.3, 1e-4) for name, place in PLACES.items()}
    one, other = (pairing(graph, columns, currents, totals, unseen=each) for each in (1.0, 1e9))
    small, large = one.discs(F, conducting), other.discs(F, conducting)
    model = ReducedModel(other.potentials.matrices, columns[0], {}, columns, conducting, other.potentials.shifts, unseen=1e9)
    rounding = model.rounding(2j * np.pi * F)
    assert np.all(rounding > 5 * ROUNDING)
    half = np.tan(np.pi / 4 + small.delta / 2) / 2
    potential, weights = one.chosen(F, conducting)
    for k, f in enumerate(F):
        y = {name: abs(complex(place(2j * np.pi * f))) for name, place in conducting.items()}
        energy = sum(y[p] * np.vdot(potential[:, k], one.potentials.matrices[p] @ potential[:, k]).real for p in y)
        energy += sum(np.vdot(weights[:, k], one.gram[p] @ weights[:, k]).real / y[p] for p in y)
        assert large.radius[k] - small.radius[k] == pytest.approx(rounding[k] * energy * half[k], rel=1e-3)
    assert small.resistance is not None and large.resistance is not None
    lowest = model.resistance()
    assert small.resistance[0] == pytest.approx(lowest * (1 - ROUNDING), rel=1e-13)
    assert large.resistance[0] == pytest.approx(lowest * (1 - ROUNDING - model.rounding(np.zeros(1))[0]), rel=1e-13)


def test_what_currents_lose_that_cancel_widens_discs_and_the_interval_of_direct_current() -> None:
    """Two currents of total 1 with a loop of 1e6 in them, one way and the other: eps of their energies is what is lost."""
    graph, _, _, _ = some(5, 4, 1)
    loops = linalg.null_space(graph.branches.T).T
    unit = np.linalg.lstsq(graph.branches.T, np.eye(NODES)[0], rcond=None)[0]
    currents = np.vstack([unit + 1e6 * np.array([[1.0], [-1.0]]) * loops[:1], loops[1:]])
    totals = np.append(np.ones(2), np.zeros(len(loops) - 1))
    places = {name: Admittance.of(1.0 + number) for number, name in enumerate(PLACES)}
    made = pairing(graph, np.eye(NODES), currents, totals)
    discs = made.discs(F[:1], places)
    weights = np.abs(made.chosen(F[:1], places)[1][:, 0])
    lost = np.finfo(float).eps * sum(
        weights @ np.abs(each) @ weights / places[name].conductance for name, each in made.gram.items()
    )
    y = np.repeat([places[name].conductance for name in graph.incidence], 6)
    exact = np.linalg.solve(graph.branches.T @ (y[:, None] * graph.branches), np.eye(NODES)[0])[0]
    assert lost > 1e-5 * exact, "far more than rounding is allowed anyway"
    low, high = replace(made, potentials=replace(made.potentials, processes=places)).enclosure(1.0)
    assert low <= exact <= high and high - exact >= 0.3 * lost
    assert discs.radius[0] >= 0.49 * lost and discs.holds(exact)[0] and discs.resistance is not None
    assert discs.resistance[0] <= exact <= discs.resistance[1] and discs.resistance[1] - exact >= 0.3 * lost


def test_weights_start_from_the_current_whose_shift_is_nearest() -> None:
    graph, columns, currents, totals = some(1, 4, 3)
    made = pairing(graph, columns, currents, totals)
    apart = Pairing(made.potentials, made.gram, made.cross, totals, np.array([0.0, 1e3, np.nan, np.nan, np.nan]), made.names)
    assert [apart._near(s) for s in (1e-200, 1.0, 1e3, 1e9)] == [0, 1, 1, 1]
    apart = Pairing(made.potentials, made.gram, made.cross, totals, np.array([1e5, 1e2, np.nan, np.nan, np.nan]), made.names)
    assert [apart._near(s) for s in (1.0, 1e3, 1e4, 1e9)] == [1, 1, 0, 0]


def test_a_guarantee_is_refined_until_the_widest_disc_is_small_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of |Z| = 100, 10 and 50 ohm: 1, 3 and 1 ohm are at most 30 %; direct current between 99 and 101 ohm is known to 1 %."""
    centre = np.array([100.0, 10.0, 50.0], dtype=complex)
    f = np.array([1.0, 1e3, 1e5])

    def made(scale: float, resistance: tuple[float, float] | None) -> Any:
        discs = Discs(f, centre, scale * np.array([1.0, 3.0, 1.0]), np.zeros(3), resistance, ("a", "b"), 0.0)
        return SimpleNamespace(discs=lambda points: discs, grids={}, names=("a", "b"))

    def tried(accuracy: float, *levels: Any, flows: bool = True) -> Any:
        problem = SimpleNamespace(direct_current=flows, check_solvable=lambda: None, cell=None)
        problem.over = lambda points: problem
        monkeypatch.setattr(guaranteed.Problem, "of", lambda cell: problem)
        monkeypatch.setattr(guaranteed, "require", lambda *given: None)
        monkeypatch.setattr(guaranteed, "FINEST", len(levels) - 1)
        monkeypatch.setattr(guaranteed, "pairing_of", lambda problem, chosen, level: levels[level])
        return guaranteed.guarantee(problem, f, accuracy, backends=("network", "fem"))  # type: ignore[arg-type]

    found = tried(0.05, made(1.0, None), made(0.1, None), made(0.01, None))
    assert [step["radius"] for step in found.steps] == pytest.approx([0.3, 0.03])
    assert found.steps[0]["seconds"] <= found.steps[1]["seconds"] < 60
    found = tried(0.05, made(0.01, (90.0, 110.0)), made(0.01, (99.0, 101.0)))
    assert [step["radius"] for step in found.steps] == pytest.approx([0.1, 0.01]), "direct current counts where it flows"
    assert len(tried(0.05, made(0.01, (90.0, 110.0)), flows=False).steps) == 1
    with pytest.raises(
        ComputationError, match=r"the guaranteed radius is 3\.0e-02 of \|Z\| at 1e\+03 Hz, asked 1e-02; level 1 is"
    ):
        tried(0.01, made(1.0, None), made(0.1, None))
