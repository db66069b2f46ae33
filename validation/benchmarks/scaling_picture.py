"""The scaling benchmark: seconds and memory over voxels, log-log."""

from __future__ import annotations

from typing import Any, Final

from fem_constriction.pictures.picture import Axis, Line, Mark, Panel, Picture, Series

#: Colour and marker of each method; the limit is a line without markers.
LOOKS: Final = {
    "mode by mode": ("#0072b2", "o"),
    "all unknowns": ("#56b4e9", "s"),
    "polycrystal": ("#009e73", "^"),
    "SuperLU": ("#d55e00", "x"),
    "multigrid": ("#e69f00", "v"),
    "taufactor": ("#cc79a7", "D"),
    "3D DCT": ("#000000", ""),
}


def scaling_picture(record: dict[str, Any]) -> Picture:
    """Seconds (spectrum solid, one solve dashed) and peak memory over the number of voxels."""
    seconds: list[Mark] = []
    memory: list[Mark] = []
    for name, (colour, marker) in LOOKS.items():
        rows = [row for row in record["rows"] if row["method"] == name]
        if not rows:
            continue
        voxels = [row["voxels"] for row in rows]
        alone = name == "3D DCT" or rows[0].get("direct_current_only", False)
        line: Line = "dot" if name == "3D DCT" else "dash"
        look: dict[str, Any] = {"x": voxels, "colour": colour, "marker": marker, "filled": True}
        label = _label(record, name)
        if not alone:
            seconds.append(Series(y=[row["seconds"] for row in rows], label=label, **look))
        once = [row["seconds_once"] for row in rows]
        seconds.append(Series(y=once, line=line, opacity=1.0 if alone else 0.6, label=label if alone else "", **look))
        used = [max(row["peak_bytes"], 2**20) / 2**30 for row in rows]
        memory.append(Series(y=used, line=line if alone else "solid", **look))
    voxels_axis = Axis(label="voxels *N*^{3}", scale="log")
    time, peak = Axis(label="time / s", scale="log"), Axis(label="peak memory / GiB", scale="log")
    return Picture(
        name="scaling",
        rows=[
            [
                Panel(marks=seconds, x=voxels_axis, y=time, title="solid: spectrum, dashed: one solve"),
                Panel(marks=memory, x=voxels_axis, y=peak),
            ]
        ],
        caption="Seconds and memory of the voxel network over the number of voxels.",
        description=f"Seconds and memory over voxels of {', '.join(LOOKS)}.",
        size=(7.2, 3.4),
        columns=4,
    )


def _label(record: dict[str, Any], name: str) -> str:
    growth = record["growth"].get(name)
    words = {"taufactor": "TauFactor, one solve", "3D DCT": "one 3D DCT"}.get(name, name)
    return words if growth is None else f"{words}, power {growth:.2f}"
