"""What is wrong is said in one short sentence of the right key, whatever was typed, and however it was read."""

from __future__ import annotations

import copy
import os
import pickle
import time
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, ValidationError, field_validator, model_validator

from fem_constriction.cell.cell import Cell
from fem_constriction.cell.faults import fault
from fem_constriction.cell.section import Section
from fem_constriction.errors import LONGEST, Absent, ComputationError, InputError, MemoryShort, NotAgreed, Written, show
from fem_constriction.files import DEEPEST

TEXT = (Path(__file__).parents[1] / "data" / "cells" / "figure-2-25.toml").read_text(encoding="utf-8")
SQUARE = 'shape = "square"\nfraction = 0.25'
REGION = "shape, centre, radius, semi_axes, size, angle, vertices"
ROOT = "title, geometry, electrolyte, working_electrode, counter_electrode, temperature, mesh"


def said(text: str) -> str:
    with pytest.raises(InputError) as caught:
        Cell.loads(text)
    return str(caught.value)


def regions(listed: str) -> str:
    return TEXT.replace(SQUARE, f'shape = "regions"\nregions = {listed}')


# unknown keys and wrong kinds


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        (
            '[{shape = "disc", centre = [1e-5, 1e-5], radus = 1e-6}]',
            "regions.0.radus = 1e-06 is not allowed: unknown key, perhaps working_electrode.contact.regions.0.radius is meant",
        ),
        (
            '[{shape = "disc", centre = [1e-5, 1e-5], radius = 1e-6}, {shape = "disc", colour = 1}]',
            "regions.1.colour = 1 is not allowed: unknown key, the keys here are working_electrode.contact.regions.1.shape, ",
        ),
        ('"disc"', f"regions = 'disc' is not allowed: a list of sections with the keys {REGION}"),
        ('{shape = "disc"}', f"regions = {{'shape': 'disc'}} is not allowed: a list of sections with the keys {REGION}"),
        ("[1]", f"regions.0 = 1 is not allowed: a section with the keys {REGION}"),
        ("[[]]", f"regions.0 = [] is not allowed: a section with the keys {REGION}"),
        ("[]", "regions is missing: shape 'regions' needs at least one of them"),
        ("[{}]", "regions.0.shape is missing: required is 'disc' or 'ellipse' or 'rectangle' or 'polygon'"),
    ],
)
def test_a_fault_in_a_list_names_the_item_and_what_its_section_takes(listed: str, message: str) -> None:
    assert message in said(regions(listed))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"50 um"', "1979-05-27T07:32:00Z", "it is neither a number nor a string"),
        ("fraction = 0.25", "fraction = 07:32:00", "fraction = datetime.time(7, 32) is not allowed: a number from 0 to 1"),
        ("[geometry]", "[[geometry]]", "is not allowed: a section with the keys width, thickness"),
        ('"50 um"', "{a = 1}", "geometry.width = {'a': 1} is not allowed: a length above 0"),
        ('"50 um"', '[[["50 um"]]]', "geometry.width = [[['50 um']]] is not allowed: one length or two"),
        ('"50 um"', "1e400", "geometry.width = inf is not allowed: a length above 0"),
        ('"50 um"', "5e-324", "geometry.width = [5e-324, 5e-324] m is not allowed: the area of the face is 0.0 m^2"),
        ('"50 um"', "9" * 5000, "not TOML: Exceeds the limit"),
        ('"50 um"', f'"{"9" * 100_000} um"', "it is longer than 200 characters"),
        ('"50 um"', f'"9 {"u" * 100_000}"', "it is longer than 200 characters"),
        ("[geometry]", '"geometry.width" = 1\n[geometry]', "'geometry.width' = 1 is not allowed: unknown key"),
        ("[geometry]", '"a\\nb\\u001b[31m" = 1\n[geometry]', r"'a\nb\x1b[31m' = 1 is not allowed: unknown key"),
        ("[geometry]", f'"{"a" * 100_000}" = 1\n[geometry]', "is not allowed: unknown key"),
        ("[geometry]", f"{'.'.join('a' * 5000)} = 1\n[geometry]", f"not TOML: a key has more than {DEEPEST} parts"),
        ("[geometry]", f"[{'.'.join('a' * 5000)}]\n[geometry]", f"not TOML: a key has more than {DEEPEST} parts"),
        ("[geometry]", f"a = {'[' * 10_000}\n[geometry]", "not TOML"),
        ("[geometry]", "title = 1\n[geometry]", "not TOML: Cannot overwrite a value"),
        (TEXT, "", "geometry is missing: required is a section with the keys width, thickness (and 2 more faults)"),
        (TEXT, "\0", "not TOML: Invalid statement"),
        (
            "[geometry]",
            "[electrolyte.microstructure]\nimage = 1\nvoxel = 1\n[geometry]",
            "microstructure.image = 1 is not allowed: the path of an image (.npy, .tif,",
        ),
        (
            "[geometry]",
            '[electrolyte.microstructure]\nimage = "a"\nvoxel = 1\nshape = [1, 2]\n[geometry]',
            "microstructure.shape.2 is missing: required is a list of 3, each a whole number from 1 (no unit)",
        ),
    ],
    ids=lambda text: text[:24] if isinstance(text, str) else None,
)
def test_wrong_kinds_are_refused_quickly_and_in_a_short_sentence(old: str, new: str, message: str) -> None:
    assert old in TEXT
    begin = time.monotonic()
    told = said(TEXT.replace(old, new, 1))
    assert message in told and len(told) < 500 and told.isprintable()
    assert time.monotonic() - begin < 5


def test_a_hundred_thousand_unknown_keys_are_one_sentence() -> None:
    many = "\n".join(f"k{number} = 1" for number in range(100_000))
    assert said(f"[geometry]\n{many}").endswith("geometry.width, geometry.thickness (and 100003 more faults)")


def test_a_negative_zero_is_a_zero() -> None:
    cell = Cell.loads(TEXT.replace("fraction = 0.25", "fraction = -0.0"))
    assert str(cell.working_electrode.contact.fraction) == "0.0"


# exceptions that are none of ours


class Part(Section):
    """A section whose checks fail as libraries do."""

    number: int = Field(description="A number")
    other: str = Field("", description="Another")

    @field_validator("number")
    @classmethod
    def _check(cls, value: int) -> int:
        assert value != 2, "two of them"
        if value == 1:
            raise ValueError("zero-size array to reduction operation minimum which has no identity")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.number == 3:
            raise IndexError("index 3 is out of bounds")
        if self.number == 4:
            raise ValueError("A linearring requires at least 4 coordinates.")
        if self.number == 5:
            raise ComputationError("no convergence")
        return self


class Whole(Section):
    """A section with a section."""

    part: Part = Field(description="A section")
    parts: tuple[Part, ...] = Field((), description="A list of sections")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"part": {"number": 1}}, "part.number = 1 is not allowed: zero-size array to reduction operation minimum"),
        ({"part": {"number": 2}}, "part.number = 2 is not allowed: two of them"),
        ({"part": {"number": 3}}, "part = {'number': 3} is not allowed: IndexError: index 3 is out of bounds"),
        ({"part": {"number": 4}}, "part = {'number': 4} is not allowed: A linearring requires at least 4 coordinates."),
        (
            {"part": {"number": 0}, "parts": [{"number": 0}, {"number": 4}]},
            "parts.1 = {'number': 4} is not allowed: A linearring requires at least 4 coordinates.",
        ),
    ],
)
def test_what_a_library_raises_is_a_fault_of_its_key_and_no_unknown_key(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Whole(**data)
    assert str(fault(Whole, caught.value)).startswith(message)


def test_a_computation_that_fails_while_a_section_is_checked_stays_one() -> None:
    with pytest.raises(ComputationError, match="no convergence"):
        Whole(part={"number": 5})  # type: ignore[arg-type]


def test_whatever_the_value_is_it_is_shown_in_a_short_line() -> None:
    class Bad:
        def __repr__(self) -> str:
            raise RuntimeError

    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    for value in (Bad(), deep, 10**5000, "\ud800\n" * 1000, "x" * 10**7, {"a": deep}):
        text = show(value)
        assert len(text) <= 60 and text.isprintable()
    cell = Cell.loads(TEXT)
    for key in ("geometry.width", "geometry", "title"):
        for value in (deep, Bad()):
            with pytest.raises(InputError, match=f"^{key} = a value of type "):
                cell.vary({key: value})


@settings(deadline=None, derandomize=True, max_examples=200)
@given(
    data=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
        lambda each: (
            st.lists(each, max_size=3) | st.dictionaries(st.sampled_from(["shape", "width", "depth", "x.y", ""]), each)
        ),
        max_leaves=6,
    ),
    key=st.sampled_from(["geometry", "electrolyte", "working_electrode", "counter_electrode", "temperature", "mesh", "title"]),
)
def test_any_section_is_a_cell_or_a_short_sentence(data: Any, key: str) -> None:
    sections: dict[str, Any] = {
        "geometry": {"width": 1e-5, "thickness": 1e-5},
        "electrolyte": {"conductivity": 1},
        "working_electrode": {"contact": {"shape": "square", "fraction": 0.25}},
    }
    try:
        Cell(**{**sections, key: data})
    except InputError as error:
        assert len(str(error)) < 500


# messages


@pytest.mark.parametrize("kind", [InputError, ComputationError, NotAgreed, MemoryShort])
def test_messages_keep_their_beginning_and_their_end(kind: type[Exception]) -> None:
    text = str(kind("cell.toml: " + "x" * 10_000 + " is not allowed: a length"))
    assert len(text) == LONGEST < 500
    assert text.startswith("cell.toml: xxx") and " ... " in text and text.endswith("x is not allowed: a length")
    assert str(kind("short")) == "short"
    again = pickle.loads(pickle.dumps(kind(text)))
    assert type(again) is kind and str(again) == text


def test_control_characters_do_not_reach_a_terminal() -> None:
    assert str(InputError("a\x1b[31m\0.toml: \N{MICRO SIGN}m")) == r"a\x1b[31m\x00.toml: " + "\N{MICRO SIGN}m"


# files


def test_a_named_pipe_a_device_and_an_endless_file_are_refused_before_they_fill_the_memory(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(InputError, match=r"pipe\.toml: is a named pipe, not a file$"):
        Cell.load(tmp_path / "pipe.toml")
    with open(tmp_path / "large.toml", "wb") as stream:
        stream.truncate(10**10)
    for path in (tmp_path / "large.toml", Path("/dev/zero")):
        with pytest.raises(InputError, match=f"{path.name}: is larger than 16 MB, the most that is read$"):
            Cell.load(path)


def test_a_byte_order_mark_is_no_fault_and_another_encoding_is_one(tmp_path: Path) -> None:
    path = tmp_path / "cell.toml"
    path.write_text(TEXT, encoding="utf-8-sig")
    assert Cell.load(path) == Cell.loads(TEXT)
    path.write_text(TEXT, encoding="utf-16")
    with pytest.raises(InputError, match="is not UTF-8 text"):
        Cell.load(path)
    path.write_bytes(TEXT.replace("\n", "\r\n").encode())
    assert Cell.load(path) == Cell.loads(TEXT)


# cells in other hands


def test_a_cell_is_pickled_copied_and_taken_for_itself(tmp_path: Path) -> None:
    cell = Cell.loads(TEXT)
    for again in (pickle.loads(pickle.dumps(cell)), copy.copy(cell), copy.deepcopy(cell)):
        assert again == cell and hash(again) == hash(cell)
    cell.save(tmp_path / "cell.toml")
    assert Cell.of(cell) is cell
    assert Cell.of(tmp_path / "cell.toml") == Cell.of(str(tmp_path / "cell.toml")) == cell
    assert Cell.of(cell.model_dump()) == cell
    for wrong in (1, None, [cell]):
        with pytest.raises(InputError, match="is not allowed: a Cell, the path of a cell file, or a dictionary"):
            Cell.of(wrong)  # type: ignore[arg-type]


# an error has fields, and is put into words in one place


WHOLE = InputError(
    file="cell.toml",
    key="contact.fraction",
    value=np.float64(2.5),
    unit="m",
    when="with mesh",
    allowed="a number",
    why="it is too large",
    remedy="take less",
    note="and 2 more faults",
)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            WHOLE,
            "cell.toml: contact.fraction = 2.5 m is not allowed with mesh: a number; it is too large; take less "
            "(and 2 more faults)",
        ),
        (InputError("there is no such file", file=Path("a.toml")), "a.toml: there is no such file"),
        (InputError(value="red", allowed="a number"), "'red' is not allowed: a number"),
        (InputError(key="mesh", when="together with grain_boundaries"), "mesh is not allowed together with grain_boundaries"),
        (
            InputError(key="depth", value=Absent.MISSING, allowed="required is a length"),
            "depth is missing: required is a length",
        ),
        (InputError(key="voxels", value=Written("8 x 8"), allowed="4 x 4"), "voxels = 8 x 8 is not allowed: 4 x 4"),
        (InputError("make 7 points", key="axes", allowed="allowed are 5"), "axes make 7 points: allowed are 5"),
        (
            InputError(value=np.arange(3), allowed="one number").renamed("at"),
            "at = array([0, 1, 2]) is not allowed: one number",
        ),
        (InputError(value=0, allowed="more").inside("pore").inside("cell"), "cell.pore = 0 is not allowed: more"),
        (InputError("TIFF takes tifffile").inside("image"), "image is not allowed: TIFF takes tifffile"),
        (InputError("not TOML", file="cell.toml").at("study.toml"), "study.toml: cell.toml: not TOML"),
    ],
)
def test_the_fields_of_an_error_make_one_sentence(error: InputError, words: str) -> None:
    assert str(error) == words


def test_what_a_cell_refuses_has_file_key_value_and_what_is_allowed_as_fields() -> None:
    with pytest.raises(InputError) as caught:
        Cell.loads(TEXT.replace("fraction = 0.25", "fraction = 2"), source="my.toml")
    error = caught.value
    assert (error.file, error.key, error.value) == ("my.toml", "working_electrode.contact.fraction", 2)
    assert error.allowed == "a number from 0 to 1 (no unit)"


def test_an_error_goes_from_process_to_process_with_its_fields_whatever_its_value() -> None:
    error = InputError(key="cell", value=lambda: None, allowed="a Cell").at("study.toml")
    copied = pickle.loads(pickle.dumps(error))
    assert str(copied) == str(error) and copied.key == "cell"
    assert str(copied.renamed("--cell")).startswith("study.toml: --cell = <function")
    assert type(MemoryShort("too much").at("a.toml")) is MemoryShort
