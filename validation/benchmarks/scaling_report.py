"""The scaling benchmark as tables."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from validation.show.tables import table


def scaling_tables(record: dict[str, Any]) -> RenderableType:
    """Seconds, memory, iterations and accuracy of every method and size, growth exponents, and what was left out."""
    rows = [
        (
            row["method"],
            str(row["size"]),
            f"{row['unknowns']:,}",
            f"{row['seconds_once']:.3g}",
            "" if row.get("direct_current_only") or row["method"] == "3D DCT" else f"{row['seconds']:.3g}",
            f"{row['peak_bytes'] / 2**30:.2f}",
            str(row["iterations"] or ""),
            f"{row['distance']:.1e}" if "distance" in row else "",
            _ratio(record, row),
        )
        for row in record["rows"]
    ]
    heads = ("method", "N", "unknowns", "one solve, s", "spectrum, s", "GiB", "iterations", "distance / |Z|", "ratio")
    title = f"Uniform voxels, N per edge, {record['frequencies']} frequencies"
    growth = ", ".join(f"{name} {value:.2f}" for name, value in record["growth"].items() if value is not None)
    notes = [
        "ratio: spectrum (3D DCT, TauFactor: one solve) over that of 'mode by mode' at the same N; distance: to the limit.",
        *([f"At the three largest sizes seconds grow with voxels to the power of: {growth}."] if growth else []),
        *(f"Left out: {name}, {reason}." for name, reason in record["left_out"].items()),
    ]
    if any(row.get("extrapolated") for row in record["rows"]):
        notes.insert(1, "Direct and multigrid solvers: three frequencies solved, their mean time multiplied by all.")
    return Group(table(title, heads, rows), *map(Text, notes))


def _ratio(record: dict[str, Any], row: dict[str, Any]) -> str:
    for each in record["ratios"]:
        if (each["method"], each["size"]) == (row["method"], row["size"]):
            value = each["once"] if each["spectrum"] is None or row["method"] == "3D DCT" else each["spectrum"]
            return f"{value:.3g}"
    return ""
