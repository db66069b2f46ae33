"""The command line: what it writes, what it refuses and in which words, and its exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command_fakes import PLUGINS, POINTS, installed, refused

from fem_constriction import Cell, Spectrum
from fem_constriction.errors import ComputationError
from validation import Result
from validation.gate import default_cell
from validation.gate import run as gate
from validation.show import terminal

CELLS = Path(__file__).parents[1] / "data" / "cells"
HOMOGENEOUS = CELLS / "homogeneous-25.toml"

COARSE = ("--backends", "coarse-network,coarse-fem", "--tolerance", "0.05")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with installed(monkeypatch, tmp_path / "site", "stranger", PLUGINS, POINTS):
        yield


def variant(folder: Path, *changes: tuple[str, str], of: Path = HOMOGENEOUS) -> Path:
    text = of.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "cell.toml"
    path.write_text(text)
    return path


# The main job


@pytest.mark.long
def test_crosscheck_writes_result_spectra_and_plots(run: Run, plugins: None, tmp_path: Path) -> None:
    out = tmp_path / "out"
    status, printed, err = run("crosscheck", HOMOGENEOUS, *COARSE, "--out", out)
    assert status == 0, err
    record = json.loads((out / "crosscheck.json").read_text())
    assert Result.load(out / "crosscheck.json").constriction.R.value == record["extraction"]["constriction"]["R"]["value"]
    assert record["agreement"]["verdict"] == "agree"
    assert record["refusal"] is None
    assert {"bulk", "constriction", "charge_transfer"} == set(record["extraction"]["arcs"])
    for name in ("nyquist", "agreement", "convergence"):
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (out / f"{name}.pdf").read_bytes().startswith(b"%PDF")
    for name in ("coarse-network", "coarse-fem", "agreed"):
        spectrum = Spectrum.load(out / f"{name}.csv")
        assert len(spectrum) == 61
        assert spectrum.uncertainty is not None
    assert spectrum.provenance["agreement"]["verdict"] == "agree"
    for word in ("enclosure", "geometric", "enclosed between", "fitted", "discr.", "coarse-fem alone", "unknowns", "tau"):
        assert word in printed
    # fit knows that this spectrum was cross-checked, and that one backend's alone was not
    status, printed, _ = run("fit", out / "agreed.csv", "--out", out / "fit", "--json")
    assert (status, json.loads(printed)["cross_checked"]) == (0, True)
    assert json.loads((out / "fit" / "fit.json").read_text())["cross_checked"] is True
    assert (out / "fit" / "nyquist.png").is_file()
    status, printed, _ = run("fit", out / "coarse-fem.csv", "--circuit", "p(R1,C1)-p(R2,C2)")
    assert status == 0
    assert "not cross-checked" in printed
    assert "arc 2" in printed


def test_json_is_all_there_is_on_stdout_and_the_refusal_is_said(run: Run, plugins: None, tmp_path: Path) -> None:
    path = variant(tmp_path, ("fraction = 0.25", "fraction = 1"), of=CELLS / "figure-2-25.toml")
    out = tmp_path / "out"
    Spectrum([1.0], [1.0 + 0j], provenance={"agreement": {"verdict": "agree"}}).save(out / "agreed.csv")  # type: ignore[arg-type]
    status, printed, err = run("crosscheck", path, "--backends", "wrong,coarse-fem", "--out", out, "--json", "--quiet")
    assert status == 1, err
    record = json.loads(printed)
    written = json.loads((out / "crosscheck.json").read_text())
    assert record == {key: value for key, value in written.items() if key != "record"}
    assert Result.load(out / "crosscheck.json").agreement.verdict == "disagree"
    assert record["agreement"]["verdict"] == "disagree"
    assert record["extraction"] is None
    assert "disagree" in err
    assert err.count("\n") == 1
    assert (out / "nyquist.png").is_file()
    assert (out / "wrong.csv").is_file()
    # the combined spectrum of an earlier run does not outlive a disagreement
    assert not (out / "agreed.csv").exists()
    assert not (out / "agreed.json").exists()


def test_uncertainties_too_wide_for_the_tolerance_are_unresolved(run: Run, plugins: None, tmp_path: Path) -> None:
    names = ("--backends", "coarse-network,coarse-fem", "--tolerance", "1e-12", "--out", tmp_path / "out")
    status, printed, err = run("crosscheck", HOMOGENEOUS, *names, "--frequencies", "1:1e4:3")
    assert status == 1
    assert "unresolved" in err
    assert "verdict" in printed
    assert json.loads((tmp_path / "out" / "crosscheck.json").read_text())["agreement"]["verdict"] == "unresolved"


def test_without_a_contact_there_is_no_constriction_and_that_is_fine(run: Run, tmp_path: Path) -> None:
    path = variant(tmp_path, ("fraction = 0.25", "fraction = 0"), of=CELLS / "figure-2-25.toml")
    status, printed, err = run("crosscheck", path, "--out", tmp_path / "out")
    assert status == 0, err
    assert "no constriction to extract" in printed


def test_quiet_says_nothing(run: Run, plugins: None, tmp_path: Path) -> None:
    out = tmp_path / "z.csv"
    backend = ("--backend", "coarse-fem", "--frequencies", "1,10,100", "--resolution", "4")
    assert run("spectrum", HOMOGENEOUS, *backend, "--out", out, "--quiet") == (0, "", "")
    assert len(Spectrum.load(out)) == 3


def test_spectrum_to_an_accuracy_and_without_a_header(run: Run, plugins: None, tmp_path: Path) -> None:
    out = tmp_path / "z.csv"
    options = ("--backend", "coarse-fem", "--frequencies", "1:1e6:4", "--accuracy", "0.01", "--out", out)
    status, printed, _ = run("spectrum", HOMOGENEOUS, *options, "--no-header", "--json")
    assert status == 0
    assert len(json.loads(printed)["uncertainty_ohm"]) == 4
    assert not out.read_text().startswith("freq")


# The small commands


def test_backends_are_listed_and_a_broken_one_does_no_harm(run: Run, plugins: None) -> None:
    status, printed, _ = run("backends", "--json")
    rows = {row["name"]: row for row in json.loads(printed)}
    assert status == 0
    assert (rows["fem"]["bound"], rows["network"]["bound"], rows["network"]["order"]) == ("lower", "upper", 2.0)
    assert rows["coarse-fem"]["module"] == "stranger:CoarseElements"
    assert "Missing" in rows["broken"]["error"]
    assert "network:Network" in run("backends")[1]


def test_schema_show_and_version(run: Run) -> None:
    assert json.loads(run("schema")[1]) == Cell.json_schema()
    status, printed, _ = run("show", HOMOGENEOUS, "--json")
    record = json.loads(printed)
    assert status == 0
    assert record["derived"]["contact_area_m2"] == pytest.approx(6.25e-10)
    assert Cell(**record["cell"]) == Cell.load(HOMOGENEOUS)
    assert "434.783 kohm" in run("show", HOMOGENEOUS)[1]
    assert run("show", HOMOGENEOUS, "--quiet") == (0, "", "")
    assert run("--version")[1].startswith("fem-constriction 0.")
    assert "crosscheck" in run("--help")[1]


def test_the_embedded_cell_is_figure_2_at_25_percent() -> None:
    assert (Path(default_cell.__file__).parent / default_cell.DEFAULT_CELL).read_text() == (
        CELLS / "figure-2-25.toml"
    ).read_text()


# Wrong input


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("fraction = 0.25", "fractoin = 0.25"), ("fractoin", "working_electrode.contact.fraction")),
        (('[electrolyte]\nconductivity = "0.46 mS/cm"\nrelative_permittivity = 150\n', ""), ("electrolyte", "missing")),
        (('"0.46 mS/cm"', '"0.46 cm"'), ("electrolyte.conductivity", "S/m")),
        (('"0.46 mS/cm"', '"0.46"'), ("electrolyte.conductivity", "no unit")),
        (("fraction = 0.25", "fraction = 1.5"), ("fraction", "1.5", "from 0 to 1")),
        (("fraction = 0.25", "fraction = nan"), ("fraction", "nan")),
        (('thickness = "50 um"', 'thickness = "0 um"'), ("geometry.thickness", "above 0")),
        (("[geometry]", "[geometry"), ("not TOML",)),
    ],
)
def test_a_wrong_cell_file(run: Run, tmp_path: Path, change: tuple[str, str], words: tuple[str, ...]) -> None:
    path = variant(tmp_path, change)
    refused(run("crosscheck", path, "--out", tmp_path / "out"), str(path), *words)
    assert not (tmp_path / "out").exists()


def test_a_cell_file_that_is_not_there(run: Run, tmp_path: Path) -> None:
    refused(run("crosscheck", tmp_path / "no.toml"), "no.toml", "no such file")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--frequencies", "0:1:5"), ("--frequencies = '0:1:5'", "positive")),
        (("--frequencies=-1,10",), ("--frequencies = '-1,10'", "positive")),
        (("--frequencies", "1:10"), ("--frequencies", "a:b:n")),
        (("--tolerance", "2"), ("--tolerance = 2.0", "between 0 and 1")),
        (("--tolerance", "much"), ("--tolerance",)),
        (("--backends", "network"), ("--backends", "two")),
        (("--backends", "network,boundary"), ("--backends = 'boundary'", "fem, network")),
        (("--speed", "1"), ("--speed",)),
    ],
)
def test_wrong_options(run: Run, tmp_path: Path, options: tuple[str, ...], words: tuple[str, ...]) -> None:
    refused(run("crosscheck", HOMOGENEOUS, *options, "--out", tmp_path / "out"), *words)
    assert not (tmp_path / "out").exists()


def test_no_command_and_an_unknown_one(run: Run) -> None:
    refused(run(), "--help")
    refused(run("croscheck"), "croscheck", "crosscheck")


@pytest.mark.parametrize("place", ["file", "file/out"])
def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_computed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(gate, "crosscheck", lambda *_, **__: pytest.fail("computed"))
    (tmp_path / "file").write_text("in the way")
    refused(run("crosscheck", HOMOGENEOUS, "--out", tmp_path / place), "--out", "not a folder")


def test_a_file_of_somebody_else_is_not_overwritten(run: Run, tmp_path: Path) -> None:
    (tmp_path / "network.json").write_text("{}")
    refused(run("crosscheck", HOMOGENEOUS, "--out", tmp_path), "network.json")


def test_a_grid_that_does_not_fit_in_memory(run: Run, tmp_path: Path) -> None:
    options = ("--backend", "fem", "--resolution", "5000", "--out", tmp_path / "z.csv")
    refused(run("spectrum", HOMOGENEOUS, *options), "memory", "GiB")


def test_spectrum_refuses(run: Run, tmp_path: Path) -> None:
    backend, out = ("--backend", "fem"), ("--out", tmp_path / "z.csv")
    refused(run("spectrum", HOMOGENEOUS, *backend, *out, "--resolution", "2"), "--resolution = 2")
    refused(run("spectrum", HOMOGENEOUS, *backend, *out, "--accuracy", "0"), "--accuracy = 0.0")
    refused(
        run("spectrum", HOMOGENEOUS, *backend, *out, "--accuracy", "0.1", "--resolution", "8"), "--accuracy", "--resolution"
    )
    refused(run("spectrum", HOMOGENEOUS, *backend), "--out")
    refused(run("spectrum", HOMOGENEOUS, "--backend", "boundary", *out), "--backend = 'boundary'")
    refused(run("spectrum", HOMOGENEOUS, *backend, "--out", tmp_path), "--out")


def test_fit_refuses(run: Run, tmp_path: Path) -> None:
    refused(run("fit", HOMOGENEOUS), str(HOMOGENEOUS))
    Spectrum([1.0, 2.0, 3.0], [3 - 1j, 2 - 1j, 1 - 0.5j]).save(tmp_path / "z.csv")  # type: ignore[arg-type]
    refused(run("fit", tmp_path / "z.csv", "--circuit", "X1"), "--circuit = 'X1'")


# Failures and interrupts


def test_a_failed_computation_is_one_sentence_and_3(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ComputationError("the solver failed")

    monkeypatch.setattr(gate, "crosscheck", fail)
    status, _, err = run("crosscheck", HOMOGENEOUS, "--out", tmp_path, "--quiet")
    assert (status, err) == (3, "fem-constriction: the solver failed\n")


def test_an_unexpected_failure_hides_its_traceback_unless_asked_for(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("by zero")

    monkeypatch.delenv(terminal.DEBUG, raising=False)
    monkeypatch.setattr(gate, "crosscheck", fail)
    status, _, err = run("crosscheck", HOMOGENEOUS, "--out", tmp_path, "--quiet")
    assert status == 3
    assert "Traceback" not in err
    assert terminal.DEBUG in err
    monkeypatch.setenv(terminal.DEBUG, "1")
    assert "Traceback" in run("crosscheck", HOMOGENEOUS, "--out", tmp_path, "--quiet")[2]


def test_an_interrupt_is_130(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(gate, "crosscheck", interrupt)
    status, _, err = run("crosscheck", HOMOGENEOUS, "--out", tmp_path, "--quiet")
    assert (status, err) == (130, "fem-constriction: interrupted\n")


def test_warnings_are_one_line_each(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "z.csv"
    frequency = [10.0**n for n in range(6)]
    z = [100 / (1 + 1e-3j * f) for f in frequency]
    Spectrum(frequency, z, provenance={"agreement": {"verdict": "agree"}}).save(path)  # type: ignore[arg-type]
    path.write_text(path.read_text() + "2e6,0.001,-0.05\n")
    status, printed, err = run("fit", path)
    assert status == 0
    assert err.startswith("fem-constriction: warning:")
    assert err.count("\n") == 1
    assert "not cross-checked" in printed


def _process(*command: str, cwd: Path | None = None, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_an_interrupt_does_not_wait_for_the_computation(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with _process("-m", "validation", "crosscheck", "--out", str(out)) as process:
        try:
            assert process.stdout is not None
            assert "network and fem" in process.stdout.readline()
            time.sleep(1)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 130
    assert err == "fem-constriction: interrupted\n"


# A folder without __init__.py is no case: python itself passes it over for the installed package.
@pytest.mark.parametrize("name", ["network.py", "network/__init__.py", "validation.py"])
def test_strangers_packages_of_the_same_name_are_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    start = "from fem_constriction.__main__ import run; exit(run())"
    with _process("-c", start, cwd=tmp_path, PYTHONPATH=str(tmp_path)) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert str(tmp_path / name.split("/")[0]) in err
    assert "Traceback" not in err
    assert err.count("\n") == 1


def test_a_reader_that_leaves_early_does_no_harm() -> None:
    with _process("-m", "validation", "schema") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()
    assert (process.returncode, err) == (0, "")


def test_a_guaranteed_spectrum_takes_two_backends_and_says_so(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "z.csv"
    status, _, _ = run(
        "spectrum", HOMOGENEOUS, "--guaranteed", "--accuracy", "2e-4", "--frequencies", "1:1e6:4", "--out", file, "--quiet"
    )
    assert status == 0
    found = Spectrum.load(file)
    assert found.uncertainty is not None
    assert max(found.uncertainty / abs(found.impedance)) <= 2e-4
    assert json.loads(file.with_suffix(".json").read_text())["provenance"]["guaranteed"] is True
    refused(
        run("spectrum", HOMOGENEOUS, "--guaranteed", "--backend", "fem", "--out", file),
        "--guaranteed is not allowed with --backend",
    )
    refused(run("spectrum", HOMOGENEOUS, "--out", file), "--backend is missing", "--guaranteed")
    refused(run("spectrum", HOMOGENEOUS, "--guaranteed", "--accuracy", "2", "--out", file), "--accuracy = 2.0 is not allowed")


def test_an_accuracy_that_no_disc_can_have_is_refused_before_anything_is_said(run: Run, tmp_path: Path) -> None:
    refused(run("crosscheck", HOMOGENEOUS, "--accuracy", "3", "--out", tmp_path / "out"), "--accuracy = 3.0 is not allowed")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bounds", "--accuracy", "fem"], "--accuracy = 'fem' is not allowed: a number;"),
        (["converge", "--levels", "3.5"], "--levels = '3.5' is not allowed: a whole number;"),
        (["benchmark", "honesty", "--workers", "0"], "--workers = '0' is not allowed: at least 1;"),
    ],
)
def test_an_option_that_takes_a_number_says_so(run: Run, arguments: list[str], said: str) -> None:
    status, _, err = run(*arguments)
    assert (status, err) == (2, f"fem-constriction: {said} see fem-constriction {' '.join(arguments[:-2])} --help\n")
