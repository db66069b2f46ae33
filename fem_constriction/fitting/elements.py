"""Z(s) of one element, and dZ/du of each of its parameters: R, C, L, CPE, La, W, Wo, Ws, G, K, Zarc.

u is the logarithm of a parameter that is positive, an exponent itself: what a fit varies. Everything is written so that nothing
overflows: coth x and tanh x of a Warburg element are functions of exp(-2 x), Re x > 0.

Conventions are those of impedance.py, where W1 is sigma (1 - i)/sqrt(omega); pyimpspec's W has Y = 1/(sigma sqrt(2)).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fem_constriction.fitting.starts import Spectral

#: Logarithms of parameters beyond it are cut: 1e130, and the square of its inverse is a number.
LARGEST: Final = 300.0
#: A fit may pass 1: that says that the element is a capacitance, within its standard error.
EXPONENTS: Final = (0.1, 1.1)

#: s (f,) and u of each parameter -> Z (f,) and dZ/du of each, (f,).
Law = Callable[[Spectral, Sequence[float]], tuple[Spectral, list[Spectral]]]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of element: what its parameters are called behind its label, their units, and its law.

    words: for messages; suffixes: "" of an element of one parameter, which is called as the element; "alpha" is an exponent,
    every other parameter is above 0.
    """

    words: str
    suffixes: tuple[str, ...]
    units: tuple[str, ...]
    law: Law

    def names(self, label: str) -> tuple[str, ...]:
        """The names of the parameters of an element with this label: ("CPE1_Q", "CPE1_alpha"), ("R1",)."""
        return tuple(f"{label}_{suffix}" if suffix else label for suffix in self.suffixes)

    def impedance(self, s: Spectral, values: Sequence[float]) -> Spectral:
        """Z in ohm at s = i omega (1/s) of parameters in SI units."""
        return self.law(s, [self.internal(n, value) for n, value in enumerate(values)])[0]

    def internal(self, number: int, value: float) -> float:
        """u of a value of the parameter of this number."""
        return value if self.suffixes[number] == "alpha" else _log(value)


def _log(value: float) -> float:
    return float(np.clip(np.log(value), -LARGEST, LARGEST)) if value > 0 else -LARGEST


def _exp(u: float) -> float:
    return float(np.exp(min(max(u, -LARGEST), LARGEST)))


def _resistor(s: Spectral, u: Sequence[float]) -> tuple[Spectral, list[Spectral]]:
    z = np.full(s.shape, complex(_exp(u[0])))
    return z, [z]


def _capacitor(s: Spectral, u: Sequence[float]) -> tuple[Spectral, list[Spectral]]:
    z = 1 / (s * _exp(u[0]))
    return z, [-z]


def _inductor(s: Spectral, u: Sequence[float]) -> tuple[Spectral, list[Spectral]]:
    z = s * _exp(u[0])
    return z, [z]


def _constant_phase(s: Spectral, u: Sequence[float]) -> tuple[Spectral, list[Spectral]]:
    z = _exp(-u[0]) * s ** -u[1]
    return z, [-z, -z * np.log(s)]


def _lossy_inductor(s: Spectral, u: Sequence[float]) -> tuple[Spectral, list[Spectral]]:
    z = _exp(u[0]) * s ** u[1]
    return z, [z, z * np.log(s)]


def _warburg(s: Spectral, u: Sequence[float]) -> tuple[Spectral, list[Spectral]]:
    z = np.asarray(np.sqrt(2) * _exp(u[0]) / np.sqrt(s), dtype=np.complex128)
    return z, [z]


def _finite(sign: int) -> Law:
    """R coth(x)/x (sign 1, a wall that blocks) or R tanh(x)/x (sign -1, a reservoir), x = sqrt(s tau)."""

    def law(s: Spectral, u: Sequence[float]) -> tuple[Spectral, list[Spectral]]:
        r, x = _exp(u[0]), np.sqrt(s * _exp(u[1]))
        fading = np.exp(-2 * np.minimum(x.real, 350.0) - 2j * x.imag)
        shape = (1 + fading) / -np.expm1(-2 * x) if sign > 0 else -np.expm1(-2 * x) / (1 + fading)
        small = np.abs(x) < 1e-8  # what is left of tanh(x)/x there is 1, of coth(x)/x is 1/x^2
        shape = np.where(small, 1 / x if sign > 0 else x, shape)
        z = np.asarray(r * shape / x, dtype=np.complex128)
        steep = -sign * 4 * fading / (1 - sign * fading) ** 2 if sign < 0 else -4 * fading / np.expm1(-2 * x) ** 2
        steep = np.where(small, -1 / x**2 if sign > 0 else 1.0, steep)  # d(coth x)/dx = -1/sinh^2 x, d(tanh x)/dx = 1/cosh^2 x
        return z, [z, (r * steep - z) / 2]

    return law


def _gerischer(s: Spectral, u: Sequence[float]) -> tuple[Spectral, list[Spectral]]:
    turned = s * _exp(u[1])
    z = np.asarray(_exp(u[0]) / np.sqrt(1 + turned), dtype=np.complex128)
    return z, [z, -z / 2 * turned / (1 + turned)]


def _voigt(s: Spectral, u: Sequence[float]) -> tuple[Spectral, list[Spectral]]:
    turned = s * _exp(u[1])
    z = _exp(u[0]) / (1 + turned)
    return z, [z, -z * turned / (1 + turned)]


def _zarc(s: Spectral, u: Sequence[float]) -> tuple[Spectral, list[Spectral]]:
    log = np.log(s) + u[1]
    turned = np.exp(np.minimum((u[2] * log).real, LARGEST) + 1j * (u[2] * log).imag)
    z = _exp(u[0]) / (1 + turned)
    part = turned / (1 + turned)
    return z, [z, -z * part * u[2], -z * part * log]


#: Symbol -> kind, those of impedance.py; pyimpspec's Q is CPE.
KINDS: Final[dict[str, Kind]] = {
    "R": Kind(words="resistors", suffixes=("",), units=("ohm",), law=_resistor),
    "C": Kind(words="capacitors", suffixes=("",), units=("F",), law=_capacitor),
    "L": Kind(words="inductances", suffixes=("",), units=("H",), law=_inductor),
    "CPE": Kind(words="constant-phase elements", suffixes=("Q", "alpha"), units=("F s^(alpha - 1)", ""), law=_constant_phase),
    "La": Kind(words="lossy inductances", suffixes=("L", "alpha"), units=("H s^(alpha - 1)", ""), law=_lossy_inductor),
    "W": Kind(words="Warburg elements", suffixes=("",), units=("ohm s^(-1/2)",), law=_warburg),
    "Wo": Kind(words="Warburg elements with a wall", suffixes=("R", "tau"), units=("ohm", "s"), law=_finite(1)),
    "Ws": Kind(words="Warburg elements with a reservoir", suffixes=("R", "tau"), units=("ohm", "s"), law=_finite(-1)),
    "G": Kind(words="Gerischer elements", suffixes=("R", "tau"), units=("ohm", "s"), law=_gerischer),
    "K": Kind(words="RC elements by their time constant", suffixes=("R", "tau"), units=("ohm", "s"), law=_voigt),
    "Zarc": Kind(words="depressed arcs", suffixes=("R", "tau", "alpha"), units=("ohm", "s", ""), law=_zarc),
}
