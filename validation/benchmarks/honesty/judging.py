"""Rows -> shares, widths, violations, discs and verdicts of one kind of cells.

A cell *holds* if |Z - Z_true| <= u + u_reference at every frequency and at direct current. A cell with u_reference > u/2 at
more than half of its points is *left out* of that share, by widths alone, whatever the error; but where it is outside all the
same, it is a *violation* like any other. The share of cells with |Z - Z_true| <= u, no allowance for the reference, at all
points where u_reference <= u/2 stands beside it. Width: the median of u/|Z - Z_true| over cells and points, infinite where the
error is below u_reference, so that what is not known counts as wide; beside it the median of u/(|Z - Z_true| + u_reference),
which it is at least, whatever the truth is. Errors below FLOOR |Z|, which no u goes below, are counted apart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from fem_constriction.reduction.projection import TARGET
from validation.benchmarks.honesty.cells import BACKENDS
from validation.benchmarks.honesty.truth import SHARP

#: What is asked for: the share of cells that hold (95 % within the sampling error of 200), and the median width.
SHARE, WIDTH = 0.92, 10.0

FLOOR: Final = TARGET

#: What a verdict may be; the last two gave nothing that could be judged.
VERDICTS: Final = ("agree", "unresolved", "disagree", "refused", "failed")

#: Numbers in a reason, which are not what tells reasons apart.
_NUMBER = re.compile(r"\d[\d.,]*(e[-+]?\d+)?")

Row = dict[str, Any]


def judge(rows: Sequence[Row], backend: str) -> dict[str, Any]:
    """Return shares, widths and the worst cells of one backend, from rows of `cells.one`."""
    judged = [row for row in rows if backend in row]
    kept, strict, worst, ratios, least, below = [], [], [], [], [], 0
    for row in judged:
        u, error, unknown = (np.array(row[backend][key], dtype=float) for key in ("u", "error", "u_reference"))
        worst.append((float(np.max(error / (u + unknown))), row))
        sharp = unknown <= SHARP * u
        if np.mean(sharp) < 0.5:
            continue
        kept.append(bool(np.all(error <= u + unknown)))
        strict.append(bool(np.all((error <= u)[sharp])))
        tiny = error <= FLOOR
        below += int(tiny.sum())
        with np.errstate(divide="ignore"):
            ratios.append(np.where(error > unknown, u / error, np.inf)[~tiny])
        least.append((u / (error + unknown))[~tiny])
    ratio = np.concatenate(ratios) if ratios else np.array([])
    known = ratio[np.isfinite(ratio)]
    share = float(np.mean(kept)) if kept else float("nan")
    width = float(np.median(ratio)) if ratio.size else float("nan")
    worst.sort(key=lambda each: -each[0])
    return {
        "cells": len(rows),
        "not_judged": len(rows) - len(judged),
        "left_out": len(judged) - len(kept),
        "holds": share,
        "holds_without_allowance": float(np.mean(strict)) if strict else float("nan"),
        "width": width,
        "width_at_least": float(np.median(np.concatenate(least))) if ratio.size else float("nan"),
        "width_where_known": {f"{p} %": float(np.percentile(known, p)) for p in (1, 10, 50, 90, 99)} if known.size else {},
        "points": {
            "all": int(ratio.size + below),
            "error_below_floor": below,
            "error_below_reference": int(np.isinf(ratio).sum()),
        },
        "violations": [row["cell"] for ratio, row in worst if ratio > 1],
        "worst": [{"error_over_u": value, "reference": row[backend]["reference"], **_words(row)} for value, row in worst[:5]],
        "honest": share >= SHARE and width <= WIDTH,
    }


def _words(row: Row) -> Row:
    """What describes a cell, without its numbers and its file."""
    return {key: value for key, value in row.items() if key not in (*BACKENDS, "discs", "toml", "reason", "digest")}


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Return everything about the cells of one kind: both backends, discs, verdicts with their reasons, and references."""
    with_discs = [row for row in rows if row.get("discs")]
    outside = [row["cell"] for row in with_discs if row["discs"]["outside"]]
    backends = {backend: judge(rows, backend) for backend in BACKENDS}
    return {
        "cells": len(rows),
        "backends": backends,
        "discs": {"cells": len(with_discs), "outside": outside},
        "verdicts": {verdict: _reasons(row for row in rows if row["verdict"] == verdict) for verdict in VERDICTS},
        "no_reference": _reasons(row | {"reason": row["no_reference"]} for row in rows if "no_reference" in row),
        "references": dict(Counter(row[BACKENDS[0]]["reference"] for row in rows if BACKENDS[0] in row)),
        "honest": not outside and all(each["honest"] for each in backends.values()),
    }


def _reasons(rows: Iterable[Row]) -> dict[str, Any]:
    """How many, and how many for each reason, of which numbers are left out."""
    chosen = list(rows)
    counted = Counter(_NUMBER.sub("#", row["reason"]) for row in chosen if row.get("reason"))
    return {"cells": len(chosen), "numbers": [row["cell"] for row in chosen], "reasons": dict(counted.most_common())}
