"""Pictures, tables, data set and command of the paper's figures: they show what was computed, and say what was not."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import rgb_to_hsv, to_rgb
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Patch
from paper_fakes import FREQUENCY, FakeWork, fake_sample, fake_series
from rich.console import Console
from study_fakes import Here, Renewing

from fem_constriction import Cell, InputError
from fem_constriction.fitting.ladder import ladder_of
from fem_constriction.problem.one_dimensional import physical
from fem_constriction.processes.circuits import CONSTRICTION, INTERFACE
from fem_constriction.processes.names import CHARGE_TRANSFER, GRAIN_BOUNDARY
from fem_constriction.processes.of_cell import admittances
from validation.paper import cells, dataset, pictures, pictures_arcs, pictures_electrolyte, series, summary, tables
from validation.paper import pictures_values as values
from validation.paper.pictures_arcs import COLOURS
from validation.paper.pictures_fields import figure_2b
from validation.paper.sample import Sample
from validation.study.dataset import save

DRAW = {
    "2": pictures.figure_2,
    "3": pictures.figure_3,
    "4": pictures.figure_4,
    "5": pictures.figure_5,
    "6": pictures.figure_6,
    "7": pictures.figure_7,
}


@pytest.fixture(scope="module")
def drawn() -> dict[str, Figure]:
    return {figure: draw(fake_series(*cells.FIGURES[figure])) for figure, draw in DRAW.items()}


def parts(figure: Figure) -> list[Figure | SubFigure]:
    return [figure, *figure.subfigs]


def words(figure: Figure) -> str:
    """Every text of a figure, its legends' among them."""
    axes = figure.axes
    texts = [text for each in axes for text in (each.title, each._left_title, each.xaxis.label, each.yaxis.label, *each.texts)]
    legends = [legend for part in parts(figure) for legend in part.legends]
    legends += [legend for each in axes if (legend := each.get_legend()) is not None]
    texts += [text for legend in legends for text in legend.get_texts()]
    texts += [part._suptitle for part in parts(figure) if part._suptitle is not None]
    return " ".join(text.get_text() for text in texts)


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        ("2", ("1D-PM", "bulk", "grain boundary", "charge transfer", "constriction", "Re $Z$ / M", "R_{i}$", "$ / F", "$ / s")),
        ("3", ("(a)", "(b)", "grain boundary\nover 1D-PM", "constriction", "R_{i}$ / $\\Omega$")),
        ("4", ("0.115 mS/cm", "1.84 mS/cm", "1.49 µS/cm", "23.9 µS/cm", "C_{\\mathrm{Cstr}}$ / F", "open symbols")),
        ("5", ("$\\Omega$", "$ / F", "µs", "linear", "R_\\mathrm{pol}(1 + A/A_\\mathrm{c})/A")),
        ("6", ("= 1 $\\Omega\\,$cm", "= 100 $\\Omega\\,$cm", "C_\\mathrm{pore}", "C_\\mathrm{DL}", "Cstr", "CT")),
        ("7", ("modified 1D-PM", "WE and CE apart", "relaxation time $\\tau$ / s", "stored: pore", "-$Im $Z$ / M")),
    ],
)
def test_a_figure_has_the_panels_units_and_processes_of_the_paper(
    drawn: dict[str, Figure], figure: str, expected: tuple[str, ...]
) -> None:
    seen = words(drawn[figure])
    assert [word for word in expected if word not in seen] == []
    assert "network and fem agree" in seen
    if figure != "7":
        assert "contact fraction" in seen


def test_a_process_has_the_colour_of_the_papers_caption_in_every_figure(drawn: dict[str, Figure]) -> None:
    """Bulk blue, boundaries red, interface light green, constriction yellow (figure 2): hues in turns, to a tenth of a turn."""
    for name, hue in (("bulk", 2 / 3), (GRAIN_BOUNDARY, 0.0), (INTERFACE, 1 / 3), (CONSTRICTION, 1 / 6)):
        off = rgb_to_hsv(to_rgb(COLOURS[name]))[0] - hue
        assert abs((off + 0.5) % 1 - 0.5) < 0.1
    for figure in ("2", "3"):
        patches = {
            text.get_text(): patch
            for part in parts(drawn[figure])
            for legend in part.legends
            for patch, text in zip(legend.legend_handles, legend.get_texts(), strict=True)
            if isinstance(patch, Patch)
        }
        for name in ("bulk", GRAIN_BOUNDARY, CONSTRICTION):
            assert patches[name.replace("_", " ")].get_facecolor()[:3] == pytest.approx(to_rgb(COLOURS[name]))


@pytest.mark.parametrize("figure", ["2", "3", "7"])
def test_both_axes_of_an_impedance_plane_have_one_scale(drawn: dict[str, Figure], figure: str) -> None:
    planes = [axes for axes in drawn[figure].axes if "Re $Z$" in axes.get_xlabel() or axes.get_aspect() == 1]
    assert planes
    assert all(axes.get_aspect() == 1 for axes in planes)


def test_every_row_of_spectra_holds_its_points_and_arcs(drawn: dict[str, Figure]) -> None:
    sample = fake_sample("2", 0.25)
    assert sample.agreed is not None
    z = sample.agreed.spectrum.impedance / 1e6
    rows = [axes for axes in drawn["2"].subfigs[0].axes if axes.texts[0].get_text() == "25 %"]
    (row,) = (axes for axes in rows if len(np.asarray(axes.lines[0].get_xdata())) == FREQUENCY.size)
    assert row.get_xlim()[1] > z.real.max()
    assert row.get_ylim()[1] > -z.imag.min()
    start = 0.0
    for arc, drawn_arc in zip(sample.agreed.fit.circuit().arcs, row.collections, strict=True):  # type: ignore[union-attr]
        box = drawn_arc.get_paths()[0].get_extents()
        assert [box.x0, box.x1] == pytest.approx([start, start + arc.resistance / 1e6], abs=1e-9)  # rounding
        start += arc.resistance / 1e6


def test_figure_2_draws_the_1d_pm_of_the_same_cells(drawn: dict[str, Figure]) -> None:
    axes = drawn["2"].subfigs[1].axes[0]
    lines = [line for line in axes.lines if len(np.asarray(line.get_xdata())) == values.DENSE.size]
    expected = [physical(cells.cell("2", 0.25))[name].resistance for name in ("bulk", "grain_boundary", "interface")]
    found = [float(np.interp(0.25, values.DENSE, np.asarray(line.get_ydata()))) for line in lines]
    assert sorted(found) == pytest.approx(sorted(expected), rel=2e-3)  # straight lines between the points they are drawn at


def test_the_ladder_stands_beside_the_arcs(drawn: dict[str, Figure]) -> None:
    """Crosses of figure 2: R_Cstr of the ladder that two arcs are; the geometric one and C_pore (1 - x) are lines."""
    arcs = fake_sample("2", 0.25).agreed.fit.arcs
    both = [arcs[name] for name in (CONSTRICTION, CHARGE_TRANSFER)]
    expected = ladder_of([each.R.value for each in both], [each.tau.value for each in both])[0]
    axes = drawn["2"].subfigs[1].axes[0]
    crosses = [line for line in axes.lines if line.get_marker() == "x"]
    heights = [y for line in crosses for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True) if x == 0.25]
    assert min(abs(y / expected - 1) for y in heights) < 1e-12
    seen = words(drawn["2"])
    assert "geometric" in seen
    assert "C_\\mathrm{pore}(A - A_\\mathrm{c})" in seen
    assert "working electrode alone" in words(drawn["5"])


def test_symbols_are_open_where_the_order_of_time_constants_is_reversed() -> None:
    base = cells.VARIED["4"][0]
    sample = fake_sample("4", 0.25, base)
    boundary = admittances(sample.cell)[GRAIN_BOUNDARY].relaxation_time
    found = values.value(sample, CONSTRICTION, "tau")
    assert found is not None
    for ratio, hollow in ((1.01 * pictures_electrolyte.ORDER, False), (0.99 * pictures_electrolyte.ORDER, True)):
        tau = replace(found, value=ratio * boundary)
        assert sample.agreed is not None
        assert sample.agreed.fit is not None
        arc = replace(sample.agreed.fit.arcs[CONSTRICTION], tau=tau)
        fit = replace(sample.agreed.fit, arcs={**sample.agreed.fit.arcs, CONSTRICTION: arc})
        changed = replace(sample, agreed=replace(sample.agreed, fit=fit))
        assert pictures_electrolyte.order_lost(changed) is hollow


def test_a_cell_that_was_not_agreed_on_is_counted_and_not_drawn() -> None:
    samples = [fake_sample("5a", x, refused=x == 0.25) for x in cells.QUICK]
    figure = pictures.figure_5({"5a": samples, "5b": []})
    assert "agree on 4 of 5 cells" in words(figure)
    drawn = {float(x) for line in figure.axes[0].lines for x in np.atleast_1d(line.get_xdata()) if line.get_marker() == "^"}
    assert drawn == {x for x in cells.QUICK if x != 0.25}
    assert pictures_arcs.drawn(samples) == [samples[4], samples[2], samples[0]]


@pytest.mark.parametrize("figure", cells.FIGURES)
def test_a_figure_of_which_nothing_was_agreed_on_is_still_drawn(figure: str) -> None:
    nothing = {label: [fake_sample(label, 0.78, refused=True)] for label in cells.FIGURES[figure]}
    found = DRAW[figure](nothing)
    assert "agree on 0 of" in words(found) or "nothing was agreed on" in words(found)


def test_bars_are_the_largest_of_what_is_uncertain() -> None:
    found = values.value(fake_sample("2", 0.25), CONSTRICTION, "R")
    assert found is not None
    assert found.value is not None
    assert values.spread(found) == found.model == 0.02 * found.value
    assert values.spread(replace(found, model=np.inf)) == found.nominal


def test_sections_show_three_frequencies() -> None:
    """Figure 2 (b), of the coarsest grid."""
    seen = words(figure_2b(level=0))
    assert all(word in seen for word in ("1 Hz", "3 kHz", "1 MHz", "µm", "V", "25 % contact"))


def test_tables_have_a_verdict_in_every_row_and_every_number_exactly(tmp_path: Path) -> None:
    samples = [*fake_series("6")["6"], fake_sample("6", 0.9, refused=True)]
    paths = tables.write(samples, tmp_path, "figure-6")
    assert [path.name for path in paths] == ["figure-6-parameters.csv", "figure-6-spectra.csv"]
    arcs, spectra = (list(csv.DictReader(path.read_text().splitlines())) for path in paths)
    assert {row["verdict"] for row in arcs} == {row["verdict"] for row in spectra} == {"agree", "unresolved"}
    sample = samples[1]
    assert sample.agreed is not None
    expected = sample.agreed.fit.arcs[CONSTRICTION]  # type: ignore[union-attr]
    (row,) = (
        row
        for row in arcs
        if (row["side"], row["circuit"], row["element"]) == ("agreed", "fit", CONSTRICTION)
        and float(row["contact fraction"]) == sample.fraction
        and float(row[f"{cells.R_POL}/({tables.unit(cells.R_POL)})"]) == sample.varied[cells.R_POL]
    )
    assert (float(row["R/Ohm"]), float(row["u_model(tau)/s"])) == (expected.R.value, expected.tau.model)
    assert {row["circuit"] for row in arcs} == {"fit", "extended", ""}
    (refused,) = {row["note"] for row in arcs if row["verdict"] == "unresolved"}
    assert refused == samples[-1].refusal
    first = [row for row in spectra if row["side"] == "fem"][: FREQUENCY.size]
    assert [float(row["Im(Z)/Ohm"]) for row in first] == samples[0].backends["fem"].spectrum.impedance.imag.tolist()


def test_the_data_set_says_the_unit_and_the_meaning_of_everything_and_comes_back_from_the_disk(tmp_path: Path) -> None:
    samples = [s for found in fake_series("2", "4", "7").values() for s in found]
    samples.append(fake_sample("2", 0.9, refused=True))
    built = dataset.build(samples)
    for name in built.variables:
        assert built[name].attrs["long_name"], name
        assert "units" in built[name].attrs, name
    save(built, tmp_path)
    with xr.open_dataset(tmp_path / "results.nc") as found:
        assert found.load().identical(built)
    last = built.isel(sample=-1)
    assert np.isnan(last["R"]).all()
    assert np.isnan(last["impedance_real"].sel(side="agreed")).all()
    assert np.isfinite(last["impedance_real"].sel(side="fem")).all()
    seven = built.isel(sample=-2)
    assert np.isfinite(seven["R"].sel(side="agreed", circuit="extended", element="counter_electrode"))
    assert np.isnan(seven["R"].sel(side="agreed", circuit="fit", element="counter_electrode"))
    assert built[cells.SIGMA_BULK].attrs["units"] == "S/m"
    assert Cell.loads(str(seven["cell"].values)).vary({"title": ""}) == samples[-2].cell.vary({"title": ""})


def test_a_data_set_of_nothing_or_of_different_frequencies_is_refused() -> None:
    with pytest.raises(InputError, match="one at least"):
        dataset.build([])
    one = fake_sample("2", 0.25)
    other = {name: replace(side, spectrum=replace_frequency(side.spectrum)) for name, side in one.backends.items()}
    with pytest.raises(InputError, match="frequencies"):
        dataset.build([one, replace(one, backends=other)])


def replace_frequency(spectrum: Any) -> Any:
    return replace(spectrum, frequency=1.1 * spectrum.frequency)


def test_backends_are_apart_by_their_difference_over_their_uncertainties() -> None:
    sample = fake_sample("2", 0.25)  # R of one is 1e-5 larger than that of the other, known to 1e-4 each
    assert summary.apart(sample) == pytest.approx(0.05, rel=1e-3)
    network, fem = (sample.backends[name].fit for name in ("network", "fem"))
    assert network is not None
    assert fem is not None
    arc = fem.arcs[CONSTRICTION]
    assert arc.R.value is not None
    wrong = replace(arc, R=replace(arc.R, value=1.01 * arc.R.value))
    side = replace(sample.backends["fem"], fit=replace(fem, arcs={**fem.arcs, CONSTRICTION: wrong}))
    side = replace(side, extended=side.fit)
    assert (summary.apart(replace(sample, backends={**sample.backends, "fem": side})) or 0) > 1
    assert summary.apart(fake_sample("2", 0.25, refused=True)) is None


@pytest.fixture
def faked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the command compute with formulas."""
    plain = series.compute

    def use(**options: Any) -> None:
        def compute(folder: Any, figures: list[str], **given: Any) -> Any:
            work = FakeWork(figures[0], **options)
            return plain(folder, figures, **{**given, "work": work, "pool": Renewing(Here()), "workers": None})

        monkeypatch.setattr(series, "compute", compute)

    return use


def test_the_command_writes_tables_pictures_and_one_data_set(
    run: Callable[..., tuple[int, str, str]], faked: Callable[..., None], tmp_path: Path
) -> None:
    faked()
    status, out, err = run("figures", "7", "--quick", "--out", tmp_path, "--json")
    record = json.loads(out)
    assert (status, record["cells"], record["not_agreed"], record["failed"]) == (0, 1, 0, 0)
    names = {Path(path).name for path in record["files"]}
    kinds = ("-parameters.csv", "-spectra.csv", ".png", ".pdf")
    assert names == {"results.nc", *(f"figure-7{kind}" for kind in kinds)}
    assert all((tmp_path / name).stat().st_size > 0 for name in names)
    assert [result["figure"] for result in record["results"]] == ["7"]
    assert "Figure 7, 1 cell" in err


def test_the_overview_counts_what_is_not_as_it_should_be() -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    found = {"5a": [fake_sample("5a", x, refused=x == 0.25) for x in cells.QUICK]}
    console.print(summary.overview(found, {"5a": 2}))
    (row,) = (line.split() for line in console.export_text().splitlines() if line.strip().startswith("5a"))
    assert row == ["5a", "5", "4", "1", "2", "1.0e-03", "1.0e-03", "0.05"]


@pytest.mark.parametrize(
    ("options", "expected", "said"),
    [
        ({"refuses": (0.78,)}, 1, "nothing is extracted"),
        ({"fails": (0.78,)}, 3, "the solver failed at 0.78"),
    ],
)
def test_the_exit_status_says_what_was_not_agreed_on_and_what_failed(
    run: Callable[..., tuple[int, str, str]],
    faked: Callable[..., None],
    tmp_path: Path,
    options: dict[str, Any],
    expected: int,
    said: str,
) -> None:
    faked(**options)
    status, out, err = run("figures", "7", "--quick", "--out", tmp_path, "--quiet")
    assert (status, out) == (expected, "")
    assert said in err


def test_a_figure_that_is_none_is_refused_before_anything_is_computed(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    status, _, err = run("figures", "1", "--out", tmp_path / "there")
    assert status == 2
    assert "figure = '1' is not allowed: 2, 3, 4, 5, 6, 7" in err
    assert not (tmp_path / "there").exists()


@pytest.mark.long
def test_figure_7_from_nothing(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    """Both backends on their families of grids: four arcs, and a fit that takes WE and CE apart is far better (claim 54)."""
    status, out, _ = run("figures", "7", "--quick", "--out", tmp_path, "--workers", "1", "--json")
    assert status == 0
    (result,) = json.loads(out)["results"]
    assert result["verdict"] == "agree"
    assert set(result["arcs"]["agreed"]["extended"]) == {"bulk", "charge_transfer", CONSTRICTION, "counter_electrode"}
    assert result["backends_apart"] <= 1
    (sample,) = series.samples(tmp_path, "7")
    assert isinstance(sample, Sample)
    assert (summary.residual(sample, "fit") or 0) > 5 * (summary.residual(sample, "extended") or 1)
