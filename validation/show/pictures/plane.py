"""Z(f): -Im Z over Re Z with the fit, its arcs and the 1D-PM; modulus and phase over frequency."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.ticker import EngFormatter
from numpy.typing import ArrayLike

from fem_constriction.arrays import Complex
from fem_constriction.fitting.extraction import Extraction
from fem_constriction.pictures.colours import BACKENDS, FIT, GREY, of_arc
from fem_constriction.pictures.picture import Axis, Mark, Note, Panel, Picture, Series, cycled, plain, prefix
from fem_constriction.problem.one_dimensional import physical
from fem_constriction.processes.circuits import CONSTRICTION, Circuit
from fem_constriction.spectra.spectrum import Spectrum
from validation.gate.result import Result
from validation.show.pictures.words import arc_words, heading, told
from validation.show.report import amount

#: Of the width: the least height of a picture, that of a resistor.
FLAT: Final = 0.02

#: Inches of the axes of the plane in a file, and of everything around them; typographic points in an inch.
AXES, AROUND, POINTS = 6.2, 1.45, 72

_CAPTION: Final = (
    "Impedance plane: a point shows its frequency, impedance, uncertainty and verdict; drag to zoom, double click to return. "
    "Filled half circles are the arcs of the fitted circuit; dashed, the physical one-dimensional circuit without constriction."
)


def nyquist(result: Result) -> Picture:
    """What every backend says, the fitted circuit and its arcs, and the 1D-PM for comparison."""
    found = result.agreement
    return impedance_plane(
        found.limits,
        result.extraction,
        reference=physical(result.cell),
        title=heading(result),
        verdicts=[str(each) for each in found.verdicts],
    )


def impedance_plane(
    spectra: Mapping[str, Spectrum],
    extraction: Extraction | None,
    *,
    reference: Circuit | None = None,
    looks: Sequence[tuple[str, str]] = BACKENDS,
    title: str = "",
    verdicts: Sequence[str] = (),
) -> Picture:
    """-Im Z over Re Z of spectra, with the fit and its arcs if there is one; both axes in the same unit and scale.

    looks: colour and marker of each spectrum, `(DATA,)` of one that no backend gave; verdicts: of each frequency. A cell that
    blocks direct current is shown from the high-frequency end, as far up as it is wide, an inductance a quarter of that down.
    """
    first = next(iter(spectra.values()))
    every = np.concatenate([spectrum.impedance for spectrum in spectra.values()])
    width = float(max(every.real.max(), np.abs(every).max() * 1e-3))
    unit, letter = prefix(width)
    height = float(np.clip((-every.imag).max(), FLAT * width, 0.6 * width))
    left = min(-0.02 * width, 1.05 * max(float(every.real.min()), -0.6 * width))
    low = min(-0.03 * height, -1.1 * min(float(every.imag.max()), 0.25 * width))
    dense = np.geomspace(first.frequency.min(), first.frequency.max(), 600)
    marks: list[Mark] = []
    avoid: ArrayLike = ()
    if extraction is not None and extraction.arcs:
        marks += _arcs(extraction, unit)
    if reference is not None:
        without = reference.impedance(dense) / unit
        avoid = without.conj()
        marks.append(_line("1D-PM", without, GREY, line="dash", width=0.9))
    if extraction is not None and extraction.arcs:
        marks.append(_line("fit", extraction.circuit().impedance(dense) / unit, FIT, width=1.0))
    for number, (name, spectrum) in enumerate(spectra.items()):
        colour, marker = cycled(looks, number)
        z = spectrum.impedance / unit
        says = [told(name, spectrum, k, verdicts[k] if verdicts else "") for k in range(len(spectrum))]
        marks.append(Series(x=z.real, y=-z.imag, label=plain(name), colour=colour, line="", marker=marker, told=says))
    marks += _frequencies(first, unit, width, height, avoid)
    right, top = 1.11 * width, 1.17 * height
    panel = Panel(
        marks=marks,
        x=Axis(label=f"Re *Z* / {letter}\N{GREEK CAPITAL LETTER OMEGA}", range=(left / unit, right / unit)),
        y=Axis(label=f"\N{MINUS SIGN}Im *Z* / {letter}\N{GREEK CAPITAL LETTER OMEGA}", range=(low / unit, top / unit)),
        equal=True,
    )
    ends = [amount(float(f), "Hz", 0) for f in (first.frequency.min(), first.frequency.max())]
    return Picture(
        name="nyquist",
        rows=[[panel]],
        title=title,
        caption=_CAPTION,
        description=f"Nyquist plot of {' and '.join(spectra)} from {ends[0]} to {ends[1]}; the real part reaches "
        f"{amount(width, 'ohm')}. The numbers are in the table of all frequencies.",
        size=(7, max(AXES * (top - low) / (right - left) + AROUND, 2.6)),
        pixels=520,
        columns=4,
    )


def bode(result: Result) -> Picture:
    """|Z| and -arg Z over frequency, of every backend and of the fitted circuit."""
    frequency = result.agreement.frequency
    dense = np.geomspace(frequency.min(), frequency.max(), 400)
    halves: list[list[Mark]] = [[], []]
    if result.extraction is not None and result.extraction.arcs:
        fitted = result.extraction.circuit().impedance(dense)
        for half, values in zip(halves, _modulus_and_phase(fitted), strict=True):
            half.append(Series(x=dense, y=values, label="fit", colour=FIT, width=1.0))
    for number, (name, limit) in enumerate(result.agreement.limits.items()):
        colour, marker = cycled(BACKENDS, number)
        says = [told(name, limit, k) for k in range(len(limit))]
        for half, values in zip(halves, _modulus_and_phase(limit.impedance), strict=True):
            half.append(
                Series(x=limit.frequency, y=values, label=plain(name), colour=colour, line="", marker=marker, size=4, told=says)
            )
    over = Axis(label="frequency / Hz", scale="log")
    names = " and ".join(result.agreement.limits)
    return Picture(
        name="bode",
        rows=[
            [Panel(marks=halves[0], x=over, y=Axis(label="|*Z*| / \N{GREEK CAPITAL LETTER OMEGA}", scale="log"))],
            [Panel(marks=halves[1], x=over, y=Axis(label="\N{MINUS SIGN}phase / degrees", range=(-3, 93)))],
        ],
        title=heading(result),
        caption="Modulus and phase over frequency.",
        description=f"Bode plot: modulus and phase of {names} over frequency.",
        size=(7, 4.6),
        pixels=520,
        columns=4,
        together="x",
    )


def _modulus_and_phase(z: Complex) -> tuple[Any, Any]:
    return np.abs(z), -np.angle(z, deg=True)


def _line(name: str, z: Complex, colour: str, **look: Any) -> Series:
    return Series(x=z.real, y=-z.imag, label=name, colour=colour, **look)


def _arcs(extraction: Extraction, unit: float) -> Iterator[Series]:
    """Half circles, depressed ones flattened, side by side, ascending in tau, filled with the colour of the process.

    Those whose resistance the spectrum does not tell are dashed lines, and are said to be so.
    """
    circuit = extraction.circuit()
    start = circuit.r_elec
    angle = np.linspace(1e-9, np.pi - 1e-9, 100)
    for number, arc in enumerate(circuit.arcs):
        z = start / unit + arc.resistance / unit / (1 + (1j * np.tan(angle / 2)) ** arc.alpha)
        name, chosen = plain(arc_words(arc.name)), arc.name == CONSTRICTION
        values = (("R", arc.resistance, "ohm"), ("C", arc.capacitance, "F"), ("tau", arc.tau, "s"))
        says = "\n".join([f"arc of {arc_words(arc.name)}", *(f"{key} = {amount(value, si)}" for key, value, si in values)])
        look: dict[str, Any] = {"width": 1.6 if chosen else 0.8, "fill": 0.75 if chosen else 0.35}
        if arc.name in extraction.arcs and not extraction.arcs[arc.name].known:
            name, look = f"{name} (not determined)", {"width": 1.2, "line": "dash"}
        yield _line(name, z, of_arc(arc.name, number), told=[says] * angle.size, **look)
        start += arc.resistance


def _frequencies(spectrum: Spectrum, unit: float, width: float, height: float, avoid: ArrayLike) -> Iterator[Note]:
    """Decades named beside the curve, outside if there is room, where they are far enough apart to be read."""
    log, z = np.log10(spectrum.frequency), spectrum.impedance.conj() / unit
    order = np.argsort(log)
    low, high = math.ceil(log.min() - 1e-9), math.floor(log.max() + 1e-9)
    curve = np.interp(np.linspace(log.min(), log.max(), 2000), log[order], z[order])
    curve = np.append(curve, np.asarray(avoid, dtype=complex))
    point = 1.13 * width / unit / (AXES * POINTS)  # one typographic point on the axes
    taken: list[tuple[complex, complex]] = []
    for decade in range(high, low - 1, -1):
        before, at, after = np.interp(decade + np.array([0.05, 0.0, -0.05]), log[order], z[order])
        if not 0.08 * height / unit < at.imag < 1.02 * height / unit:
            continue
        name = EngFormatter(unit="Hz", sep=" ")(10.0**decade)
        half = 0.5 * point * (8 * 0.62 * len(name) + 8j)
        outward = np.angle(1j * (after - before))
        for turn in np.deg2rad([0, 30, -30, 60, -60, 120, -120, 150, -150, 180]):
            side = np.exp(1j * (outward + turn))
            centre = at + side * (8 * point + abs(side.real) * half.real)
            clear = np.all(_outside(curve - centre, half + 3j * point)) and centre.imag > half.imag
            inside = -0.015 * width / unit < centre.real - half.real and centre.real + half.real < 1.11 * width / unit
            if clear and inside and all(_outside(other - centre, half + reach) for other, reach in taken):
                yield Note(text=name, x=at.real, y=at.imag, place=(float(centre.real), float(centre.imag)))
                taken.append((centre, half))
                break


def _outside(difference: Any, half: Any) -> Any:
    return (np.abs(np.real(difference)) > np.real(half)) | (np.abs(np.imag(difference)) > np.imag(half))
