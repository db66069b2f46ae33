"""A frequency keeps its unit, wherever it is given and however: read rightly or refused in a sentence."""

from __future__ import annotations

import itertools
import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pint
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import fem_constriction as fc
from fem_constriction.cell.conversion import registry
from fem_constriction.errors import InputError
from fem_constriction.processes.circuits import Arc
from fem_constriction.spectra.frequencies import MOST, frequencies_taken, parse_frequencies
from fem_constriction.spectra.spectrum import Spectrum
from validation import converge, crosscheck, guarantee
from validation.study.plan import Study

FILE = Path(__file__).parents[1] / "data" / "cells" / "figure-2-25.toml"
OURS = registry().Quantity
THEIRS = pint.UnitRegistry().Quantity
TURN = 2 * math.pi


def of_astropy(value: Any, unit: str) -> Any:
    """Something with a value and a unit, as of astropy."""
    return SimpleNamespace(value=value, unit=unit)


class Strict(np.ndarray):
    """An array that carries its unit, as of unyt: numpy alone would drop it."""

    units = "kHz"

    @property
    def value(self) -> Any:
        return self.view(np.ndarray)


TAKEN: list[tuple[Any, list[float]]] = [
    (1e3, [1000.0]),
    (7, [7.0]),
    (np.int8(7), [7.0]),
    (Decimal("0.5"), [0.5]),
    (Fraction(1, 4), [0.25]),
    ("1000", [1000.0]),
    ("1 kHz", [1000.0]),
    ("1kHz", [1000.0]),
    ("1 kHz, 1 MHz", [1e3, 1e6]),
    ("1,10,100", [1.0, 10.0, 100.0]),
    ("1 mHz:1 kHz:3", [1e-3, 1.0, 1e3]),
    ("1:100:3", [1.0, 10.0, 100.0]),
    ("360 deg/s:36000 deg/s:3", [1.0, 10.0, 100.0]),
    (f"{TURN!r} rad/s", [1.0]),
    (f"{TURN!r} krad/s", [1000.0]),
    ("360 deg/s", [1.0]),
    ("60 rpm", [1.0]),
    ("1 turn/s", [1.0]),
    ("2 cycle/ms", [2000.0]),
    ([1, 10], [1.0, 10.0]),
    ((1, "1 kHz"), [1.0, 1000.0]),
    (["1 Hz", "1 kHz"], [1.0, 1000.0]),
    (range(1, 4), [1.0, 2.0, 3.0]),
    (iter([1, 2]), [1.0, 2.0]),
    (np.array([1, 10]), [1.0, 10.0]),
    (np.array(5.0), [5.0]),
    (np.array(["1 Hz", "1 kHz"]), [1.0, 1000.0]),
    (np.array([1.0, 2.0], dtype=np.float32), [1.0, 2.0]),
    (np.ma.array([1.0, 2.0]), [1.0, 2.0]),
    (OURS(1, "kHz"), [1000.0]),
    (OURS([1, 10], "kHz"), [1e3, 1e4]),
    (THEIRS(1, "kHz"), [1000.0]),
    (THEIRS([1, 10], "kHz"), [1e3, 1e4]),
    (THEIRS(np.array(2.5), "MHz"), [2.5e6]),
    (np.array([1, 10]) * THEIRS("kHz"), [1e3, 1e4]),
    ([THEIRS(1, "Hz"), THEIRS(1, "kHz")], [1.0, 1000.0]),
    (THEIRS([TURN, 10 * TURN], "rad/s"), [1.0, 10.0]),
    (THEIRS(360, "deg/s"), [1.0]),
    (THEIRS(60, "rpm"), [1.0]),
    (of_astropy(np.array([1.0, 10.0]), "kHz"), [1e3, 1e4]),
    (of_astropy(TURN, "rad / s"), [1.0]),
    (np.array([1.0, 10.0]).view(Strict), [1e3, 1e4]),
    (pd.Series([1, 10]), [1.0, 10.0]),
    (pd.Series(["1 Hz", "1 kHz"]), [1.0, 1000.0]),
    (pd.Index([1.0, 10.0]), [1.0, 10.0]),
    (xr.DataArray([1.0, 10.0]), [1.0, 10.0]),
    (xr.DataArray(3.0), [3.0]),
    (xr.DataArray([1.0, 10.0], attrs={"units": "kHz"}), [1e3, 1e4]),
    (xr.DataArray(THEIRS([1.0, 10.0], "kHz")), [1e3, 1e4]),
]

REFUSED: list[tuple[Any, str]] = [
    ("1/s", "'1/s': '/s' may count periods or radians: write Hz or rad/s"),
    ("5 s^-1", "may count periods or radians"),
    (THEIRS(1, "1/s"), "may count periods or radians"),
    ("1 Bq", "'Bq' is a multiple of Hz times count, not of Hz"),
    ("1 Hz rad", "is a multiple of Hz times radian, not of Hz"),
    ("1 m", "has the dimension [length]"),
    ("1 mm/s", "has the dimension [length] / [time]"),
    ("1 K", "has the dimension [temperature]"),
    ("1 khz", "'khz' is not a known unit"),
    ("1:1 MHz:61", "a unit belongs to each of the numbers, or to none of them"),
    ("1,10,100 kHz", "a unit belongs to each of the numbers, or to none of them"),
    ("1:100:3 Hz", "n = '3 Hz': n is a whole number"),
    ("1_000", "digits are not grouped"),
    ("1e308", "1e308: a positive number in Hz from 1e-100 to 1e+100"),
    (1e-320, "positive numbers in Hz from 1e-100 to 1e+100"),
    ("1e400", "1e400: a positive number in Hz"),
    ("", "'' is not a number"),
    ("Hz", "'Hz' is not a number"),
    ("nan", "a positive number in Hz"),
    ("-1 kHz", "-1 kHz: a positive number in Hz"),
    ("0", "0: a positive number in Hz (direct current is fc.resistance)"),
    (0, "one or several positive numbers in Hz (direct current is fc.resistance)"),
    (-0.0, "frequencies = -0.0 is not allowed"),
    ([1, -1], "frequencies = -1.0 is not allowed"),
    ([1, math.nan], "it is not finite"),
    (np.array([1, math.inf]), "frequencies = inf is not allowed"),
    (10**400, "it is not finite"),
    (True, "true and false are not numbers"),
    (np.array([True, False]), "true and false are not numbers"),
    ([1, True], "true and false are not numbers"),
    (of_astropy(True, "Hz"), "true and false are not numbers"),
    (1 + 0j, "it is neither a number nor a string"),
    (np.array([1 + 0j]), "it is neither a number nor a string"),
    ([], "it is empty"),
    ((), "it is empty"),
    (np.zeros(0), "it is empty"),
    ({}, "it is neither a number nor a list of numbers"),
    ({1, 2}, "it is neither a number nor a list of numbers"),
    (None, "it is neither a number nor a list of numbers"),
    (b"1", "it is neither a number nor a string"),
    ([[1, 2]], "it is neither a number nor a string"),
    (np.ones((2, 2)), "it has the shape (2, 2), and must have one dimension"),
    (pd.DataFrame({"f": [1, 2]}), "it has the shape (2, 1), and must have one dimension"),
    (THEIRS(np.ones((1, 2)), "Hz"), "it has the shape (1, 2), and must have one dimension"),
    (["1", "10"], "it has no unit"),
    (["1 kg"], "has the dimension [mass]"),
    ([1, None], "it is neither a number nor a string"),
    (THEIRS([1, 10], ""), "it has no unit"),
    (THEIRS([1, 10], "km"), "has the dimension [length]"),
    (THEIRS([-1, 10], "kHz"), "frequencies = -1000.0 is not allowed"),
    (np.ma.array([1.0, 2.0], mask=[False, True]), "some of it is masked"),
    (np.ma.masked, "it is masked"),
    (np.array([1, 2], dtype="m8[s]"), "it is neither a number nor a string"),
    (np.timedelta64(1, "s"), "it is neither a number nor a string"),
    (itertools.count(1), "it has more than 1000000 values"),
    (range(10**12), "it has more than 1000000 values"),
    (SimpleNamespace(unit="kHz", quantity=1), "its unit 'kHz' is of a kind that is not understood"),
]


@pytest.mark.parametrize(("given_", "wanted"), TAKEN, ids=[f"{number}" for number in range(len(TAKEN))])
def test_what_is_taken_and_as_what(given_: Any, wanted: list[float]) -> None:
    found = frequencies_taken(given_)
    assert found.dtype == np.float64 and found.shape == (len(wanted),)
    assert found == pytest.approx(wanted, rel=1e-15)


@pytest.mark.parametrize(("given_", "message"), REFUSED, ids=[f"{number}" for number in range(len(REFUSED))])
def test_what_is_refused_and_why(given_: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        frequencies_taken(given_)
    text = str(caught.value)
    assert text.startswith("frequencies") and message in text and len(text) < 500 and text.isprintable()


def test_rates_are_no_frequencies() -> None:
    assert parse_frequencies("1 1/ms:1e5 1/s:3", "1/s", "rates").tolist() == pytest.approx([1e3, 1e4, 1e5])
    for text in ("1 Hz", "1 rad/s"):
        with pytest.raises(InputError, match="^rates = "):
            frequencies_taken(text, "1/s", "rates")


def test_direct_current_is_a_frequency_where_it_may_be() -> None:
    assert frequencies_taken([0, 1], zero=True).tolist() == frequencies_taken("0,1", zero=True).tolist() == [0.0, 1.0]
    with pytest.raises(InputError, match="of at least 0"):
        frequencies_taken(-1, zero=True)


def test_more_values_than_anybody_means_are_refused_without_making_them() -> None:
    assert len(frequencies_taken(np.ones(MOST))) == MOST
    for many in (f"1:2:{10**12}", "1," * (MOST + 1) + "1"):
        with pytest.raises(InputError):
            frequencies_taken(many)


@settings(deadline=None, derandomize=True)
@given(f=st.floats(1e-6, 1e12), prefix=st.sampled_from(["m", "", "k", "M", "G"]))
def test_a_text_a_quantity_and_an_array_are_the_same_frequency(f: float, prefix: str) -> None:
    text = frequencies_taken(f"{f!r} {prefix}Hz")[0]
    assert text == frequencies_taken(THEIRS(f, f"{prefix}Hz"))[0] == frequencies_taken(OURS([f], f"{prefix}Hz"))[0]
    assert frequencies_taken(f"{f!r} {prefix or ''}rad/s")[0] == pytest.approx(text / TURN, rel=1e-15)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(text=st.text(alphabet="0123456789.:,-eE kMHzrad/s^*()_µ", max_size=24))
def test_any_text_is_positive_numbers_or_a_short_sentence(text: str) -> None:
    try:
        found = frequencies_taken(text)
        assert np.all(np.isfinite(found)) and np.all(found > 0)
    except InputError as error:
        assert len(str(error)) < 500


# wherever frequencies are taken


def test_a_spectrum_is_that_of_the_frequencies_with_their_unit() -> None:
    wanted = fc.solve(fc.Cell.load(FILE), [1e3, 1e4], resolution=8)
    for cell, frequencies in (
        (FILE, THEIRS([1, 10], "kHz")),
        (str(FILE), "1 kHz:10 kHz:2"),
        (fc.Cell.load(FILE).model_dump(), [f"{TURN!r} krad/s", "10 kHz"]),
    ):
        found = fc.solve(cell, frequencies, resolution=8)
        assert found.frequency == pytest.approx(wanted.frequency, rel=1e-15)
        assert found.impedance == pytest.approx(wanted.impedance, rel=1e-12)
    one = fc.solve(FILE, 1e3, resolution=8)
    assert one.frequency.tolist() == [1e3] and one.impedance[0] == pytest.approx(wanted.impedance[0], rel=1e-7)


@pytest.mark.parametrize(
    "call",
    [
        lambda f: fc.solve(FILE, f),
        lambda f: crosscheck(FILE, f),  # type: ignore[arg-type]
        lambda f: guarantee(FILE, f, 1e-2),  # type: ignore[arg-type]
        lambda f: converge(FILE, frequencies=f),  # type: ignore[arg-type]
        lambda f: fc.fields.fields_at(FILE, f),  # type: ignore[arg-type]
        lambda f: fc.fields.solve_fields(FILE, f),  # type: ignore[arg-type]
        lambda f: Study(frequencies=f, axes={"working_electrode.contact.fraction": [0.1]}),
    ],
    ids=["solve", "crosscheck", "guarantee", "converge", "fields_at", "solve_fields", "study"],
)
def test_every_door_refuses_what_is_no_frequency(call: Any) -> None:
    for wrong in (THEIRS([1.0], "m"), "1/s", [True], [1j], [], [[1.0]], math.nan):
        with pytest.raises(InputError):
            call(wrong)


def test_the_frequencies_of_a_study_have_units() -> None:
    axes = {"working_electrode.contact.fraction": [0.1]}
    for given_ in ("1 kHz:1 MHz:4", ["1 kHz", "10 kHz", "100 kHz", "1 MHz"], THEIRS([1, 10, 100, 1000], "kHz")):
        assert Study(frequencies=given_, axes=axes).frequencies == pytest.approx((1e3, 1e4, 1e5, 1e6))


def test_the_values_of_an_axis_have_units() -> None:
    for given_ in (THEIRS([1, 2], "um"), [THEIRS(1, "um"), "2 um"], xr.DataArray([1.0, 2.0], attrs={"units": "um"})):
        assert Study(axes={"geometry.thickness": given_}).axes["geometry.thickness"].values == (1e-6, 2e-6)
    for wrong in (THEIRS([1, 2], "um rad"), THEIRS([[1, 2]], "um"), THEIRS(1, "um")):
        with pytest.raises(InputError, match=r"^axes\.geometry\.thickness"):
            Study(axes={"geometry.thickness": wrong})


def test_spectra_and_circuits_keep_units() -> None:
    spectrum = Spectrum(THEIRS([1, 10], "kHz"), THEIRS([1 - 1j, 2], "kohm"), THEIRS([1, 2], "mohm"))  # type: ignore[arg-type]
    assert spectrum.frequency.tolist() == [1e3, 1e4] and spectrum.impedance.tolist() == [1000 - 1000j, 2000]
    assert spectrum.uncertainty is not None and spectrum.uncertainty.tolist() == [1e-3, 2e-3]
    with pytest.raises(InputError, match="impedance = .* is not allowed: numbers in ohm"):
        Spectrum([1.0], THEIRS([1.0], "mV"))  # type: ignore[arg-type]
    arc = Arc(name="bulk", resistance=1.0, capacitance=1.0)
    assert arc.impedance(THEIRS([1, 10], "kHz")) == pytest.approx(arc.impedance([1e3, 1e4]))  # type: ignore[arg-type]


# what else is given to a solver


@pytest.mark.parametrize("call", [fc.solve, crosscheck, guarantee], ids=["solve", "crosscheck", "guarantee"])
def test_an_accuracy_is_a_number_between_0_and_1(call: Any) -> None:
    for wrong in ("1e-2", True, 0, 1, -1e-3, math.nan, 1j, [1e-2], THEIRS(1, "percent"), "1 %"):
        with pytest.raises(InputError, match="^accuracy = .* is not allowed: a number between 0 and 1, relative to"):
            call(FILE, [1.0], accuracy=wrong)
    with pytest.raises(InputError, match="^tolerance = '1e-3' is not allowed: a number between 0 and 1"):
        crosscheck(FILE, [1.0], tolerance="1e-3")  # type: ignore[arg-type]


def test_a_resolution_is_a_whole_number_and_a_backend_has_a_name() -> None:
    for backend in ("network", "fem"):
        for wrong in ("8", True, 2.5, math.nan, [8], -3, 0):
            with pytest.raises(InputError, match="^resolution = .* is not allowed: a whole number of cells per edge"):
                fc.solve(FILE, 1.0, resolution=wrong, backend=backend)  # type: ignore[arg-type]
    for backend in (1, None, ["network"], fc, object):
        with pytest.raises(InputError, match="^backend = .* is not allowed: the name of an installed one"):
            fc.solve(FILE, 1.0, backend=backend)  # type: ignore[arg-type]


def test_a_cell_may_be_its_file_wherever_a_cell_is_taken(tmp_path: Path) -> None:
    cell = fc.Cell.load(FILE)
    assert fc.resistance(str(FILE), backend="fem") == pytest.approx(fc.resistance(cell, backend="fem"), rel=1e-12)
    assert fc.fields.solve_fields(FILE, "1 kHz", level=0).frequency == 1e3
    doors: list[Any] = [
        lambda what: fc.solve(what, 1.0),
        fc.resistance,
        crosscheck,
        lambda what: guarantee(what, 1.0, 1e-2),
        converge,
        lambda what: fc.fields.fields_at(what, [1.0]),
    ]
    for door in doors:
        with pytest.raises(InputError, match=r"none\.toml: there is no such file"):
            door(tmp_path / "none.toml")
        with pytest.raises(InputError, match="^cell = None is not allowed: a Cell, the path of a cell file, or a dictionary"):
            door(None)
