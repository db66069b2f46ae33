"""Agree, then extract: the main job. R_Cstr, C_Cstr and tau are fitted only to spectra that two backends agree on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fem_constriction.errors import NotAgreed
from fem_constriction.fitting.extraction import Extraction
from fem_constriction.problem.problem import Described, Problem
from fem_constriction.solving.backends import BUILT_IN, Backend, SpectrumBackend, backend_named
from fem_constriction.solving.capabilities import require
from fem_constriction.solving.refinement import Family, angular_band
from fem_constriction.spectra.frequencies import frequencies_taken
from validation.discs.face import discs_of
from validation.discs.guaranteed import guarantee
from validation.gate.agreement import Agreement, check_tolerance
from validation.gate.check import Crosscheck, refusal_of
from validation.gate.families import Progress, bounding_families, solve_families
from validation.gate.fits import Fits
from validation.gate.result import Geometric, Result
from validation.gate.shared_route import RouteCheck, check_routes
from validation.gate.spectra_alone import by_kind, different, told
from validation.gate.spread import spread_families

#: 61 values from 1 mHz to 1 GHz.
FREQUENCIES = np.geomspace(1e-3, 1e9, 61)
BACKENDS = BUILT_IN


@dataclass(frozen=True, eq=False)
class Prepared:
    """Cells that differ in materials alone, solved: what any of them is judged by. Small, and picklable.

    Parameters
    ----------
    families
        Backend -> its grids.
    routes
        One per backend: how it was solved beside its own matrices.
    """

    families: Mapping[str, Family]
    routes: tuple[RouteCheck, ...] = ()


def crosscheck(
    cell: Described,
    frequencies: Any = None,
    *,
    backends: Sequence[str | Backend | SpectrumBackend] = BACKENDS,
    tolerance: float = 1e-3,
    accuracy: float | None = None,
    discs: bool = True,
    every_fit: bool = True,
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
        Guaranteed discs with at most this radius, relative to |Z| (`guarantee`); left out: those of one plane, about 1e-5 for
        rectangles and 3e-4 for other outlines.
    discs
        False: none.
    every_fit
        That of each backend and that with the discs as well, not only that of what they agree on.
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
    points = FREQUENCIES if frequencies is None else frequencies_taken(frequencies)
    band = angular_band(points)
    problem = Problem.of(cell).within(band)
    check_tolerance(tolerance)
    chosen, telling = by_kind(backends)
    require("crosscheck" if accuracy is None else "crosscheck --accuracy", problem, [*chosen, *telling])
    found, lacking = None if accuracy is None else guarantee(problem, points, accuracy, backends=chosen).discs, ""
    families = solve_families([problem], chosen, progress)
    if discs and found is None:
        found, lacking = discs_of(problem, chosen, points)
    check: Crosscheck | None = Crosscheck(
        problem=problem,
        points=points,
        tolerance=tolerance,
        families=families,
        told={backend.name: told(problem, backend, points, progress) for backend in telling},
        bounding=bounding_families(problem, families),
        routes=check_routes([problem], [*chosen, *telling], band),
        even=spread_families(problem, families),
        discs=found,
        lacking=lacking,
    )
    while check is not None:
        last = check
        check = None if last.settled else last.refined(progress)
    return last.result(every_fit=every_fit)


def prepare(
    cells: Sequence[Described],
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
    points = FREQUENCIES if frequencies is None else frequencies_taken(frequencies)
    band = angular_band(points)
    taken = [Problem.of(cell).within(band) for cell in cells]
    chosen = [backend_named(backend) for backend in different(backends)]
    for problem in taken[:1]:  # of one discretisation, hence of one kind
        require("sweep", problem, chosen)
    families = solve_families(taken, chosen, progress, side_by_side=side_by_side)
    return Prepared({name: family.without_potentials() for name, family in families.items()}, check_routes(taken, chosen, band))


def judge(
    cell: Described,
    prepared: Prepared,
    frequencies: Any = None,
    *,
    tolerance: float = 1e-3,
    every_fit: bool = True,
    discs: bool = True,
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
    discs
        False: no guaranteed discs; they take half a second or more.

    Returns
    -------
    Result
        As of `crosscheck`.
    """
    points = FREQUENCIES if frequencies is None else frequencies_taken(frequencies)
    problem = Problem.of(cell).over(points)
    check_tolerance(tolerance)
    families = {name: family.of(problem) for name, family in prepared.families.items()}
    found, lacking = discs_of(problem, [each.backend for each in families.values()], points) if discs else (None, "")
    check = Crosscheck(
        problem=problem,
        points=points,
        tolerance=tolerance,
        families=families,
        discs=found,
        lacking=lacking,
        routes=prepared.routes,
        even=spread_families(problem, families),
    )
    return check.result(every_fit=every_fit)


def extract_agreed(
    cell: Described, agreement: Agreement, families: Mapping[str, Family], geometric: Geometric | None
) -> Extraction:
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
    if (refusal := refusal_of(agreement, geometric)) is not None:
        raise NotAgreed(refusal)
    fits = Fits(Problem.of(cell), agreement, families, geometric)
    return fits.extracted(agreement.combined(), fits.best_known)
