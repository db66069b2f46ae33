"""A spectrum: impedance over frequency, with its uncertainty where known, as CSV with a JSON sidecar."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fem_constriction.cell.units import array_in
from fem_constriction.errors import InputError, LeftOutWarning
from fem_constriction.files import json_text, jsonable, read_bytes, read_text, write_text
from fem_constriction.held import Held
from fem_constriction.pictures import plane
from fem_constriction.pictures.colours import BACKENDS, DATA
from fem_constriction.pictures.picture import Picture
from fem_constriction.pictures.words import amount
from fem_constriction.records import reader
from fem_constriction.spectra.columns import HEADER, POSITIVE

MOST_BYTES = 128_000_000  # of a file: so many frequencies with their uncertainties


@dataclass(frozen=True, eq=False, repr=False)
class Spectrum(Held):
    """Z(f) of a whole cell, |Z - Z_true| <= u with 95 % confidence.

    The arrays are read-only copies.

    Parameters
    ----------
    frequency
        Hz, shape (n,), positive.
    impedance
        Ohm, complex, shape (n,).
    uncertainty
        Ohm, real, shape (n,); None where it is not known.
    provenance
        What the spectrum was made from: what JSON can hold.
    electrodes
        "working" and "counter" -> their spectra, where a reference electrode tells them apart: they sum to this one.

    Raises
    ------
    InputError
        For arrays of other shapes, of other kinds, or with values that are not allowed.
    """

    frequency: NDArray[np.float64]
    impedance: NDArray[np.complex128]
    uncertainty: NDArray[np.float64] | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    electrodes: Mapping[str, Spectrum] = field(default_factory=dict)

    def __post_init__(self) -> None:
        frequency = _array("frequency", self.frequency, np.float64, "Hz")
        impedance = _array("impedance", self.impedance, np.complex128, "ohm")
        _refuse("frequency", frequency, ~(np.isfinite(frequency) & (frequency > 0)), POSITIVE)
        _refuse("impedance", impedance, ~np.isfinite(impedance), "a finite number in ohm")
        arrays = {"frequency": frequency, "impedance": impedance}
        if self.uncertainty is not None:
            uncertainty = _array("uncertainty", self.uncertainty, np.float64, "ohm")
            _refuse("uncertainty", uncertainty, ~(uncertainty >= 0), "a number of at least 0 in ohm")
            arrays["uncertainty"] = uncertainty
        for name, array in arrays.items():
            if len(array) != len(frequency):
                allowed = f"must have {len(frequency)}, one for each frequency"
                raise InputError(f"{name} has {len(array)} values, and {allowed}")
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        object.__setattr__(self, "provenance", copy.deepcopy(dict(self.provenance)))
        object.__setattr__(self, "electrodes", dict(self.electrodes))

    def __len__(self) -> int:
        return len(self.frequency)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Spectrum):
            return NotImplemented
        known = self.uncertainty is None, other.uncertainty is None
        pairs = [(self.frequency, other.frequency), (self.impedance, other.impedance)]
        if self.uncertainty is not None and other.uncertainty is not None:
            pairs.append((self.uncertainty, other.uncertainty))
        same = known[0] == known[1] and all(np.array_equal(one, another) for one, another in pairs)
        same = same and dict(self.electrodes) == dict(other.electrodes)
        return same and jsonable(self.provenance) == jsonable(other.provenance)

    def __hash__(self) -> int:
        return hash((self.frequency.tobytes(), self.impedance.tobytes()))

    @property
    def name(self) -> str:
        """What it is of, in a word or two: the title of its cell and the backend, or how it was measured."""
        made = self.provenance
        cell, measured = made.get("cell") or {}, made.get("measured") or {}
        words = [cell.get("title") or "", made.get("backend") or measured.get("format") or ""]
        return ", ".join(str(word) for word in words if word)

    def facts(self) -> tuple[str, list[tuple[str, str]]]:
        """Return what it is, its band, the size of Z and what is known of its uncertainty."""
        f, size = self.frequency, np.abs(self.impedance)
        ends = [amount(float(each), "Hz") for each in (f.min(), f.max())]
        rows = [("frequencies", f"{len(self)}, {ends[0]} to {ends[1]}")]
        rows.append(("|Z|", f"{amount(float(size.min()), 'ohm')} to {amount(float(size.max()), 'ohm')}"))
        low = int(np.argmin(f))
        rows.append((f"Z at {amount(float(f[low]), 'Hz')}", _complex(complex(self.impedance[low]))))
        known = "not known" if self.uncertainty is None else f"at most {float(np.max(self.uncertainty / size)):.1e} |Z|"
        rows.append(("uncertainty", known))
        for name, each in self.electrodes.items():
            rows.append((f"  {name} electrode", f"{_complex(complex(each.impedance[low]))} at {amount(float(f[low]), 'Hz')}"))
        return f"Spectrum of {self.name}" if self.name else "Spectrum", rows

    def picture(self) -> Picture:
        """Return -Im Z over Re Z, of both electrodes as well where a reference tells them apart."""
        more = {f"{name} electrode": each for name, each in self.electrodes.items()}
        return plane.impedance_plane({"Z": self, **more}, looks=(DATA, *BACKENDS), title=self.name)

    def to_pandas(self) -> Any:
        """Return a table with an index of frequencies in Hz and the columns of the CSV file.

        Returns
        -------
        pandas.DataFrame
            Re(Z)/Ohm, Im(Z)/Ohm and, where it is known, u(Z)/Ohm over freq/Hz.
        """
        import pandas as pd

        columns = {"Re(Z)/Ohm": self.impedance.real, "Im(Z)/Ohm": self.impedance.imag}
        if self.uncertainty is not None:
            columns["u(Z)/Ohm"] = self.uncertainty
        return pd.DataFrame(columns, index=pd.Index(self.frequency, name="freq/Hz"))

    def to_xarray(self) -> Any:
        """Return a labelled data set over frequency, with units and provenance.

        Returns
        -------
        xarray.Dataset
            impedance (complex, ohm) and, where it is known, uncertainty (ohm) over frequency (Hz); provenance as JSON.
        """
        import xarray as xr

        made: dict[str, Any] = {"impedance": ("frequency", self.impedance, {"units": "ohm"})}
        if self.uncertainty is not None:
            made["uncertainty"] = ("frequency", self.uncertainty, {"units": "ohm"})
        over = {"frequency": ("frequency", self.frequency, {"units": "Hz"})}
        return xr.Dataset(made, over, {"provenance": json_text(dict(self.provenance))})

    def save(self, path: str | os.PathLike[str], header: bool = True) -> None:
        """Write freq/Hz,Re(Z)/Ohm,Im(Z)/Ohm and, where known, u(Z)/Ohm: every float exactly.

        Provenance goes into a JSON file beside it, of the same stem, tied to the CSV by its SHA-256. Spectra of the electrodes
        are CSV files of their own, STEM_working.csv and STEM_counter.csv. Folders are created.

        Parameters
        ----------
        path
            Of the CSV file.
        header
            Whether the first line names the columns.

        Raises
        ------
        InputError
            Where a file cannot be written, or the JSON file is another's.
        """
        columns = [self.frequency, self.impedance.real, self.impedance.imag]
        columns += [] if self.uncertainty is None else [self.uncertainty]
        title = HEADER + ",u(Z)/Ohm" * (self.uncertainty is not None)
        rows = [",".join(map(repr, row)) for row in np.column_stack(columns).tolist()]
        text = "\n".join([title] * header + rows) + "\n"
        beside = Path(path).with_suffix(".json") if Path(path).name else Path(path)
        if beside == Path(path):
            raise InputError("the name of a CSV file must not be empty or end in .json", file=path)
        ours = _sidecar(beside)
        if (self.provenance or self.electrodes) and ours is None and beside.exists():
            raise InputError(f"would be overwritten by the provenance of {Path(path).name}", file=beside)
        write_text(path, text)
        if self.provenance or self.electrodes:
            record = {"spectrum": Path(path).name, "sha256": _digest(text), "provenance": self.provenance}
            if self.electrodes:
                record["electrodes"] = {name: _electrode(path, name).name for name in self.electrodes}
            for name, each in self.electrodes.items():
                each.save(_electrode(path, name), header)
            write_text(beside, json_text(record) + "\n")
        elif ours is not None:
            beside.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Spectrum:
        """Return the spectrum in a file: one that `save` wrote, or a measured one, of an instrument or any table.

        Columns of a table are separated by commas, semicolons, tabs or blanks, and named in a line: frequency, Re(Z), Z', -Z''
        or |Z| and phase (those with a minus are negated), with a unit or without; others, and what stands above that
        line, are passed over. Without names: frequency, real part, imaginary part and, in a fourth, uncertainty.
        Rows stay as they are, in their order; what else the file says is `provenance["measured"]`: its format, area,
        temperature and comments, and the rows and names of its sweeps where it has several (`sweeps`). Formats of instruments
        are those of `spectra.instruments`. Warns if the sidecar belongs to other data.

        Parameters
        ----------
        path
            Of the file.

        Raises
        ------
        InputError
            With file and line, for what is no spectrum.
        """
        from fem_constriction.spectra.instruments.registry import measured  # a dozen formats, for whoever reads one

        data = read_bytes(path, MOST_BYTES)
        try:
            file = measured(os.fspath(path), data)
        except InputError as error:
            raise error.vary(remedy=other) if (other := reader(path, "Spectrum")) else error from None
        rows: dict[str, list[float]] = {key: [] for key in ("f", "re", "im", "u")}
        parts = []
        for each in file.sweeps:
            begin = len(rows["f"])
            for key, column in rows.items():
                column += each.columns[key]
            parts.append({"name": each.name, "first": begin + 1, "last": len(rows["f"])})
        impedance = np.array(rows["re"]) + 1j * np.array(rows["im"])
        record = _sidecar(Path(path).with_suffix(".json")) or {}
        provenance = dict(record.get("provenance", {}))
        if record and record.get("sha256") != hashlib.sha256(data).hexdigest():
            warnings.warn(f"{path}: has changed since its provenance was written; left out", LeftOutWarning, stacklevel=2)
            provenance, record = {}, {}
        parts_of = {name: _electrode(path, name) for name in record.get("electrodes", ()) if _electrode(path, name).exists()}
        electrodes = {name: cls.load(each) for name, each in parts_of.items()}
        details = file.details | ({"sweeps": parts} if len(parts) > 1 else {})
        if details and "measured" not in provenance:
            provenance["measured"] = details
        uncertainty = rows["u"] if len(rows["u"]) == len(rows["f"]) else None
        return cls(np.array(rows["f"]), impedance, uncertainty, provenance, electrodes)  # type: ignore[arg-type]


def _array(name: str, values: ArrayLike, kind: type[Any], unit: str) -> NDArray[Any]:
    try:
        array = array_in(unit, values, name)
        if np.iscomplexobj(array) and kind is np.float64:
            raise InputError(f"{name} is complex, and must be real")
        array = np.array(array, dtype=kind)
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(key=name, value=values, allowed="an array of numbers") from None
    if array.ndim != 1 or array.size == 0:
        allowed = "must have one dimension and at least one value"
        raise InputError(f"{name} has the shape {array.shape}, and {allowed}")
    return array


def _refuse(name: str, array: NDArray[Any], wrong: NDArray[np.bool_], allowed: str) -> None:
    if wrong.any():
        raise InputError(key=name, value=array[wrong][0], allowed=allowed)


def _complex(z: complex) -> str:
    """Z in ohm in words: 146.394 kohm - 3.2 kohm i."""
    return f"{amount(z.real, 'ohm')} {'-' if z.imag < 0 else '+'} {amount(abs(z.imag), 'ohm')} i"


def _electrode(path: str | os.PathLike[str], name: str) -> Path:
    """Where the spectrum of an electrode is written, beside that of the cell."""
    return Path(path).with_name(f"{Path(path).stem}_{name}.csv")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _sidecar(path: Path) -> dict[str, Any] | None:
    """The record in a sidecar that `save` wrote, None for anything else."""
    try:
        record = json.loads(read_text(path))
    except (ValueError, RecursionError):
        return None
    ours = isinstance(record, dict) and {"spectrum", "sha256", "provenance"} <= set(record)
    return record if ours else None
