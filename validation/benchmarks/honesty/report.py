"""The honesty of stated uncertainties as tables: kinds side by side, verdicts with their reasons, the cells beyond their u."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from validation.benchmarks.honesty.cells import BACKENDS
from validation.benchmarks.honesty.judging import SHARE, VERDICTS, WIDTH
from validation.show.tables import table

Summary = Mapping[str, Any]


def honesty_report(record: Mapping[str, Any]) -> RenderableType:
    """The verdict of each kind and backend, why cells were not judged, and the cells that came nearest to their u."""
    kinds: Mapping[str, Summary] = record["kinds"]
    lines: list[tuple[str, Callable[[Summary], str]]] = [
        ("cells", lambda v: str(v["cells"])),
        ("  not judged: refused, failed, no reference", lambda v: str(v["not_judged"])),
        ("  left out: reference not sharp", lambda v: str(v["left_out"])),
        (f"cells that hold at all points (asked {SHARE:.0%})", lambda v: _part(v["holds"])),
        ("cells that hold without allowance for the reference", lambda v: _part(v["holds_without_allowance"])),
        ("cells beyond their u, those left out as well", lambda v: str(len(v["violations"]))),
        (f"median u over error (asked at most {WIDTH:g})", lambda v: f"{v['width']:.3g}"),
        ("  at least, whatever the reference's own error is", lambda v: f"{v['width_at_least']:.3g}"),
        ("  10 % and 90 %, where the error is known", lambda v: " to ".join(_percentiles(v))),
        ("points", lambda v: str(v["points"]["all"])),
        ("  of them with errors below the solver's 1e-8", lambda v: str(v["points"]["error_below_floor"])),
        ("  of them with errors below the reference's", lambda v: str(v["points"]["error_below_reference"])),
        ("verdict", lambda v: "honest" if v["honest"] else "not as asked"),
    ]
    stated = [
        table(
            f"Stated uncertainties of {each['cells']} random cells of kind '{kind}', seed {record['seed']}",
            ("", *BACKENDS),
            [(name, *(text(each["backends"][backend]) for backend in BACKENDS)) for name, text in lines],
        )
        for kind, each in kinds.items()
    ]
    counts = [
        (kind, *(str(each["verdicts"][verdict]["cells"]) for verdict in VERDICTS), str(each["discs"]["cells"]),
         str(len(each["discs"]["outside"])), ", ".join(f"{source} {count}" for source, count in each["references"].items()))
        for kind, each in kinds.items()
    ]  # fmt: skip
    reasons = _reasons(kinds)
    worst = [row for kind in kinds for row in _worst(kind, kinds[kind])]
    return Group(
        *stated,
        table("Verdicts, discs and references", ("kind", *VERDICTS, "discs", "outside", "judged by"), counts),
        *([table("Why nothing was extracted", ("kind", "verdict", "cells", "reason"), reasons, left=2)] if reasons else []),
        table("Cells nearest to their u, or beyond", _WORST, worst, left=2),
        Text("zeta = sigma R_pol/depth. A cell's points are its frequencies and direct current."),
    )  # fmt: skip


_WORST = ("kind", "backend", "cell", "largest error/u", "fraction", "contact", "zeta", "layers", "pores", "counter")


def _worst(kind: str, found: Summary) -> list[tuple[str, ...]]:
    return [
        (kind, backend, str(each["cell"]), f"{each['error_over_u']:.2f}", f"{each['fraction']:.3g}", each["contact"],
         "ideal" if each["zeta"] is None else f"{each['zeta']:.2g}", str(each["layers"]),
         "yes" if each["pores"] else "none", "yes" if each["counter_electrode"] else "ideal")
        for backend in BACKENDS
        for each in found["backends"][backend]["worst"]
    ]  # fmt: skip


def _reasons(kinds: Mapping[str, Summary]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for kind, each in kinds.items():
        groups = {**each["verdicts"], "no reference": each["no_reference"]}
        for name, group in groups.items():
            found += [(kind, name, str(count), reason) for reason, count in group["reasons"].items()]
    return found


def _percentiles(verdict: Summary) -> list[str]:
    known = verdict["width_where_known"]
    return [f"{known[p]:.3g}" if known else "none" for p in ("10 %", "90 %")]


def _part(share: float) -> str:
    return "none judged" if share != share else f"{share:.1%}"
