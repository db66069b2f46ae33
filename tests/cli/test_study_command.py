"""`fem-constriction sweep`: what it writes, says and refuses, and its exit status."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from command_fakes import PLUGINS, POINTS, installed, refused
from rich.console import Console
from study_fakes import FRACTION, Fake, Here, Renewing, here, study_of

from fem_constriction import InputError
from validation import crosscheck, sweep
from validation.show import terminal
from validation.study import Study, pictures, show
from validation.study import pool as _pool
from validation.study import run as _run
from validation.study.driver import Step

Run = Callable[..., tuple[int, str, str]]
CELLS = Path(__file__).parents[1] / "data" / "cells"
SWEEP = f"""
cell = "{CELLS / "homogeneous-25.toml"}"
frequencies = "1:1e6:4"
[axes]
"working_electrode.contact.fraction" = [0.16, 0.25]
"electrolyte.conductivity" = ["0.46 mS/cm", "4.6 mS/cm"]
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Coarse backends of a third party, which are fast."""
    with installed(monkeypatch, tmp_path / "site", "stranger", PLUGINS, POINTS):
        yield


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(SWEEP)
    return tmp_path / "study.toml"


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Callable[[Fake], None]:
    """Compute with a fake, in this process."""

    def use(fake: Fake) -> None:
        monkeypatch.setattr(_run, "Spectra", lambda: fake)

    monkeypatch.setattr(_run, "Processes", lambda _: Renewing(Here()))
    monkeypatch.setattr(pictures, "write", lambda *_: [])
    use(Fake())
    return use


def test_all_done_is_0_and_the_folder_is_named_after_the_file(run: Run, file: Path, work: Any) -> None:
    status, out, err = run("sweep", file)
    assert status == 0, err
    folder = file.parent / "study"
    with xr.open_dataset(folder / "results.nc") as found:
        assert found["R_Cstr"].shape == (2, 2)
    for word in ("fraction", "conductivity", "agree", "46 mS/m", "ohm", "Written to study: results.nc"):
        assert word in out
    assert err.splitlines() == [
        "fem-constriction: 0 of 4 points, time left not known yet",
        "fem-constriction: 4 of 4 points",
    ]


def test_a_failed_point_is_3_and_the_others_are_kept(run: Run, file: Path, work: Any) -> None:
    work(Fake(fails=(0.16,)))
    status, out, err = run("sweep", file, "--json")
    assert status == 3
    record = json.loads(out)
    assert (record["points"], record["done"], record["failed"]) == (4, 2, 2)
    assert [point["status"] for point in record["results"]] == ["failed", "failed", "done", "done"]
    assert record["results"][0][FRACTION] == 0.16
    assert "2 of 4 points failed, the first at working_electrode.contact.fraction = 0.16, electrolyte" in err
    assert "the solver failed at 0.16" in err
    assert Path(record["files"][0]).is_file()
    # They are not tried again unless asked for
    work(Fake())
    assert run("sweep", file, "--quiet")[0] == 3
    assert run("sweep", file, "--quiet", "--retry-failed") == (0, "", "")


def test_a_point_that_does_not_agree_is_1_and_a_failure_beside_it_is_3(run: Run, file: Path, work: Any) -> None:
    work(Fake(refuses=(0.16,)))
    status, out, err = run("sweep", file)
    assert status == 1
    assert "disagree" in out
    assert "2 of 4 points have nothing extracted, the first at" in err
    work(Fake(refuses=(0.16,), fails=(0.25,)))
    assert run("sweep", file, "--out", "other")[0] == 3


def test_an_interrupt_is_130(run: Run, file: Path, work: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(Fake, "evaluate", interrupt)
    assert run("sweep", file, "--quiet") == (130, "", "fem-constriction: interrupted\n")


def test_zarr_if_asked_for(run: Run, file: Path, work: Any) -> None:
    pytest.importorskip("zarr")
    assert run("sweep", file, "--quiet", "--format", "zarr")[0] == 0
    with xr.open_zarr(file.parent / "study" / "results.zarr") as found:
        assert found["R_Cstr"].shape == (2, 2)


def test_wrong_input_is_2_before_anything_is_computed(run: Run, file: Path, work: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fake, "evaluate", lambda *_: pytest.fail("computed"))
    file.write_text(SWEEP.replace("0.25", "1.2"))
    refused(run("sweep", file), str(file), "axes.working_electrode.contact.fraction = 1.2", "from 0 to 1")
    file.write_text(SWEEP)
    refused(run("sweep", file, "--workers", "0", "--quiet"), "--workers = 0", "whole number from 1")
    refused(run("sweep", file, "--format", "csv"), "--format = 'csv'", "netcdf or zarr")
    refused(run("sweep", file, "--out", file), "--out", "not a folder")
    refused(run("sweep", file, "--scheduler", "mpi"), "--scheduler = 'mpi'", "mpiexec")
    refused(run("sweep", "nowhere.toml"), "nowhere.toml: there is no such file")


def test_the_folder_of_another_study_is_refused(run: Run, file: Path, work: Any) -> None:
    assert run("sweep", file, "--quiet")[0] == 0
    file.write_text(SWEEP.replace("0.25", "0.26"))
    refused(run("sweep", file, "--quiet"), "--out = 'study'", "another study", "an empty folder")


def test_python_takes_a_dictionary_and_names_what_is_wrong(tmp_path: Path, work: Any) -> None:
    found = sweep({"axes": {FRACTION: [0.25]}, "frequencies": [1.0]}, out=tmp_path / "out")
    assert found["R_Cstr"].dims == (FRACTION,)
    with pytest.raises(InputError, match="format = 'csv'"):
        sweep({"axes": {FRACTION: [0.25]}}, out=tmp_path / "out", file_format="csv")
    with pytest.raises(InputError, match="workers = 0 is not allowed"):
        sweep({"axes": {FRACTION: [0.25]}}, out=tmp_path / "new", workers=0)


# What is shown


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """A terminal that is a text."""
    text = io.StringIO()
    made = Console(file=text, force_terminal=True, width=100, _environ={"TERM": "xterm"})
    monkeypatch.setattr(terminal, "console", lambda stderr=False: made)
    return text


def test_a_terminal_shows_the_last_points_and_the_time_left(shown: io.StringIO, tmp_path: Path) -> None:
    study = study_of(6, 2)
    with show.watching(study, quiet=False) as progress:
        here(study, tmp_path, Fake(seconds=0.05, fails=(0.04,)), progress=progress)
    seen = shown.getvalue()
    for word in ("of 12 points", "2 failed", "s left", "fraction", "Last finished"):
        assert word in seen


def test_groups_that_are_prepared_are_told(tmp_path: Path) -> None:
    steps: list[Step] = []
    here(study_of(2, 2), tmp_path, Fake(shared=True), progress=steps.append)
    assert [step.preparing for step in steps][1] == 1
    assert "preparing 1 group of cells" in show._state(steps[1])


def test_quiet_shows_nothing(shown: io.StringIO) -> None:
    with show.watching(study_of(2, 2), quiet=True) as progress:
        assert progress is None
    assert shown.getvalue() == ""


def test_times_are_said_as_people_do() -> None:
    seconds = (None, 4.2, 600, 12_000)
    said = ("time left not known yet", "4 s left", "10 min left", "3 h 20 min left")
    assert tuple(map(show.duration, seconds)) == said


def test_axes_are_called_by_their_last_part_unless_two_end_alike() -> None:
    keys = {FRACTION: [0.1], "electrolyte.conductivity": [1], "electrolyte.grain_boundaries.conductivity": [1]}
    assert list(show.names(Study(axes=keys)).values()) == ["fraction", *list(keys)[1:]]


# Workers


def test_workers_are_as_many_as_processors_memory_and_points_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pool.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    free = _pool.memory.free()
    assert _pool.usable(0.0, 100) == 8
    assert _pool.usable(0.0, 3) == 3
    assert _pool.usable(free / 2.5, 100) == 2
    assert _pool.usable(10 * free, 100) == 1


def test_the_environment_is_as_before_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with _pool.one_thread_each():
        assert (os.environ["OMP_NUM_THREADS"], os.environ["MKL_NUM_THREADS"]) == ("1", "1")
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


# The whole way


@pytest.mark.long
@pytest.mark.usefixtures("plugins")
def test_coarse_backends_in_processes_of_their_own(run: Run, file: Path) -> None:
    coarse = 'backends = ["coarse-network", "coarse-fem"]\ntolerance = 0.05\n[axes]'
    file.write_text(SWEEP.replace("[axes]", coarse).replace("1:1e6:4", "1e-3:1e9:61"))
    status, _, err = run("sweep", file, "--workers", "2")
    assert status == 0, err
    with xr.open_dataset(file.parent / "study" / "results.nc") as found:
        assert (found["verdict"] == "agree").all()
        assert (found["R_Cstr"] > 0).all()
        assert found["backend"].values.tolist() == ["coarse-network", "coarse-fem"]
        # Shared grids say what the main job says of a cell by itself
        result = crosscheck(Study.load(file).points[1].cell, backends=["coarse-network", "coarse-fem"], tolerance=0.05)
        own = found.isel({FRACTION: 0, "electrolyte.conductivity": 1})
        z = (own["impedance_real"] + 1j * own["impedance_imag"]).values
        assert np.all(np.abs(z - result.spectrum.impedance) < 1e-6 * np.abs(z))
        assert own["R_Cstr"].item() == pytest.approx(result.constriction.R.value, rel=1e-4)
    assert (file.parent / "study" / "over-electrolyte-conductivity.png").is_file()
    assert (file.parent / "study" / "over-working_electrode-contact-fraction.pdf").is_file()
