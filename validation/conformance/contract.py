"""The protocol, kept: attributes, types, frequencies, refusals; the same answer twice; an uncertainty that is of use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fem_constriction.errors import InputError
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import Backend
from fem_constriction.solving.capabilities import KINDS, offers
from validation.conformance.cells import CELLS, FREQUENCIES
from validation.conformance.outcome import SAME, Check, Measurement, hertz, worst
from validation.conformance.subject import Subject

#: The widest uncertainty, relative to |Z|, beside which the suite shows anything: its cells' constriction is a fifth of Z, and
#: the gate, which asks for 1e-3, leaves everything unresolved long before.
WIDEST = 1e-2


def attributes(subject: Subject) -> Measurement:
    """Name a text, bound one of three, order positive, unable a mapping of texts."""
    backend, wrong = subject.backend, []
    if not (isinstance(backend.name, str) and backend.name and "," not in backend.name):
        wrong.append(f"name = {backend.name!r}: a text without commas")
    if backend.bound not in ("lower", "upper", None):
        wrong.append(f"bound = {backend.bound!r}: 'lower', 'upper' or None")
    if isinstance(backend, Backend) and not backend.order > 0:
        wrong.append(f"order = {backend.order!r}: a positive number")
    if not all(isinstance(each, str) for pair in subject.unable.items() for each in pair):
        wrong.append("unable: a mapping of names to reasons, both texts")
    try:
        for kind in KINDS:
            offers(backend, kind)
    except (InputError, AttributeError, TypeError) as error:
        wrong.append(f"offers: a mapping of kinds of cell to what is offered of them ({error})")
    return _count(wrong)


def values(subject: Subject) -> Measurement:
    """Z and u finite, one for each frequency asked for, u not negative; R_DC positive, its u not negative."""
    found = subject.spectrum("every process")  # a Spectrum is finite and as long as its frequencies, or it is none
    r, width = subject.resistance("every process")
    wrong = [] if found.uncertainty is not None and np.all(np.isfinite(found.uncertainty)) else ["an uncertainty is not finite"]
    if not (np.isfinite(r) and r > 0 and np.isfinite(width) and width >= 0):
        wrong.append(f"resistance = ({r:.4g}, {width:.2g}) ohm: positive, and not negative, both finite")
    return _count(wrong)


def blocking(subject: Subject) -> Measurement:
    """No path for direct current: the resistance is infinite."""
    r, _ = subject.resistance("no contact")
    return Measurement(f"{r:.3g} ohm", "inf ohm", bool(r == np.inf))


def refusals(subject: Subject) -> Measurement:
    """What is wrong is refused with InputError."""
    backend, cell = subject.backend, CELLS["full contact"]
    calls: dict[str, Callable[[], Any]]
    if isinstance(backend, Backend):
        calls = {
            "uniform(cell, 0)": lambda: backend.uniform(Problem.of(cell), 0),
            "uniform(cell, -4)": lambda: backend.uniform(Problem.of(cell), -4),
        }
    else:
        calls = {
            "impedance at -1 Hz": lambda: backend.impedance(cell, np.array([-1.0])),
            "impedance at 0 Hz": lambda: backend.impedance(cell, np.array([0.0])),
        }
    wrong = []
    for what, call in calls.items():
        try:
            call()
            wrong.append(f"{what} was not refused")
        except InputError:
            pass
        except Exception as error:
            wrong.append(f"{what} raised {type(error).__name__}, not InputError")
    return _count(wrong)


def twice(subject: Subject) -> Measurement:
    """Z computed again is Z."""
    first, second = subject.spectrum("every process"), subject.computed("every process")
    assert first.uncertainty is not None
    size = np.abs(first.impedance)
    allowed = first.uncertainty / 100 + SAME * size
    return worst(np.abs(first.impedance - second.impedance), allowed, size, hertz(first.frequency))


def sharpness(subject: Subject) -> Measurement:
    """An uncertainty that is no excuse."""
    found = subject.coarse("every process")
    assert found.uncertainty is not None
    size = np.abs(found.impedance)
    return worst(found.uncertainty, WIDEST * size, size, hertz(FREQUENCIES))


def _count(wrong: list[str]) -> Measurement:
    return Measurement(f"{len(wrong)} faults", "0 faults", not wrong, "; ".join(wrong))


CHECKS = (
    Check(
        "attributes",
        "name, bound and order are what the protocol says",
        "fem_constriction.solving.backends.Backend, SpectrumBackend",
        attributes,
    ),
    Check(
        "refusals",
        "wrong input raises InputError",
        "a caller must be able to tell his own error from the backend's",
        refusals,
        ("full contact",),
    ),
    Check(
        "blocking",
        "R_DC = inf without contact",
        "pores of pure capacitance let no direct current through",
        blocking,
        ("no contact",),
    ),
    Check(
        "values",
        "Z, u and R_DC finite, u >= 0, R_DC > 0, at the frequencies asked for",
        "fem_constriction.solving.backends.Backend, SpectrumBackend",
        values,
        ("every process",),
    ),
    Check(
        "sharpness",
        f"u <= {WIDEST:g} |Z|",
        "beside a wider uncertainty no other check shows anything",
        sharpness,
        ("every process",),
    ),
    Check(
        "same answer twice",
        "|Z - Z'| <= u/100",
        "a computation repeated may differ by rounding (1e-8 |Z|), not by a visible part of its uncertainty",
        twice,
        ("every process",),
    ),
)
