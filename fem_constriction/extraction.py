"""Z(f) -> R, C and tau of every process, R_Cstr, C_Cstr and tau_Cstr among them, with what is uncertain about each.

The 1D-FM of the cell is fitted to its spectrum, and every arc is named by the process that stores the energy of the
relaxations it stands for; the constriction is the arc at which the pores switch. Three contributions stay apart:
discretisation (an error of the spectrum, carried through the fit), model (the circuit does not fit exactly: other
weightings and windows give other values) and nominal (lmfit's standard error). Source: Eckhardt et al. 2022, doi
10.1021/acsami.2c12991, section 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment, nnls
from scipy.signal import find_peaks

from fem_constriction.admittance import CHARGE_TRANSFER, PORE
from fem_constriction.cell import Cell
from fem_constriction.circuits import CONSTRICTION, SERIES, Arc, Circuit, Elements, Topology, elements, parse
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.fitting import WEIGHTINGS, Array, Fit, Spectral, Weighting, best_fit, fit, relaxations
from fem_constriction.projection import ReducedModel
from fem_constriction.spectrum import Spectrum

#: Decades cut off at the low and the high end for the model contribution.
WINDOWS: Final = ((0, 0), (1, 0), (2, 0), (0, 1), (0, 2))
#: -Im Z over Re Z at the lowest frequency from which on a spectrum is taken to block direct current (phase beyond -84 deg).
BLOCKING: Final = 10.0
_UNITS: Final = ("ohm", "F", "s")
_SMOOTHING = 0.15  # decades of tau: the width of the peaks that are counted as arcs
_VALLEY = 0.5  # of a peak's height: how far it must stand out
_PEAK = 1e-2  # of the highest peak: the lowest that is counted; of the total resistance: the least R_elec


@dataclass(frozen=True, kw_only=True)
class Value:
    """A number with its unit and what is uncertain about it, apart and in the same unit.

    discretisation: the worst that the spectrum's uncertainty can do (None: not known); model: the largest deviation
    over other weightings and windows; nominal: lmfit's standard error; reason: why the value is None or 0; limit: the
    largest it could be where it is 0.
    """

    value: float | None
    unit: str
    discretisation: float | None = None
    model: float | None = None
    nominal: float | None = None
    reason: str | None = None
    limit: float | None = None

    def text(self) -> str:
        """The value to the digits that are known: "1.472e5 ohm (discretisation 3e1, model 2e3, nominal 4e2)"."""
        if self.value is None:
            return f"none ({self.reason})"
        parts = {
            "discretisation": self.discretisation,
            "model": self.model,
            "nominal": self.nominal,
            "at most": self.limit,
        }
        known = {name: part for name, part in parts.items() if part is not None}
        largest = max((part for part in known.values() if np.isfinite(part)), default=0.0)
        digits = 4
        if largest and self.value:
            digits = int(np.clip(np.floor(np.log10(abs(self.value))) - np.floor(np.log10(largest)) + 2, 3, 8))
        rest = [f"{name} {_short(part, 1)}" for name, part in known.items()] + [self.reason] * bool(self.reason)
        return f"{_short(self.value, digits)} {self.unit}" + (f" ({', '.join(map(str, rest))})" if rest else "")


def _short(number: float, digits: int) -> str:
    if not number or not np.isfinite(number):
        return "0" if not number else "unbounded"
    mantissa, exponent = f"{number:.{digits - 1}e}".split("e")
    return mantissa + (f"e{int(exponent)}" if int(exponent) else "")


@dataclass(frozen=True, kw_only=True)
class Element:
    """R in ohm, C = tau/R in F, tau in s of one element of the circuit, for the whole cell."""

    R: Value
    C: Value
    tau: Value


@dataclass(frozen=True, kw_only=True)
class Constriction(Element):
    """The fitted constriction, and beside it R_geometric = R_DC(3D) - R_DC(1D-PM) where it was handed in."""

    R_geometric: Value | None = None


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """What the circuit fitted to a spectrum says.

    arcs: element -> its values, in the order of tau, a free R_elec first as "r_elec"; removed: element that the cell
    does not have, that has vanished or that coincides with another -> its values with the reason; residual: the largest
    |Z_fit - Z|/|Z| of the main fit, None if there is nothing to fit; variations: other weightings and windows tried for
    the model contribution; left_out: those of them that failed or lost an arc; notes: what else to know.
    """

    arcs: Mapping[str, Element]
    removed: Mapping[str, Element]
    residual: float | None
    weighting: Weighting = "modulus"
    variations: int = 0
    left_out: int = 0
    notes: tuple[str, ...] = ()
    geometric: Value | None = field(default=None, repr=False)

    @property
    def constriction(self) -> Constriction | None:
        """The constriction, fitted or with the reason why there is none; None for a spectrum without a cell."""
        found = self.arcs.get(CONSTRICTION) or self.removed.get(CONSTRICTION)
        return None if found is None else Constriction(R=found.R, C=found.C, tau=found.tau, R_geometric=self.geometric)

    def circuit(self) -> Circuit:
        """The fitted circuit, for plotting."""
        values = {name: (arc.R.value or 0.0, arc.C.value or 0.0) for name, arc in self.arcs.items()}
        r_elec = values.pop(SERIES, (0.0, 0.0))[0]
        arcs = tuple(Arc(name=name, resistance=r, capacitance=c) for name, (r, c) in values.items())
        return Circuit(arcs=arcs, r_elec=r_elec)

    def as_dict(self) -> dict[str, Any]:
        """Everything, as JSON can hold it; the constriction once more by itself, infinite numbers as null."""
        constriction = self.constriction
        plain = {key: value for key, value in asdict(self).items() if key != "geometric"}
        plain["constriction"] = None if constriction is None else asdict(constriction)
        return dict(_plain(plain))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def extract(
    frequency: ArrayLike,
    impedance: ArrayLike,
    *,
    cell: Cell,
    model: ReducedModel,
    uncertainty: ArrayLike | None = None,
    extended: bool = True,
    geometric: Value | None = None,
) -> Extraction:
    """Fit the cell's 1D-FM to its spectrum and name its arcs.

    frequency: Hz, impedance and its uncertainty: ohm, (f,). model: the discretised cell, whose relaxations say which
    arc is which. extended = False: one element for both electrodes' charge transfer. geometric: R_DC(3D) - R_DC(1D-PM),
    passed on. Of two processes whose arcs cannot be told apart one is removed, and says which arc holds it. At fraction
    0 nothing is fitted. Agreement is not checked here. Raises ComputationError if no fit converges, InputError for too
    few frequencies.
    """
    data = _Data.of(frequency, impedance, uncertainty)
    parts = elements(cell, extended=extended)
    removed = {name: _none(0.0 if reason == "full contact" else None, reason) for name, reason in parts.absent.items()}
    if parts.blocking:
        reason = "no contact: the cell blocks direct current, and nothing is fitted"
        nothing = {name: _none(None, reason) for name in parts.names}
        return Extraction(arcs={}, removed=nothing | removed | {CONSTRICTION: _none(None, reason)}, residual=None)
    naming = _Naming(parts, model, data)
    series = SERIES in parts.names
    count = len(parts.names) - series
    while True:
        found, why = best_fit(
            data.frequency, data.impedance, count, spectrum=naming.spectrum, series=series, tolerance=data.uncertainty
        )
        names, held = naming.names(found)
        count, series = found.tau.size - found.series, found.series
        if count == 1 or not _misplaced(names, held):
            break
        count -= 1
    for name in parts.names:
        if name not in names:
            removed[name] = naming.missing(name, found, names, held[name] if name in held else None, why)
    return _report(data, found, names, removed, geometric)


def _misplaced(names: Sequence[str], held: Mapping[str, Array]) -> bool:
    """Whether an arc bears the name of a process that another process's arc holds more of."""
    holders = {name: names[int(np.argmax(held[name]))] for name in names if name not in (SERIES, CONSTRICTION)}
    return any(holder not in (name, CONSTRICTION, SERIES) for name, holder in holders.items())


def fit_spectrum(spectrum: Spectrum, circuit_text: str | None = None) -> Extraction:
    """Fit a circuit of numbered arcs, arc_1 the fastest, to any spectrum, a measured one too.

    circuit_text: see `circuits.parse`. Left out: as many arcs as the relaxation spectrum (non-negative least squares,
    10 tau per decade), smoothed over 0.15 decades, has peaks of at least 1 % of the highest with a valley of half their
    height beside them, and R_elec if it is at least 1 % of the whole resistance. Raises InputError for the circuit or
    too few frequencies, ComputationError if no fit converges.
    """
    data = _Data.of(spectrum.frequency, spectrum.impedance, spectrum.uncertainty)
    lowest = int(np.argmin(data.frequency))
    if -data.impedance[lowest].imag > BLOCKING * abs(data.impedance[lowest].real):
        raise InputError(
            f"impedance = {data.impedance[lowest]:.4g} ohm at {data.frequency[lowest]:g} Hz, the lowest frequency, is not "
            "allowed: a spectrum that blocks direct current has no circuit of resistive arcs; allowed is |Im Z| up to "
            f"{BLOCKING:g} |Re Z| there"
        )
    tau, resistance, r_elec = relaxations(data.frequency, data.impedance)
    circuit = _default(tau, resistance, r_elec) if circuit_text is None else parse(circuit_text)
    found, why = best_fit(
        data.frequency,
        data.impedance,
        circuit.arcs,
        spectrum=(tau, resistance),
        series=circuit.series,
        tolerance=data.uncertainty,
    )
    fitted = found.tau.size - found.series
    names = (SERIES,) * found.series + tuple(f"arc_{number + 1}" for number in range(fitted))
    gone = (SERIES,) * (circuit.series and not found.series)
    gone += tuple(f"arc_{number + 1}" for number in range(fitted, circuit.arcs))
    removed = {
        name: _none(0.0, why, _limit(data, found, 0.0 if name == SERIES else float(1 / data.omega.min()))) for name in gone
    }
    return _report(data, found, names, removed, None)


def _default(tau: Array, resistance: Array, r_elec: float) -> Topology:
    """What the relaxation spectrum shows: its peaks, and R_elec if there is one."""
    log = np.log10(tau)
    grid = np.arange(log[0] - 1, log[-1] + 1, 0.02)
    height = np.exp(-((grid[:, None] - log) ** 2) / (2 * _SMOOTHING**2)) @ resistance
    peaks, found = find_peaks(height, height=_PEAK * height.max(), prominence=0)
    count = int(np.sum(found["prominences"] >= _VALLEY * height[peaks]))
    return Topology(arcs=max(1, count), series=bool(r_elec >= _PEAK * (r_elec + resistance.sum())))


class _Data(NamedTuple):
    frequency: Array
    impedance: Spectral
    uncertainty: Array | None

    @classmethod
    def of(cls, frequency: ArrayLike, impedance: ArrayLike, uncertainty: ArrayLike | None) -> _Data:
        spectrum = Spectrum(
            np.asarray(frequency), np.asarray(impedance), None if uncertainty is None else np.asarray(uncertainty)
        )
        if not spectrum.impedance.all():
            zero = spectrum.frequency[spectrum.impedance == 0][0]
            raise InputError(f"impedance = 0 ohm at {zero:g} Hz is not allowed: a circuit is fitted relative to |Z|")
        return cls(spectrum.frequency, spectrum.impedance, spectrum.uncertainty)

    @property
    def omega(self) -> Array:
        return 2 * np.pi * self.frequency


class _Naming:
    """Which arc is which: by the stored energy of its relaxations, and by the switching of the pores."""

    def __init__(self, parts: Elements, model: ReducedModel, data: _Data) -> None:
        self.parts, self.data = parts, data
        self.y = model.processes
        found = model.relaxation()
        keep = np.isfinite(found.tau) & np.isfinite(found.resistance) & (found.resistance > 0)
        self.spectrum = found.tau[keep], found.resistance[keep]
        self.stored = {name: np.clip(np.nan_to_num(share[keep]), 0, 1) for name, share in found.stored.items()}
        self.switching = _switching(model, data) if CONSTRICTION in parts.names else None

    def names(self, found: Fit) -> tuple[tuple[str, ...], dict[str, Array]]:
        """Return the name of each element, and how much of each process (ohm) each element holds."""
        holds = self._represented(found)
        held = {p: holds @ (self.spectrum[1] * share) for p, share in self.stored.items()}
        whole = np.maximum(sum(held.values()), 1e-300)
        names = [name for name in self.parts.names if name != SERIES]
        interface = np.asarray(sum((held[p] for p in (CHARGE_TRANSFER, PORE) if p in held), np.zeros(whole.size)))
        score = np.zeros((found.tau.size, len(names)))
        for column, name in enumerate(names):
            own = sum(held[p] for p in self.parts.processes[name] if p not in (CHARGE_TRANSFER, PORE))
            at_electrode = name in (CHARGE_TRANSFER, CONSTRICTION, PORE)
            score[:, column] = (own + interface * at_electrode) / whole
            if name == CONSTRICTION and self.switching:
                near = self.switching / np.maximum(found.tau, 1e-300)
                near = np.minimum(near, 1 / near)
                score[:, column] += 0.5 * near / near.sum()
        rows, columns = linear_sum_assignment(score[int(found.series) :], maximize=True)
        ordered = [names[column] for _, column in sorted(zip(rows, columns, strict=True))]
        by_name = {name: np.asarray(sum(held[p] for p in self.parts.processes[name])) for name in names}
        return (SERIES,) * found.series + tuple(ordered), by_name

    def _represented(self, found: Fit) -> Array:
        """(elements, relaxations): how much of each relaxation each element stands for (non-negative least squares)."""
        s, modulus = 1j * self.data.omega[:, None], np.abs(self.data.impedance)[:, None]
        scale = modulus.max()
        basis, wanted = ((scale / modulus) / (1 + s * tau) for tau in (found.tau, self.spectrum[0]))
        stacked = np.concatenate([basis.real, basis.imag])
        return np.array([nnls(stacked, np.append(column.real, column.imag))[0] for column in wanted.T]).T

    def missing(self, name: str, found: Fit, names: Sequence[str], held: Array | None, why: str) -> Element:
        """What is said of an element that no arc is left for."""
        tau = 0.0 if name == SERIES else self.switching if name == CONSTRICTION else self.y[name].relaxation_time
        limit = _limit(self.data, found, float(1 / self.data.omega.min()) if tau is None else tau)
        if name in (SERIES, CONSTRICTION) or held is None or held.sum() <= limit:
            return _none(0.0, f"vanished: {why}" if why else "vanished", limit)
        return _none(None, f"coincides with {names[int(np.argmax(held))]}, whose arc holds its resistance")


def _switching(model: ReducedModel, data: _Data) -> float | None:
    """1/omega at which the share of the current that enters through the pores first passes half of its last value."""
    omega = np.geomspace(data.omega.min(), data.omega.max(), 400)
    share = np.abs(model.entry(1j * omega)[PORE])
    first = int(np.argmax(share >= share[-1] / 2))
    return float(1 / omega[first]) if first else None


def _limit(data: _Data, found: Fit, tau: float) -> float:
    """The largest R whose arc at tau changes Z by no more than the largest residual, or the uncertainty, anywhere."""
    tolerance = max(found.largest, 1e-12) * np.abs(data.impedance)
    if data.uncertainty is not None:
        tolerance = np.maximum(tolerance, np.where(np.isfinite(data.uncertainty), data.uncertainty, 0))
    return min(float(np.min(tolerance * np.abs(1 + 1j * data.omega * tau))), float(found.resistance.sum()))


def _none(resistance: float | None, reason: str, limit: float | None = None) -> Element:
    c, tau = (Value(value=None, unit=unit, reason=reason) for unit in ("F", "s"))
    return Element(R=Value(value=resistance, unit="ohm", reason=reason, limit=limit), C=c, tau=tau)


def _logarithms(found: Fit) -> Array:
    """Log R, log C, log tau, (3, n)."""
    r, tau = np.log(found.resistance), np.log(np.where(found.tau > 0, found.tau, found.resistance))
    return np.stack([r, tau - r, tau])


def _deviation(data: _Data, main: Fit) -> tuple[Array | None, int, int]:
    """The largest |p'/p - 1| over weightings and windows, (3, n), their number, and how many were left out.

    A window that no longer holds every arc's frequency is not tried; a fit in which an arc leaves it, or moves by more
    than a decade, has lost it.
    """
    low, high = data.frequency.min(), data.frequency.max()
    arcs, reference = main.tau[int(main.series) :], _logarithms(main)
    within = (1 / (2 * np.pi * arcs) >= low) & (1 / (2 * np.pi * arcs) <= high)
    largest: Array | None = None
    tried = lost = 0
    for below, above in WINDOWS:
        first, last = low * 10.0**below * (1 - 1e-9), high / 10.0**above * (1 + 1e-9)
        inside = (data.frequency >= first) & (data.frequency <= last)
        centre = 1 / (2 * np.pi * arcs[within])
        held = np.all((centre >= first) & (centre <= last))
        if (below or above) and (not held or inside.sum() < 2 * main.tau.size):
            continue
        for weighting in WEIGHTINGS:
            if (below, above, weighting) == (0, 0, main.weighting):
                continue
            tried += 1
            try:
                other = fit(
                    data.frequency[inside],
                    data.impedance[inside],
                    arcs,
                    resistance=main.resistance,
                    series=main.series,
                    weighting=weighting,
                )
            except ComputationError:
                lost += 1
                continue
            moved = _logarithms(other) - reference
            centre = 1 / (2 * np.pi * other.tau[int(main.series) :][within])
            if np.abs(moved).max() > np.log(10) or np.any((centre < first) | (centre > last)):
                lost += 1
                continue
            change = np.abs(np.expm1(moved))
            largest = change if largest is None else np.maximum(largest, change)
    return largest, tried, lost


def _report(
    data: _Data, found: Fit, names: Sequence[str], removed: Mapping[str, Element], geometric: Value | None
) -> Extraction:
    spread, tried, lost = _deviation(data, found)
    relative = {
        "discretisation": None if data.uncertainty is None else found.propagate(data.uncertainty),
        "model": spread,
        "nominal": found.nominal(),
    }
    values = np.stack([found.resistance, found.tau / found.resistance, found.tau])
    arcs, notes = {}, []
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
        elif not data.omega.min() <= 1 / found.tau[place] <= data.omega.max():
            notes.append(f"{name}: its frequency, {1 / (2 * np.pi * found.tau[place]):.3g} Hz, is outside the data")
        arcs[name] = Element(R=numbers[0], C=numbers[1], tau=numbers[2])
    return Extraction(
        arcs=arcs,
        removed=dict(removed),
        residual=found.largest,
        weighting=found.weighting,
        variations=tried,
        left_out=lost,
        notes=tuple(notes),
        geometric=geometric,
    )


def _number(contributions: Array | None, row: int) -> float | None:
    return None if contributions is None else float(contributions[row])
