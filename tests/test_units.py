"""A quantity is a number in SI or a string with a unit, in every spelling a researcher would use."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fem_constriction.errors import InputError
from fem_constriction.units import parse, registry

POSITIVE = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
UNITS = ["m", "S/m", "ohm m^2", "F/m^2"]


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("50 um", "m", 5e-05),
        ("10 nm", "m", 1e-08),
        ("0.046 S/m", "S/m", 0.046),
        ("0.46 mS/cm", "S/m", 0.046),
        ("5.97 uS/cm", "S/m", 5.97e-4),
        ("1 ohm cm^2", "ohm m^2", 1e-4),
        ("885 uF/cm^2", "F/m^2", 8.85),
        ("8.85 uF/cm^2", "F/m^2", 0.0885),
        ("1 MS/m", "S/m", 1e6),
        ("2.2 kHz", "Hz", 2200.0),
    ],
)
def test_conversions_are_exact_to_the_last_bit(text: str, unit: str, value: float) -> None:
    assert parse(text, unit) == value


@pytest.mark.parametrize("area", ["cm2", "cm^2", "cm²", "cm**2", "cm ^ 2", "cm·cm", "cm⋅cm", "cm*cm", "㎠"])
@pytest.mark.parametrize("ohm", ["ohm", "Ohm", "\u03a9", "\u2126", "ohms"])
@pytest.mark.parametrize("times", [" ", "*", " * ", "·", "⋅", "\u00a0", "\u2009", "\u202f", ".", "-"])
def test_every_spelling_of_an_area_resistance(area: str, ohm: str, times: str) -> None:
    assert parse(f"2.5 {ohm}{times}{area}", "ohm m^2") == 2.5e-4


@pytest.mark.parametrize("micro", ["u", "\u00b5", "\u03bc", "micro"])
@pytest.mark.parametrize(
    "unit",
    [
        "F/cm^2",
        "F/cm2",
        "F/cm²",
        "F cm^-2",
        "F cm-2",
        "F·cm⁻²",
        "F·cm\u22122",
        "F*cm**-2",
        "F/(cm*cm)",
        "F/cm/cm",
    ],
)
def test_every_spelling_of_an_area_capacitance(micro: str, unit: str) -> None:
    assert parse(f"885 {micro}{unit}", "F/m^2") == 8.85


@pytest.mark.parametrize("unit", ["mS/cm", "mS cm^-1", "mS cm-1", "mS·cm⁻¹", "mS.cm-1", "1/(kohm cm)", "/(kΩ cm)", "mmho/cm"])
def test_every_spelling_of_a_conductivity(unit: str) -> None:
    assert parse(f"0.46 {unit}", "S/m") == 0.046


@pytest.mark.parametrize(
    "number", ["5e-5", "5E-05", "5e\u22125", "+0.00005", ".00005", "5*10^-5", "5×10⁻⁵", "5 · 10^-5", " 5e-5"]
)
@pytest.mark.parametrize("space", ["", " ", "\u00a0", "\u2009", "\u202f", "*", "·"])
def test_every_spelling_of_a_number(number: str, space: str) -> None:
    assert parse(f"{number}{space}m", "m") == 5e-05


def test_prefixes_keep_their_case() -> None:
    assert parse("1 mS/m", "S/m") == 1e-3
    assert parse("1 MS/m", "S/m") == 1e6
    assert parse("1 mOhm", "ohm") == 1e-3
    assert parse("1 MΩ", "ohm") == 1e6


def test_a_number_is_si_already() -> None:
    assert parse(1, "m") == 1.0
    assert parse(5e-05, "m") == 5e-05
    assert parse(np.float64(0.1), "m") == 0.1
    assert parse(np.int64(3), "m") == 3.0


def test_there_is_one_registry() -> None:
    assert registry() is registry()


@settings(deadline=None, derandomize=True)
@given(number=POSITIVE, unit=st.sampled_from(UNITS))
def test_what_is_written_in_si_is_read_exactly(number: float, unit: str) -> None:
    assert parse(f"{number!r} {unit}", unit) == number


@settings(deadline=None, derandomize=True)
@given(number=st.floats(min_value=1e-200, max_value=1e200))
def test_a_prefix_shifts_the_decimal_point_and_nothing_else(number: float) -> None:
    assert parse(f"{number!r} um", "m") == float(Decimal(repr(number)).scaleb(-6))


@settings(deadline=None, derandomize=True, max_examples=400)
@given(
    text=st.one_of(
        st.text(max_size=12),
        st.text(alphabet="0123456789.+-*/^() eEmuSFΩcµ²%_", max_size=14),
        st.text(alphabet="mcS^*/()-.2 ", max_size=10).map("1 ".__add__),
    )
)
def test_any_text_is_a_finite_number_or_an_input_error(text: str) -> None:
    try:
        assert math.isfinite(parse(text, "m"))
    except InputError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("50", "'50' is not allowed: a number in m or a string with a unit such as '1 m'; it has no unit"),
        ("50 kg", "'kg' has the dimension [mass], not [length]"),
        ("50 %", "'%' has the dimension dimensionless, not [length]"),
        ("50 furlong/fortnight", "has the dimension [length] / [time], not [length]"),
        ("50 zz", "'zz' is not a known unit"),
        ("50 M", "not [length]"),
        ("1,5 mm", "',5 mm' is not a known unit"),
        ("5 1e9 m", "'1e9 m' is not a known unit"),
        ("1 m^9^9^9^9", "is not a known unit"),
        ("1 m^999999999", "is not a known unit"),
        ("1 ((m", "is not a known unit"),
        ("", "it does not begin with a finite number"),
        ("m", "it does not begin with a finite number"),
        ("nan m", "it does not begin with a finite number"),
        ("inf m", "it does not begin with a finite number"),
        ("1e400 m", "it is not finite"),
        ("1e999999999999 km", "it is not finite"),
        ("1e99999999999999999999999 m", "it is not finite"),
        (
            math.nan,
            "nan is not allowed: a number in m or a string with a unit such as '1 m'; it is not finite",
        ),
        (math.inf, "it is not finite"),
        (10**400, "it is not finite"),
        (
            True,
            "True is not allowed: a number in m or a string with a unit such as '1 m'; true and false",
        ),
        (np.True_, "true and false are not numbers"),
        (None, "it is neither a number nor a string"),
        ([1], "it is neither a number nor a string"),
        (1j, "it is neither a number nor a string"),
    ],
)
def test_what_is_refused_and_why(value: object, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(value, "m")
    assert reason in str(caught.value)
    assert " is not allowed: a number in m or a string with a unit such as '1 m'; " in str(caught.value)
