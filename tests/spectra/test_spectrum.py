"""A spectrum is written exactly, read from what instruments write, and refuses what cannot be one."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fem_constriction.errors import InputError
from fem_constriction.spectra.frequencies import parse_frequencies
from fem_constriction.spectra.spectrum import Spectrum

F = np.array([1.0, 10.0])
Z = np.array([3 - 1j, 2 - 0.5j])
FINITE = st.floats(allow_nan=False, allow_infinity=False)
ROW = st.tuples(st.floats(min_value=0, exclude_min=True, allow_infinity=False), FINITE, FINITE, st.floats(min_value=0))


def same(one: Spectrum, other: Spectrum) -> bool:
    u = (one.uncertainty, other.uncertainty)
    known = np.array_equal(u[0], u[1]) if u[0] is not None and u[1] is not None else u == (None, None)
    return np.array_equal(one.frequency, other.frequency) and np.array_equal(one.impedance, other.impedance) and known


@settings(deadline=None, derandomize=True)
@given(rows=st.lists(ROW, min_size=1, max_size=5), uncertain=st.booleans(), header=st.booleans())
def test_what_was_saved_is_loaded_exactly(rows: list[Any], uncertain: bool, header: bool) -> None:
    f, re, im, u = map(np.array, zip(*rows, strict=True))
    spectrum = Spectrum(f, re + 1j * im, u if uncertain else None)
    with tempfile.TemporaryDirectory() as folder:
        spectrum.save(Path(folder) / "z.csv", header=header)
        assert same(Spectrum.load(Path(folder) / "z.csv"), spectrum)


def test_pandas_opens_it(tmp_path: Path) -> None:
    Spectrum(F, Z, np.array([0.1, 0.2])).save(tmp_path / "z.csv")
    table = pd.read_csv(tmp_path / "z.csv")
    assert list(table.columns) == ["freq/Hz", "Re(Z)/Ohm", "Im(Z)/Ohm", "u(Z)/Ohm"]
    assert table["Im(Z)/Ohm"].tolist() == [-1.0, -0.5]


def test_without_a_header_it_is_numbers_only(tmp_path: Path) -> None:
    Spectrum(F, Z).save(tmp_path / "z.csv", header=False)
    assert (tmp_path / "z.csv").read_text() == "1.0,3.0,-1.0\n10.0,2.0,-0.5\n"


def test_provenance_travels_in_a_sidecar(tmp_path: Path) -> None:
    given_ = {
        "backend": "fem",
        "grid": np.arange(2),
        "order": np.float64(1.5),
        "bad": math.nan,
        "to": Path("a"),
    }
    Spectrum(F, Z, provenance=given_).save(tmp_path / "new" / "z.csv")
    assert json.loads((tmp_path / "new" / "z.json").read_text())["spectrum"] == "z.csv"
    expected = {"backend": "fem", "grid": [0, 1], "order": 1.5, "bad": None, "to": "a"}
    assert Spectrum.load(tmp_path / "new" / "z.csv").provenance == expected


def test_provenance_does_not_outlive_the_data_it_belongs_to(tmp_path: Path) -> None:
    path = tmp_path / "z.csv"
    Spectrum(F, Z, provenance={"agreement": "agree"}).save(path)
    path.write_text(path.read_text().replace("3.0", "4.0"))
    with pytest.warns(UserWarning, match=r"z\.csv: has changed since its provenance was written"):
        assert Spectrum.load(path).provenance == {}
    Spectrum(F, Z).save(path)
    assert not (tmp_path / "z.json").exists()


def test_a_json_file_of_someone_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "crosscheck.json").write_text("{}")
    with pytest.raises(InputError, match=r"crosscheck\.json: would be overwritten by the provenance of crosscheck\.csv"):
        Spectrum(F, Z, provenance={"a": 1}).save(tmp_path / "crosscheck.csv")
    Spectrum(F, Z).save(tmp_path / "crosscheck.csv")
    assert (tmp_path / "crosscheck.json").read_text() == "{}"
    assert Spectrum.load(tmp_path / "crosscheck.csv").provenance == {}


def test_arrays_are_read_only_copies() -> None:
    f = F.copy()
    spectrum = Spectrum(f, Z, np.array([0.0, 1.0]))
    f[0] = 7
    assert spectrum.frequency[0] == 1.0 and len(spectrum) == 2
    for array in (spectrum.frequency, spectrum.impedance, spectrum.uncertainty):
        assert array is not None and not array.flags.writeable


@pytest.mark.parametrize(
    "text",
    [
        "1,3,-1\n10,2,-0.5\n",
        "1, 3, -1\r\n10, 2, -0.5\r\n",
        "\ufeff1;3;-1\n10;2;-0.5",
        "1\t3\t-1\n10\t2\t-0.5\n\n",
        "  1   3  -1\n 10 2 -.5",
        "1,0;3,0;-1,0\n10,0;2,0;-0,5\n",
        "# made by hand\n1,3,-1\n# a gap\n10,2,-0.5\n",
        "freq/Hz,Re(Z)/Ohm,Im(Z)/Ohm\n1,3,-1\n10,2,-0.5\n",
        "freq/Hz,Re(Z)/Ohm,-Im(Z)/Ohm\n1,3,1\n10,2,0.5\n",
        "FREQUENCY,Z',-Z''\n1,3,1\n10,2,0.5\n",
        "Frequency (Hz);Z' (Ω);Z'' (Ω)\n1;3;-1\n10;2;-0.5\n",
        "Frequency (Hz) Z' (Ohm) -Z'' (Ohm)\n1 3 1\n10 2 0.5\n",
        "f / Hz  Z' / Ohm  Z'' / Ohm\n1 3 -1\n10 2 -0.5\n",
        "f,Z_real,Z_imag\n1,3,-1\n10,2,-0.5\n",
        "Freq [Hz]\tZ′ [Ohm]\t−Z″ [Ohm]\n1\t3\t1\n10\t2\t0.5\n",
        '"frequency","Re(Z)","- Im(Z)"\n1,3,1\n10,2,0.5\n',
        "# f Re(Z) -Im(Z)\n1 3 1\n10 2 0.5\n",
        "index,Zimag,Zreal,|Z|/Ohm,f/kHz,Phase(Z)/deg\n0,-1,3,x,0.001,5\n1,-0.5,2,x,0.01,6\n",
        "Freq(Hz),Ampl,Z'(a),Z''(b),GD\n1,9,3,-1,0\n10,9,2,-0.5,0\n",
        "f/Hz,Re(Z)/kOhm,-Im(Z)/mΩ\n1,0.003,1000\n10,0.002,500\n",
    ],
)
def test_measured_files_are_understood(text: str, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(text, encoding="utf-8", newline="")
    spectrum = Spectrum.load(tmp_path / "m.csv")
    remarks = {"measured": {"comments": "made by hand"}} if "by hand" in text else {}
    assert same(spectrum, Spectrum(F, Z)) and spectrum.provenance == remarks


def test_a_fourth_column_is_the_uncertainty(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("1,3,-1,0.1\n10,2,-0.5,inf\n")
    assert same(Spectrum.load(tmp_path / "m.csv"), Spectrum(F, Z, np.array([0.1, math.inf])))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "m.csv: holds no data, and must have the columns freq/Hz,Re(Z)/Ohm,Im(Z)/Ohm"),
        ("freq/Hz,Re(Z)/Ohm,Im(Z)/Ohm\n", "m.csv: holds no data"),
        ("1,3\n", "m.csv, line 1: 2 columns, and without a header there must be 3 or 4"),
        ("1,3,1\n1,3\n", "m.csv, line 2: 2 columns, and the lines above it have 3"),
        ("1,3,1\n1,3,x\n", "m.csv, line 2: Im(Z) = x is not allowed: a finite number in ohm"),
        ("1,3,1\n1,,1\n", "m.csv, line 2: Re(Z) = nothing is not allowed: a finite number in ohm"),
        ("1,3,nan\n", "m.csv, line 1: Im(Z) = nan is not allowed: a finite number in ohm"),
        ("1,inf,1\n", "m.csv, line 1: Re(Z) = inf is not allowed: a finite number in ohm"),
        (
            "0,3,1\n",
            "m.csv, line 1: frequency = 0 is not allowed: a positive number in Hz (direct current is fc.res",
        ),
        ("-1,3,1\n", "m.csv, line 1: frequency = -1 is not allowed: a positive number in Hz"),
        ("1,3,1,-1\n", "m.csv, line 1: u(Z) = -1 is not allowed: a number of at least 0 in ohm"),
        (
            "a,b,c\n1,2,3\n",
            "m.csv, line 1: the columns 'a', 'b', 'c' are not allowed: they must be freq/Hz,Re(Z)/Ohm",
        ),
        (
            "f,Z',Z'',-Z''\n1,2,3,4\n",
            "m.csv, line 1: the columns 'f', \"Z'\", \"Z''\", \"-Z''\" are not allowed",
        ),
        ("-f,Z',Z''\n1,2,3\n", "m.csv, line 1: -f has a minus, which only the parts of Z and its phase may have"),
        (
            "f,Re(Z)/Ohm cm2,Im(Z)\n1,2,3\n",
            "m.csv, line 1: the unit of Re(Z)/Ohm cm2 must be ohm or a multiple",
        ),
        ("f/s,Re(Z),Im(Z)\n1,2,3\n", "m.csv, line 1: the unit of f/s must be Hz or a multiple"),
    ],
)
def test_a_file_that_is_no_spectrum_is_refused_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(InputError) as caught:
        Spectrum.load(tmp_path / "m.csv")
    assert str(caught.value).startswith(f"{tmp_path}/{message}")


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: there is no such file"):
        Spectrum.load(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a directory, not a file"):
        Spectrum.load(tmp_path)
    (tmp_path / "m.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"m\.csv: is not text"):
        Spectrum.load(tmp_path / "m.csv")


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"z\.csv: cannot be written \(.*file is not a folder\)"):
        Spectrum(F, Z).save(tmp_path / "file" / "z.csv")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=r"folder: cannot be written \(is a directory\)"):
        Spectrum(F, Z).save(tmp_path / "folder")
    with pytest.raises(InputError, match=r"z\.json: the name of a CSV file must not be empty or end in \.json"):
        Spectrum(F, Z).save(tmp_path / "z.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ([0.0], [1]),
            "frequency = 0.0 is not allowed: a positive number in Hz (direct current is",
        ),
        (([1, -2.0], [1, 1]), "frequency = -2.0 is not allowed: a positive number in Hz (direct current is"),
        (([math.nan], [1]), "frequency = nan is not allowed"),
        (([math.inf], [1]), "frequency = inf is not allowed"),
        (([1j], [1]), "frequency is complex, and must be real"),
        ((["x"], [1]), "frequency = ['x'] is not allowed: an array of numbers"),
        (([], []), "frequency has the shape (0,), and must have one dimension and at least one value"),
        ((1.0, 1.0), "frequency has the shape (), and must have one dimension"),
        (([[1.0]], [[1]]), "frequency has the shape (1, 1), and must have one dimension"),
        (([1, 2], [1]), "impedance has 1 values, and must have 2, one for each frequency"),
        (([1], [math.inf]), "impedance = (inf+0j) is not allowed: a finite number in ohm"),
        (([1], [1], [-1]), "uncertainty = -1.0 is not allowed: a number of at least 0 in ohm"),
        (([1], [1], [math.nan]), "uncertainty = nan is not allowed: a number of at least 0 in ohm"),
        (([1], [1], [1j]), "uncertainty is complex, and must be real"),
        (([1], [1], [1, 2]), "uncertainty has 2 values, and must have 1, one for each frequency"),
    ],
)
def test_arrays_that_are_no_spectrum_are_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InputError) as caught:
        Spectrum(*arguments)
    assert str(caught.value).startswith(message)


def test_frequencies_are_logarithmically_spaced_with_both_ends() -> None:
    f = parse_frequencies("1e-3:1e9:61")
    assert len(f) == 61 and f[0] == 1e-3 and f[-1] == 1e9
    assert np.allclose(np.diff(np.log10(f)), 0.2, rtol=1e-12)
    assert parse_frequencies("1e9:1e-3:3").tolist() == pytest.approx([1e9, 1e3, 1e-3])
    assert parse_frequencies("5:5:1").tolist() == [5.0]
    assert parse_frequencies("1, 10,100").tolist() == [1.0, 10.0, 100.0]
    assert parse_frequencies("7").tolist() == [7.0]


@settings(deadline=None, derandomize=True)
@given(a=st.floats(1e-12, 1e15), b=st.floats(1e-12, 1e15), n=st.integers(2, 50))
def test_both_ends_are_exact(a: float, b: float, n: int) -> None:
    f = parse_frequencies(f"{a!r}:{b!r}:{n}")
    assert f[0] == a and f[-1] == b and len(f) == n


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "frequencies = '' is not allowed because '' is not a number: a:b:n, n logarithmically spaced values"),
        (
            "1:2",
            "frequencies = '1:2' is not allowed: a:b:n, n logarithmically spaced values",
        ),
        ("1:2:3:4", "frequencies = '1:2:3:4' is not allowed: a:b:n"),
        ("1:x:3", "frequencies = '1:x:3' is not allowed because 'x' is not a number: a:b:n"),
        (
            "0:1:3",
            "frequencies = '0:1:3' is not allowed with 0: a positive number in Hz",
        ),
        ("1,-1", "frequencies = '1,-1' is not allowed with -1: a positive number in Hz"),
        ("1:nan:3", "frequencies = '1:nan:3' is not allowed with nan: a positive number in Hz"),
        ("1:inf:3", "frequencies = '1:inf:3' is not allowed with inf: a positive number in Hz"),
        ("1:2:0", "frequencies = '1:2:0' is not allowed with n = '0': n is a whole number from 1 to 1000000"),
        ("1:2:2.5", "frequencies = '1:2:2.5' is not allowed with n = '2.5': n is a whole number from 1"),
        ("1:2:99999999999", "n = '99999999999': n is a whole number from 1 to 1000000"),
        (
            "1:2:1",
            "frequencies = '1:2:1' is not allowed: n = 1 only if both ends are equal, n from 2 otherwise",
        ),
    ],
)
def test_frequencies_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_frequencies(text)
    assert message in str(caught.value)
