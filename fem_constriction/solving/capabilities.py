"""command x kind of cell x backend -> taken, or one sentence that says why not and what does take it.

Everything here is computed: kinds follow from the cell, what can be done with them from what backends declare (`offers`, and
`unable` for what single cells have), and what a command needs of how many backends stands in `TASKS`. Whoever solves a cell
asks `require` before anything is computed, and has no condition of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final, cast

from fem_constriction.errors import InputError
from fem_constriction.problem.kinds import IMAGE, KINDS, MESH, OUTLINES, PIXELS, RECTANGLES, Kind
from fem_constriction.problem.problem import Described, Problem
from fem_constriction.solving.backends import installed, unable

#: Kinds are named here as well: what a backend declares is written with names of this module alone.
__all__ = ["CURRENTS", "ENCLOSURE", "FAMILY", "FIELDS", "GRID", "IMAGE", "KINDS", "MESH", "OFFERS", "OUTLINES",
           "PIXELS", "POTENTIALS", "RECTANGLES", "SPECTRA", "TASKS", "TRIANGLES", "UNIFORM", "Kind", "Task",
           "check_offered", "choices", "features", "gap", "kind_of", "offers", "require", "taken"]  # fmt: skip

GRID, FAMILY, UNIFORM = "grid", "family", "uniform"
FIELDS, POTENTIALS, CURRENTS = "fields", "potentials", "currents"
ENCLOSURE, TRIANGLES, SPECTRA = "enclosure", "triangles", "spectra"

#: What a backend may offer of a kind of cell, in words.
OFFERS: Final[Mapping[str, str]] = {
    GRID: "the grid that the cell brings with it",
    FAMILY: "a family of grids with a limit",
    UNIFORM: "grids of so many equal cells per edge",
    FIELDS: "potential and current in space",
    POTENTIALS: "conforming potentials of all unknowns",
    CURRENTS: "conserved currents of all unknowns",
    ENCLOSURE: "potentials and currents of one plane, which bounds and discs are made of",
    TRIANGLES: "triangles that follow the contact's outline",
    SPECTRA: "spectra that were computed elsewhere",
}


#: What a backend that declares nothing is taken to offer: families of grids and uniform ones, of stacks; or spectra, of all.
BY_DEFAULT: Final[Mapping[str, Collection[str]]] = {kind.name: (FAMILY, UNIFORM) for kind in (RECTANGLES, OUTLINES, PIXELS)}
TELLING: Final[Mapping[str, Collection[str]]] = {kind.name: (SPECTRA,) for kind in KINDS}

#: The built-in backends, in the order in which tables name them, and what it takes to be more than one that gives spectra.
BUILT_IN: Final = ("network", "fem")


#: Ways to guaranteed discs and bounds: sets of offers, any one of which backends have together.
DISCS: Final = ((ENCLOSURE,), (POTENTIALS, CURRENTS))


@dataclass(frozen=True)
class Task:
    """What a command needs: `every` backend one offer of each group; backends together, of each of `some`, all of one set.

    least: how many backends it takes; fixed: which ones, where none can be chosen.
    """

    name: str
    every: tuple[tuple[str, ...], ...] = ()
    some: tuple[tuple[tuple[str, ...], ...], ...] = ()
    least: int = 1
    fixed: tuple[str, ...] = ()


#: Commands, apart by those of their options that need something else. fc.solve and fc.resistance are `spectrum`.
TASKS: Final[Mapping[str, Task]] = {
    task.name: task
    for task in (
        Task("spectrum", every=((GRID, FAMILY),)),
        Task("spectrum --accuracy", every=((FAMILY,),)),
        Task("spectrum --resolution", every=((UNIFORM,),)),
        Task("spectrum --guaranteed", some=(DISCS,), least=2),
        Task("crosscheck", every=((FAMILY, SPECTRA),), some=(((FAMILY,),),), least=2),
        Task("crosscheck --accuracy", every=((FAMILY, SPECTRA),), some=(((FAMILY,),), DISCS), least=2),
        Task("sweep", every=((FAMILY,),), least=2),
        Task("sweep of one backend", every=((FAMILY,),)),
        Task("converge", every=((FAMILY,), (UNIFORM, GRID))),
        Task("converge --grids graded", every=((FAMILY,), (UNIFORM,))),
        Task("converge --grids uniform", every=((UNIFORM,),)),
        Task("budget", every=((FAMILY,),)),
        Task("fields", every=((FIELDS,),)),
        Task("fields --resolution", every=((FIELDS,), (UNIFORM,))),
        Task("errors", every=((FAMILY,), (UNIFORM, GRID)), some=(((ENCLOSURE,), (GRID, CURRENTS)),), fixed=BUILT_IN),
        Task("bounds", some=(DISCS,), fixed=BUILT_IN),
        Task("benchmark NAME --level", every=((FAMILY,),)),
        Task("benchmark network", every=((FAMILY,), (UNIFORM,)), fixed=BUILT_IN),
        Task("benchmark fem", every=((FAMILY,), (UNIFORM,)), fixed=BUILT_IN),
        Task("benchmark planes", every=((TRIANGLES,),), fixed=("fem",)),
    )
}


def kind_of(described: Described) -> Kind:
    """Return the kind of a cell."""
    return Problem.of(described).kind


def features(described: Described) -> Mapping[str, str]:
    """Return what a cell has that a backend may declare itself `unable` of, by name, with the key that it comes from."""
    return Problem.of(described).features


def offers(backend: Any, kind: Kind) -> frozenset[str]:
    """Return what a backend offers of a kind of cell: as it declares, else stacks.

    Parameters
    ----------
    backend
        With grids or with spectra.
    kind
        One of KINDS.

    Returns
    -------
    frozenset of str
        Of OFFERS.

    Raises
    ------
    InputError
        For unknown names in its declaration.
    """
    default = TELLING if hasattr(backend, "impedance") and not hasattr(backend, "grid") else BY_DEFAULT
    declared = getattr(backend, "offers", default)
    names = {each.name for each in KINDS}
    for name, given in declared.items():
        if name not in names:
            raise InputError(
                file=backend.name, key="offers", value=name, allowed=f"the kinds of cell are {', '.join(sorted(names))}"
            )
        for each in (given,) if isinstance(given, str) else given:
            if each not in OFFERS:
                raise InputError(file=backend.name, key=f"offers.{name}", value=each, allowed=", ".join(OFFERS))
    found = declared.get(kind.name, ())
    return frozenset((found,) if isinstance(found, str) else found)


def require(task: str, described: Described, backends: Sequence[Any]) -> None:
    """Raise InputError unless these backends do for this cell what the task needs.

    Parameters
    ----------
    task
        One of TASKS.
    described
        A Cell, the path of a cell file, a dictionary with its keys, or a Problem.
    backends
        Those that were chosen.

    Raises
    ------
    InputError
        With key, backend and remedy.
    """
    if (found := gap(task, described, backends)) is not None:
        raise found


def gap(task: str, described: Described, backends: Sequence[Any]) -> InputError | None:
    """Return why these backends cannot do for this cell what the task needs.

    Parameters
    ----------
    task
        One of TASKS.
    described
        A Cell, the path of a cell file, a dictionary with its keys, or a Problem.
    backends
        Those that were chosen.

    Returns
    -------
    InputError or None
        As `require` would raise it; None if they can.
    """
    problem = Problem.of(described)
    kind = problem.kind
    for backend in backends:
        if lacks := _lacks(TASKS[task], kind, backend):
            return _refused(kind, f"`{task}` with backend '{backend.name}'", lacks, task)
        reasons = unable(backend)
        for name, key in problem.features.items() if reasons else ():
            if name in reasons:
                where, why = f"for `{task}` with backend '{backend.name}'", f"it cannot take {name}, {reasons[name]}"
                return InputError(key=key, when=where, why=why, remedy="allowed is another backend")
        if (told := getattr(backend, "refusal", None)) is not None and (refused := told(problem)) is not None:
            return cast("InputError", refused)
    together = _together(kind, backends)
    for ways in TASKS[task].some:
        if not any(together.issuperset(way) for way in ways):
            names = ", ".join(backend.name for backend in backends)
            wanted = ", or ".join(" and ".join(OFFERS[each] for each in way) for way in ways)
            return _refused(kind, f"`{task}` with {names}", f"none of them offers {wanted}", task)
    return None


def check_offered(backend: Any, described: Described, offer: str) -> None:
    """Raise InputError unless a backend offers this of this cell: what a backend asks before it makes a grid."""
    kind = Problem.of(described).kind
    if offer not in offers(backend, kind):
        raise _refused(kind, f"backend '{backend.name}'", f"it does not offer {OFFERS[offer]}")


def choices(task: Task, backends: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return the smallest sets of these backends that a task could be asked of."""
    if not task.fixed:
        return list(combinations(backends, task.least))
    chosen = tuple(backend for backend in backends if backend.name in task.fixed)
    return [chosen] if len(chosen) == len(task.fixed) else []


def taken(kind: Kind, backends: Sequence[Any]) -> dict[str, list[tuple[str, ...]]]:
    """Return, for a kind of cell, which sets of these backends can do each task.

    Parameters
    ----------
    kind
        One of KINDS.
    backends
        Those that there are.

    Returns
    -------
    dict
        Task -> sets of backends' names; [] for a gap.
    """
    return {
        name: [tuple(backend.name for backend in each) for each in choices(task, backends) if _can(task, kind, each)]
        for name, task in TASKS.items()
    }


def _can(task: Task, kind: Kind, backends: Sequence[Any]) -> bool:
    together = _together(kind, backends)
    had = all(any(together.issuperset(way) for way in ways) for ways in task.some)
    return had and not any(_lacks(task, kind, backend) for backend in backends)


def _together(kind: Kind, backends: Sequence[Any]) -> frozenset[str]:
    """What backends offer of a kind of cell, any of them."""
    return frozenset().union(*(offers(backend, kind) for backend in backends))


def _lacks(task: Task, kind: Kind, backend: Any) -> str:
    """What of a task's needs a backend does not offer, in words; "" if nothing."""
    has = offers(backend, kind)
    missing = next((group for group in task.every if not has & set(group)), None)
    if missing is None:
        return ""
    why = unable(backend).get(kind.name)
    return f"it does not offer {' or '.join(OFFERS[each] for each in missing)}{f' ({why})' if why else ''}"


def _refused(kind: Kind, where: str, why: str, task: str = "") -> InputError:
    return InputError(key=kind.key, when=f"for {where}", why=f"of {kind.words} {why}", remedy=_remedy(kind, task))


def _remedy(kind: Kind, task: str) -> str:
    """Other backends for the same task, else the tasks that do take this kind of cell."""
    found = taken(kind, installed())
    if task and found[task] and not TASKS[task].fixed:
        return f"allowed is backend {' or '.join(' and '.join(names) for names in found[task])}"
    ways: dict[str, list[str]] = {}
    for name, sets in found.items():
        if sets:
            ways.setdefault(" or ".join(" and ".join(names) for names in sets), []).append(f"`{name}`")
    listed = [f"{', '.join(names[:2])} with {backends}" for backends, names in list(ways.items())[:2]]
    return (
        f"allowed are {' and '.join(listed)} (see `backends`)"
        if listed
        else "no installed backend takes it, allowed is to leave the key out"
    )
