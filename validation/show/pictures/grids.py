"""error = C h^p over h, and what an error costs; every grid of a cross-check against the limits of all families."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.pictures.colours import BACKENDS, GREY
from fem_constriction.pictures.picture import Axis, Mark, Panel, Picture, Series, cycled, plain, shown
from fem_constriction.solving.refinement import Family
from validation.gate.result import Result

Cost = Literal["seconds", "unknowns", "memory_MB"]
COSTS: Final = {"seconds": "seconds per grid", "unknowns": "unknowns", "memory_MB": "memory / MB"}

#: Largest error of a family that is exact to rounding: it has no order.
EXACT: Final = 1e-9

LARGEST, DIRECT = "largest over frequency", "direct current"

#: Values of every grid, (grids, points), and of the limit, (points,), by backend.
Values = Mapping[str, tuple[NDArray[Any], NDArray[Any]]]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Errors (relative) of one quantity on one family of grids, coarse to fine, with what each grid costs.

    h: step, in any unit that all curves of a plot share; memory: MB; expected, observed: orders, None where there is none.
    """

    name: str
    quantity: str
    h: Sequence[float]
    error: Sequence[float]
    unknowns: Sequence[int]
    seconds: Sequence[float]
    memory: Sequence[float] = ()
    expected: float | None = None
    observed: float | None = None

    def cost(self, what: Cost) -> list[float]:
        """Return what each grid costs, as a logarithmic axis takes it."""
        values = {"seconds": self.seconds, "unknowns": self.unknowns, "memory_MB": self.memory}[what]
        return [max(float(value), 1e-3) for value in values]

    def told(self, k: int) -> str:
        """Return what the point of grid k tells."""
        lines = [
            self.name,
            f"grid {k + 1} of {len(self.error)}",
            f"error {self.error[k]:.2e}",
            f"{self.unknowns[k]:,} unknowns",
        ]
        return "\n".join([*lines, f"{self.seconds[k]:.2g} s"])


def curves(families: Iterable[Mapping[str, Any]]) -> list[Curve]:
    """Return the curves of the families in `converge.json`; those of one backend, grids and quantity each."""
    found = []
    for family in families:
        orders = family["observed_order"]
        known = [order for order in (orders if isinstance(orders, list) else [orders]) if order is not None]
        at = family.get("frequency_Hz")
        found.append(
            Curve(
                name=f"{family['backend']}, {family['grids']}",
                quantity=family["quantity"] if at is None else f"{family['quantity']} at {at:g} Hz",
                h=family["h"],
                error=[float("nan") if each is None else each for each in family["error"]],  # of a fit that failed
                unknowns=family["unknowns"],
                seconds=family["seconds"],
                memory=family.get("memory_MB") or (),
                expected=family["expected_order"],
                observed=known[-1] if known else None,
            )
        )
    return found


def curves_of(result: Result) -> list[Curve]:
    """Return of every backend the distance of its grids to the limit of their family, the largest over frequency."""
    found = []
    for name, family in result.families.items():
        rows = family.table(result.agreement.frequency)
        error = [row["distance"] for row in rows]
        orders = [float(np.log2(a / b)) for a, b in pairwise(error) if a > 0 and b > 0]
        exact = max(error) < EXACT
        found.append(
            Curve(
                name=name,
                quantity="Z",
                h=[0.5**level for level in range(len(rows))],
                error=error,
                unknowns=[row["unknowns"] for row in rows],
                seconds=[row["seconds"] for row in rows],
                expected=family.order,
                observed=orders[-1] if orders and not exact else None,
            )
        )
    return found


def errors_over_step(given: Sequence[Curve], step: str, quantity: str = "Z") -> Picture:
    """Error over h, log-log, with a dotted line of the expected order beside every family; step: what h is, with its unit."""
    marks: list[Mark] = []
    for number, curve in enumerate(given):
        colour, marker = cycled(BACKENDS, number)
        exact = all(each < EXACT for each in curve.error)
        orders = "exact to rounding" if exact else f"order {_order(curve.observed)}, expected {_order(curve.expected)}"
        marks.append(_points(curve, curve.h, f"{plain(curve.name)}: {orders}", colour, marker))
        if curve.expected and not exact:
            h = np.asarray(curve.h, dtype=float)
            slope = 1.8 * curve.error[0] * (h / h[0]) ** curve.expected
            marks.append(Series(x=h, y=shown(slope), colour=colour, line="dot", width=0.9))
    described = (
        f"{curve.name}: error {curve.error[0]:.1e} on the coarsest to {curve.error[-1]:.1e} on the finest of {len(curve.h)} "
        f"grids, order {_order(curve.observed)}, expected {_order(curve.expected)}"
        for curve in given
        if len(curve.error)
    )
    return Picture(
        name="convergence",
        rows=[[Panel(marks=marks, x=Axis(label=step, scale="log", ticks="few"), y=Axis(label="error, relative", scale="log"))]],
        caption=f"Error of {quantity} on every grid over its step. Dotted: the slope that theory expects.",
        description="; ".join(described),
        pixels=470,
        columns=1,
    )


def work_precision(given: Sequence[Curve], quantity: str = "Z", costs: Sequence[Cost] = ("seconds", "unknowns")) -> Picture:
    """Error over seconds, and over unknowns, side by side: the lower left is the better."""
    panels = []
    for what in costs:
        marks = [
            _points(curve, curve.cost(what), plain(curve.name), *cycled(BACKENDS, number)) for number, curve in enumerate(given)
        ]
        x = Axis(label=COSTS[what], scale="log", ticks="few")
        panels.append(Panel(marks=marks, x=x, y=Axis(label="error, relative", scale="log")))
    described = (
        f"{curve.name}: error {curve.error[-1]:.1e} with {curve.unknowns[-1]:,} unknowns in {curve.seconds[-1]:.2g} s"
        for curve in given
        if len(curve.error)
    )
    return Picture(
        name="work-precision",
        rows=[panels],
        caption=f"Error of {quantity} against what a grid costs. Seconds are of this run on its machine, beside what else ran.",
        description="; ".join(described),
        pixels=430,
        together="y",
    )


def convergence(result: Result) -> Picture:
    """Distance of every grid to its backend's limit over unknowns^(1/3): the largest over frequency, and at direct current.

    Open squares: distance to the limit of the other backends, which no extrapolation of its own can please.
    """
    families, blocking = result.families, result.geometric is None
    limits = {name: family.limit(result.agreement.frequency) for name, family in families.items()}
    panels = []
    for what, values in _values(result).items():
        marks: list[Mark] = []
        for number, (name, family) in enumerate(families.items()):
            order = limits[name].order if what == LARGEST else _observed(values[name][0])
            marks += _distances(name, family, values, cycled(BACKENDS, number), np.asarray(order))
        marks.append(Series(x=(), y=(), colour=GREY, line="", marker="s", size=7, label="to the limit of the others"))
        if any(isinstance(mark, Series) and mark.line == "dot" for mark in marks):
            marks.append(Series(x=(), y=(), colour=GREY, line="dot", width=0.9, label="slope of the expected order"))
        x = Axis(label="unknowns^{1/3}", scale="log", ticks="few")
        y = Axis(label="distance to the limit, relative to |*Z*|", scale="log")
        panels.append(Panel(marks=marks, x=x, y=y, title=what, legend="below"))
    described = (
        f"{curve.name}: {curve.error[0]:.1e} on the coarsest to {curve.error[-1]:.1e} on the finest of {len(curve.h)} grids, "
        f"order {_order(curve.observed)}, expected {_order(curve.expected)}"
        for curve in curves_of(result)
    )
    return Picture(
        name="convergence",
        rows=[panels],
        title=f"{result.cell.title or 'Cell'}: every grid against the limits",
        caption="Distance of every grid to the limit of its own family (points and lines) and to that of the other backends "
        "(open squares), which no extrapolation of its own can please. Dotted: the slope that theory expects.",
        description="Distance to the limit of the family, the largest over frequency; " + "; ".join(described),
        size=(3.6 if blocking else 7, 4.2),
        pixels=500,
        together="y",
    )


def _values(result: Result) -> dict[str, Values]:
    """By what is looked at: the spectra of every grid with their limits, and R_DC where there is one."""
    frequency, families = result.agreement.frequency, result.families
    spectra = {name: (family.spectra(frequency), family.limit(frequency).value) for name, family in families.items()}
    alone = [name for name in result.agreement.limits if name not in families]  # without grids, a limit all the same
    empty = np.empty((0, frequency.size), dtype=complex)
    spectra |= {name: (empty, result.agreement.limits[name].impedance) for name in alone}
    found: dict[str, Values] = {LARGEST: spectra}
    if result.geometric is not None:
        direct = {
            name: (np.array([[each.model.resistance()] for each in family.solutions]), np.array([family.resistance()[0]]))
            for name, family in families.items()
        }
        uniform = result.geometric.direct - result.geometric.value
        direct |= {name: (np.empty((0, 1)), np.array([uniform + result.geometric.by_backend[name][0]])) for name in alone}
        found[DIRECT] = direct
    return found


def _observed(values: NDArray[Any]) -> Array:
    steps = np.abs(np.diff(values[-3:], axis=0)) + 1e-300
    return np.asarray(np.log2(steps[0] / steps[1]))


def _distances(name: str, family: Family, values: Values, look: tuple[str, str], order: Array) -> list[Series]:
    colour, marker = look
    grids, limit = values[name]
    size = np.abs(limit)
    unknowns = [int(solution.description["unknowns"]) for solution in family.solutions]
    n = np.array(unknowns) ** (1 / 3)
    own = shown(np.max(np.abs(grids - limit) / size, axis=1))
    others = np.mean([value for other, (_, value) in values.items() if other != name], axis=0)
    cross = shown(np.max(np.abs(grids - others) / size, axis=1))
    rounding = bool(own.max() < EXACT)
    low, high = np.min(order), np.max(order)
    seen = f"{np.median(order):.1f}" + (f" ({low:.1f} to {high:.1f})" if high - low >= 0.1 else "")
    words = "exact to rounding" if rounding else f"order {family.order:g}, observed {seen}"
    says = [f"{name}, grid {k + 1}\n{unknowns[k]:,} unknowns\n{own[k]:.2e} |Z|" for k in range(n.size)]
    beside = [f"{name}, grid {k + 1}\n{cross[k]:.2e} |Z| from the limit of the others" for k in range(n.size)]
    found = [
        Series(x=n, y=own, label=f"{plain(name)}, {words}", colour=colour, marker=marker, filled=True, told=says),
        Series(x=n, y=cross, colour=colour, line="", marker="s", size=7, told=beside),
    ]
    if not rounding:
        slope = 1.6 * own[0] * (n / n[0]) ** -family.order
        found.append(Series(x=n, y=slope, colour=colour, line="dot", width=0.9))
    return found


def _points(curve: Curve, x: Sequence[float], label: str, colour: str, marker: str) -> Series:
    says = [curve.told(k) for k in range(len(curve.error))]
    return Series(x=x, y=shown(curve.error), label=label, colour=colour, marker=marker, told=says)


def _order(order: float | None) -> str:
    return "not known" if order is None or not math.isfinite(order) else f"{order:.2f}"
