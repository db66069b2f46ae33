"""u* = argmin |log Z(u) + c - log Z_measured|, c = log Z_checked(u*) - log Z(u*): a cell fitted to what was measured.

Z(u) is that of coarse grids, reduced and interpolated (`cell_model`): milliseconds, and wrong by parts of a percent. Where the
minimum is, the cell is solved as well as it can be, by two backends that have to agree; the difference c is taken over, and the
fit repeated until it stays where it was checked. So neither the grid nor the interpolation is left in the values, and the
answer is cross-checked before it is stated.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell, CellLike
from fem_constriction.cell.units import parse
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.fitting.intervals import profiled
from fem_constriction.fitting.noise import Noise, noise_of, statistics
from fem_constriction.fitting.values import Value
from fem_constriction.inverse.cell_model import CellModel, models_of
from fem_constriction.inverse.check import Check, Checked, installed, of_one
from fem_constriction.inverse.identifiable import combinations
from fem_constriction.inverse.joint import Joint
from fem_constriction.inverse.leads import starts
from fem_constriction.inverse.result import CellFit
from fem_constriction.inverse.unknowns import LEADS, Layout, unknowns
from fem_constriction.solving.refinement import angular_band
from fem_constriction.spectra.spectrum import Spectrum
from fem_constriction.spectra.sweeps import prepared

#: Standard deviations that the minimum may still move by after the check for which the values are stated.
STILL: Final = 0.1
#: Checks at most; the deviation of coarse grids changes little with the values, so that two are the rule.
MOST: Final = 4
#: Relative standard deviation that is assumed until the residuals tell one, where the data do not.
ASSUMED: Final = 1e-2
#: Root of the mean square of residuals over sigma from which on other starts are tried, and starts, factors of e.
POOR, STARTS = 5.0, (-2.0, 2.0)
_LEAST: Final = 1e-6  # of |Z|: no measurement is less noisy


def fit_cell(
    spectrum: Spectrum | Sequence[Spectrum],
    cell: CellLike | Sequence[CellLike],
    free: Sequence[str],
    *,
    each: Sequence[str] = (),
    bounds: Mapping[str, Any] | None = None,
    priors: Mapping[str, Any] | None = None,
    area: Any = None,
    noise: float | None = None,
    check: bool | Check = True,
    intervals: bool = False,
    like: CellFit | None = None,
    progress: Callable[[str], None] | None = None,
) -> CellFit:
    """Fit values of a cell to measured spectra: contact fraction, conductivities, thicknesses, whatever its file may say.

    Parameters
    ----------
    spectrum
        Of the whole cell, ohm; several are fitted together.
    cell
        What is known, and where free values start: a Cell, a file, a dictionary; one for all spectra, or one each.
    free
        Keys that are fitted, dotted, such as "working_electrode.contact.fraction"; "leads.resistance" and "leads.inductance"
        are what lies between cell and instrument, in ohm and H as they are measured.
    each
        Those of them that every spectrum has for itself; the others are the same in all.
    bounds
        Key -> (lower, upper), numbers in SI or texts with a unit, or "0.1 mS/cm:1 mS/cm".
    priors
        Key -> (value, standard deviation), or "0.25 +- 0.05".
    area
        Of the electrode that was measured, m2 or a text with a unit: impedances are taken to the cell's area. Left out: the
        measured impedance is that of the cell as it is described.
    noise
        Standard deviation of each part relative to |Z|; left out: from repeats, or Kramers-Kronig residuals.
    check
        True: the installed cross-check of two backends; False: the limit of one backend; or a function (`inverse.check.Check`).
    intervals
        Intervals by profile likelihood as well.
    like
        An earlier fit with the same unknowns and frequencies: its models and its check are taken, nothing is solved anew.
    progress
        Called with a few words at each stage.

    Returns
    -------
    CellFit
        Values with uncertainties, the verdict of the check, what the data determine, and what the usual reading says.

    Raises
    ------
    InputError
        For what is wrong in the cell, the keys or the data.
    ComputationError
        Where a solver fails.
    """
    begun = time.perf_counter()
    say = progress or (lambda _: None)
    given = [spectrum] if isinstance(spectrum, Spectrum) else list(spectrum)
    if not given:
        raise InputError(key="spectrum", value=given, allowed="at least one spectrum")
    described: list[Any] = list(cell) if isinstance(cell, (list, tuple)) else [cell] * len(given)
    cells = [Cell.of(one) for one in described]
    if len(cells) != len(given):
        raise InputError(key="cell", value=len(cells), allowed=f"one cell, or {len(given)}, one for each spectrum")
    if stray := [key for key in each if key not in free]:
        raise InputError(key="each", value=stray[0], allowed=f"a key that is fitted: {', '.join(free)}")
    scattered = [_noise(one, noise) for one in given]
    data = [_scaled(prepared(one)[0], one_cell, area) for one, one_cell in zip(given, cells, strict=True)]
    scale = [float(np.abs(one.impedance[0] / prepared(raw)[0].impedance[0])) for one, raw in zip(data, given, strict=True)]
    start = starts([prepared(one)[0] for one in given])
    layout = Layout(tuple(unknowns(one, free, bounds, priors, start) for one in cells), tuple(each) if len(given) > 1 else ())
    varied = len(layout.entries)
    if (count := 2 * sum(map(len, data))) < varied:
        raise InputError(key="free", value=varied, allowed=f"at most {count} values, one for each number measured")
    chosen = (installed() if check else None) if isinstance(check, bool) else check
    say("grids")
    models = _models(cells, layout, data, like)
    joint = Joint(
        layout=layout,
        models=models,
        frequency=[one.frequency for one in data],
        impedance=[one.impedance for one in data],
        sigma=[np.full(len(one), max(_size(each), _LEAST)) for one, each in zip(data, scattered, strict=True)],
        scale=scale,
    )
    say("fit")
    checks: Sequence[Checked]
    if like is not None:
        joint.correction, checks = list(like.correction), like.checks
        u, result = joint.fit(like.u)
        shift = np.zeros(u.size)
    else:
        u, result = _from_several_starts(joint, say)
        backend = models[0].backend
        assert backend is not None
        u, result, shift, checks = _checked(joint, u, chosen or of_one(backend), [one is None for one in scattered], say)
    say("uncertainties")
    return _told(joint, u, result, shift, tuple(checks), scattered, data, intervals, begun)


def _noise(one: Spectrum, given: float | None) -> Noise | None:
    return noise_of(prepared(one)[0], given) if given is not None or len(one) > 2000 else noise_of(one)


def _size(noise: Noise | None) -> float:
    return ASSUMED if noise is None else noise.size


def _scaled(one: Spectrum, cell: Cell, area: Any) -> Spectrum:
    if area is None:
        return one
    try:
        size = parse(area, "m^2")
    except InputError as error:
        raise error.renamed("area") from None
    if not size > 0:
        raise InputError(key="area", value=size, unit="m^2", allowed="above 0")
    return replace(one, impedance=one.impedance * (size / cell.area), uncertainty=None)


def _models(cells: Sequence[Cell], layout: Layout, data: Sequence[Spectrum], like: CellFit | None) -> list[CellModel]:
    if like is not None:
        same = [len(one) for one in data] == [one.size for one in like.correction]
        if not same or layout.names != like.names:
            raise InputError(key="like", value=", ".join(like.names), allowed="a fit with the same unknowns and frequencies")
        return list(like.models)
    bands = [angular_band(one.frequency) for one in data]
    of_cells = [tuple(each for each in one if each.key not in LEADS) for one in layout.unknowns]
    return models_of(cells, of_cells, (min(low for low, _ in bands), max(high for _, high in bands)))


def _from_several_starts(joint: Joint, say: Callable[[str], None]) -> tuple[Array, Any]:
    """The best minimum: from the values of the cell, and where that describes nothing from others."""
    best = joint.fit(joint.start)
    tried = [joint.start]
    for place in range(joint.start.size):
        for factor in STARTS:
            if np.sqrt(2 * _cost(joint, best[0]) / joint.data) <= POOR:
                return best
            other = joint.start.copy()
            other[place] = np.clip(other[place] + factor, *joint.ends[place])
            if any(np.allclose(other, one) for one in tried):
                continue
            tried.append(other)
            say(f"fit from start {len(tried)}")
            try:
                found = joint.fit(other)
            except ComputationError:
                continue
            joint.forget()
            if _cost(joint, found[0]) < _cost(joint, best[0]):
                best = found
    return best


def _cost(joint: Joint, u: Array) -> float:
    return float(np.sum(joint.weighted(u)[0] ** 2)) / 2


def _checked(
    joint: Joint, u: Array, check: Check, unknown: Sequence[bool], say: Callable[[str], None]
) -> tuple[Array, Any, Array, list[Checked]]:
    """The minimum after the check, lmfit's result, how far it moved by it, and what was found."""
    noise = [each.copy() for each in joint.sigma]
    for number in range(1, MOST + 1):
        say(f"check {number}")
        checks = []
        done: dict[Any, Checked] = {}
        for n, model in enumerate(joint.models):
            model.recentred(u[joint.places[n]])
            cell, points = model.at(u[joint.places[n]]), joint.frequency[n]
            key = (cell, points.tobytes())
            if key not in done:
                done[key] = check(cell, points)
            checks.append(done[key])
            logs, _ = model.log_impedance(points, u[joint.places[n]])
            known = done[key].spectrum
            difference = np.log(known.impedance) - logs
            joint.correction[n] = difference.real + 1j * np.angle(np.exp(1j * difference.imag))
            width = 0.0 if known.uncertainty is None else known.uncertainty / np.abs(known.impedance) / 2
            joint.sigma[n] = np.hypot(noise[n], width)
        joint.forget()
        if any(unknown):
            _measure(joint, u, unknown)
        found, result = joint.fit(u)
        shift = np.abs(found - u)
        u = found
        if np.all(shift <= STILL * _errors(joint, u)):
            break
    return u, result, shift, checks


def _measure(joint: Joint, u: Array, unknown: Sequence[bool]) -> None:
    """Take the residuals for the noise where the data do not tell it."""
    for n, each in enumerate(unknown):
        if each:
            off, _ = joint.deviation(n, u)
            freedom = max(2 * off.size - u.size, 1)
            joint.sigma[n] = np.full(off.size, max(float(np.sqrt(np.sum(np.abs(off) ** 2) / freedom)), _LEAST))
    joint.forget()


def _covariance(joint: Joint, u: Array) -> Array:
    """(J'J)^-1, with what no datum tells at 1e12; larger by the mean square of the residuals where that is above 1."""
    residual, jacobian = joint.weighted(u)
    _, sizes, vectors = np.linalg.svd(jacobian, full_matrices=False)
    scale = max(1.0, float(np.sum(residual[: joint.data] ** 2)) / max(joint.data - u.size, 1))
    return np.asarray((vectors.T / np.maximum(sizes, 1e-6) ** 2) @ vectors * scale)


def _errors(joint: Joint, u: Array) -> Array:
    return np.sqrt(np.diagonal(_covariance(joint, u)))


def _told(
    joint: Joint,
    u: Array,
    result: Any,
    shift: Array,
    checks: tuple[Checked, ...],
    noise: Sequence[Noise | None],
    data: Sequence[Spectrum],
    intervals: bool,
    begun: float,
) -> CellFit:
    covariance, entries = _covariance(joint, u), joint.entries
    errors = np.sqrt(np.diagonal(covariance))
    solved = _solver(joint, u, checks)
    slopes = np.array([each.slope(x) for (each, _), x in zip(entries, u, strict=True)])
    sizes = np.array([each.outside(x) for (each, _), x in zip(entries, u, strict=True)])
    values = {
        name: Value(
            value=float(sizes[n]),
            unit=entries[n][0].unit,
            discretisation=None if solved is None else float(slopes[n] * solved[n]),
            model=float(slopes[n] * shift[n]),
            nominal=float(slopes[n] * errors[n]),
        )
        for n, name in enumerate(joint.layout.names)
    }
    _, jacobian = joint.weighted(u)
    relative = np.where(sizes > 0, sizes / slopes, 1.0)
    deviations = [joint.deviation(n, u)[0] for n in range(len(data))]
    cells = tuple(model.at(u[places]) for model, places in zip(joint.models, joint.places, strict=True))
    return CellFit(
        values=values,
        cells=cells,
        checks=checks,
        combinations=combinations(jacobian[: joint.data] * relative, joint.layout.names),
        statistics=tuple(
            statistics("the cell", float(np.sum(np.abs(off) ** 2)), 2 * off.size, u.size, float(np.max(np.abs(off))), each)
            for off, each in zip(deviations, noise, strict=True)
        ),
        measured=tuple(data),
        fitted=tuple(Spectrum(one.frequency, one.impedance * np.exp(off)) for one, off in zip(data, deviations, strict=True)),
        at_bounds=_at_bounds(joint, u),
        intervals=_profiles(joint, u, errors) if intervals else {},
        correlation=covariance / np.outer(errors, errors),
        evaluations=joint.evaluations,
        grids=sum({id(model): model.solved for model in joint.models}.values()),
        seconds=time.perf_counter() - begun,
        lmfit=result,
        u=u,
        correction=tuple(joint.correction),
        models=tuple(joint.models),
    )


def _solver(joint: Joint, u: Array, checks: Sequence[Checked]) -> Array | None:
    """The worst that the uncertainty of the checked spectra can do to u, (n,); None where it is not known."""
    widths = []
    for n, each in enumerate(checks):
        if each.spectrum.uncertainty is None:
            return None
        widths.append(np.tile(each.spectrum.uncertainty / np.abs(each.spectrum.impedance) / joint.sigma[n], 2))
    _, jacobian = joint.weighted(u)
    inverse = np.linalg.pinv(jacobian, rcond=1e-12)[:, : joint.data]
    return np.asarray(np.abs(inverse) @ np.concatenate(widths))


def _at_bounds(joint: Joint, u: Array) -> tuple[str, ...]:
    near = 1e-6 * (joint.ends[:, 1] - joint.ends[:, 0])
    on = (u - joint.ends[:, 0] < near) | (joint.ends[:, 1] - u < near)
    return tuple(name for name, each in zip(joint.layout.names, on, strict=True) if each)


def _profiles(joint: Joint, u: Array, errors: Array) -> dict[str, dict[str, tuple[float, float]]]:
    """Intervals at one and two standard deviations, by lmfit's profile likelihood, in SI."""
    low, high = np.maximum(joint.ends[:, 0], u - 10 * errors - 1e-6), np.minimum(joint.ends[:, 1], u + 10 * errors + 1e-6)
    made = joint.minimizer(u, low, high)
    result = made.leastsq()
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for label, name, (each, _) in zip(result.var_names, joint.layout.names, joint.entries, strict=True):
        ends = profiled(made, result, label)
        if ends is not None:
            found[name] = {f"{level:g}": (_end(each, low, 0), _end(each, high, 1)) for level, (low, high) in ends.items()}
    return found


def _end(unknown: Any, u: float, side: int) -> float:
    return float(unknown.outside(u)) if np.isfinite(u) else (unknown.low, unknown.high)[side]
