"""Files of instruments are read with their signs, units and remarks, whatever stands around the table; others are named."""

from __future__ import annotations

from pathlib import Path

import instrument_files as files
import numpy as np
import pytest

from fem_constriction.errors import InputError
from fem_constriction.spectra.instruments.registry import FORMATS, REFUSED
from fem_constriction.spectra.spectrum import Spectrum
from fem_constriction.spectra.sweeps import parts, prepared, sweep

F, Z = np.array(files.F), np.array(files.Z)


def load(folder: Path, data: bytes, name: str = "measured.dat") -> Spectrum:
    (folder / name).write_bytes(data)
    return Spectrum.load(folder / name)


WRITTEN = {
    "BioLogic EC-Lab (.mpt)": (files.biologic(), files.biologic(decimal=","), files.biologic(rest=True)),
    "Gamry (.DTA)": (files.gamry(), files.gamry(decimal=","), files.gamry(aborted=True)),
    "Scribner ZPlot/ZView (.z)": (
        *(files.zplot(), files.zplot_in_quotes()),
        files.zplot_in_quotes("Z60W Data File: Version 1.1", "Freq (Hz)"),
    ),
    "VersaStudio (.par)": (files.versastudio(), files.versastudio(rest=False)),
    "CH Instruments": (files.chinstruments(),),
    "Parstat": (files.parstat(),),
    "PowerSuite": (files.powersuite(),),
    "Autolab FRA (.dfr)": (files.fra_data(),),
    "Autolab FRA (ASCII)": (files.fra_text(),),
    "Ivium (.idf, .ids)": (files.ivium(),),
    "PalmSens (.pssession)": (files.palmsens(),),
    "Elins (.i2b)": (files.elins(),),
}


@pytest.mark.parametrize(("form", "data"), [(form, data) for form, each in WRITTEN.items() for data in each])
def test_a_format_is_known_by_its_content_and_read_with_its_signs(form: str, data: bytes, tmp_path: Path) -> None:
    found = load(tmp_path, data)
    assert found.frequency.tolist() == F.tolist()
    np.testing.assert_allclose(found.impedance, Z, rtol=1e-12)
    assert found.provenance["measured"]["format"] == form
    assert "sweeps" not in found.provenance["measured"]


TEXTS = {
    form: each[0].decode("utf-16" if "PalmSens" in form else "latin-1") for form, each in WRITTEN.items() if "Ivium" not in form
}
DISGUISES = {
    **{code: lambda text, code=code: text.encode(code) for code in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")},
    **{repr(end): lambda text, end=end: end.join(text.splitlines()).encode() + end.encode() for end in ("\n", "\r\n", "\r")},
    "blank lines above": lambda text: b"\n\n" + text.encode(),
    "end-of-file sign": lambda text: text.encode() + b"\x1a",
    "zeros behind it": lambda text: text.encode() + bytes(5),
    "remarks below": lambda text: text.encode().rstrip() + b"\n\n# measured by somebody\n",
    "no end of the last line": lambda text: text.rstrip().encode(),
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_encodings_ends_of_lines_and_remarks_change_nothing(disguise: str, tmp_path: Path) -> None:
    for form, text in TEXTS.items():
        found = load(tmp_path, DISGUISES[disguise](text.lstrip("\ufeff")))
        assert found.frequency.tolist() == F.tolist() and found.provenance["measured"]["format"] == form
        np.testing.assert_allclose(found.impedance, Z, rtol=1e-12)


EXPORTS = {
    "NOVA": (
        "Index;Frequency (Hz);Z' (Ω);-Z'' (Ω);Z (Ω);-Phase (°);Time (s)",
        "{n};{f};{re};{minus};{abs};{lag};1",
        ",",
        "utf-8",
    ),
    "PSTrace": (
        "Date and time:,2020-01-01\nNotes:\n\nfreq / Hz,neg. Phase / °,Idc / uA,Z / Ohm,Z' / Ohm,-Z'' / Ohm,Cs / F",
        *("{f},{lag},0.1,{abs},{re},{minus},1e-6", ".", "utf-16"),
    ),
    "Thales": (
        " Number  Frequency/Hz  Impedance/Ohm  Phase/deg  Significance",
        "  {n}  {f}  {abs}  {phase}  0.998",
        ".",
        "cp1252",
    ),
    "IviumSoft": ("freq. /Hz,Z1 /ohm,Z2 /ohm", "{f},{re},{im}", ".", "utf-8"),
    "VersaStudio": ("Frequency (Hz),Zre (ohms),Zim (ohms),|Z| (ohms)", "{f},{re},{im},{abs}", ".", "utf-8"),
    "EC-Lab, cell": (
        "EC-Lab ASCII FILE\nNb header lines : 3\nfreq/Hz\tRe(Zwe-ce)/Ohm\t-Im(Zwe-ce)/Ohm\tz cycle",
        *("{f}\t{re}\t{minus}\t1", ",", "cp1252"),
    ),
    "analyser": ("Frequency[Hz],R[ohm],X[ohm]", "{f},{re},{im}", ".", "utf-8"),
    "pyimpspec": ("f (Hz),Re(Z) (ohm),-Im(Z) (ohm),Mod(Z) (ohm),-Phase(Z) (°)", "{f},{re},{minus},{abs},{lag}", ".", "utf-8"),
    "a minus sign": ("f [Hz];Z' [Ω];−Z'' [Ω]", "{f};{re};{minus}", ",", "utf-8"),
}


@pytest.mark.parametrize("program", EXPORTS)
def test_exports_of_other_programs_are_read(program: str, tmp_path: Path) -> None:
    head, row, decimal, code = EXPORTS[program]
    lines = []
    for n, (f, z) in enumerate(files.ROWS, 1):
        angle = float(np.angle(z, deg=True))
        numbers = {"f": f, "re": z.real, "im": z.imag, "minus": -z.imag, "abs": abs(z), "phase": angle, "lag": -angle}
        lines.append(row.format(n=n, **{key: repr(value).replace(".", decimal) for key, value in numbers.items()}))
    found = load(tmp_path, "\n".join([head, *lines, ""]).encode(code))
    assert found.frequency.tolist() == F.tolist()
    np.testing.assert_allclose(found.impedance, Z, rtol=1e-12)


@pytest.mark.parametrize(("sign", "decimal"), [(";", ","), (";", "."), (",", ".")])
def test_a_spreadsheet_may_have_put_other_separators_in_place_of_tabs(sign: str, decimal: str, tmp_path: Path) -> None:
    for data in (files.biologic(decimal=decimal), files.gamry(decimal=decimal)):
        found = load(tmp_path, data.replace(b"\t", sign.encode()))
        assert found.frequency.tolist() == F.tolist()
        np.testing.assert_allclose(found.impedance, Z, rtol=1e-12)


def test_blank_lines_between_rows_end_no_table(tmp_path: Path) -> None:
    for data in (files.gamry(), files.elins()):
        head, *rows = data.replace(b"\r\n", b"\n").rsplit(b"\n", 4)
        assert load(tmp_path, head + b"\n" + b"\n\n".join(rows)).frequency.tolist() == F.tolist()


def test_a_file_cut_short_is_refused_or_says_so(tmp_path: Path) -> None:
    """In the middle of a row: refused with its line. In its last number: read, with a note. Between rows: a note."""
    for data in (files.gamry(), files.chinstruments(), files.zplot(), files.parstat()):
        with pytest.raises(InputError, match=r"line \d+: \d+ columns, and the lines above it have \d+"):
            load(tmp_path, data.rstrip()[:-30])
    found = load(tmp_path, b"f,re,im\n1000,5.25,-1.125\n100,8.25,-4.125\n10,12.25,-0.1")
    assert found.provenance["measured"]["note"] == "the file ends within a line, and its last number, -0.1, may be cut short"
    cut = files.versastudio().partition(b"</Segment1>")[0]
    assert load(tmp_path, cut).provenance["measured"]["note"] == "the file ends within <Segment1>: rows may be missing"


def test_every_format_has_a_file_here() -> None:
    elsewhere = {"BioLogic EC-Lab (.mpr)", "Excel (.xlsx)", "text"}  # below, and in test_measured.py
    assert {each.name for each in FORMATS} == set(WRITTEN) | elsewhere


@pytest.mark.parametrize(
    "data", [files.biologic(), files.gamry(), files.zplot(), files.versastudio(), files.ivium()], ids=lambda data: data[:10]
)
def test_the_area_is_kept_as_a_quantity(data: bytes, tmp_path: Path) -> None:
    assert load(tmp_path, data).provenance["measured"]["area"] == "1.13 cm^2"


@pytest.mark.parametrize(
    "data",
    [
        *(files.biologic(), files.gamry(), files.zplot(), files.zplot_in_quotes(), files.versastudio(), files.chinstruments()),
        *(files.fra_text(), files.elins()),
    ],
    ids=lambda data: data[:10],
)
def test_remarks_are_kept(data: bytes, tmp_path: Path) -> None:
    assert "pellet 7" in str(load(tmp_path, data).provenance["measured"])


def test_temperature_of_a_sensor_and_a_file_cut_short(tmp_path: Path) -> None:
    assert load(tmp_path, files.gamry()).provenance["measured"]["temperature"] == "24.5 degC"
    none = files.gamry().replace(b"24.5", b"-327.67")  # what Gamry writes without a sensor
    assert "temperature" not in load(tmp_path, none).provenance["measured"]
    assert load(tmp_path, files.zplot()).provenance["measured"]["note"] == "the file says that it has 4 points, and has 3"


@pytest.mark.parametrize(
    ("text", "area", "temperature"),
    [
        ("Area (cm2): 1.13\nTemperature: 25 °C\n", "1.13 cm^2", "25 degC"),
        ("# electrode area = 113 mm^2; T / K: 298.15\n", "113 mm^2", "298.15 K"),
        ("Surface area;1,13;cm²\nTemp. (°C);60\n", "1.13 cm^2", "60 degC"),
        ("Sample: A\nstart = 25\nThickness 5 mm\n", "", ""),
    ],
)
def test_area_and_temperature_in_remarks_above_a_table(text: str, area: str, temperature: str, tmp_path: Path) -> None:
    found = load(tmp_path, f"{text}f;Z';Z''\n1000;5;-1\n100;8;-4.5\n".encode()).provenance["measured"]
    assert found["comments"].splitlines()[0].startswith(text[:4].strip("# "))
    assert found.get("temperature", "") == temperature
    assert not area or found["area"] == area


def test_cycles_curves_segments_and_titles_are_named_sweeps(tmp_path: Path) -> None:
    for data, names in (
        (files.biologic(cycles=3), ["cycle 1", "cycle 2", "cycle 3"]),
        (files.gamry(curves=2), ["ZCURVE", "ZCURVE1"]),
        (files.versastudio(segments=2), ["Segment1", "Segment2"]),
        (files.ivium(("a", "b", "a")), ["a", "b", "a (2)"]),
    ):
        found = load(tmp_path, data)
        assert [each.name for each in parts(found)] == names and len(found) == 3 * len(names)
        with pytest.raises(InputError, match=f"called {names[0]}, {names[1]}"):
            prepared(found)
        chosen = sweep(found, names[1])
        assert chosen.frequency.tolist() == F.tolist() and chosen.provenance["measured"]["sweep"] == names[1]
        assert prepared(sweep(found, 2))[0].impedance.tolist() == chosen.impedance.tolist()
        with pytest.raises(InputError, match="sweep = 'nothing' is not allowed: 1 to"):
            sweep(found, "nothing")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            files.biologic(columns="time/s\tRe(Z)/Ohm\t-Im(Z)/Ohm"),
            r"EC-Lab \(.mpt\), .*: no column freq/Hz among time/s",
        ),
        (files.gamry().replace(b"ZCURVE", b"CURVE"), r"no table ZCURVE with rows, its tables are OCVCURVE, CURVE"),
        (files.versastudio().replace(b"Z Real", b"Q"), r"no <Segment> with the columns Frequency"),
        (files.chinstruments().replace(b"Freq/Hz", b"Potential/V"), r"no line that begins with Freq/Hz"),
        (files.zplot().replace(b"Z'", b"E"), r"no line that names Freq\(Hz\)"),
        (files.ivium(method="CyclicVoltammetry"), r"no impedance spectrum: Method=CyclicVoltammetry"),
        (files.ivium().replace(b"primary_data\n3", b"primary_data\n2"), r"below primary_data must stand 3"),
        (files.fra_data().replace(b" 3\n 1", b" 4\n 1"), r"4 points with 9 numbers each"),
        (files.palmsens().replace("DataSetEIS".encode("utf-16-le"), "DataSetXXX".encode("utf-16-le")), "no impedance spectrum"),
    ],
)
def test_a_file_without_an_impedance_says_what_it_is_and_has(data: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load(tmp_path, data)
    assert len(str(caught.value)) < 500
    assert caught.value.file.startswith(str(tmp_path))  # a field, so that nobody has to take the sentence apart


@pytest.mark.parametrize("suffix", list(REFUSED))
def test_formats_that_are_not_read_are_refused_by_name(suffix: str, tmp_path: Path) -> None:
    for data in (bytes(range(256)), b"some text\nof another program\n"):
        with pytest.raises(InputError) as caught:
            load(tmp_path, data, f"measured{suffix}")
        assert REFUSED[suffix][0] in str(caught.value) and REFUSED[suffix][1] in str(caught.value)
        assert caught.value.file == str(tmp_path / f"measured{suffix}")


def test_the_extension_of_a_text_does_not_matter(tmp_path: Path) -> None:
    assert len(load(tmp_path, b"f,re,im\n1,2,-3\n", "m.bin")) == 1


def test_a_binary_of_ec_lab_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("fem_constriction.spectra.instruments.biologic.import_module", absent)
    with pytest.raises(InputError, match=r"needs galvani: pip install 'fem-constriction\[biologic\]', or export a .mpt text"):
        load(tmp_path, b"BIO-LOGIC MODULAR FILE\x1a" + bytes(100))


class Library:
    """Stands for galvani: rows as it makes them."""

    data = np.array(
        [(0.0, 0.0, 0.0, 1.0), *((f, z.real, -z.imag, c) for c in (1.0, 2.0) for f, z in files.ROWS)],
        dtype=[("freq/Hz", "f4"), ("Re(Z)/Ohm", "f4"), ("-Im(Z)/Ohm", "f4"), ("cycle number", "f8")],
    )

    def MPRfile(self, stream: object) -> Library:
        return self


def test_a_binary_of_ec_lab_is_read_through_galvani(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fem_constriction.spectra.instruments.biologic.import_module", lambda name: Library())
    found = load(tmp_path, b"BIO-LOGIC MODULAR FILE\x1a")
    assert [each.name for each in parts(found)] == ["cycle 1", "cycle 2"]
    np.testing.assert_allclose(sweep(found, "cycle 2").impedance, Z, rtol=1e-6)
    monkeypatch.setattr(Library, "data", np.array([(1.0,)], dtype=[("Ewe/V", "f4")]))
    with pytest.raises(InputError, match="has no impedance spectrum: its columns are Ewe/V"):
        load(tmp_path, b"BIO-LOGIC MODULAR FILE\x1a")


def test_sheets_of_a_workbook_are_sweeps(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["notes", "nothing here"])
    for title, scale in (("dry", 1.0), ("wet", 2.0)):
        sheet = book.create_sheet(title)
        sheet.append(["Area (cm2)", 1.13])
        sheet.append(["Frequency (Hz)", "Z' (kOhm)", "-Z'' (kOhm)", "remark"])
        for f, z in files.ROWS:
            sheet.append([f, scale * z.real / 1000, -scale * z.imag / 1000, "ok"])
    book.save(tmp_path / "book.xlsx")
    found = Spectrum.load(tmp_path / "book.xlsx")
    assert [each.name for each in parts(found)] == ["dry", "wet"] and found.provenance["measured"]["area"] == "1.13 cm^2"
    np.testing.assert_allclose(sweep(found, "wet").impedance, 2 * Z, rtol=1e-15)
    only = openpyxl.Workbook()
    only.active.append(["no", "spectrum"])
    only.save(tmp_path / "none.xlsx")
    with pytest.raises(InputError, match=r"none\.xlsx, sheet Sheet"):
        Spectrum.load(tmp_path / "none.xlsx")


def test_what_the_instrument_says_is_kept_when_the_spectrum_is_saved(tmp_path: Path) -> None:
    load(tmp_path, files.gamry()).save(tmp_path / "z.csv")
    again = Spectrum.load(tmp_path / "z.csv")
    assert again.provenance["measured"]["area"] == "1.13 cm^2" and again.impedance.tolist() == Z.tolist()
