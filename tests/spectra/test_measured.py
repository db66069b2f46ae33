"""What other programs write is read with its signs and units, or refused in a sentence; nothing is dropped or guessed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from fem_constriction.errors import InputError
from fem_constriction.spectra.spectrum import Spectrum

F = np.array([1000.0, 10.0])
Z = np.array([3.5 - 1j, 2 - 0.5j])


def load(folder: Path, text: str | bytes, encoding: str = "utf-8") -> Spectrum:
    path = folder / "m.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return Spectrum.load(path)


@pytest.mark.parametrize(
    "text",
    [
        "f/Hz\tRe(Z)\tIm(Z)\n1,000\t3.5\t-1\n10\t2\t-0.5\n",
        "f/Hz;Re(Z);Im(Z)\n1.000;3,5;-1\n10;2;-0,5\n",
        "f/Hz;Re(Z);Im(Z)\n1.000,0;3,5;-1\n10,0;2;-0,5\n",
        "f/Hz;Re(Z);Im(Z)\n1 000;3.5;-1\n10;2;-.5\n",
        "f/Hz\tRe(Z)\tIm(Z)\n1\N{NO-BREAK SPACE}000\t3.5\t\N{MINUS SIGN}1\n10\t2\t\N{MINUS SIGN}.5\n",
        "f/Hz;Re(Z);Im(Z)\n1'000;3.5;-1\n10;2;-.5\n",
        'f/Hz,Re(Z),Im(Z)\n"1,000","3.5","-1"\n"10","2","-0.5"\n',
        '"f/Hz";"Re(Z)";"Im(Z)"\n"1000";"3,5";"-1"\n"10";"2";"-0,5"\n',
        "sep=;\nf;Re(Z);Im(Z)\n1000;3,5;-1\n10;2;-0,5\n",
        "1000,0 3,5 -1,0\n10,0 2,0 -0,5\n",
        "f;Z';Z''\n1,000e+3;3,500e+0;-1,000e+0\n1,000e+1;2,000e+0;-5,000e-1\n",
        "f,re,im\n1.0D+03,3.5d0,-1\n10,2,-.5\n",
    ],
)
def test_numbers_as_people_write_them(text: str, tmp_path: Path) -> None:
    found = load(tmp_path, text)
    assert found.frequency.tolist() == F.tolist() and found.impedance.tolist() == Z.tolist()


@pytest.mark.parametrize("sign", [",", "."])
def test_where_a_comma_could_be_either_the_order_of_the_frequencies_decides(sign: str, tmp_path: Path) -> None:
    other = "." if sign == "," else ","
    rows = [("100|000", "11_235", "-7_920"), ("1|000", "12_992", "-12_110"), ("631", "16_892", "-17_634")]
    text = "f;Z';Z''\n" + "".join(";".join(row) + "\n" for row in rows).replace("|", sign).replace("_", other)
    found = load(tmp_path, text)
    assert found.frequency.tolist() == [100000.0, 1000.0, 631.0]
    assert found.impedance[0] == 11.235 - 7.92j


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "f;Z';Z''\n100,000;11,235;-7,920\n10,000;12,345;-3,456\n",
            "'100,000' is not allowed because it could be 100000 or 100:",
        ),
        ("f;Z';Z''\n100,5;11.25;-7\n10;12;-3\n", "'11.25' and '100,5' are not allowed in one file"),
        ("100,000,11.235,7.920\n63,096,12.992,12.110\n1,000,3,4\n", "line 1: the columns '100', '000'"),
    ],
)
def test_numbers_that_could_mean_two_things_are_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "header",
    [
        *("f/kHz;Z'/kOhm;-Z''/kOhm", "Frequency (kHz);Z_real (kΩ);- Zimag (kΩ)", "freq in kHz;Re(Z)/kohm;-Im(Z) [kOhm]"),
        *("frequency_kHz;real/kOhm;-imaginary/kOhm", "Freq.(kHz);Zre(kOhm);-Zimg(kOhm)"),
        *("f;Z';-Z''\nkHz;kOhm;kOhm", "Freq;Zreal;-Zimag\n(kHz);(kOhm);(kOhm)"),
    ],
)
def test_units_are_taken_wherever_they_stand(header: str, tmp_path: Path) -> None:
    found = load(tmp_path, f"{header}\n1;0.0035;0.001\n0.01;0.002;0.0005\n")
    assert np.allclose(found.frequency, F, rtol=1e-15) and np.allclose(found.impedance, Z, rtol=1e-15)


@pytest.mark.parametrize("title", ["omega/(rad/s)", "omega", "ω / rad s-1", "f (rad/s)", "frequency / rad/s"])
def test_radians_per_second_are_no_hertz(title: str, tmp_path: Path) -> None:
    found = load(tmp_path, f"{title};re;im\n{2e3 * np.pi!r};3.5;-1\n{20 * np.pi!r};2;-0.5\n")
    assert np.allclose(found.frequency, F, rtol=1e-14)


@pytest.mark.parametrize(
    "title", ["-phase", "-Phase(Z)/deg", "\N{MINUS SIGN}Phase (°)", "-theta/rad", "-arg(Z) / mrad", "-Zphz [degrees]"]
)
def test_modulus_and_phase(title: str, tmp_path: Path) -> None:
    per_degree = np.pi / 180 if "rad" in title else 1.0
    per_degree *= 1000 if "mrad" in title else 1.0
    rows = [
        f"{f!r};{float(abs(z))!r};{float(-np.angle(z, deg=True) * per_degree)!r}\n"
        for f, z in zip(F.tolist(), Z.tolist(), strict=True)
    ]
    found = load(tmp_path, f"f/Hz;|Z|/Ohm;{title}\n{''.join(rows)}")
    assert np.allclose(found.impedance, Z, rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("f;|Z|;phase\n1;2;-0.5\n10;3;-1.2\n", "the phase is 1.2 at most and has no unit: name it phase/deg or phase/rad"),
        ("f;|Z|/dB;phase\n1;2;-30\n", "the unit of |Z|/dB must be ohm or a multiple"),
        ("f;|Z|;phase/gon\n1;2;-30\n", "the unit of phase/gon must be deg or rad"),
        ("f;|Z|;phase\n1;-2;-30\n", "line 2: |Z| = -2 is not allowed: a number of at least 0 in ohm"),
        ("f/mhz;re;im\n1;2;-3\n", "the unit of f/mhz must be Hz or a multiple"),
        ("f;Z' (Ohm cm2);Z'' (Ohm cm2)\n1;2;-3\n", "the unit of Z' (Ohm cm2) must be ohm"),
        ("f;re;im\nHz;Ohm cm2;Ohm\n1;2;-3\n", "line 2: Re(Z) = Ohm cm2 is not allowed"),
        ("f/Hz;re;im\nkHz;Ohm;Ohm\n1;2;-3\n", "line 2: frequency = kHz is not allowed"),
        ("log f;re;im\n1;2;-3\n", "line 1: the columns 'log f', 're', 'im' are not allowed"),
        ("f;re;re;im\n1;2;2;-3\n", "line 1: the columns 'f', 're', 're', 'im' are not allowed"),
    ],
)
def test_a_unit_is_never_dropped(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    assert message in str(caught.value)


def test_prose_above_and_below_a_table_is_passed_over(tmp_path: Path) -> None:
    """Preambles as of EC-Lab, CHI, Gamry and ZPlot: counts, lists, tables of other things, a rule below the header."""
    above = "Experiment, 3 of 4\nOperator: f real imag\n0\t0.25\t-3.4E-1\t..a\nElectrode surface area : 1 cm\xb2\n"
    table = "\tPt\tFreq\tZreal\tZimag\tIERange\n\t#\tHz\tohm\tohm\t#\n\t0\t1000\t3.5\t-1\t9\n\t1\t10\t2\t-0.5\t9\n"
    found = load(tmp_path, above + table + "\nend of file\n", "latin-1")
    assert found.frequency.tolist() == F.tolist() and found.impedance.tolist() == Z.tolist()


def test_a_table_that_is_interrupted_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 4: the data go on after line 3, which belongs to no table"):
        load(tmp_path, "f,re,im\n1,2,-3\nsweep two\n2,3,-4\n")
    with pytest.raises(InputError, match="line 3: other columns than above"):
        load(tmp_path, "f,re,im\n1,2,-3\nf,im,re\n2,3,-4\n")
    with pytest.raises(InputError, match=r"line 3: frequency = OVL is not allowed"):
        load(tmp_path, "f,re,im\n1,2,-3\nOVL,OVL,OVL\n3,3,-4\n")


def test_rows_without_names_may_end_in_separators_and_remarks(tmp_path: Path) -> None:
    found = load(tmp_path, "1000;3.5;-1;\n10;2;-0.5;\n\nend of measurement; remark 3\n\x1a")
    assert found.frequency.tolist() == F.tolist() and found.impedance.tolist() == Z.tolist()
    with pytest.raises(InputError, match="line 3: the data go on after line 2, which is no row of them"):
        load(tmp_path, "1000,3.5,-1\nsweep two\n10,2,-0.5\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,100000,11,8\n2,63000,12,12\n3,40000,17,18\n", "the first column, 1, 2, ..., counts the rows"),
        ("3;100000;11;8\n2;63000;12;12\n1;40000;17;18\n", "the first column, 3, 2, ..., counts the rows"),
        ("".join(f"{10**n},3,-4,5\n" for n in range(6)), "the fourth column is |Z|"),
    ],
)
def test_columns_without_names_that_cannot_be_ours(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    assert message in str(caught.value) and "name the columns, for instance freq/Hz" in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    ohm = "Ohm" if encoding in ("latin-1", "cp1252") else "Ω"
    found = load(tmp_path, f"f;|Z| ({ohm});Phase (°)\n1000;2;-60\n", encoding)
    assert found.impedance[0] == pytest.approx(1 - 1j * np.sqrt(3), rel=1e-14)


@pytest.mark.parametrize(
    "data",
    [bytes(range(256)) * 4, b"f,re,im\n1,2\x00,3\n", "f,re,im\n1,2\x01,3".encode("utf-16-le"), b"\xff\xfe\x00"],
)
def test_what_is_no_text_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"m\.csv: is not text"):
        load(tmp_path, data)


def test_endless_and_very_large_files_are_refused_before_they_are_read(tmp_path: Path) -> None:
    with open(tmp_path / "large.csv", "wb") as stream:
        stream.truncate(10**12)
    with pytest.raises(InputError, match=r"large\.csv: is larger than 128 MB, the most that is read"):
        Spectrum.load(tmp_path / "large.csv")
    if os.path.exists("/dev/zero"):
        with pytest.raises(InputError, match="is larger than 128 MB"):
            Spectrum.load("/dev/zero")
