"""Parameters from which the fit of a circuit may start, from a relaxation spectrum with inductive and blocking parts.

The lines of the spectrum are clustered into as many time constants as the circuit has arcs; resistances and what is in series
follow by non-negative least squares. Blocks of other form share the resistance and the time of the arc that they make.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Final

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.fitting.elements import KINDS
from fem_constriction.fitting.naming import Data
from fem_constriction.fitting.notation import BLOCK, Node, Part, Topology, elements
from fem_constriction.fitting.starts import nonnegative, stacked, starts

_BEYOND: Final = 1.0  # decades on either side of the band in which time constants start
_EXPONENTS: Final = (0.95, 0.85, 0.6)
_STEEPS: Final = (1.0, 0.85, 0.5)  # exponents of what blocks, tried beside that of the slope at the lowest frequencies
#: Orders of arcs of several kinds that are tried.
ORDERS: Final = 20
_JITTERED: Final = 8  # further starts, moved at random: of circuits with blocks three times as many
_PLAIN = ("R", "L", "C", "CPE", "La", "W")  # whose impedance is a power of s times a positive number


def guesses(data: Data, topology: Topology) -> Iterator[dict[str, float]]:
    """Yield sets of parameters in SI units, tau of arcs p(R,C) and p(R,CPE) included."""
    arcs = [part for part in topology.parts if part.kind not in _PLAIN]
    blocks = any(part.kind in (BLOCK, "Wo", "Ws", "G") for part in arcs)
    found = []
    for steep, tau in _times(data, topology, len(arcs)):
        for exponent in _EXPONENTS:
            alpha = np.array([1.0 if part.kind in ("p(R,C)", "K") else exponent for part in arcs])
            for order in _orders(arcs):
                turned = np.empty(len(arcs), dtype=int)
                turned[list(order)] = np.arange(len(arcs))
                times = tau[turned]
                resistance, rest = _amplitudes(data, topology, times, alpha, steep)
                found.append(_parameters(data, topology, arcs, times, resistance, alpha, rest))
            if not any(each < 1 for each in alpha):
                break
    yield from found
    random = np.random.default_rng(0)
    spread = 1.5 if blocks else 0.7
    for number in range(_JITTERED * (3 if blocks else 1)):
        base = found[number % len(found)]
        yield {name: _moved(name, value, spread, random) for name, value in base.items()}


def _moved(name: str, value: float, spread: float, random: np.random.Generator) -> float:
    shift = float(random.normal())
    if name.endswith("_alpha"):
        return float(np.clip(value + 0.1 * shift, 0.3, 1.0))
    return float(value * np.exp(spread * shift))


def _orders(arcs: list[Part]) -> list[tuple[int, ...]]:
    """Orders of arcs ascending in tau that differ in kind: arcs of one kind are alike."""
    kinds = [part.kind for part in arcs]
    if len(set(kinds)) < 2:
        return [tuple(range(len(arcs)))]
    seen: dict[tuple[str, ...], tuple[int, ...]] = {}
    for order in permutations(range(len(arcs))) if len(arcs) <= 6 else [tuple(range(len(arcs)))]:
        seen.setdefault(tuple(kinds[n] for n in order), order)
        if len(seen) == ORDERS:
            break
    return list(seen.values())


def _times(data: Data, topology: Topology, count: int) -> Iterator[tuple[float, Array]]:
    """Exponents of what blocks, and sets of time constants, ascending."""
    low, high = -np.log10(data.omega.max()) - _BEYOND, -np.log10(data.omega.min()) + _BEYOND
    comb = np.logspace(low, high, round(10 * float(high - low)) + 1)
    kinds = {part.kind for part in topology.parts}
    steeps = dict.fromkeys((_steepness(data), *_STEEPS)) if "CPE" in kinds else (1.0,)
    ends = (10 ** (low + _BEYOND / 2),), (10 ** (high - _BEYOND / 2),)
    for steep in steeps:
        if not count:
            yield steep, np.empty(0)
            continue
        lines = _amplitudes(data, topology, comb, np.ones(comb.size), steep)[0]
        if kinds & {"CPE", "C", "W"}:  # beside what blocks an arc is as large as its part of |Z| at its own frequency
            order = np.argsort(data.omega)
            lines = lines / np.interp(-np.log(comb), np.log(data.omega[order]), np.abs(data.impedance[order]))
        for tau in starts(comb, lines, count):
            yield steep, tau
        if count > 1:  # an arc of which the data hold one end only
            fewer = starts(comb, lines, count - 1)[0]
            for end in ends:
                yield steep, np.sort(np.append(fewer, end))


def _steepness(data: Data) -> float:
    """The alpha of -Im Z ~ omega^-alpha at the five lowest frequencies, within 0.3 and 1."""
    slowest = np.argsort(data.omega)[:5]
    blocking, log = -data.impedance.imag[slowest], np.log(data.omega[slowest])
    if np.any(blocking <= 0) or np.ptp(log) == 0:
        return 1.0
    return float(np.clip(-np.polyfit(log, np.log(blocking), 1)[0], 0.3, 1.0))


def _amplitudes(data: Data, topology: Topology, tau: Array, alpha: Array, steep: float) -> tuple[Array, dict[str, float]]:
    """Non-negative R of arcs of known tau and alpha, and factors of what is in series, by least squares."""
    s, modulus = 1j * data.omega[:, None], np.abs(data.impedance)[:, None]
    shapes = {"R": np.ones_like(s), "L": s, "La": s, "C": 1 / s, "CPE": s**-steep, "W": np.sqrt(2) * s**-0.5}
    kinds = [kind for kind in shapes if any(part.kind == kind for part in topology.parts)]
    columns = stacked(np.hstack([1 / (1 + (s * tau) ** alpha), *(shapes[kind] for kind in kinds)]) / modulus)
    size = np.linalg.norm(columns, axis=0)
    found = nonnegative(columns / size, stacked(data.impedance / modulus[:, 0])) / size
    return found[: tau.size], dict(zip(kinds, found[tau.size :].tolist(), strict=True)) | {"steep": steep}


def _parameters(
    data: Data, topology: Topology, arcs: list[Part], tau: Array, resistance: Array, alpha: Array, rest: dict[str, float]
) -> dict[str, float]:
    """Parameters by name. What is 0 starts at 1e-3 of |Z| in the middle of the band."""
    least = 1e-3 * float(np.median(np.abs(data.impedance)))
    middle = float(np.exp(np.mean(np.log(data.omega))))
    of_arc = {id(part): (max(r, least), t, a) for part, r, t, a in zip(arcs, resistance, tau, alpha, strict=True)}
    found: dict[str, float] = {}
    for part in topology.parts:
        if part.kind in _PLAIN:
            label, factor = part.labels[0], rest[part.kind]
            if part.kind == "CPE":
                found[f"{label}_alpha"] = rest["steep"]
                found[f"{label}_Q"] = 1 / max(factor, least * middle ** rest["steep"])
            elif part.kind == "La":
                found |= {f"{label}_alpha": 0.95, f"{label}_L": max(factor, least / middle)}
            elif part.kind == "C":
                found[label] = 1 / max(factor, least * middle)
            else:
                found[label] = max(factor, {"R": least, "L": least / middle, "W": least * middle**0.5}[part.kind])
            continue
        r, t, a = of_arc[id(part)]
        if part.kind.startswith("p("):
            label, other = part.labels
            found |= {label: r, f"tau{label[1:]}": t}
            found |= {f"{other}_alpha": a, f"{other}_Q": t**a / r} if part.kind == "p(R,CPE)" else {other: t / r}
        else:
            found |= _block(part.node, r, t, a, float(1 / data.omega.min()))
    return found


def _block(node: Node, resistance: float, tau: float, alpha: float, slowest: float) -> dict[str, float]:
    """Parameters of a block that makes an arc: what is in series shares its resistance, diffusion is slower than the arc."""
    found: dict[str, float] = {}
    every = list(elements(node))
    alone = len(every) == 1
    inner = [e for e in every if e.kind in ("R", "W", "Wo", "Ws", "G", "K", "Zarc")]
    share = resistance / max(len(inner), 1)
    for number, each in enumerate(every):
        time = tau if alone else np.sqrt(tau * slowest) * (number + 1)
        values = {
            "R": (share,),
            "C": (tau / resistance,),
            "L": (tau * resistance,),
            "CPE": (tau**alpha / resistance, alpha),
            "La": (tau * resistance, 0.95),
            "W": (share / np.sqrt(2 * time),),
            "Wo": (share, time),
            "Ws": (share, time),
            "G": (share, time),
            "K": (share, time),
            "Zarc": (share, time, alpha),
        }[each.kind]
        found |= dict(zip(KINDS[each.kind].names(each.label), map(float, values), strict=True))
    return found
