"""What a fit of a cell is made of, number by number: unknowns, leads, residuals, boxes, covariance, what a check moves.

The cell is two RC elements whose impedance is written out here, so that everything has a value beforehand.
"""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from paper_cells import SMALL, paper_cell

import fem_constriction as fc
from fem_constriction.errors import ComputationError, ConstrictionError, InputError
from fem_constriction.inverse import cell_fit, single_arc
from fem_constriction.inverse.cell_model import CellModel, _lattice, _solved, models_of
from fem_constriction.inverse.check import Checked
from fem_constriction.inverse.identifiable import Combination, combinations
from fem_constriction.inverse.joint import Joint
from fem_constriction.inverse.leads import impedance, starts
from fem_constriction.inverse.result import CellFit
from fem_constriction.inverse.unknowns import Layout, Unknown, unknowns
from fem_constriction.problem.one_dimensional import physical
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import backend_named

F = np.geomspace(1.0, 1e4, 9)
FRACTION, SIGMA = "working_electrode.contact.fraction", "electrolyte.conductivity"
CELL = paper_cell("figure-2-25").vary(SMALL)


def unknown(key: str = "a", start: float = 1.0, low: float = 1e-4, high: float = 1e4, **more: Any) -> Unknown:
    return Unknown(key=key, start=start, low=low, high=high, **more)


class Circuit:
    """Z = R (1 + C/(1 + i f/100)), log R and log C varied: in place of a cell's model."""

    def __init__(self, count: int = 2) -> None:
        self.unknowns = tuple(unknown(key) for key in ("r", "c")[:count])
        self.centres: list[np.ndarray] = []

    def recentred(self, u: np.ndarray) -> bool:
        self.centres.append(np.array(u))
        return False

    def at(self, u: np.ndarray) -> Any:
        return tuple(u)

    def log_impedance(self, frequency: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        arc = np.exp(u[1]) / (1 + 1j * frequency / 100)
        return u[0] + np.log(1 + arc), np.stack([np.ones_like(arc), arc / (1 + arc)], axis=1)


def measured(u: Any, leads: Any = 0.0) -> np.ndarray:
    return np.exp(Circuit().log_impedance(F, np.array(u))[0]) + leads


def joint(*spectra: np.ndarray, sigma: float = 0.01, own: tuple[str, ...] = (), more: Any = (), **given: Any) -> Joint:
    """Of circuits, with further unknowns behind the cell's."""
    models = [Circuit() for _ in spectra]
    layout = Layout(tuple((*given.pop("cells", [each.unknowns])[0], *more) for each in models), own)
    return Joint(
        layout=layout,
        models=models,  # type: ignore[arg-type]
        frequency=[F] * len(spectra),
        impedance=list(spectra),
        sigma=[np.full(F.size, sigma) for _ in spectra],
        **given,
    )


@pytest.mark.parametrize(("scale", "value"), [("log", 0.3), ("logit", 0.3), ("linear", 0.3), ("linear", -2.0)])
def test_what_is_varied_is_a_logarithm_a_logit_or_the_value_itself(scale: Any, value: float) -> None:
    each = unknown(low=-3.0 if scale == "linear" else 1e-4, high=3.0 if scale == "linear" else 0.99, scale=scale)
    u = each.inside(value)
    assert u == pytest.approx({"log": np.log(0.3), "logit": np.log(3 / 7), "linear": value}[scale])
    assert each.outside(u) == pytest.approx(value)
    assert each.slope(u) == pytest.approx((each.outside(u + 1e-5) - each.outside(u - 1e-5)) / 2e-5)
    assert each.outside(50.0) == each.high and each.outside(-50.0) == each.low, "values stay within their bounds"
    assert each.ends == (each.inside(each.low), each.inside(each.high))


def test_bounds_that_nobody_gave_and_those_that_were() -> None:
    """A factor of 1e4 of a positive quantity; 1e-4 to 0.99 of a fraction, or half of the rest to 1."""
    plain = {each.key: each for each in unknowns(CELL, [SIGMA, FRACTION])}
    assert (plain[SIGMA].low, plain[SIGMA].high) == pytest.approx((4.6e-6, 460.0))
    assert plain[SIGMA].scale == "log" and plain[SIGMA].unit == "S/m" and plain[SIGMA].start == pytest.approx(0.046)
    assert plain[FRACTION].scale == "logit" and (plain[FRACTION].low, plain[FRACTION].high) == pytest.approx((1e-4, 0.99))
    almost = unknowns(CELL.vary({FRACTION: 0.998}), [FRACTION])[0]
    assert almost.high == pytest.approx(0.999)
    few = unknowns(CELL.vary({FRACTION: 1e-4}), [FRACTION])[0]
    assert few.low == pytest.approx(5e-5)
    given = unknowns(CELL, [SIGMA], {SIGMA: "1 mS/cm:"}, {SIGMA: "0.2 S/m +- 0.1 S/m"})[0]
    assert (given.low, given.high, given.start) == pytest.approx((0.1, 460.0, 0.1)), "the start is within what is allowed"
    assert given.prior == pytest.approx((0.2, 0.1))
    lead = unknowns(CELL, [SIGMA, "leads.resistance"], leads={"leads.resistance": 0.5, "leads.inductance": 1.0})[-1]
    assert unknowns(CELL, ["electrolyte.relative_permittivity"])[0].scale == "linear", "a number without a unit"
    assert (lead.low, lead.start, lead.high, lead.unit) == pytest.approx((5e-5, 0.5, 5e3, "ohm"))
    for wrong in ({SIGMA: "2:1"}, {SIGMA: (0.0, 1.0)}):
        with pytest.raises(InputError):
            unknowns(CELL, [SIGMA], wrong)
    with pytest.raises(InputError):
        unknowns(CELL, [SIGMA], None, {SIGMA: (1.0, 0.0)})


def test_a_bound_that_the_cell_does_not_allow_is_moved_to_where_it_does() -> None:
    """A disc covers pi/4 of its square face at most."""
    disc = unknowns(CELL.vary({"working_electrode.contact.shape": "disc"}), [FRACTION])[0]
    assert disc.high == pytest.approx(np.pi / 4, rel=1e-6)


def test_what_all_spectra_share_stands_first_and_then_what_each_has_for_itself() -> None:
    layout = Layout(((unknown("a"), unknown("x"), unknown("b")),) * 2, own=("x",))
    assert layout.names == ("a", "b", "x #1", "x #2")
    assert [layout.places(n) for n in range(2)] == [[0, 2, 1], [0, 3, 1]]
    moved = layout.starting({"x": 5.0, "a": 1e9})
    assert [[each.start for each in one] for one in moved.unknowns] == [[1e4, 5.0, 1.0]] * 2


def test_leads_start_from_a_hundredth_of_the_least_impedance_at_the_highest_frequency() -> None:
    first = fc.Spectrum(np.array([1e5, 1.0]), np.array([30 - 40j, 900]))
    second = fc.Spectrum(np.array([1.0, 1e6]), np.array([900, 60 - 80j]))
    found = starts([first, second])
    assert found["leads.resistance"] == pytest.approx(0.5)
    assert found["leads.inductance"] == pytest.approx(1.0 / (2 * np.pi * 1e6))


def test_leads_are_in_series_with_the_cell_and_scaled_with_it() -> None:
    """R + i omega L of the instrument; taken to another area by the factor that the data were taken by."""
    r, henry = unknown("leads.resistance"), unknown("leads.inductance")
    u = np.log(3.0)
    np.testing.assert_allclose(impedance(r, u, F, 2.0), np.full(F.size, 6.0))
    np.testing.assert_allclose(impedance(henry, u, F, 2.0), 6j * 2 * np.pi * F)
    unscaled = joint(measured([1.0, 2.0], 3.0), more=(r,)).deviation(0, np.array([1.0, 2.0, u]))[0]
    np.testing.assert_allclose(unscaled, 0, atol=1e-14)
    z = measured([1.0, 2.0], 2.0 * (3.0 + 2j * np.pi * F * 1e-3))
    with_leads = joint(z, more=(r, henry), scale=[2.0])
    at = np.array([1.0, 2.0, np.log(3.0), np.log(1e-3)])
    off, steep = with_leads.deviation(0, at)
    np.testing.assert_allclose(off, 0, atol=1e-14)
    for n in range(4):
        step = 1e-6 * np.eye(4)[n]
        ahead, behind = with_leads.deviation(0, at + step)[0], with_leads.deviation(0, at - step)[0]
        np.testing.assert_allclose(steep[:, n], (ahead - behind) / 2e-6, atol=1e-8)


def test_residuals_are_logarithms_over_sigma_real_parts_imaginary_parts_and_what_is_known_beforehand() -> None:
    """A phase is the nearest one: -179 degrees is 2 from 179."""
    prior = dataclasses.replace(Circuit().unknowns[0], prior=(2.0, 0.5))
    turned = measured([0.0, 0.0]) * np.exp(0.03 - 1j * np.deg2rad(358))
    made = joint(turned, sigma=0.1, cells=[(prior, Circuit().unknowns[1])])
    rows, slopes = made.weighted(np.zeros(2))
    assert rows.shape == (2 * F.size + 1,) and made.data == 2 * F.size
    np.testing.assert_allclose(rows[: F.size], -0.3, rtol=1e-9)
    np.testing.assert_allclose(rows[F.size : -1], -np.deg2rad(2) / 0.1, rtol=1e-9)
    assert rows[-1] == pytest.approx((1.0 - 2.0) / 0.5) and slopes[-1].tolist() == [2.0, 0.0]
    ahead = made.weighted(np.array([0.0, 1e-6]))[0]
    np.testing.assert_allclose(slopes[:, 1], (ahead - rows) / 1e-6, atol=1e-5)
    assert made.evaluations == 2
    made.weighted(np.array([0.0, 1e-6]))
    assert made.evaluations == 2, "the last ones are known"
    made.correction[0] = made.correction[0] + 0.03
    assert made.weighted(np.array([0.0, 1e-6]))[0][0] == ahead[0]
    made.forget()
    assert made.weighted(np.array([0.0, 1e-6]))[0][0] == pytest.approx(ahead[0] + 0.3)


def test_a_minimum_many_boxes_away_is_found_and_models_follow() -> None:
    """Six factors of e: no step leaves a box of one to each side, within which models were made."""
    made = joint(measured([6.0, -3.0]))
    u, result = made.fit(made.start)
    np.testing.assert_allclose(u, [6.0, -3.0], atol=1e-6)
    steps = np.abs(np.diff(made.models[0].centres, axis=0))  # type: ignore[attr-defined]
    assert len(steps) >= 5 and steps.max() <= 1 + 1e-6
    assert result.success


def test_a_minimum_beyond_a_bound_lies_on_it() -> None:
    made = joint(measured([0.0, 12.0]))
    u, _ = made.fit(made.start)
    assert u[1] == pytest.approx(np.log(1e4), abs=1e-6)
    assert cell_fit._at_bounds(made, u) == ("c",)
    assert cell_fit._at_bounds(made, np.zeros(2)) == ()
    back, _ = joint(measured([0.5, 3.0])).fit(u)
    np.testing.assert_allclose(back, [0.5, 3.0], atol=1e-6)  # from a start on a bound there is a way back
    low, high = made.ends.T
    started = made.minimizer(low, low, high).params
    assert all(each.min < each.value < each.max for each in started.values())
    assert cell_fit._at_bounds(made, made.ends[:, 0]) == ("r", "c")


def test_where_the_cell_describes_nothing_the_best_of_other_starts_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    made = joint(measured([0.0, 0.0]))
    costs = {(0.0, 0.0): 1e4, (-2.0, 0.0): 2e4, (2.0, 0.0): 9e3, (0.0, -2.0): np.inf, (0.0, 2.0): 1.0}
    tried = []

    def fit(start: np.ndarray) -> tuple[np.ndarray, Any]:
        tried.append(tuple(start))
        if not np.isfinite(costs[tuple(start)]):
            raise ComputationError("no grid")
        return start, tuple(start)

    monkeypatch.setattr(made, "fit", fit)
    monkeypatch.setattr(cell_fit, "_cost", lambda _, u: costs[tuple(u)])
    u, result = cell_fit._from_several_starts(made, lambda _: None)
    assert tried == list(costs) and tuple(u) == result == (0.0, 2.0)
    # A residual of 5 sigma in the mean is good enough: 2 cost/(2 f) = 25.
    costs[0.0, 0.0] = 25 * made.data / 2
    tried.clear()
    cell_fit._from_several_starts(made, lambda _: None)
    assert tried == [(0.0, 0.0)]


def test_standard_errors_are_those_of_least_squares_larger_where_residuals_are() -> None:
    """(J'J)^-1, times the mean square of the residuals above 1; what no datum tells has 1e6."""
    made = joint(measured([0.0, 0.0]), sigma=0.1)
    _, slopes = made.weighted(np.zeros(2))
    np.testing.assert_allclose(cell_fit._covariance(made, np.zeros(2)), np.linalg.inv(slopes.T @ slopes), rtol=1e-9)
    off = joint(measured([0.0, 0.0]) * np.exp(0.5), sigma=0.1)
    scale = F.size * 25 / (2 * F.size - 2)
    np.testing.assert_allclose(cell_fit._covariance(off, np.zeros(2)), scale * np.linalg.inv(slopes.T @ slopes), rtol=1e-9)
    blind = joint(measured([0.0, 0.0]), more=(unknown("leads.resistance", low=1e-200),))
    nothing = np.array([0.0, 0.0, -400.0])
    assert cell_fit._errors(blind, nothing)[2] == pytest.approx(1e6)


def test_solvers_do_at_worst_what_all_signs_of_their_uncertainty_add_up_to() -> None:
    made = joint(measured([0.0, 0.0]), sigma=0.1)
    z = measured([0.0, 0.0])
    known = fc.Spectrum(F, z, 0.02 * np.abs(z))
    worst = cell_fit._solver(made, np.zeros(2), [Checked(spectrum=known, verdict="agree", summary="")])
    _, slopes = made.weighted(np.zeros(2))
    random = np.random.default_rng(1)
    signs = random.choice([-1.0, 1.0], size=(2 * F.size, 4000))
    moved = np.abs(np.linalg.lstsq(slopes, 0.2 * signs, rcond=None)[0]).max(1)
    assert worst is not None and np.all(moved <= worst) and np.all(worst <= 1.3 * moved)
    bare = Checked(spectrum=fc.Spectrum(F, z), verdict="agree", summary="")
    assert cell_fit._solver(made, np.zeros(2), [bare]) is None


def test_noise_that_nobody_knows_is_that_of_the_residuals() -> None:
    made = joint(measured([0.0, 0.0]) * np.exp(0.3 + 0.4j), measured([0.0, 0.0]))
    cell_fit._measure(made, np.zeros(2), [True, False])
    np.testing.assert_allclose(made.sigma[0], 0.5 * np.sqrt(F.size / (2 * F.size - 2)))
    np.testing.assert_allclose(made.sigma[1], 0.01)


def test_a_check_takes_the_coarse_grids_deviation_out_and_widens_the_noise_by_its_half_u() -> None:
    """The model is 2 % and 3 degrees off what is right: after the check the right values, and u at 95 % is two sigma."""
    wrong = np.log(1.02) + 1j * np.deg2rad(3)
    truth = np.array([0.5, 0.2])
    made = joint(measured(truth) * np.exp(wrong), sigma=0.01)
    cells: list[Any] = []

    def check(cell: Any, frequency: np.ndarray) -> Checked:
        cells.append(cell)
        z = np.exp(Circuit().log_impedance(frequency, np.array(cell))[0] + wrong)
        return Checked(spectrum=fc.Spectrum(frequency, z, 0.03 * np.abs(z)), verdict="agree", summary="")

    first, _ = made.fit(made.start)
    u, _, shift, checks = cell_fit._checked(made, first, check, [False], lambda _: None)
    np.testing.assert_allclose(u, truth, atol=1e-6)
    np.testing.assert_allclose(made.correction[0], wrong, rtol=1e-9)
    np.testing.assert_allclose(made.sigma[0], np.hypot(0.01, 0.015))
    # The last move is below a tenth of a standard error; a first one above it takes another check.
    assert len(checks) == 1 and len(cells) == 2 and np.all(shift <= 0.1 * cell_fit._errors(made, u))
    assert np.any(np.abs(u - first) > 0.1 * cell_fit._errors(made, u))


def test_impedances_are_taken_to_the_area_of_the_cell() -> None:
    z = fc.Spectrum(F, measured([0.0, 0.0]))
    scaled = cell_fit._scaled(z, CELL, 3 * CELL.area)
    np.testing.assert_allclose(scaled.impedance, 3 * z.impedance)
    assert cell_fit._scaled(z, CELL, None) is z
    with pytest.raises(InputError):
        cell_fit._scaled(z, CELL, 0.0)


def test_a_combination_is_known_as_well_as_its_singular_value_says_with_its_largest_exponent_one() -> None:
    """J = U S V' with V known: 3-4-5 combinations of two unknowns."""
    v = np.array([[0.6, -0.8], [0.8, 0.6]])
    first, second = combinations(np.diag([50.0, 1.0]) @ v, ["a", "b"])
    assert first.powers == pytest.approx({"a": -0.75, "b": 1.0}) and first.error == pytest.approx(1 / (50 * 0.8))
    assert second.powers == pytest.approx({"a": 1.0, "b": 0.75}) and second.error == pytest.approx(1 / 0.8)
    assert first.determined and not second.determined
    assert first.text() == "a^-0.75 * b: known to 0.025 (2.5%)" and second.text().endswith("not determined by the data")
    (single,) = combinations(np.array([[2.0, 0.2, 0.32]]), ["a", "b", "c"])
    assert list(single.powers) == ["a", "c"], "a tenth of the largest exponent is not named, a sixth is"
    assert not Combination(powers={}, error=0.5).determined


@pytest.mark.parametrize("resistance", [2e-4, None], ids=["with charge transfer", "ideal contact"])
def test_the_usual_reading_takes_the_slowest_arc_for_charge_transfer(resistance: float | None, monkeypatch: Any) -> None:
    arcs = [SimpleNamespace(resistance=r, tau=tau) for r, tau in ((9.0, 1e-3), (5e5, 1.0), (7.0, 1e-6), (-1.0, 9.0))]
    circuit = SimpleNamespace(arcs=arcs, text=lambda: "RC")
    monkeypatch.setattr(single_arc, "fit_spectrum", lambda _: SimpleNamespace(circuit=lambda: circuit, statistics={}))
    change = (
        {"working_electrode.charge_transfer.resistance": 2e-4} if resistance else {"working_electrode.charge_transfer": None}
    )
    cell = CELL.vary({**change, FRACTION: 0.25})
    found = single_arc.single_arc(fc.Spectrum(F, measured([0.0, 0.0])), cell)
    assert found is not None and found.resistance == 5e5
    assert found.per_area == pytest.approx(5e5 * cell.area) and found.true_fraction == pytest.approx(0.25)
    if resistance is None:
        assert found.fraction is None and found.charge_transfer is None and "constriction" in found.text()
    else:
        assert found.charge_transfer == pytest.approx(2e-4)
        assert found.fraction == pytest.approx(2e-4 / (5e5 * cell.area))
        assert f"{found.per_area / 2e-4:.2g} times that" in found.text()
        assert f"({found.fraction / 0.25 - 1:+.0%})" in found.text() and "(2 ohm cm2)" in found.text()
    arcs[1].resistance = 0.5
    small = single_arc.single_arc(fc.Spectrum(F, measured([0.0, 0.0])), cell)
    assert small is not None and small.resistance == 0.5, "arcs of less than an ohm are arcs"
    arcs[:] = [SimpleNamespace(resistance=0.0, tau=1.0)]
    assert single_arc.single_arc(fc.Spectrum(F, measured([0.0, 0.0])), cell) is None

    def none(_: Any) -> Any:
        raise ConstrictionError("no circuit")

    monkeypatch.setattr(single_arc, "fit_spectrum", none)
    assert single_arc.single_arc(fc.Spectrum(F, measured([0.0, 0.0])), cell) is None


def ended(*verdicts: str, off: float = 0.0, above: bool = False, **more: Any) -> CellFit:
    """Of two spectra, the second one fitted to the last digit."""
    z = fc.Spectrum(F, measured([0.0, 0.0]))
    checks = tuple(Checked(spectrum=z, verdict=each, summary=f"it is {each}") for each in verdicts)
    return CellFit(
        values={},
        cells=(CELL, CELL.vary({FRACTION: 0.5})),
        checks=checks,
        combinations=(Combination(powers={"a": 1.0}, error=0.1), Combination(powers={"b": 1.0}, error=2.0)),
        statistics=tuple({"above_noise": each, "noise": None, "rms": 0.1} for each in (above, False)),
        measured=(z, z),
        fitted=(fc.Spectrum(F, z.impedance * np.where(np.arange(F.size) == 3, np.exp(-1j * off), 1)), z),
        **more,
    )


def test_the_worst_check_is_the_verdict_and_values_are_stated_only_where_none_contradicts() -> None:
    for verdicts, worst, stated in [
        (("agree", "agree"), "agree", True),
        (("agree", "not cross-checked"), "not cross-checked", True),
        (("unresolved", "not cross-checked"), "unresolved", False),
        (("unresolved", "disagree", "agree"), "disagree", False),
    ]:
        found = ended(*verdicts)
        assert (found.verdict, found.done) == (worst, stated)
        assert found.remark == ("cross-checked: it is agree" if worst == "agree" else f"it is {worst}")
    assert ended("agree", off=0.29).fits and not ended("agree", off=0.31).fits and not ended("agree", above=True).fits
    assert ended("agree", off=0.29).largest == pytest.approx(0.29)
    assert ended("agree").cell.contact_fraction == pytest.approx(0.25)


def test_everything_that_is_to_be_said_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fem_constriction.inverse.result.single_arc", lambda *_: None)
    found = ended("agree", intervals={"a": {"0.95": (1.0, 2.0)}}, at_bounds=("c",)).lines()
    assert found[:2] == ["Cross-checked: it is agree.", "a, profile: 95% 1 to 2"]
    assert found[2:5] == [
        "c lies on its bound: the data do not hold it back.",
        "Determined: a: known to 0.1 (10.0%).",
        "Open: b: not determined by the data.",
    ]
    assert [each[:12] for each in found[5:]] == ["Spectrum 1: ", "Spectrum 2: "]


def test_between_four_nodes_a_cubic_is_exact_and_so_is_its_derivative() -> None:
    model = SimpleNamespace(lattice=[np.array([-1.0, -0.3, 0.2, 0.9, 1.4, 2.5])])
    for u in (-0.9, 0.4, 1.1, 2.2):
        nodes, weights, slopes = CellModel._weights(model, 0, u)  # type: ignore[arg-type]
        at = model.lattice[0][nodes]
        assert weights @ (2 * at**3 - at + 1) == pytest.approx(2 * u**3 - u + 1)
        assert slopes @ (2 * at**3 - at + 1) == pytest.approx(6 * u**2 - 1)
        assert np.sum(at <= u) >= 1 and np.sum(at > u) >= 1, "nodes stand on both sides"
    assert CellModel._weights(model, 0, 0.4)[0] == [1, 2, 3, 4], "the nearest ones"  # type: ignore[arg-type]


def test_nodes_are_as_near_as_a_cubic_needs() -> None:
    """A factor of 1.5 of a length, half a unit of a logit, a tenth of a linear range; four at least."""
    log = _lattice(unknown(low=1.0, high=100.0))
    assert (log[0], log[-1]) == pytest.approx((0.0, np.log(100))) and np.diff(log).max() <= 0.4 < np.log(100) / (log.size - 2)
    logit = _lattice(unknown(low=0.1, high=0.9, start=0.5, scale="logit"))
    assert np.diff(logit).max() <= 0.5 < (logit[-1] - logit[0]) / (logit.size - 2)
    assert np.diff(_lattice(unknown(low=-1.0, high=4.0, scale="linear"))) == pytest.approx(np.full(10, 0.5))
    assert _lattice(unknown(low=1.0, high=1.1)).size == 4


def test_z_of_a_reduced_model_is_quadratic_in_what_is_left_and_its_potentials_those_of_the_system() -> None:
    random = np.random.default_rng(2)
    half = {name: random.normal(size=(4, 4)) for name in "ab"}
    matrices = {name: each @ each.T for name, each in half.items()}
    y = {"a": np.array([1.0, 2.0 + 1j]), "b": np.array([1e-6, 1e6 + 1e3j])}
    x, z = _solved(SimpleNamespace(matrices=matrices, port=np.eye(4)[3]), y)  # type: ignore[arg-type]
    for k in range(2):
        direct = np.linalg.solve(y["a"][k] * matrices["a"] + y["b"][k] * matrices["b"], np.eye(4)[3])
        np.testing.assert_allclose(x[:, k], direct, rtol=1e-6)
        assert z[k] == pytest.approx(direct[3], rel=1e-7)


def test_a_model_tells_materials_from_grids_and_boxes_its_materials_by_a_factor_of_four() -> None:
    free = unknowns(CELL, [FRACTION, SIGMA, "electrolyte.relative_permittivity"])
    model = CellModel(CELL, free, (1.0, 1e6))
    assert model.geometric == (0,), "conductivities take no other grids"
    box = np.array(model._box(model.start)) - model.start
    assert box[0].tolist() == [0.0, 0.0, 0.0] and len(box) == 5
    np.testing.assert_allclose(np.abs(box[1:, 1:]), np.log(4.0))
    assert len({tuple(np.sign(each)) for each in box[1:]}) == 4 and not box[:, 0].any()
    many = unknowns(CELL, [SIGMA, "electrolyte.relative_permittivity", "working_electrode.pore.capacitance"])
    sides = np.array(CellModel(CELL, many, (1.0, 1e6))._box(model.start * 0 + [each.inside(each.start) for each in many]))
    assert len(sides) == 7 and np.all(np.sum(np.abs(sides[1:] - sides[0]) > 1e-9, axis=1) == 1)
    inside, outside = (model.start + np.array(off) for off in ([0.0, 1.3, -1.3], [0.0, 1.5, 0.0]))
    assert not model.recentred(inside), "4 is e^1.39"
    model._models[0,] = "made for materials around the old centre"  # type: ignore[assignment]
    assert model.recentred(outside) and model.centre == pytest.approx(outside)
    assert not model._models
    other_node = model.start + np.array([2.0, 1.5, 0.0])
    assert not model.recentred(other_node), "along one unknown that changes grids all nodes have models of their own"
    chosen = CellModel(CELL, free, (1.0, 1e6), backend_named("fem"))
    assert chosen.backend is not None and chosen.backend.name == "fem"


def test_admittances_have_their_derivatives_and_equal_cells_one_model() -> None:
    free = unknowns(CELL, [FRACTION, SIGMA])
    one, same, other = models_of([CELL, CELL, CELL.vary({SIGMA: 0.1})], [free] * 3, (1.0, 1e6))
    assert one is same and one is not other
    s = np.array([1j, 1e3j])
    y, dy = one._admittances(s, one.start, lambda places: places)
    bulk = Problem(CELL).places["bulk"](s)
    np.testing.assert_allclose(y["bulk"], bulk)
    # dy/du of a logarithm is the part that the conductivity makes of it; a fraction changes no admittance.
    np.testing.assert_allclose(dy[1]["bulk"], 0.046, rtol=1e-6)
    np.testing.assert_allclose(dy[0]["bulk"], 0)


def test_of_two_unknowns_that_change_grids_what_each_of_them_does_is_added_up() -> None:
    """log Z = a^3 + 2 b^2 + 3 m: exact, with its derivatives, from nodes along both and a material m."""
    model = CellModel.__new__(CellModel)
    model.unknowns = (unknown("a"), unknown("m"), unknown("b"))
    model.geometric, model.centre, model.evaluations = (0, 2), np.array([0.1, 0.0, -0.2]), 0
    model.lattice = [np.linspace(-1, 1, 6), np.linspace(-2, 2, 9)]
    u = np.array([0.37, 0.7, 1.1])

    def at_node(index: tuple[int, ...], *_: Any) -> tuple[np.ndarray, np.ndarray]:
        a, b = (lattice[n] for lattice, n in zip(model.lattice, index, strict=True))
        return np.full(2, a**3 + 2 * b**2 + 3 * u[1] + 0j), np.tile([0.0, 3.0, 0.0], (2, 1)) + 0j

    model._model = lambda index: (None, None)  # type: ignore[method-assign,assignment,return-value]
    model._admittances = lambda *_: ({}, [])  # type: ignore[method-assign]
    model._at_node = at_node  # type: ignore[method-assign,assignment]
    logs, slopes = model.log_impedance(np.ones(2), u)
    np.testing.assert_allclose(logs, u[0] ** 3 + 2 * u[2] ** 2 + 3 * u[1], rtol=1e-12)
    np.testing.assert_allclose(slopes, [[3 * u[0] ** 2, 3.0, 4 * u[2]]] * 2, rtol=1e-12)
    near, far = np.array([0.11, 5.0, -0.19]), np.array([0.6, 0.0, -0.2])
    model._models = {}
    assert model.recentred(far), "with two of them models stand around one node"
    assert model.recentred(near)


def test_values_have_correlations_and_freedoms_of_least_squares_and_one_spectrum_needs_no_numbers() -> None:
    """Full contact: the cell is its circuit, here with noise of one known size; chi^2 over 2 f - n is about 1."""
    cell, r_pol = CELL.vary({FRACTION: 1.0}), "working_electrode.charge_transfer.resistance"
    f = np.geomspace(1e-1, 1e7, 25)
    random = np.random.default_rng(4)
    noise = 1 + 0.01 * (random.normal(size=f.size) + 1j * random.normal(size=f.size))
    z = fc.Spectrum(f, physical(cell).impedance(f) * noise)

    def right(at: fc.Cell, frequency: np.ndarray) -> Checked:
        return Checked(spectrum=fc.Spectrum(frequency, physical(at).impedance(frequency)), verdict="agree", summary="")

    free = [SIGMA, r_pol]
    found = cell_fit.fit_cell(z, cell, free, each=[SIGMA], noise=0.01, check=right, intervals=True)
    assert found.names == (SIGMA, r_pol), "numbers tell spectra apart, of which there is one"
    np.testing.assert_allclose(np.diagonal(found.correlation), 1)
    assert 0 < abs(found.correlation[0, 1]) < 1
    jacobian = found.models[0].log_impedance(f, found.u)[1] / 0.01
    slopes = np.vstack([jacobian.real, jacobian.imag])
    covariance = np.linalg.inv(slopes.T @ slopes)
    for n, key in enumerate(free):
        value = found.values[key]
        assert value.nominal == pytest.approx(value.value * np.sqrt(covariance[n, n]), rel=0.3), "chi^2 is 1 within 3 of 0.14"
        assert abs(value.value / (0.046, 1e-4)[n] - 1) < 4 * value.nominal / value.value
        low, high = next(iter(found.intervals[key].values()))
        assert low < value.value < high
    assert found.statistics[0]["rms"] == pytest.approx(0.014, rel=0.3)
    with pytest.raises(InputError, match="one cell, or 1"):
        cell_fit.fit_cell(z, [cell, cell], free)
    with pytest.raises(InputError, match="at most 2 values"):
        cell_fit.fit_cell(fc.Spectrum(f[:1], z.impedance[:1]), cell, [*free, "electrolyte.relative_permittivity"], noise=0.01)
