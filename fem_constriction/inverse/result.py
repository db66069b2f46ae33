"""What a fit of a cell ends with: values, whether they are cross-checked, what the data determine, what a circuit would say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from fem_constriction.arrays import Array, Complex
from fem_constriction.cell.cell import Cell
from fem_constriction.files import jsonable
from fem_constriction.fitting.result import MISFIT
from fem_constriction.fitting.values import Value
from fem_constriction.held import Recorded
from fem_constriction.inverse.cell_model import CellModel
from fem_constriction.inverse.check import Checked
from fem_constriction.inverse.identifiable import Combination
from fem_constriction.inverse.picture import measured_and_fitted
from fem_constriction.inverse.single_arc import SingleArc, single_arc
from fem_constriction.pictures.picture import Picture
from fem_constriction.spectra.spectrum import Spectrum


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CellFit(Recorded):
    """A cell with values that were fitted to measured spectra.

    Parameters
    ----------
    values
        Key -> value with what is uncertain about it: `nominal` the noise's standard error, `discretisation` the worst that the
        solvers' uncertainty can do, `model` how far the check moved it. Keys that each spectrum has for itself end in " #1".
    cells
        Of each spectrum.
    checks
        What was found of each of these cells, before the values were stated.
    combinations
        Products of powers of the values, best known first.
    statistics
        Of each spectrum: misfit and noise, as of circuits.
    measured, fitted
        Spectra, of the cell's area.
    at_bounds
        Keys whose value lies on a bound.
    intervals
        Key -> probability -> ends, by profile likelihood.
    correlation
        Of the values, (n, n), in their order.
    evaluations, grids, seconds
        What it cost: evaluations of the model with all derivatives, grids that were solved and reduced for it.
    lmfit
        lmfit's result, over logarithms and logits; None of a fit from a file.
    u
        The values as lmfit has them, (n,).
    correction
        Of each spectrum, (f,): log Z of the check less that of the model.
    models
        Of each spectrum, log Z at any of the values; none of a fit from a file.
    """

    values: Mapping[str, Value]
    cells: tuple[Cell, ...]
    checks: tuple[Checked, ...]
    combinations: tuple[Combination, ...]
    statistics: tuple[Mapping[str, Any], ...]
    measured: tuple[Spectrum, ...]
    fitted: tuple[Spectrum, ...]
    at_bounds: tuple[str, ...] = ()
    intervals: Mapping[str, Mapping[str, tuple[float, float]]] = field(default_factory=dict)
    correlation: Array = field(default_factory=lambda: np.zeros((0, 0)))
    evaluations: int = 0
    grids: int = 0
    seconds: float = 0.0
    lmfit: Any = field(default=None, repr=False)
    u: Array = field(default_factory=lambda: np.zeros(0), repr=False)
    correction: tuple[Complex, ...] = field(default=(), repr=False)
    models: tuple[CellModel, ...] = field(default=(), repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the values."""
        return tuple(self.values)

    @property
    def cell(self) -> Cell:
        """The cell of the first spectrum."""
        return self.cells[0]

    @cached_property
    def readings(self) -> tuple[SingleArc | None, ...]:
        """What the usual single-arc reading says of each spectrum; None where no circuit of arcs is found."""
        return tuple(single_arc(one, cell) for one, cell in zip(self.measured, self.cells, strict=True))

    @property
    def verdict(self) -> str:
        """The worst of the checks: "disagree", "unresolved", "not cross-checked" or "agree"."""
        found = {each.verdict for each in self.checks}
        return next((each for each in ("disagree", "unresolved") if each in found), min(found - {"agree"}, default="agree"))

    @property
    def remark(self) -> str:
        """The verdict in a sentence: what stands beside every value."""
        worst = next(each for each in self.checks if each.verdict == self.verdict)
        return f"cross-checked: {worst.summary}" if self.verdict == "agree" else worst.summary

    @property
    def largest(self) -> float:
        """The largest |log Z_fit - log Z_measured|."""
        return max(
            float(np.max(np.abs(np.log(one.impedance / other.impedance))))
            for one, other in zip(self.fitted, self.measured, strict=True)
        )

    @property
    def fits(self) -> bool:
        """Whether the cell describes the data: nowhere farther than 30 % off, and not above the noise."""
        return self.largest <= MISFIT and not any(each.get("above_noise", False) for each in self.statistics)

    @property
    def done(self) -> bool:
        """Whether the values may be stated: the cell describes the data, and the backends do not contradict each other."""
        return self.fits and self.verdict in ("agree", "not cross-checked")

    def lines(self) -> list[str]:
        """Everything that is to be said, a sentence each."""
        found = [f"{self.remark[0].upper()}{self.remark[1:]}."]
        found += [f"{name} = {value.text()}" for name, value in self.values.items()]
        for name, ends in self.intervals.items():
            found += [f"{name}, profile: " + "; ".join(f"{float(k):.0%} {a:.5g} to {b:.5g}" for k, (a, b) in ends.items())]
        found += [f"{name} lies on its bound: the data do not hold it back." for name in self.at_bounds]
        found += [f"Determined: {each.text()}." for each in self.combinations if each.determined]
        found += [f"Open: {each.text()}." for each in self.combinations if not each.determined]
        for n, each in enumerate(self.statistics):
            size = f"noise {each['noise']['size']:.1e} ({each['noise']['source']})" if each["noise"] else "noise unknown"
            name = f"Spectrum {n + 1}: m" if len(self.statistics) > 1 else "M"
            found.append(f"{name}isfit {each['rms']:.1e} |Z| in the mean, {size}.")
            if each["noise"] and "drift" in each["noise"]:
                found.append(
                    f"Of that noise {each['noise']['drift']:.1e} is shared by neighbouring frequencies: the spectrum drifts."
                )
        found += [f"{each.text()[0].upper()}{each.text()[1:]}." for each in self.readings if each is not None]
        return found

    def facts(self) -> tuple[str, Iterable[tuple[str, str]]]:
        """Return what it is, and its values."""
        return f"Fit of a cell: {self.remark}", [(name, value.text()) for name, value in self.values.items()]

    def picture(self, number: int = 0, name: str = "measured") -> Picture:
        """Return the picture of one of the spectra: measured and fitted, and what is left.

        Parameters
        ----------
        number
            Of the spectrum, the first is 0.
        name
            What it is called.

        Returns
        -------
        Picture
            Impedance plane and residuals.
        """
        noise = self.statistics[number]["noise"]
        size = None if noise is None else float(noise["size"])
        return measured_and_fitted(self.measured[number], self.fitted[number], size, self.verdict, name)

    def kept(self) -> CellFit:
        """Return the same without lmfit's result and the models, which it was found with."""
        return replace(self, lmfit=None, models=())

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return dict(
            jsonable(
                {
                    "verdict": self.verdict,
                    "remark": self.remark,
                    "fits": self.fits,
                    "values": {name: asdict(value) for name, value in self.values.items()},
                    "intervals": {name: dict(each) for name, each in self.intervals.items()},
                    "at_bounds": list(self.at_bounds),
                    "correlation": self.correlation.tolist(),
                    "combinations": [asdict(each) | {"determined": each.determined} for each in self.combinations],
                    "spectra": [
                        {
                            **each,
                            "geometric_constriction_resistance_ohm": check.geometric,
                            "single_arc": None if reading is None else asdict(reading),
                            "cell": cell.model_dump(mode="json", exclude_none=True),
                        }
                        for each, check, reading, cell in zip(
                            self.statistics, self.checks, self.readings, self.cells, strict=True
                        )
                    ],
                    "evaluations": self.evaluations,
                    "grids": self.grids,
                    "seconds": self.seconds,
                }
            )
        )
