"""Which arc is which: each is named by where the relaxations it stands for store their energy, and where they dissipate it.

The arc of a process is the one whose energy is stored in it and turned into heat by it. That of the constriction stores its
energy in the pores and heats what the current is squeezed through: bulk and grain boundaries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from fem_constriction.arrays import Array
from fem_constriction.errors import InputError, Written
from fem_constriction.fitting.starts import Spectral, nonnegative, stacked
from fem_constriction.fitting.values import Element, none
from fem_constriction.problem.one_dimensional import Elements
from fem_constriction.processes.circuits import CONSTRICTION, SERIES
from fem_constriction.processes.elements import by_name
from fem_constriction.processes.names import BULK, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.spectra.spectrum import Spectrum

# Weight of stored energy beside dissipation. Where charge transfer and pores store alike (figure 2 at 1 % contact) dissipation
# has to decide; where pores store nearly all and charge transfer dissipates (figure 6), energy has to. The names in the
# series of figures 2, 5 and 6 are the same for any weight from 1.5 to 2.2 (measured on the coarsest grids).
_ENERGY = 1.8
COINCIDES: Final = "coincides with"
#: Hz and ohm: numbers beyond it, or below its inverse, are no measurement, and their squares are no numbers.
LARGEST: Final = 1e50
#: Decades of frequency that a circuit, a test or a distribution is made for.
DECADES: Final = 30
_FORBIDDEN: Final = 1e3  # less than any score
_TIE = 1e-6  # equal processes: the one that is first in the direction of the current, from the bulk to the counter electrode


class Data(NamedTuple):
    """A spectrum that a circuit can be fitted to: Hz, ohm, ohm, each (f,)."""

    frequency: Array
    impedance: Spectral
    uncertainty: Array | None

    @classmethod
    def of(cls, frequency: ArrayLike, impedance: ArrayLike, uncertainty: ArrayLike | None) -> Data:
        """Return the checked data. Raises InputError, also where Z is 0 and for bands that no instrument has."""
        spectrum = Spectrum(
            np.asarray(frequency), np.asarray(impedance), None if uncertainty is None else np.asarray(uncertainty)
        )
        if not spectrum.impedance.all():
            zero = spectrum.frequency[spectrum.impedance == 0][0]
            raise InputError(
                key="impedance", value=Written(f"0 ohm at {zero:g}"), unit="Hz", allowed="a circuit is fitted relative to |Z|"
            )
        sizes = np.abs(spectrum.impedance)
        for name, unit, values in (("frequency", "Hz", spectrum.frequency), ("|impedance|", "ohm", sizes)):
            if not (values.min() >= 1 / LARGEST and values.max() <= LARGEST):
                raise InputError(
                    key=name, value=Written(f"{values.min():g} to {values.max():g} {unit}"), allowed=f"1e-50 to 1e50 {unit}"
                )
        decades = float(np.log10(spectrum.frequency.max()) - np.log10(spectrum.frequency.min()))
        if decades > DECADES:
            raise InputError(
                key="frequency", value=Written(f"{decades:.0f} decades from least to largest"), allowed=f"{DECADES} at most are"
            )
        return cls(spectrum.frequency, spectrum.impedance, spectrum.uncertainty)

    @property
    def omega(self) -> Array:
        """Angular frequency in 1/s."""
        return 2 * np.pi * self.frequency


class Fitted(Protocol):
    """Elements R/(1 + (s tau)^alpha) of a fit, ascending in tau, a free R_elec first with tau = 0."""

    @property
    def resistance(self) -> Array:
        """Ohm, (n,)."""

    @property
    def tau(self) -> Array:
        """In s, (n,)."""

    @property
    def alpha(self) -> Array:
        """Exponents, 1 of RC elements, (n,)."""

    @property
    def series(self) -> bool:
        """Whether R_elec is among them."""

    @property
    def largest(self) -> float:
        """The largest |Z_fit - Z|/|Z|."""


class Naming:
    """Which arc is which: by stored energy and dissipation of its relaxations."""

    def __init__(self, parts: Elements, model: ReducedModel, data: Data) -> None:
        self.parts, self.data = parts, data
        self.y = by_name(model.processes)
        found = model.relaxation()
        keep = np.isfinite(found.tau) & np.isfinite(found.resistance) & (found.resistance > 0)
        self.off = found.off
        self.spectrum = found.tau[keep], found.resistance[keep]
        self.stored = {name: np.clip(np.nan_to_num(share[keep]), 0, 1) for name, share in found.stored.items()}
        self.dissipated = {name: found.dissipated.get(name, np.zeros(keep.size))[keep] for name in self.stored}
        self.switching = _switching(model, data) if CONSTRICTION in parts.names else None

    def names(self, found: Fitted) -> tuple[tuple[str, ...], dict[str, Array]]:
        """Return the name of each element, and how much of each process (ohm) each element holds."""
        score, held, names = self._scores(found)
        ordered = [names[column] for column in self._assigned(found, score, names)]
        by_name = {name: np.asarray(sum(held[p] for p in self.parts.processes[name])) for name in names}
        return (SERIES,) * found.series + tuple(ordered), by_name

    def margins(self, found: Fitted) -> dict[str, float]:
        """Return by how much each arc bears its name: the least that any other assignment of names loses, 0 to 1.

        Of the arc's own stored energy and heat, where those of the process are 1; 0 is a tie.
        """
        score, _, names = self._scores(found)
        chosen, weight = self._assigned(found, score, names), _weight(found)
        rows = np.arange(len(chosen))
        best = float(np.sum((score * weight[:, None])[rows, chosen]))
        margins = {}
        for row, column in enumerate(chosen):
            other = score.copy()
            other[row, column] = -_FORBIDDEN
            moved = self._assigned(found, other, names)
            lost = best - float(np.sum((score * weight[:, None])[rows, moved])) if moved[row] != column else np.inf
            margins[names[column]] = float(np.clip(lost / weight[row] / (1 + _ENERGY), 0.0, 1.0))
        return margins

    def _scores(self, found: Fitted) -> tuple[Array, dict[str, Array], list[str]]:
        """(arcs, names): how much of an arc's energy and heat is that of a process; what each element holds of each, in ohm."""
        holds = self._represented(found)
        held = {p: holds @ (self.spectrum[1] * share) for p, share in self.stored.items()}
        lost = {p: holds @ (self.spectrum[1] * share) for p, share in self.dissipated.items()}
        whole = np.maximum(sum(held.values()), 1e-300)
        names = [name for name in self.parts.names if name != SERIES]
        score = np.zeros((found.tau.size, len(names)))
        for column, name in enumerate(names):
            energy, heat = (np.sum([share[p] for p in self.parts.processes[name]], axis=0) for share in (held, lost))
            if name == CONSTRICTION:
                # What is stored in the pores and heats them has nothing to do with squeezing; squeezed current heats the rest.
                energy = energy - heat
                heat = whole - sum((lost[p] for p in lost if p not in (BULK, GRAIN_BOUNDARY)), 0.0 * whole)
            score[:, column] = (_ENERGY * energy + heat) / whole + _TIE * (len(names) - column)
        return score[int(found.series) :], held, names

    def _assigned(self, found: Fitted, score: Array, names: Sequence[str]) -> list[int]:
        """Which name each arc bears: first that of the counter electrode, in series with all else; then the others together."""
        weighted = score * _weight(found)[:, None]
        chosen = np.full(len(score), -1)
        rows, columns = list(range(len(score))), list(range(len(names)))
        if COUNTER_ELECTRODE in names and len(rows) == len(columns):
            column = names.index(COUNTER_ELECTRODE)
            row = int(np.argmax(score[:, column]))
            chosen[row] = column
            rows.remove(row)
            columns.remove(column)
        for row, column in zip(*linear_sum_assignment(weighted[np.ix_(rows, columns)], maximize=True), strict=True):
            chosen[rows[row]] = columns[column]
        return [int(column) for column in chosen]

    def _represented(self, found: Fitted) -> Array:
        """(elements, relaxations): how much of each relaxation each element stands for (non-negative least squares)."""
        s, modulus = 1j * self.data.omega[:, None], np.abs(self.data.impedance)[:, None]
        scale = modulus.max()
        every = (found.tau, found.alpha), (self.spectrum[0], np.ones(self.spectrum[0].size))
        basis, wanted = (stacked((scale / modulus) / (1 + (s * tau) ** alpha)) for tau, alpha in every)
        return np.array([nonnegative(basis, column) for column in wanted.T]).T

    def missing(
        self, name: str, found: Fitted, names: Sequence[str], held: Array | None, why: str, least: float = 0.0
    ) -> Element:
        """What is said of an element that no arc is left for; least: ohm, of a constriction that is there all the same."""
        tau = 0.0 if name == SERIES else self.switching if name == CONSTRICTION else self.y[name].switching_time
        slow = float(1 / self.data.omega.min()) if tau is None else tau
        limit = hidden(self.data, found.largest, float(found.resistance.sum()), slow)
        there = least > limit if name == CONSTRICTION else held is not None and held.sum() > limit
        if name == SERIES or held is None or not there:
            return none(0.0, f"vanished: {why}" if why else "vanished", limit)
        return none(None, f"{COINCIDES} {names[int(np.argmax(held))]}, in whose arc most of its relaxations lie")


def _weight(found: Fitted) -> Array:
    """Of each arc: what a large arc is called matters more than what a small one is."""
    return np.asarray(np.sqrt(found.resistance / found.resistance.sum())[int(found.series) :])


def _switching(model: ReducedModel, data: Data) -> float | None:
    """1/omega at which the share of the current that enters through the pores first passes half of its last value."""
    omega = np.geomspace(data.omega.min(), data.omega.max(), 400)
    pores = [share for name, share in model.entry(1j * omega).items() if name.startswith(PORE)]  # of an image by phase
    share = np.abs(np.sum(pores, axis=0))
    first = int(np.argmax(share >= share[-1] / 2))
    return float(1 / omega[first]) if first else None


def hidden(data: Data, residual: float, total: float, tau: float) -> float:
    """The largest R, up to the total of a circuit, whose arc at tau changes Z by no more than residual |Z|, or u, anywhere."""
    tolerance = max(residual, 1e-12) * np.abs(data.impedance)
    if data.uncertainty is not None:
        tolerance = np.maximum(tolerance, np.where(np.isfinite(data.uncertainty), data.uncertainty, 0))
    return min(float(np.min(tolerance * np.abs(1 + 1j * data.omega * tau))), total)
