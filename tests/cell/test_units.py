"""A quantity is a number in SI or a string with a unit, in every spelling a researcher would use."""

from __future__ import annotations

import math
import time
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pint
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.constants import electron_volt

import fem_constriction as fc
from fem_constriction.budgets import activation_energy, budget
from fem_constriction.cell import usual_units
from fem_constriction.cell.cell import Cell
from fem_constriction.cell.conversion import registry
from fem_constriction.cell.units import parse
from fem_constriction.errors import InputError

THEIRS = pint.UnitRegistry().Quantity
CELL: dict[str, Any] = {
    "geometry": {"width": 5e-5, "thickness": 5e-5},
    "electrolyte": {"conductivity": 0.046},
    "working_electrode": {"contact": {"shape": "square", "fraction": 0.25}},
}

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
        ("1,5 mm", "digits are not grouped and decimals follow a point, as in 1234.5"),
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


# a unit is never dropped: pint alone calls angles, percentages and counts dimensionless


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        (f"{math.tau!r} rad/s", "Hz", 1.0),
        ("360 deg/s", "Hz", 1.0),
        ("60 rpm", "Hz", 1.0),
        ("1 turn/s", "Hz", 1.0),
        ("1 kHz", "Hz", 1e3),
        ("1 /ms", "1/s", 1e3),
        ("45 deg", "rad", math.pi / 4),
        ("45\N{DEGREE SIGN}", "rad", math.pi / 4),
        ("0.785398 rad", "rad", 0.785398),
        ("50 grad", "rad", math.pi / 4),
        ("60 degC", "K", 333.15),
        ("-10 \N{DEGREE CELSIUS}", "K", 263.15),
        ("140 degF", "K", 333.15),
        ("333.15 K", "K", 333.15),
        ("50um", "m", 5e-5),
        ("50 \N{MICRO SIGN}m", "m", 5e-5),
        ("50 \N{GREEK SMALL LETTER MU}m", "m", 5e-5),
        ("5e-5 m", "m", 5e-5),
        ("\N{FULLWIDTH DIGIT FIVE}\N{FULLWIDTH DIGIT ZERO} um", "m", 5e-5),
        ("\N{MINUS SIGN}5 um", "m", -5e-6),
        ("1 S s/m^2", "F/m^2", 1.0),
        ("1 V/A", "ohm", 1.0),
    ],
)
def test_texts_with_units_and_their_values(text: str, unit: str, value: float) -> None:
    assert parse(text, unit) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "unit", "reason"),
    [
        ("1 /s", "Hz", "'/s' may count periods or radians: write Hz or rad/s"),
        ("1 Hz", "1/s", "'Hz' may count periods or radians: write 1/s"),
        ("1 rad/s", "1/s", "'rad/s' is a multiple of 1/s times radian, not of 1/s"),
        ("1 Bq", "Hz", "'Bq' is a multiple of Hz times count, not of Hz"),
        ("50 um rad", "m", "'um rad' is a multiple of m times radian, not of m"),
        ("50 um sr", "m", "'um sr' is a multiple of m times radian ** 2, not of m"),
        ("50 um\N{DEGREE SIGN}", "m", "is not a known unit"),
        ("50 bit um", "m", "'bit um' is a multiple of m times bit, not of m"),
        ("0.46 mS/cm/deg", "S/m", "'mS/cm/deg' is a multiple of S/m times 1 / radian, not of S/m"),
        ("1 ohm cm^2 rad", "ohm m^2", "is a multiple of ohm m^2 times radian, not of ohm m^2"),
        ("1 uF/cm^2/turn", "F/m^2", "is a multiple of F/m^2 times 1 / radian, not of F/m^2"),
        ("50 um %", "m", "'um %' is not allowed here, m is: percent is no unit of it"),
        ("50 ppm m", "m", "ppm is no unit of it"),
        ("45", "rad", "it has no unit"),
        ("1 m/m", "rad", "'m/m' is a multiple of rad times 1 / radian, not of rad"),
        ("50 %", "rad", "'%' is a multiple of rad times 1 / radian, not of rad"),
        ("3 dB", "rad", "not of rad"),
        ("3 dB m", "m", "'dB m' is not "),  # known or allowed, as the version of pint has it
        ("20 delta_degC", "K", "delta degree Celsius is no unit of it"),
        ("20 C", "K", "has the dimension [current] * [time], not [temperature]"),
        ("1_000 um", "m", "digits are not grouped and decimals follow a point, as in 1234.5"),
        ("1'000 um", "m", "digits are not grouped"),
        ("50 um um", "m", "has the dimension [length] ** 2, not [length]"),
        ("9**9**9 um", "m", "'**9**9 um' is not a known unit"),
        ("1e9999999999", "m", "it has no unit"),
        ("1e9999999999 um", "m", "it is not finite"),
        ("(" * 5000 + "m" + ")" * 5000, "m", "it is longer than 200 characters"),
        ("1 " + "(" * 50 + "m", "m", "is not a known unit"),
        ("1 km^(99*99*99*99)/m^(99*99*99*99) m", "m", ""),
        ("1 __import__", "m", "is not a known unit"),
        ("9" * 10**6 + " um", "m", "it is longer than 200 characters"),
        ("5\x1b[31m um", "m", r"'\x1b[31m um' is not a known unit"),
    ],
)
def test_texts_that_are_refused_at_once_and_why(text: str, unit: str, reason: str) -> None:
    begin = time.monotonic()
    with pytest.raises(InputError) as caught:
        parse(text, unit)
    told = str(caught.value)
    assert reason in told and len(told) < 500 and told.isprintable()
    assert time.monotonic() - begin < 2


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (THEIRS(50, "um"), 5e-5),
        (THEIRS(Fraction(1, 2), "mm"), 5e-4),
        (THEIRS(np.array(50), "um"), 5e-5),
        (registry().Quantity(Decimal(50), "um"), 5e-5),
        (SimpleNamespace(value=50, unit="um"), 5e-5),
        (xr.DataArray(50, attrs={"units": "um"}), 5e-5),
        (xr.DataArray(THEIRS(np.array(50), "um")), 5e-5),
        (np.array(5e-5), 5e-5),
        (Decimal("5e-5"), 5e-5),
        (np.str_("50 um"), 5e-5),
    ],
)
def test_a_number_of_another_library_keeps_its_unit(value: Any, wanted: float) -> None:
    assert parse(value, "m") == wanted


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (THEIRS(50, "kg"), "has the dimension [mass], not [length]"),
        (THEIRS(50, "um rad"), "is a multiple of m times radian, not of m"),
        (THEIRS(50, ""), "it has no unit"),
        (THEIRS([1, 2], "um"), "it is neither a number nor a string"),
        (THEIRS(math.nan, "um"), "it is not finite"),
        (xr.DataArray(50, attrs={"units": "parsec2"}), "has the dimension [length] ** 2, not [length]"),
        (SimpleNamespace(unit="um"), "its unit 'um' is of a kind that is not understood"),
        (np.array(True), "true and false are not numbers"),
        (np.array([5e-5]), "it is neither a number nor a string"),
        (np.ma.masked, "it is masked"),
        (np.timedelta64(5, "s"), "it is neither a number nor a string"),
        (b"50 um", "it is neither a number nor a string"),
    ],
)
def test_an_object_that_is_no_such_number_is_refused(value: Any, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(value, "m")
    assert reason in str(caught.value) and len(str(caught.value)) < 500


def test_a_cell_takes_quantities_wherever_it_takes_numbers() -> None:
    plain = Cell(**CELL)
    made = Cell(
        geometry={"width": [THEIRS(50, "um"), 5e-5], "thickness": THEIRS(50, "um")},
        electrolyte={"conductivity": THEIRS(0.46, "mS/cm")},
        working_electrode={"contact": {"shape": "square", "fraction": THEIRS(0.25, "")}},
    )
    assert made == plain
    assert plain.vary({"electrolyte.conductivity": THEIRS(0.46, "mS/cm")}) == plain
    warm = plain.vary({"temperature.value": THEIRS(60, "degC"), "temperature.activation_energy.bulk": THEIRS(30, "kJ/mol")})
    assert warm == plain.vary({"temperature.value": "60 degC", "temperature.activation_energy.bulk": "30 kJ/mol"})
    for key, value in (
        ("geometry.thickness", THEIRS(50, "um rad")),
        ("electrolyte.conductivity", THEIRS(0.46, "mS")),
        ("working_electrode.contact.fraction", THEIRS(25, "percent")),
        ("working_electrode.contact.fraction", THEIRS(0.25, "rad")),
        ("working_electrode.contact.fraction", "0.25 rad"),
        ("electrolyte.relative_permittivity", THEIRS(150, "F/m")),
        ("temperature.value", THEIRS(60, "delta_degC")),
        ("temperature.activation_energy.bulk", THEIRS(30, "kJ/mol/rad")),
    ):
        with pytest.raises(InputError, match=f"^{key} = .* is not allowed"):
            warm.vary({key: value})


def test_coordinates_rates_and_energies_keep_their_units() -> None:
    fields = fc.fields.solve_fields(CELL, "1 kHz", level=0)
    here = fields.potential(1e-5, 2e-5, [1e-6, 2e-6])
    assert fields.potential(THEIRS(10, "um"), THEIRS(20, "um"), THEIRS([1, 2], "um")) == pytest.approx(here)
    assert fields.through(THEIRS([1, 2], "um")) == pytest.approx(fields.through([1e-6, 2e-6]))
    assert fields.section("y", "10 um", nx=3, nz=3).at == fields.section("y", THEIRS(10, "um"), nx=3, nz=3).at == 1e-5
    for wrong in (THEIRS(10, "um rad"), THEIRS(10, "s")):
        with pytest.raises(InputError, match="^x = .* is not allowed: numbers in m"):
            fields.potential(wrong, 0.0, 0.0)
        with pytest.raises(InputError, match="^at = .* is not allowed: a number in m"):
            fields.section("y", wrong)
    found = budget(CELL, backend="fem")
    wanted = activation_energy(found, {"bulk": 0.35 * electron_volt})
    assert activation_energy(found, {"bulk": "0.35 eV"}) == activation_energy(found, {"bulk": THEIRS(0.35, "eV")}) == wanted
    with pytest.raises(InputError, match=r"^energies\.bulk = '0.35' is not allowed: an energy"):
        activation_energy(found, {"bulk": "0.35"})


@pytest.mark.parametrize("unit", sorted(usual_units.POWERS))
def test_what_is_known_without_pint_is_what_pint_says(unit: str) -> None:
    for spelt in usual_units.POWERS[unit]:
        one = registry().Quantity(Decimal(1), registry().parse_units(spelt)).to(registry().parse_units(unit)).magnitude
        assert usual_units.factor(spelt, unit) == one, (spelt, unit)
    assert usual_units.factor("furlong", unit) is None
