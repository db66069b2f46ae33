"""Spectra of other programs: impedance.py's (f, Z), pyimpspec's DataSet, PyBaMM's EIS, tables of pandas, data sets of xarray.

None of them is needed for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from fem_constriction.errors import InputError
from fem_constriction.spectra.spectrum import Spectrum
from fem_constriction.spectra.titles import layout

#: Keys under which tables of other programs have their columns, in Hz and ohm.
_FREQUENCY: Final = ("frequency", "frequencies", "Frequency [Hz]", "freq/Hz", "f")
_IMPEDANCE: Final = ("impedance", "impedances", "Impedance [Ohm]", "Z")


def taken_from(other: Any, *, area: float | None = None) -> Spectrum:
    """Return the spectrum that an object of another program holds.

    Parameters
    ----------
    other
        A pair (f, Z) as impedance.py's `readFile` returns it; a DataSet of pyimpspec, whose masked points are left out; a
        solution of PyBaMM's `EISSimulation`; a table of pandas whose columns (and index) are named as those of a file, with
        signs and units, such as "freq/Hz", "Z' / kOhm", "-Im(Z)", or "|Z|" and "phase / deg"; or a mapping, a data set of
        xarray among them, with frequencies and impedances in Hz and ohm.
    area
        What impedances per area are divided by, m2; left out: they are those of the whole cell.

    Returns
    -------
    Spectrum
        In the order given, with where it comes from in its provenance, and with the uncertainty where it is there.

    Raises
    ------
    InputError
        For anything else.
    """
    frequency, impedance, known = _columns(other)
    size = 1.0 if area is None else area
    z = np.asarray(impedance, dtype=np.complex128) / size
    u = None if known is None else np.asarray(known, dtype=float) / size
    origin = type(other).__module__.partition(".")[0]
    return Spectrum(np.asarray(frequency, dtype=float), z, u, {"taken_from": origin})


def _columns(other: Any) -> tuple[Any, Any, Any]:
    """Frequency, impedance and, where it is known, uncertainty."""
    if isinstance(other, Spectrum):
        return other.frequency, other.impedance, other.uncertainty
    if hasattr(other, "get_frequencies") and hasattr(other, "get_impedances"):
        return other.get_frequencies(), other.get_impedances(), None
    if hasattr(other, "reset_index") and hasattr(other, "columns") and (found := _of_table(other)) is not None:
        return found
    if isinstance(other, Mapping) or hasattr(other, "reset_index"):
        pair = [next((other[key] for key in keys if key in other), None) for keys in (_FREQUENCY, _IMPEDANCE)]
        if all(each is not None for each in pair):
            return pair[0], pair[1], other["uncertainty"] if "uncertainty" in other else None  # noqa: SIM401  # xarray has no get
    if hasattr(other, "frequencies") and hasattr(other, "impedance"):
        return other.frequencies, other.impedance, None
    if isinstance(other, (tuple, list)) and len(other) == 2:
        return other[0], other[1], None
    raise InputError(
        key="spectrum",
        value=type(other).__name__,
        allowed="a pair (f, Z), a DataSet of pyimpspec, a solution of PyBaMM's EISSimulation, a table of pandas with columns "
        "such as freq/Hz, Re(Z)/Ohm and Im(Z)/Ohm, or a mapping with frequency and impedance",
    )


def _of_table(other: Any) -> tuple[Any, Any, Any] | None:
    """The columns of a table of pandas, an index with a name among them; None where they are not named as a spectrum's."""
    table = other.reset_index() if any(name is not None for name in other.index.names) else other
    kinds = layout([str(title) for title in table.columns], "spectrum")
    if kinds is None:
        return None
    values = {
        kind.kind: kind.factor * table.iloc[:, place].to_numpy(dtype=float) for place, kind in enumerate(kinds) if kind.kind
    }
    f, u = values.get("f", values.get("omega")), values.get("u")
    if "re" in values:
        return f, values["re"] + 1j * values["im"], u
    return f, values["modulus"] * np.exp(1j * np.radians(values["phase"])), u


def to_impedance_py(spectrum: Spectrum) -> tuple[Any, Any]:
    """Return (f, Z) in Hz and ohm, (n,) each, as the fits of impedance.py take them: `CustomCircuit(...).fit(f, Z)`.

    Parameters
    ----------
    spectrum
        In any order; the highest frequency comes first there.

    Returns
    -------
    tuple of numpy.ndarray
        Copies.
    """
    order = np.argsort(spectrum.frequency)[::-1]
    return spectrum.frequency[order].copy(), spectrum.impedance[order].copy()


def to_pyimpspec(spectrum: Spectrum, label: str = "") -> Any:
    """Return the spectrum as a DataSet of pyimpspec.

    Parameters
    ----------
    spectrum
        Any.
    label
        What the data set is called.

    Returns
    -------
    pyimpspec.DataSet
        With all points.

    Raises
    ------
    InputError
        Where pyimpspec is not installed.
    """
    try:
        from pyimpspec import DataSet
    except ImportError:
        raise InputError(key="pyimpspec", why="it is not installed", remedy="pip install pyimpspec (GPL)") from None
    frequency, impedance = to_impedance_py(spectrum)
    return DataSet(frequencies=frequency, impedances=impedance, label=label)
