"""The look at the shared route, number by number: on a chain of resistors and capacitors whose Z is a sum of fractions."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from fem_constriction.errors import ComputationError, InputError
from fem_constriction.processes.elements import Admittance, Element
from validation.gate import shared_route
from validation.gate.shared_route import RouteCheck, _energy, _Own, admittance, coarse_grid, reached, telling_frequencies

F = np.array([0.0, 1e3])


def chain(*links: tuple[int, int, float], size: int) -> sparse.csr_array:
    """The Laplacian of links (node, node or -1 for ground, conductance)."""
    found = np.zeros((size, size))
    for a, b, g in links:
        found[a, a] += g
        if b >= 0:
            found[b, b] += g
            found[a, b] -= g
            found[b, a] -= g
    return sparse.csr_array(found)


def own(loose: bool = False) -> _Own:
    """0.5 and 0.25 ohm of y = 1 in series to ground, the electrode is the last node; `loose`: a node that nothing joins."""
    size = 3 if loose else 2
    links = [(0, -1, 4.0), *([(1, -1, 1e-3)] if loose else [])]
    operators = {"bulk": chain(*links, size=size), "contact": chain((size - 1, 0, 2.0), size=size)}
    return _Own(SimpleNamespace(operators=operators, admittances=lambda places: places, unknowns=size))  # type: ignore[arg-type]


@pytest.mark.parametrize("loose", [False, True])
def test_a_plain_solution_is_the_sum_of_the_links_in_series_and_rounding_that_of_its_entries(loose: bool) -> None:
    y = {"bulk": 3.0 + 4.0j, "contact": 1e9 - 1e9j}
    z, rounding = own(loose).impedance(y)
    assert z == pytest.approx(1 / (4 * y["bulk"]) + 1 / (2 * y["contact"]), rel=1e-12)
    low, high = 1 / (4 * y["bulk"]), 1 / (4 * y["bulk"]) + 1 / (2 * y["contact"])
    size = abs(4 * y["bulk"] + 2 * y["contact"]) * abs(low) ** 2 + abs(2 * y["contact"]) * (
        abs(high) ** 2 + 2 * abs(low * high)
    )
    assert rounding == pytest.approx(np.finfo(float).eps * size / abs(z), rel=1e-6)


def test_a_node_that_matrix_entries_join_to_the_electrode_is_one_and_explicit_zeros_join_nothing() -> None:
    system = sparse.csc_array(chain((0, 1, 1.0), (1, 4, 2.0), (2, 3, 1.0), size=5))
    assert reached(system).tolist() == [0, 1, 4]
    with_zero = sparse.csc_array((np.append(system.tocoo().data, [0.0, 0.0]), (
        np.append(system.tocoo().coords[0], [3, 4]), np.append(system.tocoo().coords[1], [4, 3])
    )), shape=(5, 5))  # fmt: skip
    assert reached(with_zero).tolist() == [0, 1, 4]


@pytest.mark.parametrize("off", [1e-2, 1e-4])
def test_z_at_any_potentials_is_off_by_their_square_which_the_residual_bounds(off: float) -> None:
    """2 b'x - x'A x with x off by a part: Z is off by its square, and 2 sqrt 2 r^H |A|^-1 r is at least that."""
    y = {"bulk": 3.0 + 4.0j, "contact": 2.0 - 1.0j}
    matrices = own()
    system = matrices.system(y).toarray()
    right = np.linalg.solve(system, [0.0, 1.0])
    x = right * (1 + off)
    model: Any = SimpleNamespace(
        solution=lambda s: s, potentials=lambda s: SimpleNamespace(values=lambda rows: x[rows][:, None])
    )
    plain, bound = matrices.residual(y, model, 1j)
    assert plain == pytest.approx(right[1] * (1 - off**2), rel=1e-12)
    left = np.array([0.0, 1.0]) - system @ x
    whole = matrices.system({name: abs(each) for name, each in y.items()}).toarray()
    exact = 2 * np.sqrt(2) * float(np.real(left.conj() @ np.linalg.solve(whole, left))) / abs(plain)
    # Conjugate gradients end at a tenth of the residual, from below, and are divided by nine tenths.
    assert exact <= bound <= exact / 0.9 * (1 + 1e-12) and off**2 <= bound


def test_the_energy_of_a_residual_is_a_sum_over_both_its_parts_from_above_and_one_that_is_not_found_is_none(
    monkeypatch,
) -> None:
    random = np.random.default_rng(1)
    half = random.normal(size=(30, 30))
    system = half @ half.T + np.diag(np.geomspace(0.1, 1e3, 30))
    system[0], system[:, 0] = 0.0, 0.0  # an unknown without a link
    residual = random.normal(size=30) + 1j * random.normal(size=30)
    residual[0] = 0.0
    exact = float(np.real(residual[1:].conj() @ np.linalg.solve(system[1:, 1:], residual[1:])))
    found = _energy(sparse.csc_array(system), residual)
    # What is left has a hundredth of the preconditioned square, which here is less than a tenth of the energy.
    assert exact <= found <= exact / 0.9 * (1 + 1e-9)
    small = _energy(sparse.csc_array(1e-3 * system), residual)
    assert small == pytest.approx(1e3 * found, rel=1e-6), "any size of conductance"
    monkeypatch.setattr(shared_route, "ITERATIONS", 2)
    with pytest.raises(ComputationError, match="in 2 iterations"):
        _energy(sparse.csc_array(system), residual)


def test_elements_in_series_add_their_impedances_and_one_that_blocks_blocks_all() -> None:
    place = Admittance((Element(2.0, 0.5), Element(0.0, 3.0), Element(0.25)))
    s = 2.0 + 1.0j
    assert 1 / admittance(place, s) == pytest.approx(1 / (2 + 0.5 * s) + 1 / (3 * s) + 4.0)
    assert admittance(place, 0.0) == 0.0


class Stack:
    """A backend with a coarsest grid of so many unknowns, and equal cells per edge of the cube of theirs."""

    name = "stack"

    def __init__(self, coarsest: int, *, fits: Any = lambda per_edge: True, least: int = 0, triangles: bool = False) -> None:
        self.coarsest, self.fits, self.least, self.triangles = coarsest, fits, least, triangles

    def grid(self, problem: Any, level: int) -> Any:
        return SimpleNamespace(name="own", level=level)

    def uniform(self, problem: Any, per_edge: int) -> Any:
        if not self.fits(per_edge):
            raise InputError("no lines of these fit")
        return SimpleNamespace(name=f"{per_edge} per edge")

    def unknowns(self, problem: Any, grid: Any) -> int:
        return self.coarsest if grid.name == "own" else max(self.least, int(grid.name.split()[0]) ** 3)


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_route, "offers", lambda backend, kind: {shared_route.UNIFORM, shared_route.FAMILY})
    monkeypatch.setattr(shared_route, "check_areas", lambda problem, grid: None)
    monkeypatch.setattr(shared_route, "Grid", SimpleNamespace)


@pytest.mark.parametrize(
    ("backend", "name"),
    [
        (Stack(2000), "own"),
        (Stack(2001), "12 per edge"),
        (Stack(10**6, fits=lambda n: n != 12), "10 per edge"),
        # None is quick: the smallest of all that are small enough to be solved at all.
        (Stack(30_000, least=3_000), "12 per edge"),
        (Stack(30_000, least=3_000, fits=lambda n: n > 12), "16 per edge"),
        # Too large all of them: the smallest one, whose residual is judged.
        (Stack(25_000, least=30_000), "own"),
    ],
    ids=["its own", "too slow", "does not fit", "none is quick", "one that fits", "all too large"],
)
def test_the_grid_that_is_looked_at_is_the_familys_own_or_the_finest_that_is_quick(backend: Stack, name: str, offered) -> None:
    problem: Any = SimpleNamespace(kind="any")
    assert coarse_grid(problem, backend).name == name  # type: ignore[arg-type]


@dataclass(frozen=True)
class Triangles:
    """A grid of another kind than equal cells are."""

    name: str
    layers: tuple[np.ndarray, ...] = (np.array([0.0, 0.5, 1.0]),)


@pytest.mark.parametrize(("flat", "name"), [(15_000, "own, one cell a layer"), (25_000, "12 per edge")])
def test_triangles_are_looked_at_as_triangles_unless_these_are_too_many(flat: int, name: str, offered) -> None:
    """What the family's kind of plane is solved with is what is to be seen, as long as that can be solved plainly."""
    backend = Stack(30_000, least=3_000)
    backend.grid = lambda problem, level: Triangles("own")  # type: ignore[method-assign]
    equal = backend.unknowns
    backend.unknowns = lambda problem, grid: flat if "layer" in grid.name else equal(problem, grid)  # type: ignore[method-assign]
    problem: Any = SimpleNamespace(kind="any")
    found = coarse_grid(problem, backend)  # type: ignore[arg-type]
    assert found.name == name
    assert "layer" not in name or found.layers[0].tolist() == [0.0, 1.0]


def test_where_no_equal_cells_are_offered_the_coarsest_grid_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_route, "offers", lambda backend, kind: {shared_route.FAMILY})
    problem: Any = SimpleNamespace(kind="any")
    assert coarse_grid(problem, Stack(10**6)).name == "own"  # type: ignore[arg-type]


def test_frequencies_are_the_ends_of_the_band_and_where_shares_change() -> None:
    """One relaxation at 1e4 1/s, where the share of the first falls from 1 to 0: six decades farther down nothing happens."""

    def shares(s: np.ndarray) -> dict[str, np.ndarray]:
        first = 1 / (1 + (np.abs(s) / 1e4) ** 2)
        return {"one": first, "other": 1 - first}

    model: Any = SimpleNamespace(shares=shares)
    found = telling_frequencies(model, (1e-2, 1e8), 3)
    assert found[[0, -1]] == pytest.approx([1e-2, 1e8]) and found.size == 3
    assert 0.5 < found[1] / 1e4 < 2.0, "four points a decade"
    four = telling_frequencies(model, (1e-2, 1e8), 4)
    assert four.size == 4 and np.all((four[1:-1] > 1e3) & (four[1:-1] < 1e5))
    assert telling_frequencies(model, (1.0, 1.01), 2).size == 2


def compared(fast: Any, *, allowed: float = 1e-7, **more: Any) -> RouteCheck:
    plain = np.array([100.0, 50 - 50j])
    return RouteCheck(backend="fem", grid="coarse", unknowns=7, frequency=F, fast=np.array(fast) * plain, plain=plain,
                      allowed=np.full(2, allowed), cells=np.zeros(2, dtype=int), **more)  # fmt: skip


def test_a_difference_above_what_is_allowed_is_a_fault_at_the_frequency_where_it_is_largest() -> None:
    assert not compared([1 + 0.99e-7, 1 - 0.99e-7]).faults
    found = compared([1 + 1.1e-7, 1 + 3e-7j])
    np.testing.assert_allclose(found.difference, [1.1e-7, 3e-7], rtol=1e-6)
    assert "is 3.0e-07 |Z| off the own matrices of fem at 1e+03 Hz (coarse, 7 unknowns; allowed 1e-07)" in found.faults[0]
    assert "at direct current" in compared([1 + 4e-7, 1 + 3e-7j]).faults[0]
    assert "off by 4.0e-07" in compared([1 + 4e-7, 1]).state and "holds to 1.0e-08" in compared([1, 1 + 1e-8]).state
    assert not compared([1 + 4e-7, 1], allowed=5e-7).faults, "rounding that was measured is allowed"


def test_the_one_dimensional_circuit_is_held_to_what_rounding_allows() -> None:
    for claimed, right in ((100.0000099, True), (100.0000101, False), (99.9999899, False)):
        assert (not compared([1, 1], one_dimensional=(claimed, 100.0, 1e-7)).faults) == right


def test_what_could_not_be_looked_at_is_exempt_and_what_fails_in_this_projects_code_is_a_fault() -> None:
    assert not RouteCheck(backend="a", exempt="it gives spectra").faults
    failed = RouteCheck(backend="a", failed="KeyError: 'bulk'")
    assert "a fault of this program" in failed.faults[0] and failed.state == "fails: KeyError: 'bulk'"
    assert compared([1, 1]).as_dict()["failed"] is None and failed.as_dict()["failed"] == "KeyError: 'bulk'"


class Broken:
    def __init__(self, error: Exception) -> None:
        self.error, self.name = error, "broken"

    def grid(self, problem: Any, level: int) -> Any:
        raise self.error


@pytest.mark.parametrize(
    ("error", "ours", "exempt"),
    [(ComputationError("singular"), True, True), (ArithmeticError("inf"), True, True), (KeyError("bulk"), True, False),
     (KeyError("bulk"), False, True)],
)  # fmt: skip
def test_numbers_that_end_are_exempt_and_mistakes_are_only_where_somebody_else_made_them(
    error, ours, exempt, monkeypatch
) -> None:
    monkeypatch.setattr(shared_route.Problem, "of", lambda cell: SimpleNamespace(kind="any"))
    monkeypatch.setattr(shared_route, "_ours", lambda backend: ours)
    found = shared_route.check_route([None], Broken(error), (1.0, 2.0))  # type: ignore[list-item,arg-type]
    assert bool(found.exempt) == exempt and bool(found.failed) != exempt
