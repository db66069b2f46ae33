"""Agree, then extract: the main job. R_Cstr, C_Cstr and tau are fitted only to spectra that two backends agree on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fem_constriction import memory
from fem_constriction.api import spectrum_of
from fem_constriction.cell.cell import Cell, CellLike
from fem_constriction.errors import ComputationError, ConstrictionError, InputError, MemoryShort, NotAgreed, cut
from fem_constriction.fitting.extraction import Extraction, Value, extract
from fem_constriction.problem.problem import Problem, check_solvable
from fem_constriction.processes.circuits import one_dimensional_resistance
from fem_constriction.processes.of_cell import admittances, direct_current
from fem_constriction.solving.backends import Backend, SpectrumBackend, backend_named
from fem_constriction.solving.capabilities import gap, require
from fem_constriction.solving.refinement import FIRST_LEVELS, Family, angular_band, check_affordable, refine, solve_family
from fem_constriction.spectra.frequencies import frequencies_taken
from fem_constriction.spectra.spectrum import Spectrum
from validation.discs.all_unknowns import pair
from validation.discs.certificate import Discs, Pairing
from validation.discs.guaranteed import guarantee
from validation.gate.agreement import Agreement, check_tolerance, compare, enclose
from validation.gate.result import GEOMETRIC, Geometric, Result
from validation.gate.shared_route import RouteCheck, check_routes
from validation.gate.spectra_alone import Told, by_kind, different, told

#: 61 values from 1 mHz to 1 GHz.
FREQUENCIES = np.geomspace(1e-3, 1e9, 61)
BACKENDS = ("network", "fem")

#: What a fit may fail with; numerical libraries raise the others where an iteration leaves what is finite.
_FAILED = (ConstrictionError, ArithmeticError, ValueError, np.linalg.LinAlgError)

#: Name of the fit to what all backends agree on, and how far two fits to one spectrum may differ, relative.
TOGETHER = "agreed"
SAME_FIT = 1e-6

Progress = Callable[[str, int], None]


@dataclass(frozen=True, eq=False)
class Prepared:
    """Cells that differ in materials alone, solved: what any of them is judged by. Small, and picklable.

    Parameters
    ----------
    families
        Backend -> its grids.
    pairing
        What guaranteed discs are made of; None without such a pair of backends.
    routes
        One per backend: how it was solved beside its own matrices.
    """

    families: Mapping[str, Family]
    pairing: Pairing | None
    routes: tuple[RouteCheck, ...] = ()


def crosscheck(
    cell: CellLike,
    frequencies: Any = None,
    *,
    backends: Sequence[str | Backend | SpectrumBackend] = BACKENDS,
    tolerance: float = 1e-3,
    accuracy: float | None = None,
    discs: bool = True,
    progress: Progress | None = None,
) -> Result:
    """Return what the backends agree on, and the constriction extracted from it if they do.

    Each backend is solved on a family of at least three grids; where that leaves the agreement or the geometric R_Cstr
    unresolved, the backend with the larger uncertainty is refined once more, as long as memory allows. A disagreement or an
    unresolved agreement is a result, not an error: `.refusal` says where and by how much, and `.constriction` raises NotAgreed.

    Parameters
    ----------
    cell
        A Cell, the path of a cell file, or a dictionary with its keys.
    frequencies
        Hz; left out: 61 from 1 mHz to 1 GHz.
    backends
        Two or more: names of installed ones, or backends themselves. One that gives spectra alone is asked once; at least one
        other must have grids.
    tolerance
        Of the agreement, relative to |Z|.
    accuracy
        Guaranteed discs with at most this radius, relative to |Z|, on grids made for them (`guarantee`); left out: those of the
        finest grids.
    discs
        False: none, a few seconds instead of half a minute.
    progress
        Called with a backend's name and the level after each grid.

    Returns
    -------
    Result
        Agreement, geometric resistance, and extraction or the reason why there is none.

    Raises
    ------
    InputError
        For what is wrong in the cell or the arguments.
    ComputationError
        Where a solver fails.
    """
    cell = Cell.of(cell)
    points = FREQUENCIES if frequencies is None else frequencies_taken(frequencies)
    band = angular_band(points)
    check_tolerance(tolerance)
    chosen, telling = by_kind(backends)
    require("crosscheck" if accuracy is None else "crosscheck --accuracy", cell, [*chosen, *telling])
    asked = None if accuracy is None else guarantee(cell, points, accuracy, backends=chosen).discs
    keep = discs and asked is None and gap("spectrum --guaranteed", cell, chosen) is None
    families = _solve([cell], chosen, band, progress, keep=keep)
    others = {backend.name: told(cell, backend, points, progress) for backend in telling}
    bounding = _bounding(cell, families, band)
    routes = check_routes([cell], [*chosen, *telling], band)
    while True:
        found = _discs(cell, _pairing(families), points) if keep else asked
        agreement = _agree(families, points, tolerance, found, routes, wanted=discs, others=others, bounding=bounding)
        geometric = _geometric(families, agreement, others, bounding)
        resolved = geometric is None or geometric.resolved
        if agreement.verdict == "disagree" or (agreement.verdict == "agree" and resolved):
            break
        name = _widest(families, agreement, geometric)
        if name not in families or len(families[name].solutions) > len(FIRST_LEVELS):
            break
        try:
            families[name] = refine(families[name], band)
        except (InputError, ComputationError):
            break
        if progress is not None:
            progress(name, len(families[name].solutions) - 1)
    return _result(cell, families, agreement, geometric)


def prepare(
    cells: Sequence[CellLike],
    frequencies: Any = None,
    *,
    backends: Sequence[str | Backend] = BACKENDS,
    side_by_side: bool = True,
    progress: Progress | None = None,
) -> Prepared:
    """Solve the grids that cells of one discretisation share, once for all their materials: `judge` gives the result of each.

    Parameters
    ----------
    cells
        Cells that differ in materials alone.
    frequencies
        Hz; left out: 61 from 1 mHz to 1 GHz.
    backends
        Two or more with grids.
    side_by_side
        A thread per backend; not where every processor has work already.
    progress
        Called with a backend's name and the level after each grid.

    Returns
    -------
    Prepared
        What `judge` takes: small, and picklable.

    Raises
    ------
    InputError
        For cells that differ in more than materials.
    ComputationError
        Where a solver fails.
    """
    taken = [Cell.of(cell) for cell in cells]
    points = FREQUENCIES if frequencies is None else frequencies_taken(frequencies)
    chosen = [backend_named(backend) for backend in different(backends)]
    for cell in taken[:1]:  # of one discretisation, hence of one kind
        require("sweep", cell, chosen)
    band = angular_band(points)
    families = _solve(taken, chosen, band, progress, side_by_side)
    pairing, routes = _pairing(families), check_routes(taken, chosen, band)
    return Prepared({name: family.without_potentials() for name, family in families.items()}, pairing, routes)


def judge(
    cell: Cell,
    prepared: Prepared,
    frequencies: Any = None,
    *,
    tolerance: float = 1e-3,
    every_fit: bool = True,
) -> Result:
    """Return what `crosscheck` would, for one of the cells that were prepared, without refining further.

    Parameters
    ----------
    cell
        One of those that were prepared.
    prepared
        What `prepare` returned.
    frequencies
        Hz; left out: 61 from 1 mHz to 1 GHz.
    tolerance
        Of the agreement, relative to |Z|.
    every_fit
        That of each backend and that with the discs as well, not only that of what they agree on.

    Returns
    -------
    Result
        As of `crosscheck`.
    """
    points = FREQUENCIES if frequencies is None else frequencies_taken(frequencies)
    check_tolerance(tolerance)
    families = {name: family.of(cell) for name, family in prepared.families.items()}
    agreement = _agree(families, points, tolerance, _discs(cell, prepared.pairing, points), prepared.routes)
    return _result(cell, families, agreement, _geometric(families, agreement), every_fit)


def _result(
    cell: Cell,
    families: Mapping[str, Family],
    agreement: Agreement,
    geometric: Geometric | None,
    every_fit: bool = True,
) -> Result:
    refusal = _refusal(agreement, geometric)
    if refusal is not None:
        return Result(cell, families, agreement, geometric, None, {}, None, refusal)
    best, unfitted = families[_best_known(agreement, families)], {}

    def fitted(name: str, spectrum: Spectrum, family: Family) -> Extraction | None:
        """What agrees is kept whatever becomes of a fit to it."""
        try:
            return _extract(cell, spectrum, family, geometric)
        except _FAILED as error:
            reason = str(error) if isinstance(error, ConstrictionError) else f"{type(error).__name__}: {error}"
            unfitted[name] = cut(reason.removeprefix("nothing is extracted: "))
            return None

    agreed = agreement.combined()
    found = fitted(TOGETHER, agreed, best)
    if found is None:
        refusal = f"nothing is extracted: {unfitted[TOGETHER]}"
    elif found.refusal is not None:
        refusal = found.refusal
    if not every_fit:
        return Result(cell, families, agreement, geometric, found, {}, None, refusal, unfitted)
    tried = {name: fitted(name, limit, families.get(name, best)) for name, limit in agreement.limits.items()}
    by_backend = {name: each for name, each in tried.items() if each is not None}
    guaranteed = None
    if agreement.discs is not None:
        discs = agreement.discs
        reach = np.abs(agreed.impedance - discs.centre) + discs.radius
        guaranteed = fitted("discs", Spectrum(agreed.frequency, agreed.impedance, reach), best)
    if found is not None:
        found = replace(found, notes=(*found.notes, *_beside(found, by_backend)))
    return Result(cell, families, agreement, geometric, found, by_backend, guaranteed, refusal, unfitted)


def _beside(found: Extraction, by_backend: Mapping[str, Extraction]) -> list[str]:
    """Say where a value of the fit to what agrees does not lie between those of the backends' own fits."""
    notes = []
    for letter in ("R", "C", "tau"):
        values = [getattr(each.constriction, letter, None) for each in (found, *by_backend.values())]
        own, *others = [None if value is None else value.value for value in values]
        known = [value for value in others if value is not None]
        if own is None or len(known) < 2:
            continue
        low, high = min(known), max(known)
        if not low * (1 - SAME_FIT) <= own <= high * (1 + SAME_FIT):
            notes.append(
                f"{letter}_Cstr = {own:.5g} lies outside the backends' own fits, {low:.5g} to {high:.5g}: a fit is not "
                "linear in the spectrum, and one to the mean of two spectra need not lie between those to each"
            )
    return notes


def extract_agreed(cell: Cell, agreement: Agreement, families: Mapping[str, Family], geometric: Geometric | None) -> Extraction:
    """Return the constriction of spectra that agree.

    Parameters
    ----------
    cell
        What was solved.
    agreement
        Of the backends' limits.
    families
        Backend -> its grids, solved.
    geometric
        The geometric resistance; None where no direct current flows.

    Returns
    -------
    Extraction
        Arcs with R, C and tau, each with its uncertainties.

    Raises
    ------
    NotAgreed
        With where and by how much, for spectra that do not agree.
    """
    refusal = _refusal(agreement, geometric)
    if refusal is not None:
        raise NotAgreed(refusal)
    return _extract(cell, agreement.combined(), families[_best_known(agreement, families)], geometric)


def _best_known(agreement: Agreement, families: Mapping[str, Family]) -> str:
    return min(families, key=lambda name: float(np.max(_uncertainty(agreement.limits[name]))))


def _extract(cell: Cell, spectrum: Spectrum, family: Family, geometric: Geometric | None) -> Extraction:
    value = None
    if geometric is not None:
        value = Value(value=geometric.value, unit="ohm", discretisation=geometric.uncertainty, model=0.0, nominal=0.0)
    return extract(
        spectrum.frequency,
        spectrum.impedance,
        uncertainty=spectrum.uncertainty,
        cell=cell,
        model=family.relaxing,
        geometric=value,
    )


def _solve(
    cells: Sequence[Cell],
    chosen: Sequence[Backend],
    band: tuple[float, float],
    progress: Progress | None,
    side_by_side: bool = True,
    keep: bool = True,
) -> dict[str, Family]:
    """Solve the backends side by side; an interruption does not wait for what is still running."""
    for cell in cells:
        check_solvable(cell)
    at_once = len(chosen) if side_by_side else 1
    # Threads of dense algebra are held here as well: the limit of one grid, when it ends, must not give its threads back while
    # another one runs.
    with memory.shared(at_once), threadpool_limits(limits=1, user_api="blas"):
        for backend in chosen:
            check_affordable(Problem.of(cells[0]), backend)
        pool = ThreadPoolExecutor(at_once)
        try:
            solve = partial(solve_family, cells[0], progress=progress, keep=keep, others=cells[1:])
            jobs = {backend.name: pool.submit(solve, backend, band) for backend in chosen}
            return {name: job.result() for name, job in jobs.items()}
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _bounding(cell: Cell, families: Mapping[str, Family], band: tuple[float, float]) -> list[Family]:
    """What bounds Z from the side that none of the backends does, where one of them knows it: `opposite(cell)`, or None."""
    sides = {family.bound for family in families.values()}
    found = []
    for family in families.values():
        opposite = getattr(family.backend, "opposite", lambda _: None)(cell)
        if opposite is not None and opposite.bound not in sides:
            with suppress(MemoryShort):
                found.append(solve_family(cell, opposite, band, levels=FIRST_LEVELS[:2]))
    return found


def _agree(
    families: Mapping[str, Family],
    points: NDArray[np.float64],
    tolerance: float,
    discs: Discs | None,
    routes: Sequence[RouteCheck] = (),
    wanted: bool = True,
    others: Mapping[str, Told] = MappingProxyType({}),
    bounding: Sequence[Family] = (),
) -> Agreement:
    limits = {name: spectrum_of(family, points) for name, family in families.items()}
    limits |= {name: each.spectrum for name, each in others.items()}
    enclosures, notes = [], []
    for lower, upper in product([*families.values(), *bounding], repeat=2):
        if lower.bound == "lower" and upper.bound == "upper":
            enclosures.append(enclose(lower, upper))
    if not enclosures:
        notes.append("no pair of a lower-bound and an upper-bound backend: no enclosure was checked")
    if discs is None and wanted:
        notes.append("no pair of backends gives potentials and currents of the same parts and layers: no guaranteed discs")
    for name, family in families.items():
        limit = family.limit(points)
        loose = ~limit.asymptotic & (limit.uncertainty > tolerance / 100 * np.abs(limit.value))
        if loose.any():
            notes.append(
                f"{name}: outside the asymptotic range at {int(loose.sum())} of {points.size} frequencies, where the whole "
                "last difference is added to the uncertainty"
            )
    return compare(limits, tolerance, enclosures=enclosures, discs=discs, notes=notes, routes=routes)


def _pairing(families: Mapping[str, Family]) -> Pairing | None:
    """The finest grids of the first pair of backends that offer potentials and currents."""
    for lower, upper in product(families.values(), repeat=2):
        potentials, currents = lower.finest.assembly, upper.finest.assembly
        if potentials is None or currents is None or potentials.traces is None or currents.fluxes is None:
            continue
        with suppress(ComputationError):  # of other parts or other layers of the cell: the limits will say so
            return pair(lower.finest, upper.finest)
    return None


def _discs(cell: Cell, pairing: Pairing | None, points: NDArray[np.float64]) -> Discs | None:
    return None if pairing is None else pairing.discs(points, admittances(cell))


def _geometric(
    families: Mapping[str, Family],
    agreement: Agreement,
    others: Mapping[str, Told] = MappingProxyType({}),
    bounding: Sequence[Family] = (),
) -> Geometric | None:
    cell = next(iter(families.values())).cell
    if not direct_current(cell):
        return None
    one_dimensional = one_dimensional_resistance(cell)
    if cell.contact_fraction == 1:
        return Geometric(dict.fromkeys([*families, *others], (0.0, 0.0)), 0.0, 0.0, one_dimensional, (0.0, 0.0))
    values = {}
    for name, family in families.items():
        value, uncertainty = family.resistance()
        values[name] = (value - one_dimensional, uncertainty)
    values |= {name: (each.resistance[0] - one_dimensional, each.resistance[1]) for name, each in others.items()}
    weights = np.array([max(uncertainty, 1e-300) ** -2.0 for _, uncertainty in values.values()])
    weights /= weights.sum()
    value, uncertainty = (float(weights @ np.array(list(values.values()))[:, i]) for i in (0, 1))
    bounds = {
        bound: [f.finest.model.resistance() - one_dimensional for f in (*families.values(), *bounding) if f.bound == bound]
        for bound in ("lower", "upper")
    }
    enclosure = (max(bounds["lower"]), min(bounds["upper"])) if bounds["lower"] and bounds["upper"] else None
    if agreement.discs is not None and agreement.discs.resistance is not None:
        low, high = agreement.discs.resistance
        enclosure = (low - one_dimensional, high - one_dimensional)
        # What is guaranteed may be known better than the limit is.
        if enclosure[0] - uncertainty <= value <= enclosure[1] + uncertainty:
            value = float(np.clip(value, *enclosure))
    return Geometric(values, value, uncertainty, one_dimensional + value, enclosure)


def _widest(families: Mapping[str, Family], agreement: Agreement, geometric: Geometric | None) -> str:
    if agreement.verdict == "agree" and geometric is not None:
        return max(geometric.by_backend, key=lambda name: geometric.by_backend[name][1])
    return max(agreement.limits, key=lambda name: float(np.max(_uncertainty(agreement.limits[name]))))


def _refusal(agreement: Agreement, geometric: Geometric | None) -> str | None:
    if agreement.verdict != "agree":
        return f"nothing is extracted: {agreement.summary()}"
    if geometric is not None and not geometric.resolved:
        return (
            f"nothing is extracted: the geometric constriction resistance is {geometric.value:.4g} ohm, known to "
            f"{geometric.uncertainty:.2g} ohm only, and {GEOMETRIC:.0%} of it are needed"
        )
    return None


def _uncertainty(spectrum: Spectrum) -> NDArray[np.float64]:
    assert spectrum.uncertainty is not None
    return spectrum.uncertainty / np.abs(spectrum.impedance)
