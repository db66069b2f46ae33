"""Z = arcs + [y_pore + 1/(R_Cstr + sum of R/(1 + (s tau)^alpha))]^-1: the ladder itself, fitted.

With constant-phase elements depressed arcs are no ladder, and its parameters do not follow from theirs. So the circuit with the
ladder in place of the arcs of the interface is fitted to the spectrum, from what the cell says of its places.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fem_constriction.errors import ComputationError
from fem_constriction.fitting.coordinates import Limits
from fem_constriction.fitting.ladder import Ladder
from fem_constriction.fitting.model_fit import ModelFit, fit_model
from fem_constriction.fitting.naming import Data
from fem_constriction.fitting.notation import parse
from fem_constriction.fitting.values import Element, Value
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.circuits import CONSTRICTION, SERIES
from fem_constriction.processes.elements import Element as Law
from fem_constriction.processes.names import CHARGE_TRANSFER, PORE

#: Exponent of an element, at least.
LEAST: Final = 0.1
#: Factor from the cell's own R and C: those of charge transfer are found within 1.1 in figure 2's series up to 78 % contact.
STRANGE: Final = 1.5
#: Of the resistance under the contact: where R_Cstr starts from if nothing is known of it.
_GUESS: Final = 0.1
NO_STORE: Final = "what lies under the contact stores nothing, and is one resistance with R_Cstr: there is no ladder"
FILM_UNDER_PORES: Final = "a film lies under the pores as well: the interface is no ladder"
CONDUCTING: Final = "the pores conduct direct current: the interface is no ladder"


def inside(problem: Problem) -> dict[str, Law]:
    """Return what lies under the contact, by name, whole cell: a resistor beside what stores, each.

    Parameters
    ----------
    problem
        Of a cell with contact and pores.
    """
    area = problem.contact_area
    found = {(law.process or CHARGE_TRANSFER): law.times(area) for law in problem.places[CHARGE_TRANSFER].elements}
    return found


def no_ladder(problem: Problem) -> str:
    """Return why the interface of a cell is no ladder, "" where it is one."""
    if CHARGE_TRANSFER not in problem.places or PORE not in problem.places:
        return "an ideal contact, or none beside pores, has no ladder: R_Cstr is that of its arc"
    if problem.patterned_counter:
        return "with pores at both electrodes two arcs are no ladder: each electrode has one of its own"
    if len(problem.places[PORE].elements) > 1:
        return FILM_UNDER_PORES
    if problem.places[PORE].elements[0].conductance:
        return CONDUCTING
    if any(not (law.capacitance or law.cpe) for law in problem.places[CHARGE_TRANSFER].elements):
        return NO_STORE
    return ""


def strangers(ladder: Ladder, problem: Problem) -> str:
    """Return in words what under the contact is found more than a factor `STRANGE` away from the cell's own, "" for nothing.

    The spectrum does not determine such a ladder: a film that stores little beside the pores is hidden by them.
    """
    words = []
    for name, law in inside(problem).items():
        own = {"R": ladder.R_CT, "C": ladder.C_CT} if name == CHARGE_TRANSFER else vars(ladder.films[name])
        wanted = {"R": 1 / law.conductance, "C": law.switching_time * law.conductance}
        for letter, size in wanted.items():
            part = (own[letter].value or 0.0) / size
            if not 1 / STRANGE <= part <= STRANGE:
                words.append(f"{letter} of {name.replace('_', ' ')} is {part:.2g} times the cell's")
    return ", ".join(words)


def fitted_ladder(
    data: Data, problem: Problem, arcs: Mapping[str, Element], geometric: float | None
) -> tuple[Ladder | None, str]:
    """Return the ladder of a cell with constant-phase elements, fitted, or None and why there is none.

    Parameters
    ----------
    data
        What is fitted.
    problem
        The cell, for which `no_ladder` is "".
    arcs
        Those of the 1D-FM, fitted: of what is no part of the interface they are where this fit starts.
    geometric
        Ohm, where R_Cstr starts; None: from a part of what lies under the contact.
    """
    under, pore = inside(problem), problem.places[PORE].elements[0].times(problem.area - problem.contact_area)
    outside = {name: each for name, each in arcs.items() if name != CONSTRICTION and name not in under}
    parts: list[str] = []
    start: dict[str, float] = {}
    for n, (name, each) in enumerate(outside.items(), 1):
        if name == SERIES:
            parts.append("R0")
            start["R0"] = each.R.value or 0.0
            continue
        resistance, tau, alpha = each.R.value or 0.0, each.tau.value or 0.0, each.alpha
        kind = "C" if alpha is None else "CPE"
        parts.append(f"p(R{n},{kind}{n})")
        start |= {f"R{n}": resistance, f"tau{n}": tau}
        start |= {} if alpha is None or alpha.value is None else {f"CPE{n}_alpha": alpha.value}
    last = len(outside) + 1
    labels = {name: f"{'Zarc' if law.cpe else 'K'}{last + n}" for n, (name, law) in enumerate(under.items(), 1)}
    for name, law in under.items():
        start |= {f"{labels[name]}_R": 1 / law.conductance, f"{labels[name]}_tau": law.switching_time}
        start |= {f"{labels[name]}_alpha": law.exponent} if law.cpe else {}
    total = sum(1 / law.conductance for law in under.values())
    start[f"R{last}"] = geometric if geometric is not None and geometric > 0 else _GUESS * total
    start |= {f"CPE{last}_Q": pore.cpe, f"CPE{last}_alpha": pore.exponent} if pore.cpe else {f"C{last}": pore.capacitance}
    beside = f"CPE{last}" if pore.cpe else f"C{last}"
    circuit = parse("-".join([*parts, f"p({beside},{'-'.join([f'R{last}', *labels.values()])})"]))
    bounds = {name: (LEAST, 1.0) for name in start if name.endswith("_alpha")}
    try:
        found = fit_model(data, circuit, Limits(bounds=bounds), start=start)
    except ComputationError as error:
        return None, f"the fit of the ladder failed: {error}"
    if missing := [label for label in (f"R{last}", beside, *labels.values()) if label not in found.elements]:
        return None, f"the spectrum does not tell the ladder: {', '.join(missing)} of {circuit.text} vanished"
    return _read(found, f"R{last}", beside, labels), ""


def _read(found: ModelFit, squeezed: str, beside: str, labels: Mapping[str, str]) -> Ladder:
    """The ladder in a fit of its circuit."""
    pore, transfer = found.elements[beside], found.elements[labels[CHARGE_TRANSFER]]
    films = {name: found.elements[label] for name, label in labels.items() if name != CHARGE_TRANSFER}
    of_cpe = pore.Q is not None
    nothing = Value(value=None, unit="F", reason="the pores have a constant-phase element")
    return Ladder(
        R_Cstr=found.elements[squeezed].R,
        C_pore=nothing if of_cpe else pore.C,
        R_CT=transfer.R,
        C_CT=transfer.C,
        films=films,
        Q_pore=pore.Q,
        alpha_pore=pore.alpha if of_cpe else None,
        alpha_CT=transfer.alpha,
        source=f"fitted itself, {found.residual:.1e} |Z| off at most",
    )
