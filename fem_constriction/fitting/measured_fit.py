"""Circuits of numbered arcs for any spectrum, a measured one too: what is asked for, or what the spectrum shows."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import product
from typing import Any, Final

import numpy as np

from fem_constriction.errors import ComputationError, InputError, Written
from fem_constriction.fitting import intervals as intervals_by
from fem_constriction.fitting.circuit_fit import best
from fem_constriction.fitting.coordinates import Limits
from fem_constriction.fitting.drt import gaussians, peaks
from fem_constriction.fitting.model_fit import fit_model, misfit
from fem_constriction.fitting.naming import Data, hidden
from fem_constriction.fitting.noise import Noise, information, noise_of, of_fit, statistics
from fem_constriction.fitting.notation import Topology, parse
from fem_constriction.fitting.rc_fit import EXACT, best_fit
from fem_constriction.fitting.rc_report import outside, report
from fem_constriction.fitting.result import MISFIT, Extraction
from fem_constriction.fitting.starts import Relaxations, relaxations
from fem_constriction.fitting.values import none
from fem_constriction.processes.circuits import SERIES
from fem_constriction.spectra.spectrum import Spectrum
from fem_constriction.spectra.sweeps import MOST, prepared

#: -Im Z over Re Z at the lowest frequency from which on a spectrum is taken to block direct current (phase beyond -84 deg).
BLOCKING: Final = 10.0
_CONDUCTING: Final = {"R", "L", "p(R,C)", "p(R,CPE)", "K", "Zarc"}  # parts that conduct direct current
_INDUCTIVE = 0.7  # of the frequencies: an inductance outweighs all else at the upper end of a band only
_SMOOTHING = 0.15  # decades of tau: the width of the peaks that are counted as arcs
_LEAST = 1e-2  # of the total resistance, or of |Z|: the least R_elec, inductance or misfit that is anything
_NOTHING = 1e-6  # of R_elec: what files with six digits leave of a resistor
_CLEAR = 0.5  # of a misfit: what a further element must lower it to, to be mentioned, or for an inductance to be there
_MORE = 0.2  # of a misfit: what a further arc must lower it to, to be fitted
_MOST_MORE = 2  # further arcs
_MOST_DEPRESSED: Final = 4  # arcs with constant-phase elements that are tried


def fit_spectrum(
    spectrum: Spectrum,
    circuit_text: str | None = None,
    *,
    limits: Limits | None = None,
    noise: float | None = None,
    profile: bool = False,
    bootstrap: int = 0,
) -> Extraction:
    """Fit a circuit of numbered arcs, arc_1 the fastest, to any spectrum, a measured one too.

    circuit_text: see `notation.parse`; what is more than resistors and RC elements, and whatever has limits, goes through
    `model_fit`. Left out: as many arcs as the relaxation spectrum (non-negative least squares, 10 tau per decade), smoothed
    over 0.15 decades, has peaks of at least 1 % of the highest with a valley of half their height beside them, R_elec if it
    is at least 1 % of the whole resistance, and an inductance if the spectrum shows one; an arc more where that lowers a
    misfit above 1 % five times, or one above the noise to half. Where these leave more than the noise of a measured spectrum,
    depressed arcs with what is in series, as many as Schwarz's criterion wants. limits: parameters that are fixed or bounded.
    noise: standard deviation of each part relative to |Z|; left out, from repeats or Kramers-Kronig residuals. profile,
    bootstrap: intervals of the parameters too, by profile likelihood, and by so many fits to spectra with noise,
    in `statistics["values"]`. Repeated frequencies are merged, very many thinned (`sweeps`). Raises InputError for the circuit,
    for more parameters than data and for several sweeps, ComputationError if no fit converges.
    """
    one, done = prepared(spectrum)
    data = Data.of(one.frequency, one.impedance, one.uncertainty)
    asked = None if circuit_text is None else parse(circuit_text)
    if asked is None and limits is not None and limits.names:
        raise InputError(f"{', '.join(sorted(limits.names))}: limits of parameters need a circuit, which is not given")
    _check_determined(data, asked)
    _check_blocking(data, asked)
    _check_passive(data)
    # The uncertainty of a computed spectrum is no noise: its circuit misfits because the cell is no circuit.
    scatter = None if data.uncertainty is not None and noise is None else _noise(spectrum, noise)
    if asked is None:
        found, more = _seen(data, scatter)
    elif asked.plain and not (limits and limits.names):
        found, more = _numbered(data, asked, relaxations(data.frequency, data.impedance)), ()
    else:
        found, more = _through_model(data, asked, limits, scatter), ()
    if not found.statistics:
        found = replace(found, statistics=_plain_statistics(data, found, scatter))
    if profile or bootstrap:
        found = _with_intervals(data, found, limits, profile, bootstrap)
    drift = [scatter.text()] if scatter is not None and scatter.drift is not None else []
    return replace(
        found, notes=(*done, *more, *drift, *found.notes, *_unfit(data, found, asked is not None or scatter is None))
    )


def _with_intervals(data: Data, found: Extraction, limits: Limits | None, profile: bool, count: int) -> Extraction:
    """The same with intervals of the parameters of its circuit."""
    circuit = parse(found.statistics["circuit"])
    fit = best(data, circuit, None if limits is None else limits.of(circuit))
    made = {name: dict(each) for name, each in of_fit(fit, None)["values"].items()}
    for word, intervals in (
        ("profile", intervals_by.profile(fit, data) if profile else {}),
        ("bootstrap", intervals_by.bootstrap(fit, data, count) if count else {}),
    ):
        for name, ends in intervals.items():
            made[name][word] = {f"{level:g}": list(pair) for level, pair in ends.items()}
    return replace(found, statistics={**found.statistics, "values": made})


def _noise(spectrum: Spectrum, given: float | None) -> Noise | None:
    """The noise of one sweep, repeats and all; of very many rows thinned."""
    return noise_of(spectrum if len(spectrum) <= MOST else prepared(spectrum)[0], given)


def _plain_statistics(data: Data, found: Extraction, noise: Noise | None) -> dict[str, Any]:
    """Those of a circuit of RC elements."""
    circuit = found.circuit()
    off = np.abs(circuit.impedance(data.frequency) - data.impedance) / np.abs(data.impedance)
    count = 2 * len(circuit.arcs) + bool(circuit.r_elec)
    text = circuit.text().replace("R_elec", "R0").replace("_arc_", "")  # as --circuit takes it: R0-p(R1,C1)
    return statistics(text, float(np.sum(off**2)), 2 * off.size, count, float(off.max()), noise)


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
    blocking = asked is not None and not {part.kind for part in asked.parts} <= _CONDUCTING
    if not blocking and -data.impedance[lowest].imag > BLOCKING * abs(data.impedance[lowest].real):
        raise InputError(
            key="impedance",
            value=Written(f"{data.impedance[lowest]:.4g} ohm at {data.frequency[lowest]:g} Hz, the lowest frequency,"),
            why="a spectrum that blocks direct current has no circuit of resistive arcs",
            remedy=f"allowed is |Im Z| up to {BLOCKING:g} |Re Z| there, or a circuit with a capacitor or a "
            "constant-phase element in series, such as R0-p(R1,C1)-CPE0",
        )


def _through_model(data: Data, circuit: Topology, limits: Limits | None = None, noise: Noise | None = None) -> Extraction:
    other = fit_model(data, circuit, limits or Limits())
    return Extraction(
        arcs=other.elements,
        removed=other.removed,
        residual=other.residual,
        variations=other.variations,
        left_out=other.left_out,
        notes=outside(data, other.elements),
        statistics=of_fit(other.found, noise),
        blocks=other.blocks,
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
    return report(data, found, names, removed, None)


def _seen(data: Data, noise: Noise | None) -> tuple[Extraction, tuple[str, ...]]:
    """The fit of what the spectrum shows, and what is to be known of the choice."""
    found, notes = _relaxing(data, noise)
    known = found.statistics or _plain_statistics(data, found, noise)
    if not known.get("above_noise", False):
        return found, notes
    circuit = _depressed(data, float(known["BIC"]))
    if circuit is None:
        return found, notes
    better = _through_model(data, circuit, None, noise)
    rms = f"{better.statistics['rms']:.1e} |Z| in the mean where RC elements leave {known['rms']:.1e} |Z|"
    return better, (f"depressed arcs describe the data better: the circuit {circuit.text} leaves {rms}",)


def _depressed(data: Data, least: float) -> Topology | None:
    """The circuit of depressed arcs of the least BIC, if it is below `least`: with or without what is inductive or blocks."""
    inductive = bool(np.any(data.impedance.imag > _LEAST * np.abs(data.impedance)))
    lowest = data.impedance[int(np.argmin(data.frequency))]
    blocking = bool(-lowest.imag > abs(lowest.real) / 4)
    tried: dict[str, float] = {}
    best_of: list[float] = []
    every = list(product((False, True) if inductive else (False,), (False, True) if blocking else (False,)))
    for arcs in range(_MOST_DEPRESSED + 1):
        best_ends = {}
        for ends in every:
            parts = ["R0", *["L0"] * ends[0], *(f"p(R{n},CPE{n})" for n in range(1, arcs + 1)), *["CPE0"] * ends[1]]
            circuit = parse("-".join(parts))
            if len(parts) > 1 and circuit.parameters <= data.frequency.size:
                with suppress(ComputationError):
                    found = best(data, circuit)
                    tried[circuit.text] = information(found.cost, found.weighted.size, found.varied)["BIC"]
                    best_ends[ends] = tried[circuit.text]
        if arcs > 1 and len(best_ends) > 1:  # what is in series shows beside two arcs already, and stays for more of them
            every = [min(best_ends, key=lambda each: best_ends[each])]
        best_of.append(min(tried.values(), default=np.inf))
        if arcs > 1 and best_of[-1] >= best_of[-2]:
            break
    chosen = min(tried, key=lambda each: tried[each], default=None)
    return parse(chosen) if chosen is not None and tried[chosen] < least else None


def _relaxing(data: Data, noise: Noise | None) -> tuple[Extraction, tuple[str, ...]]:
    """The fit of what the relaxation spectrum shows, and what is to be known of the choice."""
    spectrum = relaxations(data.frequency, data.impedance)
    inductive = relaxations(data.frequency, data.impedance, inductance=True)
    part = float(np.max(data.omega * inductive.inductance / np.abs(data.impedance)))
    if part > _LEAST and inductive.misfit < _CLEAR * spectrum.misfit:
        shown = _shown(inductive, data.frequency.size)
        text = "-".join(["R0"] * shown.series + ["L0", *(f"p(R{n},C{n})" for n in range(1, max(1, shown.arcs) + 1))])
        found = _through_model(data, parse(text), None, noise)
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
        noisy = _plain_statistics(data, found, noise).get("above_noise", False)
        enough = found.residual > _LEAST and larger.residual <= _MORE * found.residual
        if not (noisy or enough) or len(notes) == _MOST_MORE:
            text = "-".join(["R0"] * more.series + [f"p(R{n},C{n})" for n in range(1, more.arcs + 1)])
            notes.append(f"one arc more, --circuit '{text}', {change}")
            break
        found, circuit = larger, more
        notes.append(f"{circuit.arcs} arcs are fitted, one more than the relaxation times show: it {change}")
    return found, tuple(notes)


def _unfit(data: Data, found: Extraction, others: bool) -> list[str]:
    """What is said of a circuit that does not describe the data: where, and what would describe them better."""
    if found.fits or found.residual is None:
        return []
    off = np.abs(found.circuit().impedance(data.frequency) - data.impedance) / np.abs(data.impedance)
    worst = data.frequency[int(np.argmax(off))]
    if found.residual <= MISFIT:
        noise = found.statistics["noise"]
        notes = [
            f"the misfit is above the noise: {found.statistics['rms']:.1e} |Z| in the mean, up to {found.residual:.1e} |Z| at "
            f"{worst:.3g} Hz, and the noise is {noise['size']:.1e} |Z| ({noise['source']}); the circuit does not describe all "
            "of the data"
        ]
    else:
        notes = [
            f"the circuit does not describe the data: it is {found.residual:.0%} of |Z| off at {worst:.3g} Hz "
            f"(at most {MISFIT:.0%} is taken for a fit)"
        ]
    if np.mean(data.impedance.imag > 0) > _INDUCTIVE:
        notes.append("Im(Z) is above 0 at most frequencies: if the column is -Im(Z) or -Z'', its name must say so")
        return notes
    tried = _others(data, found) if others else []  # of what the spectrum shows these were tried already
    least, text = min(((misfit(data, parse(each)), each) for each in tried), default=(np.inf, ""))
    if least < _CLEAR * found.residual:
        notes.append(f"--circuit '{text}' leaves {least:.1e} |Z|")
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
