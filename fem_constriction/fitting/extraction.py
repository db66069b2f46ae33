"""Z(f) -> R, C and tau of every process, R_Cstr, C_Cstr and tau_Cstr among them, with what is uncertain about each.

The 1D-FM of the cell is fitted to its spectrum, and every arc is named by the process that stores the energy of the
relaxations it stands for; the constriction is the arc at which the pores switch. Three contributions stay apart:
discretisation (an error of the spectrum, carried through the fit), model (the circuit does not fit exactly: other
weightings and windows give other values) and nominal (lmfit's standard error). Source: Eckhardt et al. 2022, doi
10.1021/acsami.2c12991, section 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError, InputError, NotExtracted, Written
from fem_constriction.files import jsonable
from fem_constriction.fitting.drt import gaussians, peaks
from fem_constriction.fitting.model_fit import CAPACITANCE, CPE, INDUCTANCE, fit_model, misfit
from fem_constriction.fitting.naming import COINCIDES, Data, Naming, hidden
from fem_constriction.fitting.notation import Topology, parse
from fem_constriction.fitting.rc_fit import EXACT, Fit, Weighting, best_fit, fit
from fem_constriction.fitting.starts import Relaxations, relaxations
from fem_constriction.fitting.values import Constriction, Element, Value, none
from fem_constriction.fitting.variations import Variation, deviation, variations
from fem_constriction.problem.one_dimensional import elements
from fem_constriction.problem.problem import Described
from fem_constriction.processes.circuits import CONSTRICTION, SERIES, Arc, Circuit
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.spectra.spectrum import Spectrum
from fem_constriction.spectra.sweeps import prepared

__all__ = ["Constriction", "Element", "Extraction", "Value", "extract", "fit_spectrum"]

#: -Im Z over Re Z at the lowest frequency from which on a spectrum is taken to block direct current (phase beyond -84 deg).
BLOCKING: Final = 10.0
#: |Z_fit - Z|/|Z|, the largest: beyond it a process is missing; noise and drift of measured spectra stay well below.
MISFIT: Final = 0.3
_INDUCTIVE = 0.7  # of the frequencies: an inductance outweighs all else at the upper end of a band only
_UNITS: Final = ("ohm", "F", "s")
_SMOOTHING = 0.15  # decades of tau: the width of the peaks that are counted as arcs
_LEAST = 1e-2  # of the total resistance, or of |Z|: the least R_elec, inductance or misfit that is anything
_NOTHING = 1e-6  # of R_elec: what files with six digits leave of a resistor
_CLEAR = 0.5  # of a misfit: what a further element must lower it to, to be mentioned, or for an inductance to be there
_MORE = 0.2  # of a misfit: what a further arc must lower it to, to be fitted
_MOST_MORE = 2  # further arcs


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """What the circuit fitted to a spectrum says.

    arcs: element -> its values, in the order of tau, a free R_elec first as "r_elec"; removed: element that the cell
    does not have, that has vanished or that coincides with another -> its values with the reason; residual: the largest
    |Z_fit - Z|/|Z| of the main fit, None if there is nothing to fit; variations: other weightings and windows tried for
    the model contribution; left_out: those of them that failed or lost an arc; notes: what else to know; refusal: why the
    spectrum does not tell the constriction that the cell has, None where it does.
    """

    arcs: Mapping[str, Element]
    removed: Mapping[str, Element]
    residual: float | None
    weighting: Weighting = "modulus"
    variations: int = 0
    left_out: int = 0
    notes: tuple[str, ...] = ()
    refusal: str | None = None
    geometric: Value | None = field(default=None, repr=False)

    @property
    def constriction(self) -> Constriction | None:
        """The constriction, fitted or with the reason why there is none; None for a spectrum without a cell.

        A value that its uncertainty reaches is none here, with the reason; `arcs` has it all the same.
        """
        found = self.arcs.get(CONSTRICTION) or self.removed.get(CONSTRICTION)
        if found is None:
            return None
        r, c, tau = (each.headline() for each in (found.R, found.C, found.tau))
        return Constriction(R=r, C=c, tau=tau, R_geometric=self.geometric)

    @property
    def fits(self) -> bool:
        """Whether the circuit describes the data: it is nowhere farther than 30 % of |Z| off."""
        return self.residual is None or self.residual <= MISFIT

    def circuit(self) -> Circuit:
        """The fitted circuit, for plotting."""
        arcs: list[Arc] = []
        rest: dict[str, Any] = {}
        for name, arc in self.arcs.items():
            r, c = arc.R.value or 0.0, arc.C.value or 0.0
            if name == CPE and arc.Q is not None and arc.alpha is not None:
                rest["cpe"] = (arc.Q.value or 0.0, arc.alpha.value or 1.0)
            elif name in (SERIES, INDUCTANCE, CAPACITANCE):
                rest |= {SERIES: {"r_elec": r}, CAPACITANCE: {"capacitance": c}}.get(name, {})
                rest |= {} if arc.L is None else {"inductance": arc.L.value or 0.0}
            else:
                alpha = 1.0 if arc.alpha is None else arc.alpha.value or 1.0
                arcs.append(Arc(name=name, resistance=r, capacitance=c, alpha=alpha))
        return Circuit(arcs=tuple(arcs), **rest)

    def as_dict(self) -> dict[str, Any]:
        """Everything, as JSON can hold it; the constriction once more by itself, infinite numbers as null."""
        constriction = self.constriction
        plain = {key: value for key, value in asdict(self).items() if key != "geometric"}
        plain["constriction"] = None if constriction is None else asdict(constriction)
        return dict(jsonable(plain))


def extract(
    frequency: ArrayLike,
    impedance: ArrayLike,
    *,
    cell: Described,
    model: ReducedModel,
    uncertainty: ArrayLike | None = None,
    extended: bool = True,
    geometric: Value | None = None,
) -> Extraction:
    """Fit the cell's 1D-FM to its spectrum and name its arcs.

    frequency: Hz, impedance and its uncertainty: ohm, (f,). model: the discretised cell, whose relaxations say which
    arc is which. extended = False: one element for both electrodes' charge transfer. geometric: R_DC(3D) - R_DC(1D-PM),
    passed on. Of two processes whose arcs cannot be told apart one is removed, and says which arc holds it. At fraction
    0 nothing is fitted. Agreement is not checked here. Where the spectrum does not tell the constriction, `refusal` says why.
    Raises NotExtracted if no fit converges, InputError for too few frequencies.
    """
    data = Data.of(frequency, impedance, uncertainty)
    parts = elements(cell, extended=extended)
    removed = {name: none(0.0 if reason == "full contact" else None, reason) for name, reason in parts.absent.items()}
    if parts.blocking:
        reason = "no contact: the cell blocks direct current, and nothing is fitted"
        nothing = {name: none(None, reason) for name in parts.names}
        return Extraction(arcs={}, removed=nothing | removed | {CONSTRICTION: none(None, reason)}, residual=None)
    naming = Naming(parts, model, data)
    series = SERIES in parts.names
    count = len(parts.names) - series
    while True:
        try:
            found, why = best_fit(
                data.frequency, data.impedance, count, spectrum=naming.spectrum, series=series, tolerance=data.uncertainty
            )
        except ComputationError as error:
            raise NotExtracted(f"nothing is extracted: {error}") from None
        names, held = naming.names(found)
        count, series = found.tau.size - found.series, found.series
        if count == 1 or not _misplaced(names, held):
            break
        count -= 1
    # Whatever the circuit says, a geometric resistance beyond its uncertainty is that of a constriction.
    least = 0.0 if geometric is None else abs(geometric.value or 0.0) - (geometric.discretisation or 0.0)
    for name in parts.names:
        if name not in names:
            removed[name] = naming.missing(name, found, names, held.get(name), why, least)
    made = _report(data, found, names, removed, geometric)
    return replace(made, refusal=_refusal(made))


def _refusal(found: Extraction) -> str | None:
    """Why the spectrum does not tell a constriction that the cell has, or None."""
    constriction, arc = found.constriction, found.arcs.get(CONSTRICTION) or found.removed.get(CONSTRICTION)
    if constriction is None or arc is None or constriction.R.value is not None:
        return None
    if CONSTRICTION in found.arcs or COINCIDES in str(arc.R.reason):
        return f"nothing is extracted: the constriction's R is {constriction.R.text()}"
    return None


def _misplaced(names: Sequence[str], held: Mapping[str, Array]) -> bool:
    """Whether an arc bears the name of a process that another process's arc holds more of."""
    holders = {name: names[int(np.argmax(held[name]))] for name in names if name not in (SERIES, CONSTRICTION)}
    return any(holder not in (name, CONSTRICTION, SERIES) for name, holder in holders.items())


def fit_spectrum(spectrum: Spectrum, circuit_text: str | None = None) -> Extraction:
    """Fit a circuit of numbered arcs, arc_1 the fastest, to any spectrum, a measured one too.

    circuit_text: see `notation.parse`; one with more than resistors and RC elements goes through its lmfit model. Left out: as
    many arcs as the relaxation spectrum (non-negative least squares, 10 tau per decade), smoothed over 0.15 decades, has peaks
    of at least 1 % of the highest with a valley of half their height beside them, R_elec if it is at least 1 % of the whole
    resistance, and an inductance if the spectrum shows one; an arc more where that lowers a misfit above 1 % five times.
    Repeated frequencies are merged, very many thinned (`sweeps`). Raises InputError for the circuit, for more parameters than
    data and for several sweeps, ComputationError if no fit converges.
    """
    one, done = prepared(spectrum)
    data = Data.of(one.frequency, one.impedance, one.uncertainty)
    asked = None if circuit_text is None else parse(circuit_text)
    _check_determined(data, asked)
    _check_blocking(data, asked)
    _check_passive(data)
    if asked is None:
        found, more = _seen(data)
    elif asked.plain:
        found, more = _numbered(data, asked, relaxations(data.frequency, data.impedance)), ()
    else:
        found, more = _through_model(data, asked), ()
    return replace(found, notes=(*done, *more, *found.notes, *_unfit(data, found)))


def _check_determined(data: Data, asked: Topology | None) -> None:
    """Raise InputError for more parameters than data."""
    count, least = data.frequency.size, 2 if asked is None else asked.parameters
    if 2 * count < least or count < 2:
        raise InputError(f"{count} frequencies do not determine the {max(least, 3)} parameters of the circuit")


def _check_passive(data: Data) -> None:
    """Raise InputError where no sum of resistances above 0 comes near the data."""
    if not np.any(data.impedance.real > 0):
        raise InputError(
            "Re(Z) is not above 0 at any frequency: no circuit of resistances, capacitances and inductances above 0 has such a "
            "spectrum; allowed is Re(Z) above 0, at most frequencies at least"
        )


def _check_blocking(data: Data, asked: Topology | None) -> None:
    """Raise InputError for a spectrum that blocks direct current and a circuit that does not."""
    lowest = int(np.argmin(data.frequency))
    blocking = asked is not None and any(part.kind in ("C", "CPE") for part in asked.parts)
    if not blocking and -data.impedance[lowest].imag > BLOCKING * abs(data.impedance[lowest].real):
        raise InputError(
            key="impedance",
            value=Written(f"{data.impedance[lowest]:.4g} ohm at {data.frequency[lowest]:g} Hz, the lowest frequency,"),
            why="a spectrum that blocks direct current has no circuit of resistive arcs",
            remedy=f"allowed is |Im Z| up to {BLOCKING:g} |Re Z| there, or a circuit with a capacitor or a "
            "constant-phase element in series, such as R0-p(R1,C1)-CPE0",
        )


def _through_model(data: Data, circuit: Topology) -> Extraction:
    other = fit_model(data, circuit)
    return Extraction(
        arcs=other.elements,
        removed=other.removed,
        residual=other.residual,
        variations=other.variations,
        left_out=other.left_out,
        notes=_outside(data, other.elements),
    )


def _numbered(data: Data, circuit: Topology, spectrum: Relaxations) -> Extraction:
    """The fit of RC elements, numbered, without those that are not there."""
    found, why = best_fit(
        data.frequency,
        data.impedance,
        circuit.arcs,
        spectrum=spectrum[:2],
        series=circuit.series,
        tolerance=data.uncertainty,
        free_series=True,
    )
    fitted = found.tau.size - found.series
    names = (SERIES,) * found.series + tuple(f"arc_{number + 1}" for number in range(fitted))
    gone = (SERIES,) * (circuit.series and not found.series)
    gone += tuple(f"arc_{number + 1}" for number in range(fitted, circuit.arcs))
    total, slow = float(found.resistance.sum()), float(1 / data.omega.min())
    removed = {name: none(0.0, why, hidden(data, found.largest, total, 0.0 if name == SERIES else slow)) for name in gone}
    return _report(data, found, names, removed, None)


def _seen(data: Data) -> tuple[Extraction, tuple[str, ...]]:
    """The fit of what the relaxation spectrum shows, and what is to be known of the choice."""
    spectrum = relaxations(data.frequency, data.impedance)
    inductive = relaxations(data.frequency, data.impedance, inductance=True)
    part = float(np.max(data.omega * inductive.inductance / np.abs(data.impedance)))
    if part > _LEAST and inductive.misfit < _CLEAR * spectrum.misfit:
        shown = _shown(inductive, data.frequency.size)
        text = "-".join(["R0"] * shown.series + ["L0", *(f"p(R{n},C{n})" for n in range(1, max(1, shown.arcs) + 1))])
        found = _through_model(data, parse(text))
        return found, (f"an inductance is seen, {part:.0%} of |Z| at most: the circuit {text} is fitted",)
    circuit = _shown(spectrum, data.frequency.size)
    found = _numbered(data, circuit, spectrum)
    notes: list[str] = []
    while True:
        more = replace(circuit, arcs=circuit.arcs + 1)
        if more.parameters > 2 * data.frequency.size or found.removed or _fits(data, found):
            break
        try:
            larger = _numbered(data, more, spectrum)
        except ComputationError:
            break
        if larger.removed or not (found.residual and larger.residual and larger.residual < _CLEAR * found.residual):
            break
        change = f"lowers the misfit from {found.residual:.1e} to {larger.residual:.1e} |Z|"
        if found.residual <= _LEAST or larger.residual > _MORE * found.residual or len(notes) == _MOST_MORE:
            text = "-".join(["R0"] * more.series + [f"p(R{n},C{n})" for n in range(1, more.arcs + 1)])
            notes.append(f"one arc more, --circuit '{text}', {change}")
            break
        found, circuit = larger, more
        notes.append(f"{circuit.arcs} arcs are fitted, one more than the relaxation times show: it {change}")
    return found, tuple(notes)


def _unfit(data: Data, found: Extraction) -> list[str]:
    """What is said of a circuit that does not describe the data: where, and what would describe them better."""
    if found.fits or found.residual is None:
        return []
    off = np.abs(found.circuit().impedance(data.frequency) - data.impedance) / np.abs(data.impedance)
    worst = data.frequency[int(np.argmax(off))]
    notes = [
        f"the circuit does not describe the data: it is {found.residual:.0%} of |Z| off at {worst:.3g} Hz "
        f"(at most {MISFIT:.0%} is taken for a fit)"
    ]
    if np.mean(data.impedance.imag > 0) > _INDUCTIVE:
        notes.append("Im(Z) is above 0 at most frequencies: if the column is -Im(Z) or -Z'', its name must say so")
        return notes
    best, text = min(((misfit(data, parse(each)), each) for each in _others(data, found)), default=(np.inf, ""))
    if best < _CLEAR * found.residual:
        notes.append(f"--circuit '{text}' leaves {best:.1e} |Z|")
    return notes


def _others(data: Data, found: Extraction) -> list[str]:
    """Circuits of depressed arcs, with a blocking element where the spectrum rises to the low end, that the data determine."""
    lowest = data.impedance[int(np.argmin(data.frequency))]
    blocking = "-CPE0" * bool(-lowest.imag > abs(lowest.real) / 2)
    inductive = "-L0" * bool(np.any(data.impedance.imag > _LEAST * np.abs(data.impedance)))
    arcs = min(2, sum(name.startswith("arc_") for name in found.arcs))
    texts = ["-".join(["R0", *(f"p(R{n},CPE{n})" for n in range(1, count + 1))]) for count in range(max(1, arcs), arcs + 2)]
    every = [f"{text}{inductive}{end}" for text in texts for end in dict.fromkeys(("", blocking))]
    return [text for text in every if parse(text).parameters <= data.frequency.size]


def _fits(data: Data, found: Extraction) -> bool:
    """Whether the misfit is within the uncertainty of the spectrum, or exact."""
    allowed = EXACT
    if data.uncertainty is not None:
        allowed = max(allowed, float(np.median(data.uncertainty / np.abs(data.impedance))))
    return (found.residual or 0.0) <= allowed


def _shown(spectrum: Relaxations, frequencies: int) -> Topology:
    """What the relaxation spectrum shows: its peaks, as many as the data determine, and R_elec if there is one."""
    tau, resistance = spectrum.tau, spectrum.resistance
    log = np.log10(tau)
    grid = 10 ** np.arange(log[0] - 1, log[-1] + 1, 0.02)
    height = gaussians(tau, resistance, grid, _SMOOTHING)
    series = bool(spectrum.r_elec >= _LEAST * (spectrum.r_elec + resistance.sum()))
    arcs = resistance.sum() > _NOTHING * spectrum.r_elec
    count = min(len(peaks(grid, height, height)), (2 * frequencies - series) // 2) if arcs else 0
    return Topology(arcs=max(0 if series else 1, count), series=series)


def _logarithms(found: Fit) -> Array:
    """Log R, log C, log tau, (3, n)."""
    r, tau = np.log(found.resistance), np.log(np.where(found.tau > 0, found.tau, found.resistance))
    return np.stack([r, tau - r, tau])


def _deviation(data: Data, main: Fit) -> tuple[Array | None, int, int]:
    """The largest |p'/p - 1| of R, C and tau over weightings and windows, (3, n), their number, and how many were left out."""
    arcs = main.tau[int(main.series) :]

    def again(each: Variation) -> tuple[Array, Array]:
        frequency, impedance = data.frequency[each.inside], data.impedance[each.inside]
        other = fit(frequency, impedance, arcs, resistance=main.resistance, series=main.series, weighting=each.weighting)
        return _logarithms(other), other.tau[int(main.series) :]

    return deviation(variations(data, arcs, 2 * main.tau.size, main.weighting), _logarithms(main), again)


def _report(
    data: Data, found: Fit, names: Sequence[str], removed: Mapping[str, Element], geometric: Value | None
) -> Extraction:
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
        notes=_outside(data, arcs),
        geometric=geometric,
    )


def _outside(data: Data, arcs: Mapping[str, Element]) -> tuple[str, ...]:
    """What is said of arcs whose frequency the data do not reach."""
    frequency = {name: 1 / (2 * np.pi * arc.tau.value) for name, arc in arcs.items() if arc.tau.value}
    low, high = data.frequency.min(), data.frequency.max()
    beyond = {name: f for name, f in frequency.items() if not low <= f <= high}
    return tuple(f"{name}: its frequency, {f:.3g} Hz, is outside the data" for name, f in beyond.items())


def _number(contributions: Array | None, row: int) -> float | None:
    return None if contributions is None else float(contributions[row])
