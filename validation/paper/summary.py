"""What is said of the figures' series: verdicts, how well the circuits fit, and whether both backends say the same of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from rich.table import Table

from fem_constriction.fitting.values import Element
from fem_constriction.processes.circuits import CONSTRICTION
from validation.paper.sample import Sample
from validation.paper.tables import circuits
from validation.show.tables import table


def apart(sample: Sample, element: str = CONSTRICTION) -> float | None:
    """Return the largest |p_1 - p_2|/(u_1 + u_2) of R and C of a fitted arc between backends.

    u: what the discretisation may do to each; None where two backends have no such arc.
    """
    largest: float | None = None
    for one, two in combinations(sample.backends, 2):
        first, second = circuits(sample, one), circuits(sample, two)
        for circuit in first.keys() & second.keys():
            if element in first[circuit].arcs and element in second[circuit].arcs:
                found = _apart(first[circuit].arcs[element], second[circuit].arcs[element])
                largest = found if largest is None else max(largest, found)
    return largest


def _apart(one: Element, two: Element) -> float:
    ratios = []
    for a, b in ((one.R, two.R), (one.C, two.C)):
        difference = abs((a.value or 0.0) - (b.value or 0.0))
        allowed = (a.discretisation or 0.0) + (b.discretisation or 0.0)
        ratios.append(difference / allowed if allowed else math.inf if difference else 0.0)
    return max(ratios)


def residual(sample: Sample, circuit: str) -> float | None:
    """Return the largest relative residual of a circuit fitted to the agreed spectrum."""
    found = None if sample.agreed is None else (sample.agreed.fit if circuit == "fit" else sample.agreed.extended)
    return None if found is None else found.residual


def overview(series: Mapping[str, Sequence[Sample]], failed: Mapping[str, int]) -> Table:
    """Return a row per series: its cells by verdict, the worst residuals, and the worst difference between backends."""
    heads = ("figure", "cells", "agree", "not extracted", "failed", "residual", "WE, CE apart", "backends apart")
    rows = []
    for label, samples in series.items():
        refused = sum(sample.refusal is not None for sample in samples)
        rows.append(
            (
                label,
                str(len(samples)),
                str(sum(sample.verdict == "agree" for sample in samples)),
                str(refused),
                str(failed.get(label, 0)),
                *(_text([residual(sample, circuit) for sample in samples], ".1e") for circuit in ("fit", "extended")),
                _text([apart(sample) for sample in samples], ".2f"),
            )
        )
    title = "Series; residual: largest |Z_fit - Z|/|Z|; apart: R and C of the constriction, over both uncertainties together"
    return table(title, heads, rows)


def _text(values: Sequence[float | None], form: str) -> str:
    known = [value for value in values if value is not None]
    return format(max(known), form) if known else ""


def records(series: Mapping[str, Sequence[Sample]]) -> list[dict[str, Any]]:
    """Return every sample as JSON can hold it: what it is, its verdict, and R, C and tau of every arc by side and circuit."""
    return [
        {
            "figure": sample.figure,
            "fraction": sample.fraction,
            "varied": dict(sample.varied),
            "verdict": sample.verdict,
            "refusal": sample.refusal,
            "R_geometric_ohm": None if sample.geometric is None else list(sample.geometric),
            "backends_apart": apart(sample),
            "arcs": {
                side: {
                    circuit: {
                        name: {"R_ohm": arc.R.value, "C_F": arc.C.value, "tau_s": arc.tau.value}
                        for name, arc in found.arcs.items()
                    }
                    for circuit, found in circuits(sample, side).items()
                }
                for side in sample.sides
            },
        }
        for samples in series.values()
        for sample in samples
    ]
