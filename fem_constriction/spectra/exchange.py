"""Spectra of other programs: impedance.py's (f, Z), pyimpspec's DataSet, PyBaMM's EIS; none of them is needed for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from fem_constriction.errors import InputError
from fem_constriction.spectra.spectrum import Spectrum

#: Keys under which tables of other programs have their columns, in Hz and ohm.
_FREQUENCY: Final = ("frequency", "frequencies", "Frequency [Hz]", "freq/Hz", "f")
_IMPEDANCE: Final = ("impedance", "impedances", "Impedance [Ohm]", "Z")


def taken_from(other: Any, *, area: float | None = None) -> Spectrum:
    """Return the spectrum that an object of another program holds.

    Parameters
    ----------
    other
        A pair (f, Z) as impedance.py's `readFile` returns it; a DataSet of pyimpspec, whose masked points are left out; a
        solution of PyBaMM's `EISSimulation`; or a mapping with frequencies and impedances. Hz and ohm.
    area
        What impedances per area are divided by, m2; left out: they are those of the whole cell.

    Returns
    -------
    Spectrum
        In the order given, with where it comes from in its provenance.

    Raises
    ------
    InputError
        For anything else.
    """
    frequency, impedance = _columns(other)
    z = np.asarray(impedance, dtype=np.complex128) / (1.0 if area is None else area)
    origin = type(other).__module__.partition(".")[0]
    return Spectrum(np.asarray(frequency, dtype=float), z, None, {"taken_from": origin})


def _columns(other: Any) -> tuple[Any, Any]:
    if isinstance(other, Spectrum):
        return other.frequency, other.impedance
    if hasattr(other, "get_frequencies") and hasattr(other, "get_impedances"):
        return other.get_frequencies(), other.get_impedances()
    if isinstance(other, Mapping):
        pair = [next((other[key] for key in keys if key in other), None) for keys in (_FREQUENCY, _IMPEDANCE)]
        if all(each is not None for each in pair):
            return pair[0], pair[1]
    if hasattr(other, "frequencies") and hasattr(other, "impedance"):
        return other.frequencies, other.impedance
    if isinstance(other, (tuple, list)) and len(other) == 2:
        return other[0], other[1]
    allowed = (
        "a pair (f, Z), a DataSet of pyimpspec, a solution of PyBaMM's EISSimulation, or a mapping with frequency and impedance"
    )
    raise InputError(key="spectrum", value=type(other).__name__, allowed=allowed)


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
