"""One frozen description: read with units, written without loss, wrong input refused in one sentence."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.constants import epsilon_0

from fem_constriction.cell.cell import Cell
from fem_constriction.errors import InputError

CELLS = sorted((Path(__file__).parents[1] / "data" / "cells").glob("*.toml"))
FIGURE_2 = next(path for path in CELLS if path.name == "figure-2-25.toml")
TEXT = FIGURE_2.read_text(encoding="utf-8")
REQUIRED: dict[str, Any] = {
    "geometry": {"width": 1.0, "thickness": 1.0},
    "electrolyte": {"conductivity": 1.0},
    "working_electrode": {"contact": {"shape": "square", "fraction": 0.25}},
}

positive = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
ordinary = st.floats(1e-9, 1.0)
nonnegative = st.floats(min_value=0, allow_infinity=False)


def some(required: dict[str, Any], optional: dict[str, Any] | None = None) -> Any:
    return st.fixed_dictionaries(required, optional=optional or {})


transfer = some({"resistance": positive}, {"capacitance": nonnegative})
pore = st.one_of(
    some({"capacitance": nonnegative}),
    some({"depth": positive, "relative_permittivity": nonnegative}, {"conductivity": nonnegative}),
    some({"depth": positive, "conductivity": nonnegative}),
)
boundaries = some(
    {"layers": st.integers(1, 1000), "thickness": positive, "conductivity": positive},
    {"relative_permittivity": nonnegative},
)
face = st.one_of(
    st.tuples(ordinary, st.floats(0, 1)),
    st.tuples(st.tuples(ordinary, ordinary), st.sampled_from([0.0, 1.0, 1e-9])),
)


@st.composite
def cells(draw: Any) -> Cell:
    width, fraction = draw(face)
    contact = {"shape": "square", "fraction": fraction}
    sections = {
        "title": draw(st.text(st.characters(codec="utf-8"), max_size=10)),
        "geometry": {"width": width, "thickness": draw(positive)},
        "electrolyte": draw(
            some(
                {"conductivity": positive},
                {"relative_permittivity": nonnegative, "grain_boundaries": boundaries},
            )
        ),
        "working_electrode": draw(some({"contact": st.just(contact)}, {"charge_transfer": transfer, "pore": pore})),
        "counter_electrode": draw(some({}, {"charge_transfer": transfer})),
    }
    return Cell(**sections)


# what is read


@pytest.mark.parametrize("path", CELLS, ids=lambda path: path.stem)
def test_the_example_cells_load_and_return(path: Path) -> None:
    cell = Cell.load(path)
    assert cell.title and cell.geometry.lengths == (5e-05, 5e-05, 5e-05)
    assert cell.electrolyte.conductivity == 0.046
    assert Cell.loads(cell.dumps()) == cell


def test_figure_2_is_in_si() -> None:
    cell = Cell.load(FIGURE_2)
    assert cell.title == "Figure 2, 25 % contact"
    assert cell.geometry.width == cell.geometry.thickness == 5e-05
    assert (cell.electrolyte.conductivity, cell.electrolyte.relative_permittivity) == (0.046, 150)
    boundaries = cell.electrolyte.grain_boundaries
    assert boundaries is not None
    assert (boundaries.layers, boundaries.thickness, boundaries.conductivity) == (50, 1e-08, 5.97e-4)
    assert boundaries.relative_permittivity == 150
    electrode = cell.working_electrode
    assert (electrode.contact.shape, electrode.contact.fraction) == ("square", 0.25)
    assert electrode.charge_transfer is not None and electrode.pore is not None
    assert (electrode.charge_transfer.resistance, electrode.charge_transfer.capacitance) == (1e-4, 8.85)
    assert (electrode.pore.areal_capacitance, electrode.pore.areal_conductance) == (0.0885, 0.0)
    assert cell.counter_electrode.charge_transfer is None
    assert cell.area == pytest.approx(2.5e-9, rel=1e-15)
    assert cell.contact_area == pytest.approx(6.25e-10, rel=1e-15)
    assert cell.contact_sides == pytest.approx((2.5e-05, 2.5e-05), rel=1e-15)


def test_what_is_left_out_is_ideal_insulating_or_zero() -> None:
    cell = Cell(**REQUIRED)
    assert cell.title == "" and cell.electrolyte.relative_permittivity == 0
    assert cell.electrolyte.grain_boundaries is None
    assert cell.working_electrode.charge_transfer is None and cell.working_electrode.pore is None
    assert cell.counter_electrode.charge_transfer is None
    with_transfer = cell.vary({"counter_electrode.charge_transfer.resistance": 1}).counter_electrode.charge_transfer
    assert with_transfer is not None and with_transfer.capacitance == 0


def test_a_pore_is_a_capacitance_or_a_filling() -> None:
    electrode = {**REQUIRED["working_electrode"], "pore": {"depth": "1 nm", "relative_permittivity": 10}}
    filled = Cell(**{**REQUIRED, "working_electrode": electrode})
    assert filled.working_electrode.pore is not None
    assert filled.working_electrode.pore.areal_capacitance == pytest.approx(10 * epsilon_0 / 1e-9)
    assert filled.working_electrode.pore.areal_conductance == 0
    leaky = filled.vary({"working_electrode.pore.conductivity": "1 uS/cm"}).working_electrode.pore
    assert leaky is not None and leaky.areal_conductance == pytest.approx(1e-4 / 1e-9)


# what is written


@settings(deadline=None, derandomize=True)
@given(cell=cells())
def test_loading_what_was_saved_gives_an_equal_cell(cell: Cell) -> None:
    again = Cell.loads(cell.dumps())
    assert again == cell and hash(again) == hash(cell)


def test_it_is_written_in_si_and_without_what_is_left_out(tmp_path: Path) -> None:
    cell = Cell.load(FIGURE_2)
    cell.save(tmp_path / "new" / "cell.toml")
    data = tomllib.loads((tmp_path / "new" / "cell.toml").read_text())
    assert data["geometry"] == {"width": "5e-05 m", "thickness": "5e-05 m"}
    assert data["working_electrode"]["charge_transfer"]["resistance"] == "0.0001 ohm m^2"
    assert "counter_electrode" not in data
    assert Cell.load(tmp_path / "new" / "cell.toml") == cell


def test_a_rectangular_face_is_written_as_two_lengths() -> None:
    cell = Cell.loads(TEXT).vary({"geometry.width": ["50 um", "100 um"]})
    assert cell.geometry.lengths == (5e-05, 1e-04, 5e-05)
    assert tomllib.loads(cell.dumps())["geometry"]["width"] == ["5e-05 m", "0.0001 m"]
    assert Cell.loads(cell.dumps()) == cell
    assert cell.vary({"geometry.width": ["50 um", 5e-05]}) == Cell.loads(TEXT)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cell\.toml: cannot be written \(.*file is not a folder\)"):
        Cell.load(FIGURE_2).save(tmp_path / "file" / "cell.toml")


# frozen, varied by a copy


def test_a_cell_is_frozen_and_hashable() -> None:
    cell = Cell.load(FIGURE_2)
    with pytest.raises(ValueError, match="frozen"):
        cell.title = "other"
    assert len({cell, Cell.load(FIGURE_2), cell.vary({"title": "other"})}) == 2


def test_vary_makes_a_validated_copy() -> None:
    cell = Cell.load(FIGURE_2)
    varied = cell.vary(
        {
            "working_electrode.contact.fraction": 0.16,
            "working_electrode.charge_transfer": None,
            "electrolyte.grain_boundaries.layers": np.int64(5),
            "counter_electrode.charge_transfer.resistance": "1 ohm cm^2",
        }
    )
    assert varied.working_electrode.contact.fraction == 0.16 and varied.working_electrode.charge_transfer is None
    assert varied.electrolyte.grain_boundaries is not None and varied.electrolyte.grain_boundaries.layers == 5
    assert varied.counter_electrode.charge_transfer is not None
    assert varied.counter_electrode.charge_transfer.resistance == 1e-4
    assert cell == Cell.load(FIGURE_2)


def test_vary_leaves_out_and_puts_back() -> None:
    cell = Cell.load(FIGURE_2)
    assert cell.vary({}) == cell
    assert cell.vary({"counter_electrode": None, "counter_electrode.charge_transfer.capacitance": None}) == cell
    assert cell.vary({"electrolyte.relative_permittivity": None}).electrolyte.relative_permittivity == 0
    assert cell.vary({"working_electrode.pore": None}).vary({"working_electrode.pore": cell.working_electrode.pore}) == cell
    filled = {"working_electrode.pore.capacitance": None, "working_electrode.pore.depth": "1 nm"}
    varied = cell.vary(filled | {"working_electrode.pore.relative_permittivity": 100})
    assert varied.working_electrode.pore is not None and varied.working_electrode.pore.depth == 1e-9


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"working_electrode.contact.fracton": 0.16},
            "working_electrode.contact.fracton = 0.16 is not allowed: unknown key, "
            "perhaps working_electrode.contact.fraction is meant",
        ),
        ({"fraction": 0.16}, "unknown key, perhaps working_electrode.contact.fraction is meant"),
        ({"zzz": None}, "zzz = None is not allowed: unknown key, the keys here are title, geometry"),
        ({"geometry.width.x": 1}, "geometry.width.x = 1 is not allowed: unknown key"),
        ({"geometry": None}, "geometry is missing: required is a section with the keys width, thickness"),
        (
            {"geometry": 5, "geometry.width": 1},
            "geometry = 5 is not allowed: a section with the keys width, thickness",
        ),
        ({"geometry.width": None}, "geometry.width is missing: required is a length above 0"),
        (
            {"working_electrode.pore.depth": 1e-9},
            "pore.capacitance = 0.0885 F/m^2 is not allowed together with depth",
        ),
        ({"working_electrode.contact.fraction": 2}, "working_electrode.contact.fraction = 2 is not allowed"),
    ],
)
def test_vary_refuses(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        Cell.load(FIGURE_2).vary(changes)
    assert message in str(caught.value)


# the contact


def test_both_ends_of_the_fraction_are_legal() -> None:
    cell = Cell(**REQUIRED).vary({"geometry.width": [2e-05, 5e-05]})
    full = cell.vary({"working_electrode.contact.fraction": 1})
    assert full.contact_sides == (2e-05, 5e-05) and full.contact_area == full.area
    none = cell.vary({"working_electrode.contact.fraction": 0})
    assert none.contact_sides == (0, 0) and none.contact_area == 0


@settings(deadline=None, derandomize=True)
@given(x=ordinary, y=ordinary)
def test_the_largest_square_fits_and_is_never_wider_than_its_face(x: float, y: float) -> None:
    largest = min(x, y) / max(x, y)
    fraction = min(largest, math.nextafter(1, 0))
    cell = Cell(**REQUIRED).vary({"geometry.width": [x, y], "working_electrode.contact.fraction": fraction})
    assert cell.contact_sides[0] == cell.contact_sides[1] <= min(x, y)
    assert cell.contact_sides[0] == pytest.approx(min(x, y), rel=1e-12)


def test_a_square_too_wide_for_its_face_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        Cell(**REQUIRED).vary({"geometry.width": ["50 um", "10 um"]})
    assert str(caught.value) == (
        "working_electrode.contact.fraction = 0.25 is not allowed: a square of side 1.11803e-05 m does not "
        "fit a face of 5e-05 m x 1e-05 m, at most 0.2, or 1 for the whole face"
    )


# wrong input: (what stands in the file, what stands there instead, message)

LENGTH = "a length above 0, a number in m or a string with a unit such as '50 um'"
WIDTH = 'width = "50 um"'
PORE = 'capacitance = "8.85 uF/cm^2"'
EITHER = "either capacitance, or depth with relative_permittivity or conductivity or both"
FRACTION = "a number from 0 to 1 (no unit)"
MEANT = "unknown key, perhaps working_electrode.contact.fraction is meant"
KEYS = (
    "unknown key, the keys here are title, geometry, electrolyte, working_electrode, counter_electrode, temperature, mesh, "
    "reference"
)
LAYERS = "a whole number from 1 (no unit; 1 means no boundary)"
SIEMENS = "'S' has the dimension [current] ** 2 * [time] ** 3 / [mass] / [length] ** 2, not [length]"
RESISTANCE = "an area-specific resistance above 0, a number in ohm m^2 or a string with a unit such as '1 ohm cm^2'"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "fraction =",
            "fracton =",
            f"working_electrode.contact.fracton = 0.25 is not allowed: {MEANT}",
        ),
        (
            "[geometry]",
            "colour = 3\n[geometry]",
            f"colour = 3 is not allowed: {KEYS}",
        ),
        (
            "[geometry]",
            "self = 3\n[geometry]",
            f"self = 3 is not allowed: {KEYS}",
        ),
        (
            "[geometry]",
            "[electrolyte.geometry]",
            "electrolyte.geometry = {'width': '50 um', 'thickness': '50 um'} is not allowed: "
            "unknown key, perhaps geometry is meant",
        ),
        (
            '[geometry]\nwidth = "50 um"\nthickness = "50 um"',
            "",
            "geometry is missing: required is a section with the keys width, thickness",
        ),
        (
            '[working_electrode.contact]\nshape = "square"\nfraction = 0.25',
            "",
            "working_electrode.contact is missing: required is a section with the keys shape, fraction, regions, mesher, "
            "image, pixel, threshold, count, radius, radii, gap, seed, pixels, correlation_length, hurst, repeat",
        ),
        (WIDTH, "", f"geometry.width is missing: required is {LENGTH}"),
        (WIDTH, 'width = "50"', f"geometry.width = '50' is not allowed: {LENGTH}; it has no unit"),
        (
            WIDTH,
            'width = "50 S"',
            f"geometry.width = '50 S' is not allowed: {LENGTH}; {SIEMENS}",
        ),
        (
            WIDTH,
            'width = "50 zz"',
            f"geometry.width = '50 zz' is not allowed: {LENGTH}; 'zz' is not a known unit",
        ),
        (WIDTH, 'width = "-50 um"', f"geometry.width = '-50 um' is not allowed: {LENGTH}"),
        (
            WIDTH,
            'width = "nan um"',
            f"geometry.width = 'nan um' is not allowed: {LENGTH}; it does not begin with a finite number",
        ),
        (WIDTH, "width = nan", f"geometry.width = nan is not allowed: {LENGTH}; it is not finite"),
        (WIDTH, "width = inf", f"geometry.width = inf is not allowed: {LENGTH}; it is not finite"),
        (
            WIDTH,
            "width = true",
            f"geometry.width = True is not allowed: {LENGTH}; true and false are not numbers",
        ),
        (WIDTH, "width = 0", f"geometry.width = 0 is not allowed: {LENGTH}"),
        (
            WIDTH,
            'width = ["50 um"]',
            "geometry.width = ['50 um'] is not allowed: one length or two, [L_x, L_y]",
        ),
        (WIDTH, 'width = ["50 um", "0 um"]', f"geometry.width = '0 um' is not allowed: {LENGTH}"),
        (
            f'{WIDTH}\nthickness = "50 um"',
            f'{WIDTH}\nthickness = "0 m"',
            f"geometry.thickness = '0 m' is not allowed: {LENGTH}",
        ),
        (
            '"0.46 mS/cm"',
            "0",
            "electrolyte.conductivity = 0 is not allowed: a conductivity above 0, "
            "a number in S/m or a string with a unit such as '0.46 mS/cm'",
        ),
        (
            'cm"\nrelative_permittivity = 150\n\n[electrolyte',
            'cm"\nrelative_permittivity = -1\n\n[electrolyte',
            "electrolyte.relative_permittivity = -1 is not allowed: a number of at least 0 (no unit)",
        ),
        (
            'cm"\nrelative_permittivity = 150\n\n[electrolyte',
            'cm"\nrelative_permittivity = "150"\n\n[electrolyte',
            "electrolyte.relative_permittivity = '150' is not allowed: a number of at least 0 (no unit)",
        ),
        (
            "layers = 50",
            "layers = 0",
            f"electrolyte.grain_boundaries.layers = 0 is not allowed: {LAYERS}",
        ),
        (
            "layers = 50",
            "layers = true",
            f"electrolyte.grain_boundaries.layers = True is not allowed: {LAYERS}",
        ),
        (
            "layers = 50",
            "layers = 2.5",
            f"electrolyte.grain_boundaries.layers = 2.5 is not allowed: {LAYERS}",
        ),
        ('"10 nm"', '"0 nm"', f"electrolyte.grain_boundaries.thickness = '0 nm' is not allowed: {LENGTH}"),
        (
            "fraction = 0.25",
            "fraction = 1.5",
            f"working_electrode.contact.fraction = 1.5 is not allowed: {FRACTION}",
        ),
        (
            "fraction = 0.25",
            "fraction = -0.1",
            f"working_electrode.contact.fraction = -0.1 is not allowed: {FRACTION}",
        ),
        (
            "fraction = 0.25",
            "fraction = nan",
            f"working_electrode.contact.fraction = nan is not allowed: {FRACTION}",
        ),
        (
            "fraction = 0.25",
            "fraction = true",
            f"working_electrode.contact.fraction = True is not allowed: {FRACTION}",
        ),
        (
            "fraction = 0.25",
            'fraction = "25 %"',
            f"working_electrode.contact.fraction = '25 %' is not allowed: {FRACTION}",
        ),
        (
            'shape = "square"',
            'shape = "star"',
            "working_electrode.contact.shape = 'star' is not allowed: 'square' or 'disc' or 'regions' or 'mesh' "
            "or 'mask' or 'spots' or 'rough'",
        ),
        (
            '"1 ohm cm^2"',
            '"0 ohm cm^2"',
            "working_electrode.charge_transfer.resistance = '0 ohm cm^2' is not allowed: "
            f"{RESISTANCE}; leave the section out for an ideal contact",
        ),
        (
            'resistance = "1 ohm cm^2"',
            "",
            "working_electrode.charge_transfer.resistance is missing: required is " + RESISTANCE,
        ),
        (
            '"885 uF/cm^2"',
            "-1",
            "working_electrode.charge_transfer.capacitance = -1 is not allowed: an area-specific "
            "capacitance of at least 0, a number in F/m^2 or a string with a unit such as '885 uF/cm^2'",
        ),
        (PORE, "", f"working_electrode.pore is empty: {EITHER}; leave the section out for insulating pores"),
        (
            PORE,
            f'{PORE}\ndepth = "1 nm"',
            f"working_electrode.pore.capacitance = 0.0885 F/m^2 is not allowed together with depth: {EITHER}",
        ),
        (
            PORE,
            f"{PORE}\nconductivity = 0",
            "working_electrode.pore.capacitance = 0.0885 F/m^2 is not allowed together with conductivity: " + EITHER,
        ),
        (PORE, "relative_permittivity = 10", f"working_electrode.pore.depth is missing: {EITHER}"),
        (PORE, 'depth = "1 nm"', f"working_electrode.pore.depth = 1e-09 m is not allowed alone: {EITHER}"),
        (
            "[geometry]",
            "counter_electrode = 1\n[geometry]",
            "counter_electrode = 1 is not allowed: a section with the keys contact, charge_transfer, pore, interphase",
        ),
        ('title = "Figure 2, 25 % contact"', "title = 2", "title = 2 is not allowed: a text"),
        (
            "fraction = 0.25",
            "fraction = 2\nsteps = 1\n",
            "working_electrode.contact.steps = 1 is not allowed: unknown key, the keys here are "
            "shape, fraction, regions, mesher, image, pixel, threshold, count, radius, radii, gap, seed, pixels, "
            "correlation_length, hurst, repeat (and 1 more fault)",
        ),
        (
            "[geometry]",
            "[geometry",
            "not TOML: Expected ']' at the end of a table declaration (at line 3, column 10)",
        ),
        (
            "[geometry]",
            "[electrolyte]\n[geometry]",
            "not TOML: Cannot declare ('electrolyte',) twice (at line 8, column 13)",
        ),
    ],
)
def test_wrong_input_is_refused_in_one_sentence(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in TEXT
    path = tmp_path / "cell.toml"
    path.write_text(TEXT.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        Cell.load(path)
    assert str(caught.value) == f"{path}: {message}"
    assert caught.value.exit_status == 2 and caught.value.__suppress_context__


def test_the_text_of_a_cell_made_in_python_names_no_file() -> None:
    with pytest.raises(InputError) as caught:
        Cell()
    assert str(caught.value) == "geometry is missing: required is a section with the keys width, thickness (and 2 more faults)"
    with pytest.raises(InputError, match=r"^cell\.toml: geometry is missing"):
        Cell.loads("", source="cell.toml")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml: there is no such file$"):
        Cell.load(tmp_path / "none.toml")
    with pytest.raises(InputError, match=": is a directory, not a file$"):
        Cell.load(tmp_path)
    with pytest.raises(InputError, match=r"cannot be read \(not a directory\)$"):
        Cell.load(FIGURE_2 / "cell.toml")
    with pytest.raises(InputError, match="cannot be read"):
        Cell.load("a\0b")
    (tmp_path / "latin.toml").write_bytes(b'title = "\xe9"')
    with pytest.raises(InputError, match=r"latin\.toml: is not UTF-8 text \(byte 9\)$"):
        Cell.load(tmp_path / "latin.toml")
    (tmp_path / "deep.toml").write_text("a = " + "[" * 100_000)
    with pytest.raises(InputError, match=r"deep\.toml: not TOML"):
        Cell.load(tmp_path / "deep.toml")


# the schema


def test_every_key_of_the_schema_says_what_it_is() -> None:
    schema = Cell.json_schema()
    sections = [schema, *schema["$defs"].values()]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["required"] == ["geometry", "electrolyte", "working_electrode"]
    for section in sections:
        assert section["additionalProperties"] is False
        for key, entry in section["properties"].items():
            assert entry["description"], key
            assert "null" not in str(entry)
            if key not in section.get("required", []):
                assert "left out" in entry["description"] or "instead" in entry["description"]
    transfer = schema["$defs"]["ChargeTransfer"]["properties"]
    assert transfer["resistance"]["anyOf"][0] == {"type": "number", "exclusiveMinimum": 0}
    assert "ohm m^2" in transfer["resistance"]["description"]
    assert transfer["capacitance"]["default"] == 0
