"""Results in hand: a few lines as a repr, a picture and a table, files and tables that give every number back."""

from __future__ import annotations

import json
import pickle
import pydoc
import re
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from images import BOUNDARY, image_cell
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

import fem_constriction as fc
from fem_constriction import records
from fem_constriction.fitting.extraction import Extraction, Value, fit_spectrum
from fem_constriction.held import Held
from fem_constriction.pictures.words import amount, signed, written
from fem_constriction.processes.circuits import CONSTRICTION, Arc, Circuit
from fem_constriction.spectra.spectrum import Spectrum
from validation import Convergence, Result, converge, crosscheck
from validation.convergence import latex

mpl.use("agg")

F = np.geomspace(1e-2, 1e7, 37)
CIRCUIT = Circuit(arcs=(Arc(name="a", resistance=1e3, capacitance=1e-9), Arc(name="b", resistance=2e3, capacitance=1e-5)))


@pytest.fixture(scope="module")
def spectrum() -> Spectrum:
    return Spectrum(F, CIRCUIT.impedance(F), np.full(F.size, 1e-3), {"cell": {"title": "two arcs"}, "backend": "none"})


@pytest.fixture(scope="module")
def fit(spectrum: Spectrum) -> Extraction:
    return fit_spectrum(spectrum)


@pytest.fixture(scope="module")
def cell(small: fc.Cell) -> fc.Cell:
    return small


@pytest.fixture(scope="module")
def result(small: fc.Cell) -> Result:
    return crosscheck(small, np.geomspace(1e-3, 1e9, 25), discs=False)


@pytest.fixture(scope="module")
def convergence(small: fc.Cell) -> Convergence:
    return converge(small, backends=["fem"], grids=["graded"], levels=3, quantities=["Z"], frequencies=[1.0, 1e3, 1e6])


@pytest.fixture(scope="module")
def fields(small: fc.Cell) -> fc.fields.Fields:
    return fc.fields.solve_fields(small, 1e3, backend="fem", level=0)


@pytest.fixture(params=["spectrum", "fit", "result", "cell", "convergence", "fields"])
def held(request: pytest.FixtureRequest) -> Held:
    return request.getfixturevalue(request.param)


def test_a_repr_is_a_few_lines(held: Held) -> None:
    lines = repr(held).splitlines()
    assert 3 <= len(lines) <= 30
    assert max(map(len, lines)) < 250
    assert "array" not in repr(held)


def test_a_notebook_is_given_a_picture_and_a_table(held: Held) -> None:
    page = held._repr_html_()
    assert "<table" in page
    assert 'src="data:image/png;base64,' in page
    assert "<script" not in page


def test_what_a_title_says_is_shown_and_not_run() -> None:
    page = Spectrum([1.0], [1.0], None, {"cell": {"title": "<script>alert(1)</script>"}})._repr_html_()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_axes_in_axes_out(held: Held) -> None:
    if isinstance(held, Convergence):
        assert len(held.plot(list(Figure().subplots(1, 4)))) == len(held.picture().panels) == 4
        return
    axes = Figure().subplots()
    assert held.plot(axes) is axes
    assert axes.get_xlabel().startswith(("Re $Z$ / ", "$x$ / µm"))
    assert axes.get_ylabel().startswith(("\u2212Im $Z$ / ", "$y$ / µm", "$z$ / µm"))
    assert axes.get_xlabel().endswith(("Ω", "µm"))
    assert isinstance(held.plot(), Axes)


def test_two_axes_for_one_panel_are_refused(spectrum: Spectrum) -> None:
    with pytest.raises(fc.InputError, match="2 axes"):
        spectrum.plot(Figure().subplots(1, 2))


@pytest.mark.parametrize("inches", [3.35, 7.0])
def test_words_lie_neither_on_words_nor_on_points(spectrum: Spectrum, inches: float) -> None:
    """At the width of one column of a journal and of two."""
    figure = Figure(figsize=(inches, 2.5))
    axes = spectrum.plot(figure.subplots())
    figure.draw_without_rendering()
    boxes = [Text.get_window_extent(note) for note in axes.texts]
    assert len(boxes) >= 3
    assert not any(one.overlaps(other) for k, one in enumerate(boxes) for other in boxes[:k])
    z = spectrum.impedance / 1e3
    points = axes.transData.transform(np.column_stack([z.real, -z.imag]))
    assert not any(box.contains(*point) for box in boxes for point in points)


def test_the_styles_for_papers_have_the_widths_of_columns() -> None:
    for name, width in (("one_column", 3.35), ("two_columns", 7.0)):
        with mpl.style.context(f"fem_constriction.pictures.{name}"):
            assert mpl.rcParams["figure.figsize"][0] == width
            assert mpl.rcParams["pdf.fonttype"] == 42


def test_what_is_saved_is_loaded_equal(held: Held, tmp_path: Path) -> None:
    suffix = {Spectrum: "csv", fc.Cell: "toml", fc.fields.Fields: "npz"}.get(type(held), "json")
    path = tmp_path / f"held.{suffix}"
    held.save(path)
    assert type(held).load(path) == held


def test_a_pickle_is_equal(held: Held) -> None:
    assert pickle.loads(pickle.dumps(held)) == held


def test_what_differs_is_not_equal(spectrum: Spectrum, result: Result, tmp_path: Path) -> None:
    moved = spectrum.impedance.copy()
    moved[3] *= 1 + 1e-15
    assert Spectrum(F, moved, spectrum.uncertainty, spectrum.provenance) != spectrum
    assert Spectrum(F, spectrum.impedance, None, spectrum.provenance) != spectrum
    assert len({spectrum, Spectrum(F, spectrum.impedance, spectrum.uncertainty, spectrum.provenance)}) == 1
    other = replace(result, agreement=replace(result.agreement, tolerance=2e-3))
    assert other != result
    other.save(tmp_path / "a.json")
    assert Result.load(tmp_path / "a.json") == other != result


def test_a_file_whose_text_was_edited_says_so_instead_of_what_it_was(result: Result, tmp_path: Path) -> None:
    result.save(tmp_path / "a.json")
    text = (tmp_path / "a.json").read_text()
    assert json.loads(text)["agreement"]["verdict"] == "agree"
    (tmp_path / "a.json").write_text(text.replace('"agree"', '"disagree"', 1))
    with pytest.raises(fc.InputError, match=r"a\.json: holds no Result: it was edited"):
        Result.load(tmp_path / "a.json")


def test_what_reads_a_file_is_said_by_whatever_does_not(
    result: Result, spectrum: Spectrum, cell: fc.Cell, fields: fc.fields.Fields, tmp_path: Path
) -> None:
    result.save(tmp_path / "result.json")
    spectrum.save(tmp_path / "z.csv")
    cell.save(tmp_path / "cell.toml")
    fields.save(tmp_path / "fields.npz")
    readers = {"result.json": "validation.Result", "z.csv": "fem_constriction.Spectrum", "z.json": "fem_constriction.Spectrum"}
    readers |= {"cell.toml": "fem_constriction.Cell", "fields.npz": "fem_constriction.fields.Fields"}
    for name, reader in readers.items():
        for kind in (Result, Convergence, Spectrum, fc.Cell, fc.Extraction):
            if kind.__name__ != reader.rpartition(".")[2]:
                with pytest.raises(fc.InputError, match=rf"{re.escape(name)}.*{re.escape(reader)}\.load reads"):
                    kind.load(tmp_path / name)


def test_what_was_written_as_a_record_alone_is_loaded(result: Result, tmp_path: Path) -> None:
    """As `save` did in version 0.1.0."""
    (tmp_path / "a.json").write_text(json.dumps(records.record(result.kept())))
    assert Result.load(tmp_path / "a.json") == result


def test_loaded_fields_are_those_that_were_solved_everywhere(fields: fc.fields.Fields, tmp_path: Path) -> None:
    """From the same potentials, on a grid that is assembled again by the same arithmetic: to the last digit."""
    fields.save(tmp_path / "f.npz")
    again = fc.fields.Fields.load(tmp_path / "f.npz")
    np.testing.assert_array_equal(again.section().current_density, fields.section().current_density)
    labelled = again.to_xarray()
    assert labelled.potential.sizes == {"z": labelled.z.size, "x": labelled.x.size, "y": labelled.y.size}
    low = labelled.isel(z=-1, component=2)  # at the counter electrode, where it is nearly the same everywhere: trapezia do
    through = complex(low.current_density.integrate(["x", "y"]))
    assert abs(through - fields.current) < 0.02 * abs(fields.current)
    np.testing.assert_array_equal(labelled.potential[0], fields.potential(labelled.x.values[:, None], labelled.y.values, 0.0))


def test_a_study_says_after_loading_what_it_said(convergence: Convergence, tmp_path: Path) -> None:
    (tmp_path / "converge.json").write_text(convergence.written())  # as `save` does beside pictures and a page
    again = Convergence.load(tmp_path)
    assert again == Convergence.load(tmp_path / "converge.json") == convergence
    assert again.text() == convergence.text()
    assert latex.document(again) == latex.document(convergence)
    assert again.picture().description == convergence.picture().description
    errors = convergence.to_xarray().error.sel(quantity="Z", family="fem, graded")
    np.testing.assert_array_equal(errors, next(each.error for each in convergence.series if each.frequency is None))


def test_a_loaded_result_says_what_the_first_one_said(result: Result, tmp_path: Path) -> None:
    result.save(tmp_path / "a.json")
    again = Result.load(tmp_path / "a.json")
    assert repr(again) == repr(result)
    assert again.constriction.R == result.constriction.R
    assert again.grids["fem"] == list(result.grids["fem"])
    assert json.dumps(again.as_dict()) == json.dumps(result.as_dict())


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "not JSON",
        '{"$": "object", "class": "os.system", "value": {}}',
        '{"$": "object", "class": "fem_constriction.files.write_text", "value": {"path": "x", "text": "y"}}',
        '{"$": "object", "class": "validation.gate.result.Result", "value": {"cell": 1}}',
        '{"$": "array", "type": "O", "shape": [1], "value": [1]}',
    ],
)
def test_a_file_without_a_result_is_refused_with_its_name(text: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.json").write_text(text)
    with pytest.raises(fc.InputError, match=r"wrong\.json"):
        Result.load(tmp_path / "wrong.json")


def test_records_give_every_kind_of_number_back_exactly() -> None:
    values = {
        "a": np.array([0.1, np.inf, np.nan]),
        "b": np.array([[1 + 2j], [0.1j]]),
        "c": (1, True, None, "x", -np.inf, 0.1 + 1j),
    }
    again = records.restored(json.loads(json.dumps(records.record(values), allow_nan=False)))
    np.testing.assert_array_equal(again["a"], values["a"])
    np.testing.assert_array_equal(again["b"], values["b"])
    assert again["c"] == values["c"]
    with pytest.raises(TypeError, match="object"):
        records.record(object())


def test_labels_that_are_an_array_stand_in_the_files_of_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.kron(np.arange(4).reshape(1, 2, 2), np.ones((3, 2, 2), dtype=int))
    cell = image_cell(labels.shape, 0.25, {"image": labels, "boundary": BOUNDARY})
    solved = fc.fields.solve_fields(cell, 1e3, backend="network")
    solved.save(tmp_path / "fields.npz")
    kept = json.dumps(records.record(cell))
    monkeypatch.setattr("fem_constriction.cell.label_array._held", {})  # as a process has it that has just begun
    assert records.restored(json.loads(kept)) == cell
    monkeypatch.setattr("fem_constriction.cell.label_array._held", {})
    assert fc.fields.Fields.load(tmp_path / "fields.npz") == solved


def test_tables_hold_what_the_spectrum_holds(spectrum: Spectrum, result: Result) -> None:
    table = spectrum.to_pandas()
    np.testing.assert_array_equal(table["Re(Z)/Ohm"] + 1j * table["Im(Z)/Ohm"], spectrum.impedance)
    assert table.index.name == "freq/Hz"
    labelled = result.to_xarray()
    assert labelled.impedance.dims == ("backend", "frequency")
    np.testing.assert_array_equal(labelled.impedance.sel(backend="fem"), result.agreement.limits["fem"].impedance)
    assert labelled.impedance.attrs["units"] == "ohm"
    assert set(result.to_pandas()["verdict"]) == {"agree"}


def test_tables_of_a_fit_have_a_row_for_each_quantity(fit: Extraction) -> None:
    table = fit.to_pandas()
    assert table.loc[("arc_1", "R"), "value"] == pytest.approx(1e3, rel=1e-6)
    assert float(fit.to_xarray().value.sel(element="arc_2", quantity="R")) == pytest.approx(2e3, rel=1e-6)


def test_a_value_is_a_number_with_an_uncertainty() -> None:
    value = Value(value=100.0, unit="ohm", discretisation=1.0, model=2.0, nominal=0.5)
    assert float(value) == 100.0
    assert value.uncertainty == 4.0  # 1 + 2 + 2 x 0.5
    assert (value.ufloat.nominal_value, value.ufloat.std_dev) == (100.0, 2.0)
    with pytest.raises(fc.InputError, match="not there"):
        float(Value(value=None, unit="ohm", reason="not there"))


def test_the_colour_of_the_constriction_is_that_of_its_name() -> None:
    from fem_constriction.pictures import colours

    assert colours.CONSTRICTION == CONSTRICTION


def test_backends_differ_in_print_without_colours_and_for_the_colour_blind() -> None:
    """By their markers, and in the colours of Okabe and Ito, which were chosen for all kinds of colour blindness."""
    from fem_constriction.pictures.colours import BACKENDS, VERDICTS

    okabe_ito = {"#000000", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"}
    for looks in (BACKENDS, tuple(VERDICTS.values())):
        assert len({marker for _, marker in looks}) == len(looks)
        assert {colour for colour, _ in looks} <= okabe_ito


@pytest.mark.parametrize(
    ("value", "unit", "plain", "signs"),
    [
        (146394.0, "ohm", "146.394 kohm", "146.394 kΩ"),
        (1.5e-6, "s", "1.500 us", "1.500 µs"),
        (999.9999, "Hz", "1.000 kHz", "1.000 kHz"),
        (0.0, "V", "0.000 V", "0.000 V"),
        (2e6, "ohm", "2.000 Mohm", "2.000 MΩ"),
        (None, "s", "none", "none"),
        (np.inf, "ohm", "infinite", "infinite"),
    ],
)
def test_amounts_have_prefixes_in_letters_and_in_signs(value: float | None, unit: str, plain: str, signs: str) -> None:
    assert (amount(value, unit), written(value, unit)) == (plain, signs)


def test_texts_of_the_terminal_are_given_signs_and_nothing_else_is_changed() -> None:
    said = "R = 1.5 kohm in 3 us (us alone, ohmic, 2 um, 5 u)"
    assert signed(said) == "R = 1.5 kΩ in 3 µs (us alone, ohmic, 2 µm, 5 u)"


def test_a_cell_shows_what_is_its_own(cell: fc.Cell) -> None:
    """Nothing of the library that validates it: neither to who completes a name nor to who asks for help."""
    shown = [name for name in dir(cell) if not name.startswith("_")]
    assert {"vary", "save", "load", "plot", "geometry", "contact_fraction"} <= set(shown)
    assert [name for name in shown if name.startswith(("model_", "parse_", "construct"))] == []
    assert "working_touch" not in shown  # of use to other rooms alone
    page = pydoc.plain(pydoc.render_doc(fc.Cell))
    assert len(page.splitlines()) < 140
    assert not [name for name in ("model_dump", "__pydantic", "__private_attributes__", "__class_vars__") if name in page]


def test_the_picture_of_a_cell_has_its_contact_where_it_is(cell: fc.Cell) -> None:
    face, contact = cell.picture().panels[0].series
    assert (min(contact.x), max(contact.x)) == pytest.approx((12.5, 37.5))  # um: a quarter of 50 um x 50 um
    assert max(face.y) == pytest.approx(50)


def test_the_picture_of_a_mask_has_every_spot_and_hole_of_it(cell: fc.Cell, tmp_path: Path) -> None:
    pixels = np.zeros((10, 10))
    pixels[1:6, 1:6], pixels[3, 3], pixels[8, 8] = 1, 0, 1  # a spot of 5 x 5 with a hole in it, and one of a pixel
    np.save(tmp_path / "contact.npy", pixels)
    mask = {"shape": "mask", "image": str(tmp_path / "contact.npy"), "pixel": "5 um"}
    picture = cell.vary({"working_electrode.contact": mask}).picture()
    _, *rims = picture.panels[0].series
    ends = sorted((round(float(min(rim.x)), 9), round(float(max(rim.x)), 9)) for rim in rims)
    assert ends == [(5.0, 30.0), (15.0, 20.0), (40.0, 45.0)]  # um
    assert "2 spots, 25 % contact" in picture.description
