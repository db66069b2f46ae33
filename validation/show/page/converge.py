"""converge.html: expected and observed order of every family of grids, errors over the step and over what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from validation.show.page.plotted import plot
from validation.show.page.sections import Code, Folded, Heading, Section, Table, Verdict
from validation.show.pictures.grids import curves, errors_over_step, work_precision


def converge_sections(
    record: Mapping[str, Any], failures: tuple[str, ...] = (), *, cell: str = "", command: str = ""
) -> list[Section]:
    """Return what the page of a convergence study shows.

    record: with "families", as in converge.json; failures: a sentence for each order that falls short; cell: its file as
    text; command: that makes the study again.
    """
    families = list(record["families"])
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for family, curve in zip(families, curves(families), strict=True):
        groups.setdefault(curve.quantity, []).append(family)
    sections: list[Section] = [_verdict(families, failures)]
    if len(failures) > 1:
        sections.append(Table(caption="What did not pass", columns=("",), rows=[(failure,) for failure in failures]))
    sections += [Heading("Orders"), _orders(families)]
    single: list[Section] = []
    for quantity, members in groups.items():
        drawn = plot(errors_over_step(curves(members), "mean step along x / m", quantity))
        numbers = Folded(summary=f"Every grid: {quantity}", sections=[_grids(members)])
        if members[0]["frequency_Hz"] is None:
            sections += [Heading(quantity), drawn, plot(work_precision(curves(members), quantity)), numbers]
        else:
            single += [drawn, numbers]
    if single:
        sections += [Heading("Single frequencies"), Folded(summary="Errors at single frequencies", sections=single)]
    if cell:
        sections += [Heading("Cell"), Folded(summary="The cell file, in SI", sections=[Code(text=cell)])]
    if command:
        sections += [Heading("How to make it again"), Code(text=command)]
    return sections


def _verdict(families: list[Mapping[str, Any]], failures: tuple[str, ...]) -> Verdict:
    if failures:
        more = f" {len(failures) - 1} more below." if len(failures) > 1 else ""
        return Verdict(state="failed", sentence=f"{failures[0]}.{more}")
    return Verdict(
        state="passed", sentence=f"The observed order is theory's, or not settled yet, in all {len(families)} families."
    )


def _orders(families: list[Mapping[str, Any]]) -> Table:
    rows = [
        (curve.name, curve.quantity, str(family["reason"]), _number(curve.observed, ".2f"), _number(curve.expected, "g"))
        for family, curve in zip(families, curves(families), strict=True)
    ]
    return Table(
        caption="Observed and expected order",
        columns=("family", "quantity", "expected because", "observed", "expected"),
        rows=rows,
        left=3,
    )


def _grids(families: list[Mapping[str, Any]]) -> Table:
    rows = []
    for family in families:
        orders = family["observed_order"]
        orders = orders if isinstance(orders, list) else [None] * (len(family["h"]) - 1) + [orders]
        for k, h in enumerate(family["h"]):
            rows.append(
                (
                    f"{family['backend']}, {family['grids']}",
                    f"{h:.4g}",
                    f"{family['unknowns'][k]:,}",
                    f"{family['seconds'][k]:.2g}",
                    _number((family.get("memory_MB") or [None] * len(family["h"]))[k], ".3g"),
                    _number(family["error"][k], ".2e"),
                    _number(orders[k], ".2f"),
                )
            )
    return Table(
        caption="Grids", columns=("family", "h / m", "unknowns", "seconds", "memory / MB", "error", "order"), rows=rows, left=1
    )


def _number(value: float | None, form: str) -> str:
    return "" if value is None or value != value else format(value, form)
