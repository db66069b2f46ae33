"""Z(f): -Im Z over Re Z with a fit, its arcs and another circuit; modulus and phase over frequency."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fem_constriction.arrays import Array, Complex
from fem_constriction.pictures.colours import BACKENDS, CONSTRICTION, FIT, GREY, of_arc
from fem_constriction.pictures.picture import Axis, Mark, Note, Panel, Picture, Series, cycled, plain, prefix
from fem_constriction.pictures.words import written

#: Of the width: the least height of a picture, that of a resistor.
FLAT: Final = 0.02

#: Inches of the axes of the plane in a file, and of everything around them; typographic points in an inch.
AXES, AROUND, POINTS = 6.2, 1.45, 72

_CAPTION: Final = (
    "Impedance plane: a point shows its frequency, impedance, uncertainty and verdict; drag to zoom, double click to return. "
    "Filled half circles are the arcs of the fitted circuit; dashed, the physical one-dimensional circuit without constriction."
)


class Points(Protocol):
    """Z over frequency, as a spectrum has it."""

    @property
    def frequency(self) -> Array:
        """Hz, (n,)."""

    @property
    def impedance(self) -> NDArray[np.complex128]:
        """Ohm, (n,)."""

    @property
    def uncertainty(self) -> Array | None:
        """Ohm, (n,), None where it is not known."""

    def __len__(self) -> int: ...


class Arc(Protocol):
    """An arc of a circuit: what is drawn and told of it."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def resistance(self) -> float:
        """Ohm."""

    @property
    def capacitance(self) -> float:
        """F."""

    @property
    def tau(self) -> float:
        """S."""

    @property
    def alpha(self) -> float:
        """Exponent, 1 of a capacitance."""


class Drawn(Protocol):
    """A circuit: Z(f), and its arcs in series behind r_elec."""

    @property
    def r_elec(self) -> float:
        """Ohm, of the resistor in series."""

    @property
    def arcs(self) -> Sequence[Arc]:
        """In series, ascending in tau."""

    def impedance(self, frequency: ArrayLike) -> NDArray[np.complex128]:
        """Z in ohm at frequencies in Hz, of their shape."""


class Known(Protocol):
    """An element of a fit."""

    @property
    def known(self) -> bool:
        """Whether its resistance is larger than what is uncertain about it."""


class Fitted(Protocol):
    """What a fit says, as far as it is drawn."""

    @property
    def arcs(self) -> Mapping[str, Known]:
        """Elements by name."""

    def circuit(self) -> Drawn:
        """The fitted circuit."""


def impedance_plane(
    spectra: Mapping[str, Points],
    extraction: Fitted | None = None,
    *,
    reference: Drawn | None = None,
    looks: Sequence[tuple[str, str]] = BACKENDS,
    title: str = "",
    verdicts: Sequence[str] = (),
    inches: float = AXES,
) -> Picture:
    """-Im Z over Re Z of spectra, with the fit and its arcs if there is one; both axes in the same unit and scale.

    looks: colour and marker of each spectrum, `(DATA,)` of one that no backend gave; verdicts: of each frequency; inches: width
    of the axes that words are placed for. A cell that blocks direct current is shown from the high-frequency end, as far up as
    it is wide, an inductance a quarter of that down.
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
    avoid: list[ArrayLike] = []
    if extraction is not None and extraction.arcs:
        drawn = list(_arcs(extraction, unit))
        avoid += [np.asarray(arc.x) + 1j * np.asarray(arc.y) for arc in drawn]
        marks += drawn
    if reference is not None:
        without = reference.impedance(dense) / unit
        avoid.append(without.conj())
        marks.append(_line("1D-PM", without, GREY, line="dash", width=0.9))
    if extraction is not None and extraction.arcs:
        marks.append(_line("fit", extraction.circuit().impedance(dense) / unit, FIT, width=1.0))
    for number, (name, spectrum) in enumerate(spectra.items()):
        colour, marker = cycled(looks, number)
        z = spectrum.impedance / unit
        says = [told(name, spectrum, k, verdicts[k] if verdicts else "") for k in range(len(spectrum))]
        marks.append(Series(x=z.real, y=-z.imag, label=plain(name), colour=colour, line="", marker=marker, told=says))
    marks += _frequencies(first, unit, width, height, avoid, inches)
    right, top = 1.11 * width, 1.17 * height
    panel = Panel(
        marks=marks,
        x=Axis(label=f"Re *Z* / {letter}\N{GREEK CAPITAL LETTER OMEGA}", range=(left / unit, right / unit)),
        y=Axis(label=f"\N{MINUS SIGN}Im *Z* / {letter}\N{GREEK CAPITAL LETTER OMEGA}", range=(low / unit, top / unit)),
        equal=True,
    )
    ends = [written(float(f), "Hz", 0) for f in (first.frequency.min(), first.frequency.max())]
    return Picture(
        name="nyquist",
        rows=[[panel]],
        title=title,
        caption=_CAPTION,
        description=f"Nyquist plot of {' and '.join(spectra)} from {ends[0]} to {ends[1]}; the real part reaches "
        f"{written(width, 'ohm')}. The numbers are in the table of all frequencies.",
        size=(7, max(AXES * (top - low) / (right - left) + AROUND, 2.6)),
        pixels=520,
        columns=4,
        fitted=lambda inches: impedance_plane(
            spectra, extraction, reference=reference, looks=looks, title=title, verdicts=verdicts, inches=inches
        ),
    )


def bode(spectra: Mapping[str, Points], extraction: Fitted | None = None, *, title: str = "") -> Picture:
    """|Z| and -arg Z over frequency, of spectra and of the fitted circuit."""
    frequency = next(iter(spectra.values())).frequency
    dense = np.geomspace(frequency.min(), frequency.max(), 400)
    halves: list[list[Mark]] = [[], []]
    if extraction is not None and extraction.arcs:
        fitted = extraction.circuit().impedance(dense)
        for half, values in zip(halves, _modulus_and_phase(fitted), strict=True):
            half.append(Series(x=dense, y=values, label="fit", colour=FIT, width=1.0))
    for number, (name, limit) in enumerate(spectra.items()):
        colour, marker = cycled(BACKENDS, number)
        says = [told(name, limit, k) for k in range(len(limit))]
        for half, values in zip(halves, _modulus_and_phase(limit.impedance), strict=True):
            half.append(
                Series(x=limit.frequency, y=values, label=plain(name), colour=colour, line="", marker=marker, size=4, told=says)
            )
    over = Axis(label="frequency / Hz", scale="log")
    names = " and ".join(spectra)
    return Picture(
        name="bode",
        rows=[
            [Panel(marks=halves[0], x=over, y=Axis(label="|*Z*| / \N{GREEK CAPITAL LETTER OMEGA}", scale="log"))],
            [Panel(marks=halves[1], x=over, y=Axis(label="\N{MINUS SIGN}phase / degrees", range=(-3, 93)))],
        ],
        title=title,
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


def _arcs(extraction: Fitted, unit: float) -> Iterator[Series]:
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
        says = "\n".join([f"arc of {arc_words(arc.name)}", *(f"{key} = {written(value, si)}" for key, value, si in values)])
        look: dict[str, Any] = {"width": 1.6 if chosen else 0.8, "fill": 0.75 if chosen else 0.35}
        if arc.name in extraction.arcs and not extraction.arcs[arc.name].known:
            name, look = f"{name} (not determined)", {"width": 1.2, "line": "dash"}
        yield _line(name, z, of_arc(arc.name, number), told=[says] * angle.size, **look)
        start += arc.resistance


def _frequencies(
    spectrum: Points, unit: float, width: float, height: float, avoid: Sequence[ArrayLike], inches: float
) -> Iterator[Note]:
    """Decades named beside the curve, outside if there is room, where they are far enough apart to be read.

    On axes so many inches wide.
    """
    log, z = np.log10(spectrum.frequency), spectrum.impedance.conj() / unit
    order = np.argsort(log)
    low, high = math.ceil(log.min() - 1e-9), math.floor(log.max() + 1e-9)
    curve = np.interp(np.linspace(log.min(), log.max(), 2000), log[order], z[order])
    curve = np.concatenate([curve, *(np.asarray(each, dtype=complex) for each in avoid)])
    point = 1.13 * width / unit / (inches * POINTS)  # one typographic point on the axes
    taken: list[tuple[complex, complex]] = []
    for decade in range(high, low - 1, -1):
        before, at, after = np.interp(decade + np.array([0.05, 0.0, -0.05]), log[order], z[order])
        if not 0.08 * height / unit < at.imag < 1.02 * height / unit:
            continue
        name = written(10.0**decade, "Hz", 0)
        half = 0.5 * point * (8 * 0.62 * len(name) + 8j)
        outward = np.angle(1j * (after - before))
        for away, turn in product((8, 16, 28), np.deg2rad([0, 30, -30, 60, -60, 120, -120, 150, -150, 180])):
            side = np.exp(1j * (outward + turn))
            centre = at + side * (away * point + abs(side.real) * half.real)
            clear = np.all(_outside(curve - centre, half + 3j * point)) and centre.imag > half.imag
            inside = -0.015 * width / unit < centre.real - half.real and centre.real + half.real < 1.11 * width / unit
            if clear and inside and all(_outside(other - centre, half + reach) for other, reach in taken):
                yield Note(text=name, x=at.real, y=at.imag, place=(float(centre.real), float(centre.imag)))
                taken.append((centre, half))
                break


def _outside(difference: Any, half: Any) -> Any:
    return (np.abs(np.real(difference)) > np.real(half)) | (np.abs(np.imag(difference)) > np.imag(half))


def told(name: str, spectrum: Points, k: int, verdict: str = "") -> str:
    """Return what point k of a spectrum tells: frequency, impedance, uncertainty, verdict."""
    z = spectrum.impedance[k]
    unit, letter = prefix(float(abs(z)))
    sign = "+" if z.imag > 0 else "\N{MINUS SIGN}"
    lines = [
        name,
        f"f = {written(float(spectrum.frequency[k]), 'Hz')}",
        f"Z = {z.real / unit:.6g} {sign} {abs(z.imag) / unit:.6g} i {letter}\N{GREEK CAPITAL LETTER OMEGA}",
    ]
    if spectrum.uncertainty is not None:
        lines.append(f"u = {written(float(spectrum.uncertainty[k]), 'ohm', 2)}")
    return "\n".join([*lines, verdict] if verdict else lines)


def arc_words(name: str) -> str:
    """Return what an arc is called."""
    return "R_elec" if name == "r_elec" else name.replace("_", " ")
