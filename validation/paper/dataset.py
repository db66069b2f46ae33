"""Samples -> xarray.Dataset: spectra, fitted circuits, relaxation spectra and verdicts, every variable with its unit."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fem_constriction import DISTRIBUTION
from fem_constriction.api import provenance
from fem_constriction.errors import InputError
from fem_constriction.processes.circuits import CONSTRICTION, SERIES
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE
from validation.paper.cells import FRACTION, TABLE, VARIED, cell
from validation.paper.sample import AGREED, BySide, Sample
from validation.paper.tables import CIRCUITS, circuits, unit
from validation.study.measured import CONTRIBUTIONS

if TYPE_CHECKING:
    import xarray as xr

_ELEMENTS: Final = (SERIES, BULK, GRAIN_BOUNDARY, CHARGE_TRANSFER, CONSTRICTION, COUNTER_ELECTRODE)
_PROCESSES: Final = (BULK, GRAIN_BOUNDARY, CHARGE_TRANSFER, PORE, COUNTER_ELECTRODE)
_S, _F = ("sample", "side"), ("sample", "side", "frequency")
_ARC: Final = {"R": ("ohm", "Resistance"), "C": ("F", "Capacitance"), "tau": ("s", "Relaxation time")}
_PARTS: Final = {
    "discretisation": "what the spectrum's uncertainty can do",
    "model": "largest change over weightings and frequency windows",
    "nominal": "standard error of the fit",
}
_RELAXATION: Final = ("sample", "side", "relaxation")

#: Variable -> dimensions, unit, what it is.
_VARIABLES: Final[Mapping[str, tuple[tuple[str, ...], str, str]]] = {
    "impedance_real": (_F, "ohm", "Real part of Z of the whole cell"),
    "impedance_imag": (_F, "ohm", "Imaginary part of Z of the whole cell"),
    "uncertainty": (_F, "ohm", "u with |Z - Z_true| <= u at 95 % confidence: discretisation and solver"),
    "pore_entry_real": (_F, "1", "Real part of the share of the current that enters through the pores"),
    "pore_entry_imag": (_F, "1", "Imaginary part of the share of the current that enters through the pores"),
    "resistance_dc": (_S, "ohm", "Resistance to direct current; infinite where none flows"),
    "resistance_dc_uncertainty": (_S, "ohm", "Uncertainty of resistance_dc, 95 % confidence"),
    "weight": ((*_S, "process"), "1", "Share of each process in resistance_dc, by dissipation on the finest grid"),
    "relaxation_time": (_RELAXATION, "s", "Exact relaxation times of the finest grid that was solved with all its unknowns"),
    "relaxation_resistance": (_RELAXATION, "ohm", "Resistance of each relaxation"),
    "fit_residual": ((*_S, "circuit"), "1", "Largest |Z_fit - Z|/|Z| of the fitted circuit"),
    **{
        name: ((*_S, "circuit", "element"), unit_, meaning)
        for letter, (unit_, what) in _ARC.items()
        for name, meaning in {
            letter: f"{what} of each element of the fitted circuit",
            **{f"{letter}_{part}": f"Uncertainty of {letter}: {_PARTS[part]}" for part in CONTRIBUTIONS},
        }.items()
    },
}
_PLAIN: Final = {
    "R_geometric": ("ohm", "R_DC(3D) - R_DC(1D-PM): what squeezing adds at direct current"),
    "R_geometric_uncertainty": ("ohm", "Uncertainty of R_geometric, 95 % confidence"),
}


def build(samples: Sequence[Sample]) -> xr.Dataset:
    """Return the data set of some samples: a row each, `side` the backends and what they say together.

    What is not there (a circuit of a sample that was not agreed on, an element that a cell has not) is NaN. Raises InputError
    for samples at different frequencies, or for none.
    """
    import xarray as xr

    if not samples:
        raise InputError(key="samples", value=[], allowed="a data set of figures takes one at least")
    sides = [*dict.fromkeys(name for sample in samples for name in sample.backends), AGREED]
    frequency = next(iter(samples[0].sides.values())).spectrum.frequency
    if any(not np.array_equal(each.spectrum.frequency, frequency) for s in samples for each in s.sides.values()):
        raise InputError("are not allowed to differ between the samples of one data set", key="frequencies")
    longest = max(side.relaxation.tau.size for sample in samples for side in sample.sides.values())
    sizes = {"sample": len(samples), "side": len(sides), "frequency": frequency.size, "relaxation": longest}
    sizes |= {"circuit": len(CIRCUITS), "element": len(_ELEMENTS), "process": len(_PROCESSES)}
    values = {name: np.full([sizes[dim] for dim in dims], np.nan) for name, (dims, _, _) in _VARIABLES.items()}
    for row, sample in enumerate(samples):
        for name, side in sample.sides.items():
            _fill(values, (row, sides.index(name)), sample, name, side)
    variables: dict[str, Any] = {
        name: (dims, values[name], {"units": unit_, "long_name": meaning})
        for name, (dims, unit_, meaning) in _VARIABLES.items()
    }
    for place, (name, (unit_, meaning)) in enumerate(_PLAIN.items()):
        column = [math.nan if sample.geometric is None else sample.geometric[place] for sample in samples]
        variables[name] = ("sample", np.array(column), {"units": unit_, "long_name": meaning})
    return xr.Dataset(variables | _texts(samples), coords=_coordinates(samples, frequency, sides), attrs=_attributes())


def _fill(values: Mapping[str, Any], at: tuple[int, int], sample: Sample, name: str, side: BySide) -> None:
    z, u, count = side.spectrum.impedance, side.spectrum.uncertainty, side.relaxation.tau.size
    values["impedance_real"][at], values["impedance_imag"][at] = z.real, z.imag
    values["uncertainty"][at] = np.nan if u is None else u
    values["pore_entry_real"][at], values["pore_entry_imag"][at] = side.entry.real, side.entry.imag
    values["resistance_dc"][at], values["resistance_dc_uncertainty"][at] = side.resistance
    for process, weight in side.weights.items():
        values["weight"][(*at, _PROCESSES.index(process))] = weight
    values["relaxation_time"][(*at, slice(count))] = side.relaxation.tau
    values["relaxation_resistance"][(*at, slice(count))] = side.relaxation.resistance
    for circuit, extraction in circuits(sample, name).items():
        place = (*at, CIRCUITS.index(circuit))
        values["fit_residual"][place] = math.nan if extraction.residual is None else extraction.residual
        for element, found in {**extraction.arcs, **extraction.removed}.items():
            for letter in _ARC:
                value = getattr(found, letter)
                parts = {letter: value.value, **{f"{letter}_{part}": getattr(value, part) for part in CONTRIBUTIONS}}
                for variable, number in parts.items():
                    values[variable][(*place, _ELEMENTS.index(element))] = math.nan if number is None else number


def _texts(samples: Sequence[Sample]) -> dict[str, Any]:
    found = {
        "verdict": ("What the backends say of each other", [sample.verdict for sample in samples]),
        "refusal": ("Why nothing was extracted", [sample.refusal or "" for sample in samples]),
        "cell": ("The cell file", [sample.cell.dumps() for sample in samples]),
    }
    return {
        name: ("sample", np.array(texts, dtype=object), {"units": "", "long_name": meaning})
        for name, (meaning, texts) in found.items()
    }


def _coordinates(samples: Sequence[Sample], frequency: Any, sides: Sequence[str]) -> dict[str, Any]:
    def words(dim: str, values: Sequence[str], meaning: str) -> tuple[str, Any, dict[str, str]]:
        return dim, np.array(values, dtype=object), {"units": "", "long_name": meaning}

    made: dict[str, Any] = {
        "frequency": ("frequency", frequency, {"units": "Hz", "long_name": "Frequency"}),
        "side": words("side", sides, "Backend, or what the backends say together"),
        "circuit": words(
            "circuit", CIRCUITS, "One charge-transfer element (fit), or WE and CE apart (extended, where it differs)"
        ),
        "element": words("element", _ELEMENTS, "Element of the fitted circuit"),
        "process": words("process", _PROCESSES, "Process"),
        "figure": words("sample", [sample.figure for sample in samples], "Figure of the paper"),
        "fraction": (
            "sample",
            np.array([sample.fraction for sample in samples]),
            {"units": "1", "long_name": f"Contact fraction, {FRACTION}"},
        ),
    }
    for key in dict.fromkeys(key for label in TABLE for key in VARIED[label][0]):
        column = np.array([sample.varied.get(key, math.nan) for sample in samples])
        made[key] = ("sample", column, {"units": unit(key), "long_name": "Varied value, NaN where nothing is varied"})
    return made


def _attributes() -> dict[str, Any]:
    return {
        "title": "Figures of Eckhardt et al. 2022, recomputed",
        "source": f"{DISTRIBUTION} {version(DISTRIBUTION)}",
        "references": "https://doi.org/10.1021/acsami.2c12991",
        "comment": "Z of the whole cell; NetCDF has no complex numbers: Z = impedance_real + 1j*impedance_imag.",
        "versions": json.dumps(provenance(cell("2", 0.25))["versions"], sort_keys=True),
    }
