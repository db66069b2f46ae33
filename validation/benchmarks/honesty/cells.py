"""One random cell: cross-checked, looked at beside the truth, and put into a row that JSON can hold."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import ComputationError, ConstrictionError, ImplausibleWarning, InputError, cut
from fem_constriction.processes.of_cell import direct_current
from validation.benchmarks.harness import Clock
from validation.benchmarks.honesty.populations import Drawn, draw
from validation.benchmarks.honesty.truth import DISCS, ORACLE, Truth, face_discs, truths
from validation.discs.certificate import Discs
from validation.gate.run import crosscheck

BACKENDS: Final = ("fem", "network")


@dataclass(frozen=True, eq=False)
class Found:
    """What is judged: Z and u, ohm, (n,), of each backend at the points of the cell, the verdict, and coarse discs.

    results: backend -> (Z, u); verdict: agree, disagree or unresolved; reason: why nothing was extracted, "" where it was;
    discs: guaranteed, None where nothing gives any.
    """

    results: Mapping[str, tuple[NDArray[np.complex128], Array]]
    verdict: str
    reason: str
    discs: Discs | None


#: What gives the results that are judged: `found`, or, in tests, the same with a fault.
Judged = Callable[[Drawn], Found]


def found(drawn: Drawn) -> Found:
    """Return what `crosscheck` says of a cell with its default settings, and discs, made from the face alone."""
    result = crosscheck(drawn.cell, drawn.frequency, backends=BACKENDS, discs=False, every_fit=False)
    results = {}
    for name, family in result.families.items():
        limit = result.agreement.limits[name]
        assert limit.uncertainty is not None
        z, u = np.asarray(limit.impedance), np.asarray(limit.uncertainty)
        if direct_current(drawn.cell):
            resistance, uncertain = family.resistance()
            z, u = np.append(z, resistance), np.append(u, uncertain)
        results[name] = (z, u)
    return Found(results, result.agreement.verdict, result.refusal or "", discs_of(drawn))


def discs_of(drawn: Drawn) -> Discs | None:
    """Return guaranteed discs of the usual width, None where none can be made, or where nothing but discs judges them."""
    if drawn.known_as is None:
        return None
    try:
        return face_discs(drawn, DISCS[0])
    except (InputError, ComputationError):
        return None


def one(kind: str, number: int, seed: int, judged: Judged = found) -> dict[str, Any]:
    """Return the row of one random cell, everything relative to |Z|; of one that could not be computed, why."""
    drawn = draw(kind, number, seed)
    row: dict[str, Any] = {"kind": kind, "cell": number, "seed": seed, "digest": digest(drawn), **described(drawn.cell)}
    clock = Clock()
    # Products of a cell are small: a second thread of the linear algebra doubles their processor time, and ends no sooner.
    with warnings.catch_warnings(), threadpool_limits(limits=1, user_api="blas"):
        warnings.simplefilter("ignore", ImplausibleWarning)
        row |= _compared(drawn, judged)
    return {**row, "cpu_seconds": clock.cpu_seconds, "toml": drawn.cell.dumps()}


def _compared(drawn: Drawn, judged: Judged) -> dict[str, Any]:
    try:
        got = judged(drawn)
    except InputError as error:
        return {"verdict": "refused", "reason": str(error)}
    except Exception as error:  # whatever it is, it is what a user would have got
        reason = str(error) if isinstance(error, ConstrictionError) else f"{type(error).__name__}: {error}"
        return {"verdict": "failed", "reason": cut(reason)}
    row: dict[str, Any] = {"verdict": got.verdict, "reason": got.reason}
    try:
        known = truths(drawn, got.results)
    except (ConstrictionError, ArithmeticError, ValueError, MemoryError) as error:
        return row | {"no_reference": cut(f"{type(error).__name__}: {error}")}
    for name, (z, u) in got.results.items():
        truth = known[name]
        size = np.abs(truth.z)
        row[name] = {
            "u": (u / size).tolist(),
            "error": (np.abs(z - truth.z) / size).tolist(),
            "u_reference": truth.u.tolist(),
            "reference": truth.source,
        }
    truth = next(iter(known.values()))
    if got.discs is None or truth.source != ORACLE:
        return row
    return row | {"discs": _discs(got.discs, truth)}


def _discs(discs: Discs, truth: Truth) -> dict[str, Any]:
    """How wide the discs are, and at how many points the truth lies outside of them, by what is not known of it and more."""
    z, u = truth.z[: discs.frequency.size], truth.u[: discs.frequency.size]
    outside = int(np.sum(~discs.holds(z, u * np.abs(z))))
    if discs.resistance is not None:
        low, high = discs.resistance
        direct, unknown = truth.z[-1].real, truth.u[-1]
        outside += not low * (1 - unknown) <= direct <= high * (1 + unknown)
    return {"radius": float(np.max(discs.radius / np.abs(z))), "outside": outside}


def digest(drawn: Drawn) -> str:
    """Return what tells this cell at these points from any other."""
    text = drawn.cell.dumps() + ",".join(map(repr, drawn.frequency.tolist()))
    return sha256(text.encode()).hexdigest()[:16]


def described(cell: Cell) -> dict[str, Any]:
    """Return what a reader asks about a cell that did not hold."""
    x, y, depth = cell.geometry.lengths
    electrode, boundaries = cell.working_electrode, cell.electrolyte.grain_boundaries
    transfer, contact = electrode.charge_transfer, electrode.contact
    shapes = dict.fromkeys(region.shape for region in contact.regions) if contact.shape == "regions" else ()
    return {
        "fraction": cell.contact_fraction,
        "contact": f"{len(contact.regions)} {' and '.join(shapes)}" if shapes else contact.shape,
        "width_over_depth": [x / depth, y / depth],
        "zeta": None if transfer is None else cell.electrolyte.conductivity * transfer.resistance / depth,
        "layers": 1 if boundaries is None else boundaries.layers,
        "pores": electrode.pore is not None,
        "counter_electrode": cell.counter_electrode.charge_transfer is not None,
    }
