"""PalmSens .pssession: JSON in UTF-16, each measurement with data sets; of impedance are frequency, ZRe and -Im(Z) as ZIm."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from fem_constriction.errors import InputError
from fem_constriction.spectra.instruments.content import Content, Measured, Sweep, told, told_apart

_KINDS = {"Hertz": "f", "ZRe": "re", "ZIm": "im"}


class PalmSens:
    """.pssession of PSTrace and MultiTrace."""

    name: ClassVar[str] = "PalmSens (.pssession)"

    def recognises(self, file: Content) -> bool:
        """By the type that the JSON states."""
        return "PalmSens.DataFiles.SessionFile" in file.text[:200]

    def read(self, file: Content) -> Measured:
        """The sweeps of the file. Raises InputError where it has none."""
        try:
            record, _ = json.JSONDecoder(strict=False).raw_decode(file.text.lstrip("\ufeff \r\n"))
            measurements = record["Measurements"]
            sweeps = [
                Sweep(name=str(each.get("Title", "")), columns=found)
                for each in measurements
                if "EIS" in each["DataSet"]["Type"] and (found := _columns(each["DataSet"]["Values"]))["f"]
            ]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(f"is not as {self.name} writes it ({type(error).__name__}: {error})", file=file.path) from None
        if not sweeps:
            raise InputError(f"is a file of {self.name}, and has no impedance spectrum", file=file.path)
        return Measured(
            sweeps=told_apart(sweeps), details={"format": self.name} | told(device=str(record.get("CoreVersion", "")))
        )


def _columns(arrays: list[dict[str, Any]]) -> dict[str, list[float]]:
    """The first array of each of the three kinds, by the type of its unit, in step; rows without a frequency left out."""
    found: dict[str, list[float]] = {}
    for array in arrays:
        unit = str((array.get("Unit") or {}).get("Type", ""))
        for word, kind in _KINDS.items():
            if word in unit and kind not in found:
                found[kind] = [float(each["V"]) for each in array["DataValues"]]
    if set(found) != {"f", "re", "im"}:
        return {"f": [], "re": [], "im": [], "u": []}
    rows = [row for row in zip(found["f"], found["re"], found["im"], strict=True) if row[0] > 0]
    f, re_, im = (list(each) for each in zip(*rows, strict=True)) if rows else ([], [], [])
    return {"f": f, "re": re_, "im": [-each for each in im], "u": []}
