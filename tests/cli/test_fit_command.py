"""`fem-constriction fit`: depressed arcs, the Kramers-Kronig test and relaxation times, as they are said, written and drawn."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from paper_cells import SMALL, paper_cell

import fem_constriction as fc
from fem_constriction.fitting.drt import distribution
from fem_constriction.fitting.extraction import fit_spectrum
from fem_constriction.pictures import colours
from fem_constriction.pictures.picture import Area
from fem_constriction.pictures.plane import impedance_plane
from fem_constriction.pictures.printed import figure
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.projection import reduce
from network import Network
from validation.show.pictures.drt import relaxation_times

Run = Callable[..., tuple[int, str, str]]
DOCS = (Path(__file__).parents[2] / "docs" / "circuits.md").read_text()
F = np.geomspace(1e-1, 1e6, 57)
S = 2j * np.pi * F


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Resistance, a depressed arc, an arc and an inductance, with noise of 0.1 %."""
    random = np.random.default_rng(1)
    z = 50 + 100 / (1 + (1e-4 * S) ** 0.85) + 200 / (1 + 1e-2 * S) + 1e-6 * S
    z *= 1 + 1e-3 * (random.normal(size=F.size) + 1j * random.normal(size=F.size))
    fc.Spectrum(F, z).save(tmp_path / "z.csv")
    return tmp_path / "z.csv"


def words(figure: Figure) -> str:
    figure.canvas.draw()
    found = [text.get_text() for text in figure.findobj(lambda each: hasattr(each, "get_text"))]
    return " ".join(found)


def test_several_files_are_a_table_and_a_wrong_one_is_named(run: Run, tmp_path: Path) -> None:
    """An arc with 0.5 % of noise is described; a file without columns is a sentence, and the other has its row all the same."""
    random = np.random.default_rng(1)
    z = (50 + 100 / (1 + 1e-4 * S)) * (1 + 5e-3 * (random.normal(size=F.size) + 1j * random.normal(size=F.size)))
    fc.Spectrum(F, z).save(tmp_path / "arc.csv")
    (tmp_path / "prose.txt").write_text("no table\n")
    status, printed, said = run(
        "fit", tmp_path / "arc.csv", tmp_path / "prose.txt", "--noise", "0.005", "--out", tmp_path / "out"
    )
    assert status == 2 and "prose.txt, line 1: the columns 'no', 'table' are not allowed" in " ".join(said.split())
    assert "R0-p(R1,C1)" in printed and "not cross-checked" in printed
    (row, refused) = json.loads((tmp_path / "out" / "fit.json").read_text())["files"]
    assert row["fits"] and row["points"] == F.size and row["noise"] == {"size": 0.005, "source": "given", **row["noise"]}
    assert row["rms"] == pytest.approx(5e-3, rel=0.2)  # of 114 numbers 0.07
    assert list(refused) == ["file", "refused"]
    lines = (tmp_path / "out" / "fits.csv").read_text().splitlines()
    assert lines[0].startswith("file,format,points,circuit") and lines[1].startswith("arc.csv,text,57,")


def test_everything_is_said_and_written(run: Run, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    status, printed, _ = run("fit", file, "--circuit", "R0-L0-p(R1,CPE1)-p(R2,C2)", "--out", out)
    assert status == 0
    for word in ("alpha", "inductance", "Kramers-Kronig: ", "RC elements per decade leave", "peaks:", "not cross-checked"):
        assert word in printed
    record = json.loads((out / "fit.json").read_text())
    assert fc.Extraction.load(out / "fit.json").arcs["arc_1"].R.value == record["arcs"]["arc_1"]["R"]["value"]
    assert record["arcs"]["arc_1"]["alpha"]["value"] == pytest.approx(0.85, abs=0.01)
    assert record["kramers_kronig"]["enough"] is True
    assert 1e-3 < record["kramers_kronig"]["largest"] < 1e-2  # the noise
    assert max(peak["R_ohm"] for peak in record["drt"]["peaks"]) == pytest.approx(200, rel=0.05)
    table = np.loadtxt(out / "drt.csv", delimiter=",", skiprows=1)
    assert table[:, 1].sum() * np.log(table[1, 0] / table[0, 0]) == pytest.approx(300, rel=0.05)
    assert all((out / f"{name}.{kind}").is_file() for name in ("nyquist", "drt") for kind in ("png", "pdf"))


def test_too_few_data_are_said_to_test_nothing(run: Run, tmp_path: Path) -> None:
    fc.Spectrum(F[[0, 20, 40]], (200 / (1 + 1e-2 * S))[[0, 20, 40]]).save(tmp_path / "few.csv")
    status, printed, _ = run("fit", tmp_path / "few.csv", "--circuit", "p(R1,C1)")
    assert status == 0
    assert "not tested, 3 frequencies are 6 data" in " ".join(printed.split())


def test_a_circuit_that_is_none_is_refused(run: Run, file: Path) -> None:
    status, _, err = run("fit", file, "--circuit", "R0-X1")
    assert status == 2
    assert "--circuit = 'R0-X1' is not allowed because 'X1' is neither" in err


def test_the_picture_shows_the_distribution_the_arcs_and_the_peaks(file: Path) -> None:
    data = fc.Spectrum.load(file)
    found = fit_spectrum(data, "R0-L0-p(R1,CPE1)-p(R2,C2)")
    seen = words(figure(relaxation_times({"DRT": distribution(data)}, found, title="measured")))
    for word in ("DRT", "fit: arc 1", "fit: arc 2", "10.0 ms", "relaxation time", "measured"):
        assert word in seen
    # the depressed arc of the impedance plane is as high as the data
    axes = figure(impedance_plane({"measured": data}, found, title="")).axes[0]
    heights = [collection.get_paths()[0].get_extents().ymax for collection in axes.collections[:2]]
    assert heights == pytest.approx([50 * np.tan(0.85 * np.pi / 4), 100], rel=0.02)


def test_one_thing_has_one_colour_in_every_picture(file: Path) -> None:
    """Points of the data and their distribution; arcs in the plane and over tau."""
    data = fc.Spectrum.load(file)
    found = fit_spectrum(data, "R0-L0-p(R1,CPE1)-p(R2,C2)")
    plane = impedance_plane({"z": data}, found, looks=(colours.DATA,)).panels[0]
    times = relaxation_times({"DRT": distribution(data)}, found).panels[0]
    points, line = ({each.label: each.colour for each in panel.series} for panel in (plane, times))
    assert points["z"] == line["DRT"] == colours.DATA[0]
    assert points["fit"] == colours.FIT
    filled = [
        {each.label: each.colour for each in plane.series if each.fill},
        {each.label.removeprefix("fit: "): each.colour for each in times.marks if isinstance(each, Area)},
    ]
    assert filled[0] == filled[1] and len(filled[0]) == 2
    assert not set(colours.ARCS) & set(colours.PROCESSES.values())  # arc 2 need not be the second process
    everything = [colours.DATA[0], colours.DISCS, *(colour for colour, _ in colours.BACKENDS)]
    assert len(set(everything)) == len(everything) and colours.DATA[0] not in colours.PROCESSES.values()


def test_a_fit_that_does_not_describe_the_data_is_no_success(run: Run, tmp_path: Path) -> None:
    fc.Spectrum(F, (50 + 200 / (1 + 1e-2 * S)).conj()).save(tmp_path / "z.csv")
    status, printed, said = run("fit", tmp_path / "z.csv", "--out", tmp_path / "out")
    assert status == 1 and "the circuit does not fit" in said
    assert "its name must say so" in " ".join(printed.split())
    assert json.loads((tmp_path / "out" / "fit.json").read_text())["fits"] is False


def test_several_sweeps_are_refused_or_chosen(run: Run, tmp_path: Path) -> None:
    z = 50 + 200 / (1 + 1e-2 * S)
    fc.Spectrum(np.tile(F, 2), np.concatenate([z, z + 100])).save(tmp_path / "z.csv")
    status, _, said = run("fit", tmp_path / "z.csv")
    assert (
        status == 2 and "z.csv: the frequencies run through the band 2 times, from rows 1, 58 on" in said and "--sweep" in said
    )
    status, printed, _ = run("fit", tmp_path / "z.csv", "--sweep", "2", "--json")
    record = json.loads(printed)
    assert status == 0 and record["arcs"]["r_elec"]["R"]["value"] == pytest.approx(150, rel=1e-6)
    assert record["prepared"] == ["sweep 2 of 2"]
    assert run("fit", tmp_path / "z.csv", "--sweep", "3")[0] == 2


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("z", [np.full(57, 100.0), 50 + 1e-4 * S, 200 / (1 + 1e-2 * S) - 20, np.full(57, 30 - 20j)])
def test_pictures_of_every_kind_of_spectrum_are_drawn(run: Run, z: np.ndarray, tmp_path: Path) -> None:
    fc.Spectrum(F, np.asarray(z, dtype=complex)).save(tmp_path / "z.csv")
    assert run("fit", tmp_path / "z.csv", "--quiet", "--out", tmp_path / "out")[0] in (0, 1)
    assert all((tmp_path / "out" / f"{name}.png").is_file() for name in ("nyquist", "drt"))


def test_the_exact_relaxation_spectrum_is_drawn_by_process() -> None:
    cell = paper_cell("figure-2-25").vary(SMALL)
    network = Network()
    model = reduce(network.assemble(cell, network.grid(cell, 0)), admittances(cell), (2 * np.pi * F[0], 2 * np.pi * F[-1]))
    found = distribution(fc.Spectrum(F, model.impedance(S)))
    seen = words(figure(relaxation_times({"DRT": found}, exact=model.relaxation(), title="Figure 2")))
    for word in ("exact, stored in grain boundary", "exact, stored in charge transfer", "exact, stored in pore"):
        assert word in seen


def test_the_documented_examples_run(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cell = paper_cell("figure-2-25").vary(SMALL)
    network = Network()
    names: dict[str, object] = {"z": fc.Spectrum.load(file), "cell": cell}
    blocks = re.findall(r"```python\n(.*?)```", DOCS, flags=re.DOTALL)
    assert len(blocks) == 4
    exec(blocks[0], names)
    np.testing.assert_array_equal(names["again"].impedance, names["z"].impedance)  # type: ignore[attr-defined]
    exec(blocks[1], names)
    assert "CPE1_alpha" in capsys.readouterr().out
    exec(blocks[2], names)
    names["model"] = reduce(network.assemble(cell, network.grid(cell, 0)), admittances(cell), (1.0, 1e7))
    exec(blocks[3], names)
    assert len(names["found"].peaks()) >= 2  # type: ignore[attr-defined]
