"""Reduced models of a graph of resistors and capacitors beside dense solutions, and when shifts are enough."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fem_constriction.errors import ComputationError
from fem_constriction.processes.elements import Admittance
from fem_constriction.reduction import projection
from fem_constriction.reduction.projection import TARGET, enough_shifts, first_shifts
from fem_constriction.reduction.reduced import ReducedModel, solve_small

NODES = 6
PLACES = {"bulk": Admittance.of(2.0, 1e-3), "charge_transfer": Admittance.of(0.5, 2e-2), "pore": Admittance.of(0.0, 1e-4)}
SHIFTS = np.array([0.0, 0.5, 1e2, 1e3, 1e4])
S = 2j * np.pi * np.geomspace(1.0, 1e3, 5)
EPS = float(np.finfo(float).eps)


def branches(seed: int = 1) -> dict[str, np.ndarray]:
    """Incidences of the branches of each place, (branches, nodes); the last is the port, where contact and pores end."""
    random = np.random.default_rng(seed)
    bulk = np.eye(NODES - 1, NODES, 0) - np.eye(NODES - 1, NODES, 1)
    bulk[0, 1] = 0.0  # to ground
    bulk = np.vstack([bulk[:-1], random.normal(size=(1, NODES)) * (np.arange(NODES) < NODES - 1)])
    bulk[:, -1] = 0.0
    found = {"bulk": bulk, "charge_transfer": np.zeros((2, NODES)), "pore": np.zeros((2, NODES))}
    for name, ends in (("charge_transfer", (4, 3)), ("pore", (2, 1))):
        for row, end in enumerate(ends):
            found[name][row, [NODES - 1, end]] = 1.0, -1.0
    return {name: rows * random.uniform(0.5, 2.0, (len(rows), 1)) for name, rows in found.items()}


def solved(matrices: dict[str, np.ndarray], s: complex, places: Any = None) -> np.ndarray:
    """The potentials for unit current at s."""
    places = places or PLACES
    port = np.eye(len(next(iter(matrices.values()))))[-1]
    return np.linalg.solve(sum(complex(places[name](s)) * matrix for name, matrix in matrices.items()), port)


def model(shifts: np.ndarray = SHIFTS, **others: Any) -> tuple[ReducedModel, dict[str, np.ndarray], np.ndarray]:
    """The model that solutions at these shifts span, the whole matrices, and what the columns are."""
    whole = {name: rows.T @ rows for name, rows in branches().items()}
    columns = np.array([solved(whole, s).real for s in shifts]).T
    columns /= np.linalg.norm(columns, axis=0)
    x = np.linalg.qr(columns)[0]
    made = {name: x.T @ matrix @ x for name, matrix in whole.items()}
    entries = {name: whole[name][-1] @ x for name in ("charge_transfer", "pore")}
    return ReducedModel(made, x[-1], entries, x.T @ columns, PLACES, shifts, basis=(x,), **others), whole, x


def galerkin(whole: dict[str, np.ndarray], x: np.ndarray, s: complex) -> complex:
    """Z of the potentials in the span of x, by a dense solution."""
    system = sum(complex(PLACES[name](s)) * x.T @ matrix @ x for name, matrix in whole.items())
    return complex(x[-1] @ np.linalg.solve(system, x[-1]))


def test_z_is_that_of_the_span_and_exact_at_the_shifts() -> None:
    made, whole, x = model(SHIFTS[[0, 2, 4]])
    assert made.impedance(S) == pytest.approx([galerkin(whole, x, s) for s in S], rel=1e-11)
    for s in SHIFTS[[0, 2, 4]]:
        assert made.impedance(np.array([s]))[0] == pytest.approx(solved(whole, s)[-1], rel=1e-11)
    assert made.resistance() == pytest.approx(solved(whole, 0.0)[-1].real, rel=1e-11)
    assert model(SHIFTS[1:])[0].resistance() == np.inf, "direct current was not solved"
    potential = made.potentials(made.solution(S[:1])).values(slice(None))[:, 0]
    assert potential[-1] == pytest.approx(galerkin(whole, x, S[0]), rel=1e-11)


def test_the_error_is_the_largest_change_that_one_solution_less_would_make() -> None:
    """Direct current stays: it is exact, and needed there. What a basis may lack, and rounding, are added."""
    made, whole, x = model(basis_error=1e-3, unseen=1e9)
    columns = x @ made.coordinates
    less = [np.linalg.qr(np.delete(columns, j, axis=1))[0] for j in range(1, SHIFTS.size)]
    for s in S:
        z = galerkin(whole, x, s)
        change = max(abs(galerkin(whole, other, s) - z) for other in less) / abs(z)
        rounding = made.rounding(np.array([s]))[0]
        assert rounding > 1e-8 and made.error(np.array([s]))[0] == pytest.approx(1e-3 + change + rounding, rel=1e-7)
    alone = model(SHIFTS[:1])[0]
    assert alone.error(S) == pytest.approx(alone.rounding(S)), "of direct current alone nothing is left out"


@pytest.mark.parametrize("unseen", [1.0, 25.0])
def test_rounding_is_that_of_every_entry(unseen: float) -> None:
    """eps |L| |x|^2 of every place, more where it was not measured, and what was measured beside that."""
    made, whole, x = model(unseen=unseen)
    for k, s in enumerate(S):
        potential, z = made.solution(S)[:, k], galerkin(whole, x, s)
        sizes = {name: np.abs(potential) @ np.abs(matrix) @ np.abs(potential) for name, matrix in made.matrices.items()}
        expected = unseen * EPS * sum(abs(complex(PLACES[name](s))) * size for name, size in sizes.items()) / abs(z)
        assert made.rounding(S)[k] == pytest.approx(expected, rel=1e-9)
        ones = np.full_like(made.matrices["bulk"], 1e-9)
        measured = ReducedModel(
            made.matrices, made.port, {}, made.coordinates, PLACES, SHIFTS, unseen=unseen, defects={"bulk": ones}
        )
        added = 1e-9 * abs(complex(PLACES["bulk"](s))) * np.abs(potential).sum() ** 2 / abs(z)
        assert measured.rounding(S)[k] == pytest.approx(expected / unseen + added, rel=1e-6)


def test_shares_are_those_of_the_energy_and_of_the_current_at_the_metal() -> None:
    made, whole, _ = model()
    shares, entry = made.shares(S), made.entry(S)
    for k, s in enumerate(S):
        potential = made.potentials(made.solution(S)).values(slice(None))[:, k]
        for name, matrix in whole.items():
            y = complex(PLACES[name](s))
            assert shares[name][k] == pytest.approx(y * (potential @ matrix @ potential) / potential[-1], rel=1e-9)
            if name != "bulk":
                assert entry[name][k] == pytest.approx(y * (matrix[-1] @ potential), rel=1e-9)
    assert sum(entry.values()) == pytest.approx(np.ones(S.size))
    ideal = ReducedModel(made.matrices, made.port, {"pore": made.entries["pore"]}, made.coordinates, PLACES, SHIFTS)
    assert ideal.entry(S)["charge_transfer"] == pytest.approx(1 - entry["pore"]), "what no pore takes enters at the contact"


def test_relaxations_are_the_spectrum_and_store_where_their_capacitors_are_charged() -> None:
    made, whole, _ = model()
    found = made.relaxation()
    assert np.all(np.diff(found.tau) >= 0) and np.all(found.tau >= 0) and np.all(found.resistance >= -1e-15)
    assert found.impedance(S) == pytest.approx(made.impedance(S), rel=1e-10)
    conductance = sum(PLACES[name].conductance * matrix for name, matrix in whole.items())
    capacitance = sum(PLACES[name].elements[0].capacitance * matrix for name, matrix in whole.items())
    tau, vectors = np.linalg.eig(np.linalg.solve(conductance, capacitance))
    order = np.argsort(tau.real)
    telling = [k for k in order if tau[k].real > 1e-9 * tau.real.max()]
    large = found.tau > 1e-9 * found.tau.max()
    assert found.tau[large][-2:] == pytest.approx(tau.real[telling][-2:], rel=1e-6)
    slowest = vectors[:, telling[-1]].real
    slowest /= np.sqrt(slowest @ conductance @ slowest)
    for name, matrix in whole.items():
        stored = PLACES[name].elements[0].capacitance * (slowest @ matrix @ slowest) / tau.real[telling[-1]]
        assert found.stored[name][-1] == pytest.approx(stored, rel=1e-5, abs=1e-9)
        heat = PLACES[name].conductance * (slowest @ matrix @ slowest)
        assert found.dissipated[name][-1] == pytest.approx(heat, rel=1e-5, abs=1e-9)
    assert sum(share[-1] for share in found.stored.values()) == pytest.approx(1)


def test_energies_of_relaxations_do_not_mix_at_any_shift() -> None:
    """V' A(s) V is diagonal at every real s of RC elements; without a positive shift, or a port, there is no such V."""
    made, _, _ = model()
    turned = made.apart()
    assert turned is not None and turned.shape == made.matrices["bulk"].shape
    for s in (0.0, 0.3, 50.0, 1e6):
        system = sum(float(PLACES[name](s)) * matrix for name, matrix in made.matrices.items())
        energies = turned.T @ system @ turned
        size = np.sqrt(np.diag(energies))
        assert energies / np.outer(size, size) == pytest.approx(np.eye(len(size)), abs=1e-6)
    middle = sum(float(PLACES[name](np.sqrt(0.5 * 1e4))) * matrix for name, matrix in made.matrices.items())
    assert np.diag(turned.T @ middle @ turned) == pytest.approx(np.ones(len(turned)))
    assert model(SHIFTS[:1])[0].apart() is None
    nothing = ReducedModel({"bulk": np.zeros((0, 0))}, np.zeros(0), {}, np.zeros((0, 0)), {"bulk": PLACES["bulk"]}, SHIFTS)
    assert nothing.apart() is None


def test_z_is_off_by_the_square_of_what_its_potentials_are_off() -> None:
    """A Hilbert matrix, 1/(i + j + 1): (H^-1)_00 = n^2. Potentials lose eight digits of it, Z as good as none."""
    size = 7
    hilbert = 1 / (np.arange(size)[:, None] + np.arange(size) + 1)
    for refinements in (1, 2):
        x, z = solve_small(hilbert[None], np.eye(size)[0], refinements)
        assert z[0] == pytest.approx(size**2, rel=1e-7) and x[0, 0] == pytest.approx(size**2, rel=1e-6)


class Scripted:
    """Solutions whose model has the errors of a list, one after the other, at every frequency alike or at one alone."""

    def __init__(self, errors: list[float], rounding: float = 0.0) -> None:
        self.errors, self.rounding, self.queues, self.turns = list(errors), rounding, [], 0

    def extend(self, shifts: np.ndarray) -> None:
        self.queues.append(shifts)

    def model(self, shifts: np.ndarray) -> Any:
        error = self.errors.pop(0)
        return SimpleNamespace(
            error=lambda s: np.full(s.shape, error), rounding=lambda s: np.full(s.shape, self.rounding), shifts=shifts
        )

    def turned(self, model: Any) -> Any:
        self.turns += 1
        return model


BAND = (1e1, 1e5)


@pytest.mark.parametrize(
    ("errors", "taken"),
    [
        ([0.9e-8], 1),
        ([1.1e-8, 0.9e-8], 2),
        ([1e-3, 1e-5, 1e-6, 1e-7, 1e-9], 5),
        ([1e-3, 1.8e-4, 0.95e-4, 0.92e-4], 4),
        ([0.9e-4, 0.5e-4, 0.44e-4, 0.1e-4, 1e-9], 5),
        ([1e-5, 6e-6, 5.1e-6], 3),
    ],
    ids=["at once", "just not at once", "falling", "not halved by two rounds", "halved by two rounds", "rounding"],
)
def test_shifts_are_added_until_the_estimate_is_low_enough_or_has_stopped_falling(errors: list[float], taken: int) -> None:
    """Not halved by two more rounds, and at most 1e-4, rounding is what is left: it is reported."""
    basis = Scripted([*errors, 0.0])
    model, error = enough_shifts(basis, BAND)
    assert len(basis.queues) == taken and error == errors[taken - 1]
    start = first_shifts(BAND, True)[0].size
    assert model.shifts.size == start + 2 * (taken - 1) and basis.turns == 0


@pytest.mark.parametrize(("falls", "why"), [(1.0, True), (1.9, True), (4.0, False)])
def test_what_does_not_fall_and_is_too_large_for_rounding_is_refused(falls: float, why: bool) -> None:
    """13 shifts and four times two more; an error that the second half of them has not made ten times smaller does not fall."""
    with pytest.raises(ComputationError, match="asked 1e-08") as raised:
        enough_shifts(Scripted([1 / falls**k for k in range(9)]), BAND, most_shifts=20)
    said = str(raised.value)
    assert f"the projection on 21 real shifts has an estimated relative error of {falls**-4:.1e} at 1.59 Hz" in said
    assert why == ("more shifts do not lower it" in said)


@pytest.mark.parametrize(("rounding", "turns"), [(0.4 * TARGET, 0), (0.6 * TARGET, 1)])
def test_models_are_turned_where_rounding_is_half_of_what_is_asked(rounding: float, turns: int) -> None:
    basis = Scripted([0.0], rounding)
    enough_shifts(basis, BAND)
    assert basis.turns == turns
    at_direct_current = Scripted([1.0])
    assert enough_shifts(at_direct_current, None)[1] == 0 and at_direct_current.queues[0].tolist() == [0.0]


@pytest.mark.parametrize("direct_current", [True, False])
def test_shifts_reach_a_decade_farther_than_the_band_and_checks_lie_in_it(direct_current: bool) -> None:
    """Six decades with a decade and a half more: 1.5 a decade and three more; four checks a decade."""
    shifts, check = first_shifts(BAND, direct_current)
    positive = shifts[shifts > 0]
    assert positive == pytest.approx(np.geomspace(1e0, 1e6, 12)) and (shifts[0] == 0) == direct_current
    assert check == pytest.approx(1j * np.geomspace(1e1, 1e5, 17))
    short, few = first_shifts((10.0, 11.0), False)
    assert short.size == 6 and few.size == 9
    alone, none = first_shifts(None, True)
    assert alone.tolist() == [0.0] and none.tolist() == [0.0]


def test_new_shifts_halve_the_widest_gaps_beside_the_worst_frequency() -> None:
    """Worst at 20, between 1e1 and 1e2, with gaps of one and three decades beside: the wide one is halved, then its half."""
    shifts = np.array([0.0, 1.0, 1e1, 1e2, 1e5, 1e6])
    check = np.array([20.0, 5e5])
    found = projection._bisect(shifts, check, np.array([1.0, 1e-6]))
    assert found[0] == pytest.approx(10**3.5)
    assert found[1] == pytest.approx(10**2.75)
    high = projection._bisect(shifts, check, np.array([1e-6, 1.0]))
    assert high[0] == pytest.approx(10**3.5) and high[1] == pytest.approx(10**4.25)
    # One gap to each side counts, and none farther away; below the lowest shift the first gap does.
    far = projection._bisect(np.array([1.0, 1e1, 1e2, 1e3, 1e9]), np.array([3.0, 5e8]), np.array([1.0, 1e-9]))
    assert np.all(far < 1e2)
    low = projection._bisect(np.array([1.0, 1e3, 1e4, 1e5]), np.array([0.5, 9e4]), np.array([1.0, 1e-9]))
    assert low == pytest.approx([10**1.5, 10**0.75], rel=1e-9) or low == pytest.approx([10**1.5, 10**2.25], rel=1e-9)


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_ends_come_first_and_every_number_once(count: int) -> None:
    order = projection.ends_first(count)
    assert sorted(order) == list(range(count)) and order[:2] == [0, count - 1][:count]
    if count == 9:
        assert order == [0, 8, 4, 2, 6, 1, 3, 5, 7]


@pytest.mark.parametrize(("unknowns", "widths"), [(1000, [8, 3]), (projection.BLOCK // 4, [4, 4, 3]), (10**9, [1] * 11)])
def test_shifts_are_solved_together_as_far_as_a_block_holds_them(unknowns: int, widths: list[int]) -> None:
    pieces = projection.blocks(np.arange(11.0), unknowns)
    assert [each.size for each in pieces] == widths and np.concatenate(pieces).tolist() == list(range(11))
