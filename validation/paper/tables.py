"""Samples -> CSV: fitted R, C and tau of every arc over contact fraction, and their spectra, a verdict in each row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from fem_constriction.files import write_text
from fem_constriction.fitting.extraction import Extraction
from fem_constriction.fitting.values import Value
from validation.paper.sample import Sample
from validation.study.axes import parse
from validation.study.measured import CONTRIBUTIONS

#: Circuits a spectrum is fitted with: one charge-transfer element as in the paper, or WE and CE apart.
CIRCUITS: Final = ("fit", "extended")
_QUANTITIES: Final = {"R": "Ohm", "C": "F", "tau": "s"}


def write(samples: Sequence[Sample], folder: Path, name: str) -> list[Path]:
    """Write `name`-parameters.csv and `name`-spectra.csv; return their paths. Raises InputError."""
    keys = list(dict.fromkeys(key for sample in samples for key in sample.varied))
    heads = ["figure", "contact fraction", *(f"{key}/({unit(key)})" for key in keys), "verdict", "side"]
    paths = []
    for kind, own, rows in (
        ("parameters", _PARAMETERS, _parameters),
        ("spectra", ["freq/Hz", "Re(Z)/Ohm", "Im(Z)/Ohm", "u(Z)/Ohm"], _spectra),
    ):
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(heads + own)
        for sample in samples:
            first = [sample.figure, repr(sample.fraction), *(_text(sample.varied.get(key)) for key in keys), sample.verdict]
            writer.writerows(first + row for row in rows(sample))
        paths.append(folder / f"{name}-{kind}.csv")
        write_text(paths[-1], text.getvalue())
    return paths


def unit(key: str) -> str:
    """Return the SI unit of a dotted key of the cell file."""
    return parse(key, [1.0]).unit


_PARAMETERS: Final = [
    "circuit",
    "element",
    *(
        f"{head}/{unit_}"
        for letter, unit_ in _QUANTITIES.items()
        for head in (letter, *(f"u_{part}({letter})" for part in CONTRIBUTIONS))
    ),
    "largest residual",
    "note",
]


def circuits(sample: Sample, side: str) -> dict[str, Extraction]:
    """Return what was fitted to one side's spectrum, by circuit; the extended one only where it is another."""
    found = sample.sides[side]
    made = {} if found.fit is None else {"fit": found.fit}
    if found.extended is not None and found.extended is not found.fit:
        made["extended"] = found.extended
    return made


def _parameters(sample: Sample) -> Iterator[list[str]]:
    for side in sample.sides:
        made = circuits(sample, side)
        if not made:
            empty = [""] * (len(_PARAMETERS) - 1)
            yield [side, *empty, sample.refusal or ""]
        for circuit, extraction in made.items():
            for element, values in {**extraction.arcs, **extraction.removed}.items():
                numbers = [each for letter in _QUANTITIES for each in _value(getattr(values, letter))]
                note = values.R.reason or values.tau.reason or ""
                yield [side, circuit, element, *numbers, _text(extraction.residual), note]


def _value(value: Value) -> list[str]:
    return [_text(each) for each in (value.value, *(getattr(value, part) for part in CONTRIBUTIONS))]


def _spectra(sample: Sample) -> Iterator[list[str]]:
    for name, side in sample.sides.items():
        f, z, u = side.spectrum.frequency, side.spectrum.impedance, side.spectrum.uncertainty
        widths = [None] * f.size if u is None else u.tolist()
        for row in zip(f.tolist(), z.real.tolist(), z.imag.tolist(), widths, strict=True):
            yield [name, *map(_text, row)]


def _text(number: Any) -> str:
    """Every float exactly, nothing for None."""
    return "" if number is None else repr(float(number))
