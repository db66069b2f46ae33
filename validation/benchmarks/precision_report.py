"""The work-precision study as tables: every method and grid, and all methods at equal error."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from validation.show.tables import table

HEADS = ("method", "grid", "unknowns", "error", "spectrum, s", "error at DC", "one solve, s", "GiB")


def precision_tables(record: dict[str, Any]) -> RenderableType:
    """Errors, processor seconds and memory of every grid, seconds and ratios at equal error, and what was left out."""
    rows = [
        (
            row["method"],
            row["grid"],
            f"{row['unknowns']:,}",
            f"{row['error']:.1e}{'' if row['resolved'] else ' *'}",
            f"{row['cpu_seconds']:.3g}{' +' if row['extrapolated'] else ''}",
            f"{row['error_once']:.1e}",
            f"{row['cpu_seconds_once']:.3g}",
            f"{row['peak_bytes'] / 2**30:.2f}",
        )
        for row in record["rows"]
    ]
    truth = record["reference"]
    notes = [
        f"error: largest |Z_h - Z|/|Z| over {record['frequencies']} frequencies and direct current; seconds: of the processor.",
        f"Z: {truth['source']}, uncertain by {max(truth['uncertainty'], truth['resistance_uncertainty']):.0e}.",
    ]
    if not all(row["resolved"] for row in record["rows"]):
        notes.append("*: less than three times the uncertainty of Z, so not known.")
    if any(row["extrapolated"] for row in record["rows"]):
        notes.append("+: solved at three frequencies, the mean time multiplied by all.")
    notes += [f"{name} is version {version}." for name, version in record["peers"].items()]
    notes += [f"Left out: {name}, {reason}." for name, reason in record["left_out"].items()]
    return Group(
        table(f"Work and precision, {record['frequencies']} frequencies", HEADS, rows, left=2),
        *map(Text, notes),
        *(_equal(each) for each in record["equal_error"]),
    )


def _equal(record: dict[str, Any]) -> RenderableType:
    rows = [(each["method"], *_shown(each, ""), *_shown(each, "_once")) for each in record["rows"]]
    heads = ("method", "spectrum, s", "ratio", "one solve, s", "ratio")
    return Group(
        Text(),
        table(f"At an error of {record['error']:.0e}: processor seconds, ratios to the fastest of ours", heads, rows),
        Text("<: the coarsest grid is already better; >: the finest is not as good; ?: both of a ratio are <."),
    )


def _shown(each: dict[str, Any], suffix: str) -> tuple[str, str]:
    """Seconds and ratio with the signs of their bounds."""
    ratio = each["ratio" + suffix]
    return (
        f"{each['bound' + suffix]} {each['seconds' + suffix]:.3g}".strip(),
        "" if ratio is None else f"{each['ratio_bound' + suffix]} {ratio:.3g}".strip(),
    )
