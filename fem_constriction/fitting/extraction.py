"""Z(f) -> R, C and tau of every process, R_Cstr, C_Cstr and tau_Cstr among them, with what is uncertain about each.

The 1D-FM of the cell is fitted to its spectrum, and every arc is named by the process that stores the energy of the
relaxations it stands for; the constriction is the arc at which the pores switch. Three contributions stay apart:
discretisation (an error of the spectrum, carried through the fit), model (the circuit does not fit exactly: other
weightings and windows give other values) and nominal (lmfit's standard error). Source: Eckhardt et al. 2022, doi
10.1021/acsami.2c12991, section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError, NotExtracted
from fem_constriction.fitting.depressed_fit import depressed
from fem_constriction.fitting.ladder import NEITHER, SAME_FIT, Ladder, of_fit
from fem_constriction.fitting.ladder_fit import fitted_ladder, inside, no_ladder, strangers
from fem_constriction.fitting.measured_fit import fit_spectrum
from fem_constriction.fitting.naming import COINCIDES, Data, Naming
from fem_constriction.fitting.rc_fit import Fit, best_fit, fit
from fem_constriction.fitting.rc_report import report
from fem_constriction.fitting.result import Extraction
from fem_constriction.fitting.values import Constriction, Element, Value, none
from fem_constriction.problem.one_dimensional import elements
from fem_constriction.problem.problem import Described, Problem
from fem_constriction.processes.circuits import CONSTRICTION, SERIES
from fem_constriction.processes.names import CHARGE_TRANSFER, COUNTER_ELECTRODE
from fem_constriction.reduction.reduced import ReducedModel

__all__ = ["Constriction", "Element", "Extraction", "Value", "extract", "fit_spectrum"]


def extract(
    frequency: ArrayLike,
    impedance: ArrayLike,
    *,
    cell: Described,
    model: ReducedModel,
    uncertainty: ArrayLike | None = None,
    extended: bool = True,
    geometric: Value | None = None,
) -> Extraction:
    """Fit the cell's 1D-FM to its spectrum and name its arcs.

    frequency: Hz, impedance and its uncertainty: ohm, (f,). model: the discretised cell, whose relaxations say which
    arc is which. extended = False: one element for both electrodes' charge transfer. geometric: R_DC(3D) - R_DC(1D-PM),
    passed on. Of two processes whose arcs cannot be told apart one is removed, and says which arc holds it. At fraction
    0 nothing is fitted. Of constant-phase elements the arcs are depressed (`depressed_fit`).
    Agreement is not checked here. Where the spectrum does not tell the constriction, `refusal` says why.
    Raises NotExtracted if no fit converges, InputError for too few frequencies.
    """
    data = Data.of(frequency, impedance, uncertainty)
    parts = elements(cell, extended=extended)
    removed = {name: none(0.0 if reason == "full contact" else None, reason) for name, reason in parts.absent.items()}
    if parts.blocking:
        reason = "no contact: the cell blocks direct current, and nothing is fitted"
        nothing = {name: none(None, reason) for name in parts.names}
        return Extraction(arcs={}, removed=nothing | removed | {CONSTRICTION: none(None, reason)}, residual=None)
    naming = Naming(parts, model, data)
    # Whatever the circuit says, a geometric resistance beyond its uncertainty is that of a constriction.
    least = 0.0 if geometric is None else abs(geometric.value or 0.0) - (geometric.discretisation or 0.0)
    if parts.depressed:
        try:
            made = depressed(data, parts, naming, removed, least, geometric)
        except ComputationError as error:
            raise NotExtracted(str(error)) from None
        made = replace(made, refusal=_refusal(made))
        start = None if geometric is None else geometric.value
        return _with_ladder(made, Problem.of(cell), lambda problem: fitted_ladder(data, problem, made.arcs, start))
    series = SERIES in parts.names
    count = len(parts.names) - series
    while True:
        try:
            found, why = best_fit(
                data.frequency, data.impedance, count, spectrum=naming.spectrum, series=series, tolerance=data.uncertainty
            )
        except ComputationError as error:
            raise NotExtracted(str(error)) from None
        names, held = naming.names(found)
        count, series = found.tau.size - found.series, found.series
        if count == 1 or not _misplaced(names, held):
            break
        count -= 1
    for name in parts.names:
        if name not in names:
            removed[name] = naming.missing(name, found, names, held.get(name), why, least)
    made = replace(report(data, found, names, removed, geometric), margins=naming.margins(found))
    made = replace(made, refusal=_refusal(made))
    return _with_ladder(made, Problem.of(cell), lambda problem: _read(data, problem, found, names))


def _with_ladder(made: Extraction, problem: Problem, read: Callable[[Problem], tuple[Ladder | None, str]]) -> Extraction:
    """The same with the ladder of its interface, or a note why there is none."""
    if CONSTRICTION not in made.arcs:
        return made
    ladder, why = None, no_ladder(problem)
    if not why:
        ladder, why = read(problem)
    if ladder is None:
        return replace(made, notes=(*made.notes, why)) if why else made
    fraction, strange = problem.contact_fraction, strangers(ladder, problem)
    reason = ""
    if fraction >= NEITHER:
        # From here on the ladder's is many times the geometric resistance, and the arc's a part of it.
        reason = f"at {fraction:.3g} of contact neither reading of the arcs is the constriction; the geometric resistance is"
    elif strange:
        reason = f"the ladder does not tell the constriction: {strange}"
    if not reason:
        return replace(made, ladder=ladder)
    return replace(made, ladder=ladder.unlike(reason), notes=(*made.notes, reason))


def _read(data: Data, problem: Problem, found: Fit, names: Sequence[str]) -> tuple[Ladder | None, str]:
    """The ladder that the arcs of the interface are, or None and why there is none.

    Where charge transfer of both electrodes is in one arc, that of the counter electrode, in series with all else and even over
    its face, is taken out of the spectrum as the cell has it, and the arcs are fitted again.
    """
    under = {name: law.switching_time for name, law in inside(problem).items()}
    source = SAME_FIT
    if COUNTER_ELECTRODE in problem.places and not {CHARGE_TRANSFER, COUNTER_ELECTRODE} <= set(names):
        names = [CHARGE_TRANSFER if name == COUNTER_ELECTRODE else name for name in names]
        rest = data.impedance - 1 / (problem.places[COUNTER_ELECTRODE](1j * data.omega) * problem.counter_area)
        data = Data(data.frequency, rest, data.uncertainty)
        try:
            found = fit(data.frequency, rest, found.tau[int(found.series) :], series=found.series)
        except ComputationError as error:
            return None, f"without the counter electrode the arcs of the interface are not fitted: {error}"
        source = "the same arcs without the counter electrode's, which the cell has"
    if gone := [name for name in under if name not in names]:
        return None, f"{', '.join(gone)} has no arc of its own: the arcs of the interface are no ladder"
    made = of_fit(data, found, [names.index(name) for name in (CONSTRICTION, *under)], under)
    return replace(made, source=source), ""


def _refusal(found: Extraction) -> str | None:
    """Why the spectrum does not tell a constriction that the cell has, or None."""
    constriction, arc = found.constriction, found.arcs.get(CONSTRICTION) or found.removed.get(CONSTRICTION)
    if constriction is None or arc is None or constriction.R.value is not None:
        return None
    if CONSTRICTION in found.arcs or COINCIDES in str(arc.R.reason):
        return f"nothing is extracted: the constriction's R is {constriction.R.text()}"
    return None


def _misplaced(names: Sequence[str], held: Mapping[str, Array]) -> bool:
    """Whether an arc bears the name of a process that another process's arc holds more of, and is mostly of others itself.

    An arc that is mostly of its process is rightly named, whatever others hold: of two relaxations that are nearly equal, as a
    reduced model may have them, each is a mixture of what both store.
    """
    for place, name in enumerate(names):
        if name in (SERIES, CONSTRICTION):
            continue
        holder = names[int(np.argmax(held[name]))]
        mostly = max(held, key=lambda each: held[each][place])
        if holder not in (name, CONSTRICTION, SERIES) and mostly != name:
            return True
    return False
