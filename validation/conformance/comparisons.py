"""|Z - Z_known| <= u + u_known: against a mode expansion that shares no code, and against the two built-in backends."""

from __future__ import annotations

import numpy as np

from fem_constriction.solving.backends import NoData
from validation.conformance.cells import FREQUENCIES
from validation.conformance.contract import WIDEST
from validation.conformance.exceptions import DoesNotApplyError
from validation.conformance.outcome import SAME, Check, Measurement, hertz, worst
from validation.conformance.subject import BUILT_IN, Subject, built_in, reference
from validation.gate.agreement import compare

#: What 95 % confidence lets pass: one point in twenty beyond u, none beyond twice u (6e-5 for normal errors).
MISSES, FARTHEST = 0.05, 2.0


def oracle(name: str, quick: bool) -> Check:
    """Return the check of a cell against the mode expansion."""

    def run(subject: Subject) -> Measurement:
        known, r_known, r_error = reference(name)
        found = subject.coarse(name)
        try:
            r, width = subject.resistance(name)
        except NoData:  # a spectrum alone is worth comparing
            r, width = r_known, 0.0
        assert found.uncertainty is not None
        assert known.uncertainty is not None
        gap = np.append(np.abs(found.impedance - known.impedance), abs(r - r_known))
        size = np.append(np.abs(known.impedance), r_known)
        stated = np.append(found.uncertainty, width)
        slack = np.append(known.uncertainty, r_error) + SAME * size
        beyond = int(np.sum(gap > stated + slack))
        told = worst(gap, FARTHEST * stated + slack, size, [*hertz(FREQUENCIES), "at direct current"])
        passed = told.passed and beyond <= MISSES * gap.size
        detail = f"{told.detail}; {beyond} of {gap.size} points beyond u"
        return Measurement(told.measured, told.allowed, passed, detail)

    return Check(
        f"oracle: {name}",
        "|Z - Z_mode| <= u in 19 of 20 points, <= 2 u in all",
        "u is stated with 95 % confidence; and the mode expansion's own error (below 1e-6)",
        run,
        (name,),
        quick=quick,
    )


def agreement(other: str, name: str, quick: bool) -> Check:
    """Return the check of a cell against a built-in backend."""

    def run(subject: Subject) -> Measurement:
        if subject.name == other:
            raise DoesNotApplyError("that is itself")
        first, second = subject.coarse(name), built_in(other).coarse(name)
        assert first.uncertainty is not None
        assert second.uncertainty is not None
        found = compare({subject.name: first, other: second}, WIDEST)
        allowed = first.uncertainty + second.uncertainty + SAME * np.abs(second.impedance)
        told = worst(np.abs(first.impedance - second.impedance), allowed, np.abs(second.impedance), hertz(FREQUENCIES))
        counts = {verdict: int(np.sum(found.verdicts == verdict)) for verdict in ("agree", "unresolved", "disagree")}
        tally = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
        passed = told.passed and not counts["unresolved"]
        return Measurement(told.measured, told.allowed, passed, f"{told.detail}; {tally} (tolerance {WIDEST:g})")

    return Check(
        f"agreement with {other}: {name}",
        f"|Z - Z_{other}| <= u + u_{other}",
        "the verdict of the gate, frequency by frequency; rounding (1e-8 |Z|)",
        run,
        (name,),
        quick=quick,
    )


CELLS_COMPARED = {"every process": True, "ideal contact": True, "wide in x": False, "small contact": False}

CHECKS = (
    *(agreement(other, name, quick) for name, quick in CELLS_COMPARED.items() for other in BUILT_IN),
    *(oracle(name, quick) for name, quick in {**CELLS_COMPARED, "almost dielectric": False}.items()),
)
