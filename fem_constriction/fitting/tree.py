"""Z(s) of a circuit and its exact derivatives: series add impedances, parallel blocks add admittances.

With z_i of the parts of a parallel block, z = 1/sum(1/z_i) and dz = sum (z/z_i)^2 dz_i.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
    steep = np.zeros((count, s.size), dtype=np.complex128)  # a row for each number: what is added to is in one piece
    evaluated = _evaluated(node, s, internal)
    _add(evaluated, np.ones(s.size, dtype=np.complex128), internal, steep)
    return evaluated[0], steep.T


#: Z of a node; and either its parts, with whether they are in parallel, or names of its parameters and dZ/du of each.
_Evaluated = tuple[Any, Any, Any]


def _evaluated(node: Node, s: Spectral, internal: Mapping[str, tuple[float, Array]]) -> _Evaluated:
    if isinstance(node, Element):
        kind = KINDS[node.kind]
        names = kind.names(node.label)
        z, slopes = kind.law(s, [internal[name][0] for name in names])
        return z, names, slopes
    parts = [_evaluated(part, s, internal) for part in node.parts]
    if isinstance(node, Parallel):
        return np.asarray(1 / sum(1 / part[0] for part in parts)), parts, True
    return np.asarray(sum(part[0] for part in parts)), parts, False


def _add(node: _Evaluated, factor: Spectral, internal: Mapping[str, tuple[float, Array]], steep: Spectral) -> None:
    """Add what the parameters in a node do to Z of the whole circuit, factor = dZ/dZ_node."""
    z, parts, rest = node
    if isinstance(rest, bool):
        for part in parts:
            _add(part, factor * (z / part[0]) ** 2 if rest else factor, internal, steep)
        return
    for name, slope in zip(parts, rest, strict=True):
        gradient = internal[name][1]
        for place in np.flatnonzero(gradient):
            steep[place] += factor * slope * gradient[place]
