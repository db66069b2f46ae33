"""R, C and tau of RC elements that were fitted, with the three contributions to their uncertainty apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.fitting.naming import Data
from fem_constriction.fitting.rc_fit import Fit, fit
from fem_constriction.fitting.result import Extraction
from fem_constriction.fitting.values import Element, Value
from fem_constriction.fitting.variations import Variation, deviation, variations
from fem_constriction.processes.circuits import SERIES

_UNITS: Final = ("ohm", "F", "s")


def logarithms(found: Fit) -> Array:
    """Log R, log C, log tau, (3, n)."""
    r, tau = np.log(found.resistance), np.log(np.where(found.tau > 0, found.tau, found.resistance))
    return np.stack([r, tau - r, tau])


def _deviation(data: Data, main: Fit) -> tuple[Array | None, int, int]:
    """The largest |p'/p - 1| of R, C and tau over weightings and windows, (3, n), their number, and how many were left out."""
    arcs = main.tau[int(main.series) :]

    def again(each: Variation) -> tuple[Array, Array]:
        frequency, impedance = data.frequency[each.inside], data.impedance[each.inside]
        other = fit(frequency, impedance, arcs, resistance=main.resistance, series=main.series, weighting=each.weighting)
        return logarithms(other), other.tau[int(main.series) :]

    return deviation(variations(data, arcs, 2 * main.tau.size, main.weighting), logarithms(main), again)


def report(data: Data, found: Fit, names: Sequence[str], removed: Mapping[str, Element], geometric: Value | None) -> Extraction:
    """Return what a fit of RC elements says: names for its elements, what was removed, and R_geometric, passed on."""
    spread, tried, lost = _deviation(data, found)
    relative = {
        "discretisation": None if data.uncertainty is None else found.propagate(data.uncertainty),
        "model": spread,
        "nominal": found.nominal(),
    }
    values = np.stack([found.resistance, found.tau / found.resistance, found.tau])
    arcs = {}
    for place, name in enumerate(names):
        parts = {kind: None if each is None else values[:, place] * each[:, place] for kind, each in relative.items()}
        numbers = [
            Value(
                value=float(values[row, place]),
                unit=unit,
                discretisation=_number(parts["discretisation"], row),
                model=_number(parts["model"], row),
                nominal=_number(parts["nominal"], row),
            )
            for row, unit in enumerate(_UNITS)
        ]
        if name == SERIES:
            numbers[1:] = [Value(value=0.0, unit=unit, reason="a resistor") for unit in _UNITS[1:]]
        arcs[name] = Element(R=numbers[0], C=numbers[1], tau=numbers[2])
    return Extraction(
        arcs=arcs,
        removed=dict(removed),
        residual=found.largest,
        weighting=found.weighting,
        variations=tried,
        left_out=lost,
        notes=outside(data, arcs),
        geometric=geometric,
    )


def outside(data: Data, arcs: Mapping[str, Element]) -> tuple[str, ...]:
    """What is said of arcs whose frequency the data do not reach."""
    frequency = {name: 1 / (2 * np.pi * arc.tau.value) for name, arc in arcs.items() if arc.tau.value}
    low, high = data.frequency.min(), data.frequency.max()
    beyond = {name: f for name, f in frequency.items() if not low <= f <= high}
    return tuple(f"{name}: its frequency, {f:.3g} Hz, is outside the data" for name, f in beyond.items())


def _number(contributions: Array | None, row: int) -> float | None:
    return None if contributions is None else float(contributions[row])
