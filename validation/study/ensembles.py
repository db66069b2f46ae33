"""s^2 = var(x_i) - mean(u_i/2)^2: what realisations of one cell differ by, beside what each is uncertain by.

Points of a study that differ in seeds alone are realisations of one cell. Each value x_i has an uncertainty u_i of 95 %, two
standard errors. What the values scatter by is both, spread of the cells and errors of the values, and variances add: so the
spread is what is left of the variance, and none where errors explain all of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from fem_constriction.arrays import Array
from validation.study.axes import is_number, label
from validation.study.measured import CONTRIBUTIONS
from validation.study.plan import Study
from validation.study.work import Record

#: Quantities that are distributed, and their units; those of one backend alone.
CHECKED: Final = {"R_geometric": "ohm", "R_Cstr": "ohm", "C_Cstr": "F", "tau_Cstr": "s"}
ALONE: Final = {"resistance_dc": "ohm"}

#: Realisations from which on there is a distribution.
LEAST: Final = 3

#: Part of the values below the lower and the upper end of a band: of a normal distribution one standard deviation each way.
BAND: Final = (0.16, 0.5, 0.84)


@dataclass(frozen=True)
class Distribution:
    """What the values of one quantity are like.

    Parameters
    ----------
    members
        How many realisations have a value.
    mean, low, median, high
        Of the values, and of 16, 50 and 84 % of them.
    spread, spread_error
        Standard deviation between cells, errors of the values taken out, and its standard error sqrt(v/(2 (n - 1))), v of all.
    numerical
        Root mean square of the values' standard errors.
    """

    members: int
    mean: float
    low: float
    median: float
    high: float
    spread: float
    spread_error: float
    numerical: float

    @property
    def told_apart(self) -> bool:
        """Whether cells differ by more than their values are uncertain by."""
        return self.spread > self.numerical


def distribution(values: Sequence[float], uncertainties: Sequence[float]) -> Distribution | None:
    """Return what values with uncertainties (95 %, 0 where none is known) are like; None of fewer than `LEAST`.

    Parameters
    ----------
    values, uncertainties
        Of each realisation; what is not finite is left out.

    Returns
    -------
    Distribution or None
        Of all that are finite.
    """
    x, u = (np.asarray(each, dtype=float) for each in (values, uncertainties))
    known = np.isfinite(x)
    x, u = x[known], np.where(np.isfinite(u[known]), u[known], 0.0)
    if x.size < LEAST:
        return None
    variance, numerical = float(np.var(x, ddof=1)), float(np.mean((u / 2) ** 2))
    low, median, high = (float(each) for each in np.quantile(x, BAND))
    spread = math.sqrt(max(0.0, variance - numerical))
    error = math.sqrt(variance / (2 * (x.size - 1)))
    return Distribution(int(x.size), float(x.mean()), low, median, high, spread, error, math.sqrt(numerical))


def seeds(study: Study) -> tuple[str, ...]:
    """Return the axes of a study that are seeds, of two values or more: their points are realisations of one cell."""
    return tuple(key for key, axis in study.axes.items() if key.endswith(".seed") and len(axis.values or ()) > 1)


def quantities(study: Study) -> Mapping[str, str]:
    """Return what is distributed, with its unit."""
    return CHECKED if study.crosschecked else ALONE


def uncertainty(record: Record, name: str) -> float:
    """Return the largest of the contributions to the uncertainty of a value, 0 where none is known."""
    parts = [f"{name}_{part}" for part in CONTRIBUTIONS] if name.endswith("_Cstr") else [f"{name}_uncertainty"]
    known = [record.numbers[part] for part in parts if math.isfinite(record.numbers.get(part, math.nan))]
    return max(known, default=0.0)


def ensembles(study: Study, records: Sequence[Record]) -> list[tuple[dict[str, Any], dict[str, Distribution]]]:
    """Return the values of all other axes, and the distributions of what has enough values, for each set of realisations.

    Parameters
    ----------
    study
        With an axis that is a seed; of others there are none.
    records
        In the order of its points.

    Returns
    -------
    list
        In the order in which the other axes' values come.
    """
    drawn = seeds(study)
    if not drawn:
        return []
    together: dict[tuple[Any, ...], tuple[dict[str, Any], list[Record]]] = {}
    for point, record in zip(study.points, records, strict=True):
        others = {key: value for key, value in point.values.items() if key not in drawn}
        plain = tuple(value if is_number(value) else label(value) for value in others.values())
        together.setdefault(plain, (others, []))[1].append(record)
    found = []
    for others, members in together.values():
        each: dict[str, Distribution] = {}
        for name in quantities(study):
            made = distribution(
                [record.numbers.get(name, math.nan) for record in members], [uncertainty(record, name) for record in members]
            )
            if made is not None:
                each[name] = made
        found.append((others, each))
    return found


def band(rows: Sequence[tuple[float, Distribution]]) -> tuple[Array, Array, Array, Array]:
    """Return x, and low, median and high of a quantity over it, ascending."""
    ordered = sorted(rows, key=lambda row: row[0])
    parts = [[x for x, _ in ordered], *([getattr(each, name) for _, each in ordered] for name in ("low", "median", "high"))]
    x, low, median, high = (np.array(part) for part in parts)
    return x, low, median, high
