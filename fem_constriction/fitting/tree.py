"""Z(s) of a circuit and its exact derivatives: series add impedances, parallel blocks add admittances.

With z_i of the parts of a parallel block, z = 1/sum(1/z_i) and dz = sum (z/z_i)^2 dz_i.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fem_constriction.arrays import Array
from fem_constriction.cell.units import array_in
from fem_constriction.fitting.elements import KINDS
from fem_constriction.fitting.notation import Element, Node, Parallel, elements, text_of
from fem_constriction.fitting.starts import Spectral


@dataclass(frozen=True, eq=False)
class Block:
    """A part of a circuit with its numbers: what is no arc and no plain element in series."""

    node: Node
    values: Mapping[str, float]

    def impedance(self, frequency: ArrayLike) -> Spectral:
        """Return Z in ohm at frequencies in Hz, of their shape."""
        omega = 2 * np.pi * array_in("Hz", frequency, "frequency").astype(float)
        return impedance(self.node, np.asarray(1j * omega, dtype=np.complex128), self.values)

    @property
    def labels(self) -> set[str]:
        """The labels of its elements."""
        return {element.label for element in elements(self.node)}

    def text(self) -> str:
        """The part in impedance.py's notation."""
        return text_of(self.node)

    @property
    def resistance(self) -> float:
        """Z at a frequency far below any process of a cell, in ohm; infinite where it blocks direct current."""
        low, lower = (abs(complex(self.impedance(np.array([f]))[0])) for f in (1e-20, 1e-22))
        return lower if lower < 2 * low else float("inf")


def impedance(node: Node, s: Spectral, values: Mapping[str, float]) -> Spectral:
    """Return Z in ohm, (f,), at s = i omega (1/s, (f,)), of parameters by name, in SI units."""
    if isinstance(node, Element):
        kind = KINDS[node.kind]
        return kind.impedance(s, [values[name] for name in kind.names(node.label)])
    parts = [impedance(part, s, values) for part in node.parts]
    if isinstance(node, Parallel):
        return np.asarray(1 / sum(1 / part for part in parts))
    return np.asarray(sum(parts))


def derivatives(node: Node, s: Spectral, internal: Mapping[str, tuple[float, Array]], count: int) -> tuple[Spectral, Spectral]:
    """Return Z (f,) and dZ/dx (f, count) of a circuit whose parameters depend on count numbers x.

    internal: parameter -> u (its logarithm; of an exponent itself) and du/dx, (count,).
    """
    if isinstance(node, Element):
        kind = KINDS[node.kind]
        names = kind.names(node.label)
        z, slopes = kind.law(s, [internal[name][0] for name in names])
        steep = np.zeros((s.size, count), dtype=np.complex128)
        for name, slope in zip(names, slopes, strict=True):
            for place in np.flatnonzero(internal[name][1]):
                steep[:, place] += slope * internal[name][1][place]
        return z, steep
    parts = [derivatives(part, s, internal, count) for part in node.parts]
    if isinstance(node, Parallel):
        z = np.asarray(1 / sum(1 / part for part, _ in parts))
        return z, np.asarray(sum(((z / part) ** 2)[:, None] * steep for part, steep in parts))
    return np.asarray(sum(part for part, _ in parts)), np.asarray(sum(steep for _, steep in parts))
