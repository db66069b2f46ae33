"""Lines that decide a verdict, an uncertainty or a guarantee, each by the physics that one changed operator in it breaks.

Found by changing operators at random (`mutants.py`): no other fast test saw these.
"""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.fem.prisms import collars
from fem_constriction.solving.refinement import extrapolate
from network.image.meanfield import MeanField
from network.image.voxels import Weights
from validation.gate import geometric
from validation.gate.agreement import compare
from validation.gate.check import Crosscheck
from validation.gate.direct_current import DirectCurrent
from validation.gate.result import Geometric
from validation.gate.shared_route import RouteCheck

F = np.array([1.0, 1e3, 1e6])


def spectrum(*uncertainty: float) -> fc.Spectrum:
    return fc.Spectrum(F, np.full(3, 100.0 - 1j), np.array(uncertainty))


def widest(limits: dict[str, fc.Spectrum], by_backend: dict[str, tuple[float, float]] | None = None) -> str:
    """The backend that a cross-check refines next."""
    known = None if by_backend is None else Geometric(by_backend, 1.0, 0.5, 100.0, None)
    return Crosscheck.widest.fget(SimpleNamespace(agreement=compare(limits, 1e-3), geometric=known, families={}))


def test_the_backend_that_is_known_worst_is_refined() -> None:
    narrow, wide = spectrum(1e-3, 1e-3, 1e-3), spectrum(1e-4, 1.0, 1e-4)
    assert widest({"a": narrow, "b": wide}) == "b" and widest({"a": wide, "b": narrow}) == "a"
    known = {"a": (1.0, 0.9), "b": (1.0, 0.1)}
    assert widest({"a": narrow, "b": wide}, known) == "b", "spectra first: R_Cstr counts where they agree"


def test_where_spectra_agree_it_is_the_one_whose_r_cstr_is_known_worst() -> None:
    limits = {"a": spectrum(2e-3, 2e-3, 2e-3), "b": spectrum(1e-3, 1e-3, 1e-3)}
    assert widest(limits, {"a": (1.0, 0.1), "b": (1.0, 0.9)}) == "b"
    assert widest(limits, {"a": (1.0, 0.9), "b": (1.0, 0.1)}) == "a"


def known_of(value: float, uncertainty: float, *intervals: tuple[float, float]) -> DirectCurrent:
    """R_DC of one backend, 100 ohm more than value, beside guaranteed intervals of R_Cstr."""
    guaranteed = {f"proof {number}": (100.0 + low, 100.0 + high) for number, (low, high) in enumerate(intervals, 1)}
    return DirectCurrent({"a": (100.0 + value, uncertainty)}, guaranteed)


def geometric_of(known: DirectCurrent, monkeypatch: pytest.MonkeyPatch) -> Geometric:
    """R_Cstr of a cell whose one-dimensional circuit has 100 ohm."""
    monkeypatch.setattr(geometric, "one_dimensional_resistance", lambda problem: 100.0)
    problem: Any = SimpleNamespace(contact_fraction=0.25, patterned_counter=False)
    found = geometric.geometric_resistance(problem, known, {})
    assert found is not None and found.direct == pytest.approx(100.0 + found.value)
    return found


@pytest.mark.parametrize(
    ("value", "told"),
    [(10.5, 10.5), (9.5, 10.0), (11.5, 11.0), (8.5, 8.5), (12.5, 12.5)],
    ids=["inside", "below, compatible", "above, compatible", "below, not compatible", "above, not compatible"],
)
def test_what_is_guaranteed_moves_r_cstr_where_the_two_are_compatible_and_nowhere_else(value, told, monkeypatch) -> None:
    """u = 1, guaranteed 10 to 11 ohm: a value farther away than u contradicts it, and must not be hidden by moving it."""
    known = known_of(value, 1.0, (10.0, 11.0))
    found = geometric_of(known, monkeypatch)
    assert found.value == pytest.approx(told) and found.enclosure == pytest.approx((10.0, 11.0))
    assert found.uncertainty == pytest.approx(0.5 if value == 10.5 else 1.0), "no farther off than the farther end"
    limits = {name: fc.Spectrum(F, np.full(3, 100.0), np.full(3, 1e-3)) for name in ("a", "b")}
    agreement = compare(limits, 1e-3, direct=known)
    if told != value or value == 10.5:
        assert agreement.verdict == "agree" and not agreement.faults
    else:
        assert agreement.verdict == "disagree", "spectra that agree do not make up for it"
        (fault,) = agreement.faults
        assert f"R_DC of a, {100 + value:g} +- 1 ohm, lies outside the interval that proof 1 guarantee, 110 to 111 ohm" in fault
        assert fault in agreement.summary()


def test_intervals_of_independent_evidence_are_intersected_and_each_is_held_against_limits_by_itself(monkeypatch) -> None:
    """Both hold R_DC, so what they have in common does; u of 0.6 leaves the wider one and the narrower one alone."""
    found = geometric_of(known_of(10.2, 0.6, (10.0, 12.0), (9.0, 10.5)), monkeypatch)
    assert found.enclosure == pytest.approx((10.0, 10.5)) and found.value == pytest.approx(10.2)
    assert found.uncertainty == pytest.approx(0.3)
    outside = known_of(11.2, 0.6, (10.0, 12.0), (9.0, 10.5))
    assert ["proof 2" in each for each in outside.faults] == [True]
    assert geometric_of(outside, monkeypatch).value == pytest.approx(11.2)


def test_intervals_that_exclude_each_other_are_a_fault_and_the_first_is_stated(monkeypatch) -> None:
    """The discs come first: they lean on nothing that solved the families."""
    known = known_of(10.2, 9.0, (10.0, 11.0), (11.5, 12.0))
    (fault,) = known.faults
    assert fault == "proof 1 guarantee an R_DC between 110 and 111 ohm, proof 2 between 111.5 and 112 ohm: one is at fault"
    assert geometric_of(known, monkeypatch).enclosure == pytest.approx((10.0, 11.0))


def test_bounds_of_families_are_those_of_the_finest_grids_widened_by_rounding() -> None:
    def family(name: str, bound: str, resistance: float) -> Any:
        model = SimpleNamespace(resistance=lambda: resistance, error=lambda s: np.full(s.shape, 1e-6))
        backend = SimpleNamespace(name=name)
        return SimpleNamespace(
            bound=bound, finest=SimpleNamespace(model=model), backend=backend, resistance=lambda: (100.0, 1.0)
        )

    pair = {"low": family("low", "lower", 99.0), "high": family("high", "upper", 102.0)}
    bounding = [family("lower still", "lower", 98.0), family("mixed", "upper", 101.0)]
    discs: Any = SimpleNamespace(resistance=(98.5, 100.5))
    known = DirectCurrent.of(pair, {}, bounding, discs)
    assert list(known.guaranteed) == ["the discs", "the finest grids of low and mixed"]
    low, high = known.guaranteed["the finest grids of low and mixed"]
    assert low == pytest.approx(99 * (1 - 1.01e-6), rel=1e-12) and high == pytest.approx(101 * (1 + 1.01e-6), rel=1e-12)
    assert known.interval == pytest.approx((low, 100.5))
    assert DirectCurrent.of({"low": pair["low"]}, {}, [], None).interval is None


@pytest.mark.parametrize(
    ("observed", "asymptotic"), [(0.8, False), (0.99, False), (1.01, True), (2.99, True), (3.01, False), (3.4, False)]
)
def test_from_half_to_one_and_a_half_of_the_order_a_family_is_asymptotic(observed: float, asymptotic: bool) -> None:
    grids = np.cumsum([100.0, 1.0, 2.0**-observed])[:, None]
    limit = extrapolate(grids, 2.0)
    assert limit.order[0] == pytest.approx(observed) and limit.asymptotic[0] == asymptotic
    last = 2.0**-observed
    if not asymptotic:
        assert limit.uncertainty[0] >= last, "the whole last difference is added"
    assert limit.value[0].real == pytest.approx(grids[2, 0] + last / 3), "theory's order extrapolates, whatever was observed"


@pytest.mark.parametrize("observed", [4.0, 5.0, 8.0])
def test_what_falls_faster_than_twice_the_order_is_taken_to_fall_with_twice(observed: float) -> None:
    """A last difference that is small by chance: p = 2 leaves |g(4) - g(2)|/|1 - 2^2| = 4/45 of what is not of order 2."""
    last = 2.0**-observed
    limit = extrapolate(np.cumsum([100.0, 1.0, last])[:, None], 2.0)
    other = 2 * abs(last - 1 / 4) * 4 / 45
    unknown = last * (1 / (2 ** (2 - 2 / 64) - 1) - 1 / 3)
    assert limit.uncertainty[0] == pytest.approx(max(other, unknown) + last, rel=1e-9)


def test_an_order_on_its_way_down_is_taken_to_fall_short_by_twice_as_much() -> None:
    """Differences of 5.0e-5, 7.24e-6 and 2.4e-6 (orders 2.8 and 1.6, theory's 4), seen at thin layers below a small contact.

    Of the first two an uncertainty that went half as far again as their order was 1.19e-6; what came was 2.03e-6.
    """
    grids = 1 + np.cumsum([0.0, 4.96e-5, 7.24e-6])[:, None]
    limit = extrapolate(grids, 4.0)
    assert 2.03e-6 <= limit.uncertainty[0] <= 3e-6
    order = np.log2(4.96 / 0.724)
    further = 2 * order - 4
    rest, gain, theirs = 7.24e-6 - 4.96e-5 / 16, 1 / (2**further - 1), 1 / 15
    assert limit.uncertainty[0] == pytest.approx(rest * (gain - theirs) / (1 - 2 ** (further - 4)), rel=1e-6)


def face(width: float = 10.0) -> Any:
    return SimpleNamespace(width=(width, width), cut=(False, False))


@pytest.mark.parametrize(
    ("corners", "wall"),
    [([(0, 3), (5, 8)], 0), ([(3, 0), (8, 5)], 1), ([(10, 4), (5, 8)], 0), ([(4, 10), (8, 5)], 1)],
    ids=["x = 0", "y = 0", "x = width", "y = width"],
)
def test_where_a_contact_ends_at_a_wall_its_collar_lies_along_that_wall(corners: list, wall: int) -> None:
    (edge,) = collars._mitred([np.array(each, dtype=float) for each in corners], face(), 1, closed=False)
    assert edge.first[wall] == 0 and abs(edge.first[1 - wall]) > 0
    normal = np.array([edge.along[1], -edge.along[0]])
    assert edge.first @ normal == pytest.approx(1), "a width w of the collar is a distance w from the edge"


def test_a_chain_from_wall_to_wall_is_mitred_at_its_corners_and_lies_in_the_walls_at_its_ends() -> None:
    chain = [np.array(each, dtype=float) for each in [(0, 3), (3, 5), (6, 5), (8, 10)]]
    edges = collars._mitred(chain, face(), 1, closed=False)
    assert edges[0].first[0] == 0 and edges[-1].last[1] == 0
    for edge in edges:
        normal = np.array([edge.along[1], -edge.along[0]])
        assert [edge.first @ normal, edge.last @ normal] == pytest.approx([1, 1])
    for before, after in pairwise(edges):
        assert before.last == pytest.approx(after.first)


def test_at_a_corner_the_bisector_is_as_far_from_both_edges() -> None:
    ring = [np.array(each, dtype=float) for each in [(2, 2), (6, 2), (7, 5), (2, 8), (2, 2)]]
    edges = collars._mitred(ring, face(), 1, closed=True)
    for before, after in zip(edges, [*edges[1:], edges[0]], strict=True):
        assert before.last == pytest.approx(after.first)
        for edge in (before, after):
            assert before.last @ np.array([edge.along[1], -edge.along[0]]) == pytest.approx(1)


@pytest.mark.parametrize("more", [0.9, 1.1])
def test_corners_and_walls_are_refused_below_the_sharpest_angle_and_taken_above_it(more: float) -> None:
    """A corner of `SHARPEST` degrees, and, as a wall is a mirror, half of it between an edge and a wall."""
    angle = np.radians(more * collars.SHARPEST)
    triangle = [(2.0, 2.0), (6.0, 2.0), (2 + 4 * np.cos(angle), 2 + 4 * np.sin(angle)), (2.0, 2.0)]
    half = angle / 2
    leaning = [(0.0, 2.0), (3 * np.sin(half), 2 + 3 * np.cos(half)), (6.0, 5.0)]
    for corners, closed, allowed in ((triangle, True, collars.SHARPEST), (leaning, False, collars.SHARPEST / 2)):
        points = [np.array(each) for each in corners]
        # The last corner of the open chain is no wall's: the angle there is wide.
        if more < 1:
            with pytest.raises(InputError, match=f"sharper than {allowed:g} degrees"):
                collars._mitred(points, face(), 1, closed=closed)
        else:
            collars._mitred(points, face(), 1, closed=closed)


def test_of_a_stack_that_is_laterally_uniform_the_mean_field_is_the_inverse() -> None:
    """A (P^-1 r) = r to rounding: layers of their own conductances along x, y and z, one metal, one counter electrode."""
    nz, nx, ny = 4, 3, 5
    random = np.random.default_rng(1)
    layer = random.uniform(0.5, 2.0, (3, nz))
    weights = Weights(
        z=np.broadcast_to(layer[0, : nz - 1, None, None], (nz - 1, nx, ny)).copy(),
        x=np.broadcast_to(layer[1, :, None, None], (nz, nx - 1, ny)).copy(),
        y=np.pad(np.broadcast_to(layer[2, :, None, None], (nz, nx, ny - 1)), ((0, 0), (0, 0), (0, 1))),
        metal=np.full((nx, ny), 0.7),
        counter=np.full((nx, ny), 0.3),
        slabs=[slice(0, nz)],
    )
    right = random.standard_normal((nz, nx, ny))
    phi, image = np.empty_like(right), np.empty_like(right)
    MeanField(weights, None).solve(right, phi)
    weights.apply(phi.copy(), 0.0, image)
    assert image == pytest.approx(right, abs=1e-12)


def test_a_fault_of_the_shared_route_alone_is_a_disagreement_in_the_first_sentence() -> None:
    wrong = RouteCheck(
        backend="a", frequency=np.zeros(1), fast=np.ones(1, complex), plain=1.01 * np.ones(1, complex), allowed=np.full(1, 1e-7)
    )
    found = compare({"a": spectrum(1e-3, 1e-3, 1e-3), "b": spectrum(1e-3, 1e-3, 1e-3)}, 1e-3, routes=[wrong])
    assert found.verdict == "disagree" and "at direct current" in found.summary()
    right = RouteCheck(backend="b", exempt="it gives spectra")
    assert compare({"a": spectrum(1, 1, 1), "b": spectrum(1, 1, 1)}, 0.5, routes=[right]).verdict == "agree"
