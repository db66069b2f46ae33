"""What a cross-check ends with, and why it goes on or not: each line by a number that is known beforehand."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from paper_cells import paper_cell

import fem_constriction as fc
from fem_constriction.errors import ComputationError, NotAgreed
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.refinement import Limit
from validation.gate import check as checks
from validation.gate.agreement import compare
from validation.gate.check import Crosscheck, refusal_of
from validation.gate.result import Geometric, Result, together

F = np.array([1.0, 1e3, 1e6])
CELL = paper_cell("figure-2-25")


def limit(relative: Any, off: float = 0.0) -> fc.Spectrum:
    z = np.full(3, 100.0 - 1j) * (1 + off)
    return fc.Spectrum(F, z, relative * np.abs(z) * np.ones(3))


def geometric(value: float, uncertainty: float, direct: float = 100.0, **more: Any) -> Geometric:
    return Geometric({"a": (value, uncertainty), "b": (value, uncertainty)}, value, uncertainty, direct, None, **more)


def test_what_several_know_is_weighted_by_the_inverse_square_of_their_uncertainties() -> None:
    """u = 1 and 2: weights 4/5 and 1/5; together no better than the mean of both, since they share what is systematic."""
    assert together({"a": (10.0, 1.0), "b": (15.0, 2.0)}) == pytest.approx((11.0, 1.2))
    assert together({"a": (10.0, 0.0), "b": (15.0, 2.0)}) == pytest.approx((10.0, 0.0)), "one of them is exact"


@pytest.mark.parametrize(
    ("value", "uncertainty", "direct", "resolved"),
    [
        (10.0, 0.49, 1e2, True),
        (10.0, 0.51, 1e2, False),
        (-10.0, 0.49, 1e2, True),
        # None at all: value and uncertainty together below 1e-8 of R_DC.
        (0.0, 0.9e-8, 1.0, True),
        (0.4e-8, 0.7e-8, 1.0, False),
        (-0.4e-8, 0.5e-8, 1.0, True),
    ],
)
def test_r_cstr_is_known_to_five_percent_or_it_is_none(value: float, uncertainty: float, direct: float, resolved: bool) -> None:
    known = geometric(value, uncertainty, direct)
    assert known.resolved == resolved
    refusal = refusal_of(compare({"a": limit(1e-5), "b": limit(1e-5)}, 1e-3), known)
    assert (refusal is None) == resolved
    assert resolved or (f"{value:.4g} ohm, known to {uncertainty:.2g} ohm only, and 5% of it" in str(refusal))


def test_two_electrodes_interact_by_what_the_whole_is_more_than_their_sum() -> None:
    each = {"working_electrode": (6.0, 0.1), "counter_electrode": (3.0, 0.2)}
    known = geometric(10.0, 0.3, electrodes=each)
    assert known.interaction == pytest.approx((1.0, 0.6)) and geometric(10.0, 0.3).interaction is None


def result(agreement: Any = None, **given: Any) -> Result:
    agreement = agreement or compare({"network": limit(1e-5), "fem": limit(1e-5)}, 1e-3)
    return Result(CELL, {}, agreement, given.pop("geometric", None), given.pop("extraction", None), {}, None, None, **given)


def test_the_heading_has_the_verdict_and_nothing_to_extract_is_none_of_the_backends_fault() -> None:
    agreed = result()
    assert agreed.heading == f"{CELL.title}: network and fem agree"
    assert replace(agreed, refusal="R_Cstr is not known").heading.endswith("agree, not extracted")
    unresolved = compare({"network": limit(1e-2), "fem": limit(1e-2)}, 1e-3)
    assert replace(agreed, agreement=unresolved, refusal="nothing").heading.endswith("are unresolved")
    apart = compare({"network": limit(1e-5), "fem": limit(1e-5, 1e-3)}, 1e-3)
    assert replace(agreed, agreement=apart, refusal="nothing").heading.endswith("disagree")
    violated: Any = SimpleNamespace(limits=apart.limits, enclosures=[SimpleNamespace(violations=["one"])], verdict="disagree")
    assert replace(agreed, agreement=violated).heading.endswith("disagree: the enclosure is violated")
    blocked: Any = SimpleNamespace(arcs=[])
    assert replace(agreed, extraction=blocked).heading.endswith("nothing to extract, as no direct current flows")


def test_what_was_refused_is_not_handed_out() -> None:
    """An arc without the agreement of the backends is nobody's R_Cstr, although a fit may exist."""
    value = SimpleNamespace(text=lambda: "1 ohm")
    arc = SimpleNamespace(R=value, C=value, tau=value)
    fitted: Any = SimpleNamespace(
        constriction=arc, ladder=SimpleNamespace(R_Cstr=SimpleNamespace(text=lambda: "2 ohm")), arcs=[1]
    )
    good = result(extraction=fitted, geometric=geometric(10.0, 0.1, electrodes={"working_electrode": (9.5, 0.1)}))
    assert good.constriction is arc and good.ladder.R_Cstr.text() == "2 ohm"  # type: ignore[union-attr]
    names = [name for name, _ in good.facts()[1]]
    assert names == ["verdict", "R_Cstr, geometric", "  working electrode alone", "  interaction", "R_Cstr, fitted arc",
                     "C_Cstr, fitted arc", "tau_Cstr, fitted arc", "R_Cstr, ladder"]  # fmt: skip
    refused = replace(good, refusal="the backends disagree")
    assert dict(refused.facts()[1])["refused"] == "the backends disagree" and len(refused.facts()[1]) == 5
    for held, why in ((refused, "the backends disagree"), (result(), "nothing was extracted")):
        for read in (lambda each: each.constriction, lambda each: each.ladder):
            with pytest.raises(NotAgreed, match=why):
                read(held)


def test_tables_of_grids_stay_where_the_grids_do_not() -> None:
    found = result(tables={"fem": [{"level": 0}]})
    assert found.spectrum.impedance == pytest.approx(np.full(3, 100.0 - 1j))
    assert found.grids == {"fem": [{"level": 0}]} and found.kept().tables == found.tables


class Grids:
    """A family whose limit has one u, relative, at every frequency, and which says whether it is asymptotic."""

    bound = None

    def __init__(self, u: float, *, asymptotic: bool = True, order: float = 2.0, levels: int = 3) -> None:
        self.u, self.asymptotic, self.order = u, asymptotic, order
        self.solutions = (None,) * levels
        self.finest = SimpleNamespace(grid=SimpleNamespace(shape=(4, 4, 10)))

    def limit(self, frequency: np.ndarray) -> Limit:
        z = np.full(3, 100.0 - 1j)
        return Limit(z, self.u * np.abs(z), np.full(3, self.order), np.array([self.asymptotic, True, True]))


def crosscheck(monkeypatch: pytest.MonkeyPatch, families: dict[str, Grids], **given: Any) -> Crosscheck:
    monkeypatch.setattr(checks, "spectrum_of", lambda family, points: limit(family.u))
    problem: Any = given.pop("problem", SimpleNamespace(
        body=SimpleNamespace(uniform=True), reference=None, direct_current=False, band=(1.0, 2.0), cell=CELL
    ))  # fmt: skip
    return Crosscheck(problem=problem, points=F, tolerance=1e-3, families=families, **given)  # type: ignore[arg-type]


def test_a_family_outside_its_asymptotic_range_is_noted_where_that_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundredth of the tolerance is what matters: there u allows for slow convergence and is a part of the allowance."""
    small, large = Grids(0.9e-5, asymptotic=False), Grids(1.1e-5, asymptotic=False)
    noted = crosscheck(monkeypatch, {"a": small, "b": large}).agreement.notes
    assert [note[:2] for note in noted if "asymptotic" in note] == ["b:"]
    assert "at 1 of 3 frequencies" in noted[-1] and "at most 1.1e-05 |Z|" in noted[-1]


def test_what_resolves_an_image_is_said_by_the_observed_order_for_each_backends_part_of_the_tolerance(monkeypatch) -> None:
    """u = 8e-3 of second order, half of 1e-3 allowed: a factor of 16, two doublings; of first order, four."""
    body = SimpleNamespace(uniform=False, finer=lambda cells, times: f"{cells * times} voxels")
    problem = SimpleNamespace(body=body, reference=None, direct_current=False, band=None, cell=CELL)
    made = crosscheck(monkeypatch, {"a": Grids(7.9e-3), "b": Grids(7.9e-3, order=1.0)}, problem=problem)
    (words,) = [note for note in made.agreement.notes if "what resolves it" in note]
    assert "unresolved by 16 times the tolerance at 1 Hz" in words or "unresolved by 16 times" in words
    assert "a with 40 voxels" in words and "b with 160 voxels" in words
    # A limit whose order is not known is taken to have half of theory's, and orders above 2 count as 2.
    for order, size, doublings in ((np.nan, 7.9e-3, 4), (6.0, 8.5e-3, 3), (0.1, 7.9e-3, 4)):
        family = Grids(size, order=2.0)
        family.limit = lambda frequency, o=order, u=size: replace(Grids(u).limit(frequency), order=np.full(3, o))  # type: ignore[method-assign]
        notes = crosscheck(monkeypatch, {"a": family, "b": Grids(7.9e-3)}, problem=problem).agreement.notes
        assert f"a with {10 * 2**doublings} voxels" in next(note for note in notes if "what resolves it" in note)


def test_what_is_unresolved_is_so_where_the_part_of_z_is_largest(monkeypatch: pytest.MonkeyPatch) -> None:
    """0.1 ohm of 100 is a thousandth, 8 milliohm of 1 are eight."""
    z, u = np.array([100.0, 1.0, 1.0]) + 0j, np.array([0.1, 8e-3, 1e-5])
    body = SimpleNamespace(uniform=False, finer=lambda cells, times: f"{cells * times} voxels")
    problem = SimpleNamespace(body=body, reference=None, direct_current=False, band=None, cell=CELL)
    family = Grids(1.0)
    family.limit = lambda frequency: Limit(z, u, np.full(3, 2.0), np.ones(3, dtype=bool))  # type: ignore[method-assign]
    made = crosscheck(monkeypatch, {"a": family, "b": family}, problem=problem)
    monkeypatch.setattr(checks, "spectrum_of", lambda family, points: fc.Spectrum(F, z, u))
    assert any("unresolved by 16 times the tolerance at 1e+03 Hz" in note for note in made.agreement.notes)
    assert made.geometric is None


def test_r_cstr_is_counted_from_the_circuit_of_a_stack_and_from_the_same_body_at_full_contact(monkeypatch) -> None:
    monkeypatch.setattr(checks, "geometric_resistance", lambda *_: "the circuit")
    monkeypatch.setattr(checks, "geometric_by_spreading", lambda *_: "the same body")
    grids = {"a": Grids(1e-5)}
    assert crosscheck(monkeypatch, grids).geometric == "the circuit"
    body = SimpleNamespace(uniform=False)
    problem = SimpleNamespace(body=body, reference=None, direct_current=False, band=None, cell=CELL)
    assert crosscheck(monkeypatch, grids, problem=problem, even=grids).geometric == "the same body"
    assert crosscheck(monkeypatch, grids, problem=problem).geometric is None, "nothing says what full contact is"


def test_it_ends_where_finer_grids_would_change_nothing_and_refines_each_backend_once(monkeypatch) -> None:
    finer = []

    def refine(family: Grids, band: Any) -> Grids:
        if family.u > 1:
            raise ComputationError("no memory")
        finer.append((family.u, band))
        return Grids(family.u / 4, levels=4)

    monkeypatch.setattr(checks, "refine", refine)
    told: list[tuple[str, int]] = []
    made = crosscheck(monkeypatch, {"a": Grids(3e-3), "b": Grids(1e-5)})
    assert not made.settled
    after = made.refined(lambda name, level: told.append((name, level)))
    assert after is not None and finer == [(3e-3, (1.0, 2.0))] and told == [("a", 3)]
    assert after.settled and after.refusal is None and after.agreement.verdict == "agree"
    assert crosscheck(monkeypatch, {"a": Grids(3e-3, levels=4), "b": Grids(1e-5)}).refined() is None, "once"
    assert crosscheck(monkeypatch, {"a": Grids(3.0), "b": Grids(1e-5)}).refined() is None, "what does not fit ends it"
    assert replace(made, problem=SimpleNamespace(**{**vars(made.problem), "band": None})).refined() is None
    # Of families of the same body at full contact the one that goes with it is refined as well.
    with_even = replace(made, even={"a": made.families["a"]})
    both = with_even.refined()
    assert both is not None and both.even["a"] is both.families["a"]
    other = replace(made, even={"a": Grids(2e-3)}).refined()  # type: ignore[dict-item]
    assert other is not None and finer[-1] == (2e-3, None) and other.even["a"].u == pytest.approx(5e-4)  # type: ignore[attr-defined]


def test_an_agreement_whose_r_cstr_is_not_known_is_not_settled_and_a_disagreement_is(monkeypatch) -> None:
    agreed = crosscheck(monkeypatch, {"a": Grids(1e-5), "b": Grids(1e-5)})
    for known, settled in ((None, True), (geometric(10.0, 0.1), True), (geometric(10.0, 9.0), False)):
        monkeypatch.setitem(agreed.__dict__, "geometric", known)
        assert agreed.settled == settled and (agreed.refusal is None) == settled
    apart = crosscheck(monkeypatch, {"a": Grids(1e-5), "b": Grids(1e-5)})
    monkeypatch.setattr(checks, "spectrum_of", lambda family, points: limit(1e-5, 1e-2 * (family is apart.families["b"])))
    assert apart.settled and apart.agreement.verdict == "disagree" and "nothing is extracted" in str(apart.refusal)


def test_without_a_pair_of_bounds_or_discs_that_is_noted(monkeypatch) -> None:
    made = crosscheck(monkeypatch, {"a": Grids(1e-5), "b": Grids(1e-5)}, lacking="no discs of this")
    assert made.agreement.notes == (
        "no pair of a lower-bound and an upper-bound backend: no enclosure was checked",
        "no discs of this",
    )
    seen = []
    monkeypatch.setattr(checks, "enclose", lambda one, other: seen.append((one, other)) or SimpleNamespace(violations=()))
    low, high = Grids(1e-5), Grids(1e-5)
    low.bound, high.bound = "lower", "upper"  # type: ignore[assignment]
    monkeypatch.setattr(checks, "compare", lambda *_, enclosures, notes, **__: SimpleNamespace(notes=notes, verdict="agree"))
    assert crosscheck(monkeypatch, {"a": high, "b": low}).agreement.notes == [] and seen == [(low, high)]


def test_where_no_direct_current_flows_there_is_no_geometric_r_cstr() -> None:
    problem = Problem.of(CELL.vary({"working_electrode.contact.fraction": 0.0})).over(F)
    made = Crosscheck(problem=problem, points=F, tolerance=1e-3, families={})
    assert made.direct is None and made.geometric is None
