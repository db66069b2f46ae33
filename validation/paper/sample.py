"""Cell -> Sample: all that figures and claims read of one cell, by each backend and, where these agree, by both together.

A sample is made of a `Result` while its grids are at hand (`of_result`), kept as a record of a study (`as_record`), and read
from there (`of_record`), every number exactly.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from fem_constriction.api import provenance
from fem_constriction.cell.cell import Cell
from fem_constriction.fitting.extraction import Extraction, extract
from fem_constriction.processes.names import CHARGE_TRANSFER, COUNTER_ELECTRODE, PORE
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.reduced import Relaxation
from fem_constriction.solving.refinement import Family
from fem_constriction.spectra.spectrum import Spectrum
from validation.gate.result import Result
from validation.study import measured
from validation.study.work import Record

#: What both backends say together, beside the names of the backends.
AGREED: Final = "agreed"
_EXTRACTION: Final = TypeAdapter(Extraction)


@dataclass(frozen=True, eq=False, kw_only=True)
class BySide:
    """What one backend says of a cell, or both together.

    spectrum: the limit, Hz, ohm, with uncertainty. fit: the circuit the paper used, one charge-transfer element for both
    electrodes; extended: WE and CE apart (where the cell has not both it is `fit` itself); both None where nothing may be
    extracted. relaxation: the exact relaxation spectrum of the finest grid solved with all its unknowns, the coarsest one where
    the face was enough (`Family.relaxing`). resistance: R_DC and its uncertainty, ohm, (inf, 0)
    where no direct current flows. weights: process -> its share of R_DC, by dissipation on the finest grid, summing to 1; {}
    where no direct current flows. entry: share of the current that enters through the pores at the spectrum's frequencies,
    complex, (f,), 0 where there are none.
    """

    spectrum: Spectrum
    fit: Extraction | None
    extended: Extraction | None
    relaxation: Relaxation
    resistance: tuple[float, float]
    weights: Mapping[str, float]
    entry: NDArray[np.complex128]


@dataclass(frozen=True, eq=False, kw_only=True)
class Sample:
    """One cell of a figure, judged.

    figure: "2", "3a", "3b", "4", "5a", "5b", "6" or "7". fraction: A_c/A. varied: dotted cell key -> SI value of what
    the figure varies besides the fraction, at every sample of it, {} if nothing. verdict: agree, unresolved or disagree;
    refusal: why nothing was extracted, None if it was. agreed: None unless the backends agree; what is no limit in it
    (relaxation, weights, entry) is that of the better known backend. geometric: R_Cstr = R_DC(3D) - R_DC(1D-PM) and its
    uncertainty, ohm, None where no direct current flows.
    """

    figure: str
    cell: Cell
    fraction: float
    varied: Mapping[str, float]
    verdict: str
    refusal: str | None
    agreed: BySide | None
    backends: Mapping[str, BySide]
    geometric: tuple[float, float] | None

    @property
    def sides(self) -> dict[str, BySide]:
        """What each backend says, by name, and what they say together as "agreed", where they agree."""
        return dict(self.backends) if self.agreed is None else {**self.backends, AGREED: self.agreed}

    @classmethod
    def of_result(cls, result: Result, figure: str, varied: Mapping[str, float]) -> Sample:
        """Return the sample of a cross-check; each side's circuits are fitted here if anything may be extracted."""
        limits, cell = result.agreement.limits, result.cell
        sides = {name: _by_backend(result, name) for name in limits}
        agreed = None
        if result.agreement.verdict == "agree":
            # Of the limits the better known one has the smaller largest u/|Z|.
            best = min(limits, key=lambda name: _width(limits[name]))
            direct = (math.inf, 0.0)
            if result.geometric is not None:
                direct = (result.geometric.direct, result.geometric.uncertainty)
            agreed = _side(result, result.agreement.combined(), result.families[best], direct, result.extraction)
        geometric = None if result.geometric is None else (result.geometric.value, result.geometric.uncertainty)
        return cls(
            figure=figure,
            cell=cell,
            fraction=cell.contact_fraction,
            varied=dict(varied),
            verdict=result.agreement.verdict,
            refusal=result.refusal,
            agreed=agreed,
            backends=sides,
            geometric=geometric,
        )

    def as_record(self, result: Result | None = None) -> Record:
        """Return what the store keeps; with the result it was made of, also what a sweep keeps of that."""
        numbers, texts, arrays = ({}, {}, {}) if result is None else measured.of_result(result)
        texts |= {"verdict": self.verdict, "sides": json.dumps(list(self.sides))}
        if self.geometric is not None:
            numbers["R_geometric"], numbers["R_geometric_uncertainty"] = self.geometric
        for name, side in self.sides.items():
            z, u, relaxation = side.spectrum.impedance, side.spectrum.uncertainty, side.relaxation
            numbers[f"{name}/resistance"], numbers[f"{name}/resistance_uncertainty"] = side.resistance
            arrays |= {
                f"{name}/frequency": side.spectrum.frequency,
                f"{name}/impedance": np.stack([z.real, z.imag]),
                f"{name}/uncertainty": np.zeros(0) if u is None else u,
                f"{name}/entry": np.stack([side.entry.real, side.entry.imag]),
                f"{name}/tau": relaxation.tau,
                f"{name}/relaxation_resistance": relaxation.resistance,
                **{f"{name}/stored/{process}": share for process, share in relaxation.stored.items()},
                **{f"{name}/dissipated/{process}": share for process, share in relaxation.dissipated.items()},
            }
            texts |= {
                f"{name}/weights": json.dumps(dict(side.weights)),
                f"{name}/stored": json.dumps(list(relaxation.stored)),
                f"{name}/dissipated": json.dumps(list(relaxation.dissipated)),
                f"{name}/fit": _written(side.fit),
                f"{name}/extended": "" if side.extended is side.fit else _written(side.extended),
            }
        return Record("", self.refusal or "", numbers, texts, arrays, provenance(self.cell)["versions"])

    @classmethod
    def of_record(cls, record: Record, figure: str, cell: Cell, varied: Mapping[str, float]) -> Sample:
        """Return the sample that a record was made from."""
        sides = {name: _read(record, name) for name in json.loads(record.texts["sides"])}
        numbers = record.numbers
        geometric = (numbers["R_geometric"], numbers["R_geometric_uncertainty"]) if "R_geometric" in numbers else None
        return cls(
            figure=figure,
            cell=cell,
            fraction=cell.contact_fraction,
            varied=dict(varied),
            verdict=record.texts["verdict"],
            refusal=record.reason or None,
            agreed=sides.pop(AGREED, None),
            backends=sides,
            geometric=geometric,
        )


def _by_backend(result: Result, name: str) -> BySide:
    family = result.families[name]
    return _side(result, result.agreement.limits[name], family, family.resistance(), result.by_backend.get(name))


def _side(
    result: Result, spectrum: Spectrum, family: Family, resistance: tuple[float, float], extended: Extraction | None
) -> BySide:
    """`extended`: the fit of the circuit with WE and CE apart, where it was made already."""
    model, plain = family.finest.model, Spectrum(spectrum.frequency, spectrum.impedance, spectrum.uncertainty)
    fit = None
    if result.refusal is None:
        both = {CHARGE_TRANSFER, COUNTER_ELECTRODE} <= set(admittances(result.cell))
        extended = _extract(result, spectrum, family, True) if extended is None else extended
        fit = _extract(result, spectrum, family, False) if both else extended
    s = 2j * np.pi * spectrum.frequency
    entry = model.entry(s).get(PORE, np.zeros(s.size, dtype=complex))
    direct = math.isfinite(resistance[0])
    weights = {name: float(share[0].real) for name, share in model.shares(np.zeros(1)).items()} if direct else {}
    return BySide(
        spectrum=plain,
        fit=fit,
        extended=extended,
        relaxation=family.relaxing.relaxation(),
        resistance=resistance,
        weights=weights,
        entry=entry,
    )


def _extract(result: Result, spectrum: Spectrum, family: Family, extended: bool) -> Extraction:
    return extract(
        spectrum.frequency,
        spectrum.impedance,
        uncertainty=spectrum.uncertainty,
        cell=result.cell,
        model=family.relaxing,
        extended=extended,
        geometric=None if result.extraction is None else result.extraction.geometric,
    )


def _width(spectrum: Spectrum) -> float:
    return math.inf if spectrum.uncertainty is None else float(np.max(spectrum.uncertainty / np.abs(spectrum.impedance)))


def _written(found: Extraction | None) -> str:
    """JSON as Python writes it: every float exactly, infinite ones as Infinity; "" for None."""
    return "" if found is None else json.dumps(asdict(found))


def _read(record: Record, name: str) -> BySide:
    numbers, texts = record.numbers, record.texts
    arrays = {key: np.asarray(value) for key, value in record.arrays.items()}
    fit, extended = (
        _EXTRACTION.validate_python(json.loads(text)) if (text := texts[f"{name}/{key}"]) else None
        for key in ("fit", "extended")
    )
    u = arrays[f"{name}/uncertainty"]

    def shares(kind: str) -> dict[str, NDArray[Any]]:
        return {process: arrays[f"{name}/{kind}/{process}"] for process in json.loads(texts[f"{name}/{kind}"])}

    return BySide(
        spectrum=Spectrum(arrays[f"{name}/frequency"], _complex(arrays[f"{name}/impedance"]), u if u.size else None),
        fit=fit,
        extended=fit if extended is None else extended,
        relaxation=Relaxation(
            arrays[f"{name}/tau"],
            arrays[f"{name}/relaxation_resistance"],
            stored=shares("stored"),
            dissipated=shares("dissipated"),
        ),
        resistance=(numbers[f"{name}/resistance"], numbers[f"{name}/resistance_uncertainty"]),
        weights=json.loads(texts[f"{name}/weights"]),
        entry=_complex(arrays[f"{name}/entry"]),
    )


def _complex(parts: NDArray[Any]) -> NDArray[np.complex128]:
    return np.asarray(parts[0] + 1j * parts[1], dtype=np.complex128)
