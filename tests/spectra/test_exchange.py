"""Spectra and circuits go to other programs and come back as they were; stand-ins where a program is not installed."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.fitting.notation import parse
from fem_constriction.spectra.exchange import taken_from, to_impedance_py, to_pyimpspec

F = np.geomspace(1e5, 1.0, 11)
Z = 10 + 100 / (1 + 2e-3j * np.pi * F)


class DataSet:
    """The members of pyimpspec's: masked points are left out unless they are asked for."""

    def __init__(self, frequencies: np.ndarray, impedances: np.ndarray, label: str = "") -> None:
        self.frequencies, self.impedances, self.label, self.mask = frequencies, impedances, label, {2: True}

    def get_frequencies(self) -> np.ndarray:
        return np.delete(self.frequencies, list(self.mask))

    def get_impedances(self) -> np.ndarray:
        return np.delete(self.impedances, list(self.mask))


class EISSolution:
    """The members of PyBaMM's."""

    frequencies, impedance = F, Z


@pytest.mark.parametrize("other", [(F, Z), EISSolution(), {"Frequency [Hz]": F, "Impedance [Ohm]": Z}, {"f": F, "Z": Z}])
def test_what_others_hold_is_taken(other: object) -> None:
    found = taken_from(other)
    np.testing.assert_array_equal(found.frequency, F)
    np.testing.assert_array_equal(found.impedance, Z)


def test_masked_points_stay_out_and_areas_are_taken_off() -> None:
    found = taken_from(DataSet(F, Z), area=1e-4)
    assert len(found) == 10
    np.testing.assert_allclose(found.impedance, np.delete(Z, 2) * 1e4, rtol=1e-15)


def test_tables_and_data_sets_come_back_with_signs_units_and_uncertainties() -> None:
    pandas = pytest.importorskip("pandas")
    known = fc.Spectrum(F, Z, 1e-3 * np.abs(Z))
    for made in (known.to_pandas(), known.to_pandas().reset_index(), known.to_xarray()):
        found = taken_from(made)
        np.testing.assert_array_equal(found.frequency, F)
        np.testing.assert_array_equal(found.impedance, Z)
        np.testing.assert_array_equal(found.uncertainty, known.uncertainty)
    table = {"f / kHz": F / 1e3, "sample": "a", "|Z| / kOhm": np.abs(Z) / 1e3, "-phase / deg": -np.angle(Z, deg=True)}
    np.testing.assert_allclose(taken_from(pandas.DataFrame(table)).impedance, Z, rtol=1e-14)
    np.testing.assert_allclose(taken_from(pandas.DataFrame({"f": F, "Z": Z})).impedance, Z, rtol=1e-15)
    with pytest.raises(InputError, match="a table of pandas with columns"):
        taken_from(pandas.DataFrame({"a": F, "b": Z}))


def test_the_highest_frequency_comes_first_there() -> None:
    frequency, impedance = to_impedance_py(fc.Spectrum(F[::-1], Z[::-1]))
    np.testing.assert_array_equal(frequency, F)
    np.testing.assert_array_equal(impedance, Z)


@pytest.mark.filterwarnings("ignore:Importing from numpy.matlib:PendingDeprecationWarning")  # of what it stands on
def test_a_data_set_of_pyimpspec_comes_back() -> None:
    import pyimpspec  # a second and a half, for this test alone

    made = to_pyimpspec(fc.Spectrum(F, Z), "planted")
    assert isinstance(made, pyimpspec.DataSet)
    assert made.get_label() == "planted"
    np.testing.assert_allclose(taken_from(made).impedance, Z, rtol=1e-12)


def test_a_program_that_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(importlib.import_module("sys").modules, "pyimpspec", None)
    with pytest.raises(InputError, match="pip install pyimpspec"):
        to_pyimpspec(fc.Spectrum(F, Z))


def test_anything_else_is_refused() -> None:
    with pytest.raises(InputError, match="a pair"):
        taken_from(3.0)


@pytest.mark.parametrize("text", ["R0-p(R1,C1)-p(R2-Ws2,CPE2)", "R0-L0-p(R1,CPE1)-W2"])
def test_circuits_go_both_ways(text: str) -> None:
    """impedance.py's notation is written and read as it is; pyimpspec's code is read as the same circuit."""
    assert parse(text).text == text
    again = parse(parse(text).code)
    assert [part.kind for part in again.parts] == [part.kind for part in parse(text).parts]
