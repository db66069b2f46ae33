"""Dask and MPI give the numbers that processes of this machine give, to the last bit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from study_fakes import Fake, points_of, read, same, study_of

from validation import sweep
from validation.cli.app import main
from validation.study import pool as _pool
from validation.study.pool import Pool
from validation.study.run import run

CELLS = Path(__file__).parents[1] / "data" / "cells"
SWEEP = f"""
cell = "{CELLS / "homogeneous-25.toml"}"
backend = "fem"
accuracy = 0.05
frequencies = "1:1e6:3"
[axes]
"working_electrode.contact.fraction" = [0.16, 0.25]
"electrolyte.conductivity" = [0.046, 0.46]
"""

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("executors") / "study.toml"
    path.write_text(SWEEP)
    return path


@pytest.fixture(scope="module")
def local(file: Path) -> Path:
    """The folder of a run in processes of this machine."""
    sweep(file, out=file.parent / "local", workers=2)
    return file.parent / "local"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("dask.distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as made:
        yield made


def test_dask_by_address(cluster: Any, file: Path, local: Path) -> None:
    out = file.parent / "dask"
    assert main(["sweep", str(file), "--scheduler", cluster.scheduler_address, "--out", str(out), "--quiet"]) == 0
    assert same(read(out), read(local))
    assert points_of(out) == points_of(local)


def test_any_executor_dasks_among_them(cluster: Any, file: Path, local: Path) -> None:
    from dask.distributed import Client

    with Client(cluster) as client:
        found = sweep(file, out=file.parent / "client", executor=client.get_executor())
    assert same(found, read(local))


def test_a_dask_worker_that_dies_does_not_stop_the_others(cluster: Any, tmp_path: Path) -> None:
    from dask.distributed import Client

    with Client(cluster) as client:
        client.run(sys.path.append, str(Path(__file__).parents[1] / "shared"))
        pool = Pool(client.get_executor(), 2)
        records = run(study_of(3, 1), tmp_path, pool, work=Fake(kills=(0.04,), kills_once=str(tmp_path / "killed")))
    assert (tmp_path / "killed").exists()
    assert all(record.done for record in records)


def test_an_address_where_nobody_listens_is_refused(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dask.distributed")
    monkeypatch.setattr(_pool, "PATIENCE", "1s")
    assert main(["sweep", str(file), "--scheduler", "tcp://127.0.0.1:1", "--out", str(file.parent / "no"), "--quiet"]) == 2
    assert "--scheduler = 'tcp://127.0.0.1:1' is not allowed" in capsys.readouterr().err


def test_mpi(file: Path, local: Path) -> None:
    pytest.importorskip("mpi4py")
    mpiexec = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if mpiexec is None:
        pytest.skip("no mpiexec")
    out = file.parent / "mpi"
    command = [mpiexec, "-n", "3", sys.executable, "-m", "mpi4py.futures", "-m", "validation", "sweep", str(file)]
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    root["PRTE_MCA_rmaps_default_mapping_policy"] = ":oversubscribe"
    ran = subprocess.run(
        [*command, "--out", str(out), "--quiet"],
        env={**os.environ, **root, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert same(read(out), read(local))
    assert points_of(out) == points_of(local)
