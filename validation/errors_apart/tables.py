"""Errors told apart as tables: backends side by side, a row per resolution, a table per point."""

from __future__ import annotations

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from fem_constriction.pictures.words import amount
from validation.errors_apart.images import PARTS as IMAGE_PARTS
from validation.errors_apart.images import ImageErrors
from validation.errors_apart.neglected import Neglected
from validation.errors_apart.outcome import PARTS, SHOWN, ErrorsApart
from validation.show.tables import table


def render(found: ErrorsApart) -> RenderableType:
    """Return everything as tables and sentences."""
    parts: list[RenderableType] = [_reference(found)]
    for number, point in enumerate(found.points):
        columns = ("N", *(f"{name}, {backend}" for backend in found.backends for name in SHOWN))
        rows = []
        for row, n in enumerate(found.resolutions):
            values = [
                _error(found.relative(backend, name)[row, number], found.spread(backend, name)[row, number])
                for backend in found.backends
                for name in SHOWN
            ]
            rows.append((str(n), *values))
        if number == len(found.points) - 1:
            rows.append(("order", *(_order(found, backend, name) for backend in found.backends for name in SHOWN)))
        parts.append(table(f"Errors relative to |Z|: {point}", columns, rows))
    first = found.backends[0]
    rows = [(str(split.resolution), f"{100 * split.area:+.2f} %") for split in found.of(first)]
    parts.append(table("Area of the staircase less that of the contact, relative", ("N", "area"), rows))
    said = [
        f"{' + '.join(PARTS)} = total; outline = interface + staircase.",
        *found.verdict(),
        *([f"Backends differ: {line}" for line in found.disagreements] or ["The backends agree on every staircase."]),
        *left_out(found.neglected),
    ]
    return Group(*parts, Text("\n".join(said)))


def of_image(found: ImageErrors) -> RenderableType:
    """Return the errors of a label image as a table per point and sentences."""
    parts: list[RenderableType] = []
    for number, point in enumerate(found.points):
        rows = []
        for backend, own in found.parts.items():
            values = []
            for name in IMAGE_PARTS:
                value, spread = found.relative(backend, name) if name in own else (np.array([]), np.array([]))
                values.append(_error(value[number], spread[number]) if name in own else "not known")
            rows.append((backend, amount(abs(found.impedance[backend][number]), "ohm", 6), *values))
        heading = ("backend", "|Z| on the image's voxels", *IMAGE_PARTS)
        parts.append(table(f"{found.cell.title or 'Errors told apart'}: relative to |Z|, {point}", heading, rows))
    said = [
        f"|Z| on the voxels = what is pictured + {' + '.join(IMAGE_PARTS)}; outline: {found.outline}.",
        *found.verdict(),
        *([f"Backends differ: {line}" for line in found.disagreements] or ["The backends agree on the image."]),
    ]
    return Group(*parts, Text("\n".join(said)))


def left_out(neglected: Neglected) -> list[str]:
    """Return what both backends leave out, in sentences."""
    depth = f"{neglected.depth * 1e9:.3g} nm deep" + (" (not given: as in the paper)" if neglected.assumed else "")
    lines = []
    if neglected.lateral > 0:
        lines.append(
            f"Left out, conduction along pores: at most {neglected.lateral:.1e} of |Z| at {neglected.frequency:.2g} Hz, less "
            f"elsewhere; pores {depth}."
        )
    if neglected.boundaries > 0:
        part = "" if neglected.resistance is None else f", {neglected.resistance:.1e} of R_DC"
        lines.append(f"Left out, the boundaries' own thickness: they take {neglected.boundaries:.1e} of the bulk's{part}.")
    return lines


def _reference(found: ErrorsApart) -> RenderableType:
    rows = [
        (point, amount(abs(z), "ohm", 6), f"{u / abs(z):.0e}")
        for point, z, u in zip(found.points, found.reference, found.reference_uncertainty, strict=True)
    ]
    if found.enclosure is not None:
        low, high = found.enclosure
        rows.append(
            ("guaranteed", f"{amount(low, 'ohm', 6)} to {amount(high, 'ohm', 6)}", f"{(high - low) / (high + low):.0e}")
        )
    return table(found.cell.title or "Errors told apart", ("reference, meshes on the outline", "|Z|", "uncertainty"), rows)


def _error(value: complex, spread: float) -> str:
    """Signed where it is real (direct current); below its uncertainty what it is at most."""
    if abs(value) <= spread:
        return f"< {abs(value) + spread:.0e}"
    return f"{value.real:+.2e}" if np.imag(value) == 0 else f"{abs(value):.2e}"


def _order(found: ErrorsApart, backend: str, name: str) -> str:
    order = found.order(backend, name)
    return "" if order is None else order.text()
