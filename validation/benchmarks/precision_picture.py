"""The work-precision study: error over processor seconds, and over unknowns, log-log."""

from __future__ import annotations

from typing import Any, Final

from fem_constriction.pictures.picture import Axis, Line, Mark, Panel, Picture, Series, Span, plain

#: Colour, marker and line of each method.
LOOKS: Final[dict[str, tuple[str, str, Line]]] = {
    "network, uniform": ("#999999", "v", "solid"),
    "network, graded": ("#0072b2", "o", "solid"),
    "fem, degree 1": ("#56b4e9", "s", "solid"),
    "fem, degree 2": ("#009e73", "D", "solid"),
    "fem 1, all unknowns": ("#56b4e9", "s", "dash"),
    "fem 2, all unknowns": ("#009e73", "D", "dash"),
    "prisms, exact along z": ("#cc79a7", "^", "solid"),
    "NGSolve, our shifts": ("#d55e00", "P", "dash"),
    "NGSolve": ("#d55e00", "x", "solid"),
}
_OTHER: Final[tuple[str, str, Line]] = ("#000000", "+", "solid")


def precision_picture(record: dict[str, Any]) -> Picture:
    """Error of Z over processor seconds for the spectrum, and over unknowns; what the reference may be off is shaded."""
    floor = max(record["reference"]["uncertainty"], record["reference"]["resistance_uncertainty"])
    labels = {"cpu_seconds": f"processor time for {record['frequencies']} frequencies / s", "unknowns": "unknowns"}
    panels = []
    for key, label in labels.items():
        marks: list[Mark] = []
        for name in dict.fromkeys(row["method"] for row in record["rows"]):
            colour, marker, line = LOOKS.get(name, _OTHER)
            rows = sorted((row for row in record["rows"] if row["method"] == name), key=lambda row: float(row[key]))
            x, y = [row[key] for row in rows], [row["error"] for row in rows]
            filled = line != "dash"
            marks.append(Series(x=x, y=y, label=plain(name), colour=colour, line=line, marker=marker, filled=filled))
        if min(row["error"] for row in record["rows"]) < 10 * floor:
            marks.insert(0, Span(low=floor / 10, high=floor, colour="#000000", opacity=0.12))
        panels.append(
            Panel(marks=marks, x=Axis(label=label, scale="log"), y=Axis(label="largest error of *Z* / |*Z*|", scale="log"))
        )
    return Picture(
        name="precision",
        rows=[panels],
        caption="Error of Z over processor seconds and over unknowns; shaded: what the reference may be off.",
        description=f"Work and precision of {', '.join(dict.fromkeys(row['method'] for row in record['rows']))}.",
        size=(7.2, 3.6),
        columns=3,
        together="y",
    )
