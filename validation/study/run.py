"""sweep(study): a labelled data set, every point of it on the disk as soon as it is finished."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fem_constriction.errors import InputError
from validation.study.driver import Driver, Progress
from validation.study.plan import Study
from validation.study.pool import Pool, Processes, one_thread_each, usable
from validation.study.store import Store
from validation.study.work import Record, Spectra, Work

if TYPE_CHECKING:
    import xarray as xr


def sweep(
    study: Study | Mapping[str, Any] | str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    retry: bool = False,
    file_format: str = "netcdf",
) -> xr.Dataset:
    """Return the data set of a study, its points computed as far as they were missing.

    Parameters
    ----------
    study
        A Study, a dictionary of its keys, or the path of a TOML file.
    out
        The folder that keeps finished points and the data set, results.nc (left out: the stem of the study file, else "sweep");
        the same call goes on where another ended.
    executor
        Any concurrent.futures.Executor; left out: `workers` processes of this machine (a script then keeps the call under
        `if __name__ == "__main__"`).
    workers
        Processes, from 1; left out: as many as there are processors.
    progress
        Called with a `Step` after each point.
    retry
        Compute failed points again.
    file_format
        "netcdf" or "zarr".

    Returns
    -------
    xarray.Dataset
        Its dimensions are the axes, and frequency. Failed points are NaN, with `status` and `reason`.

    Raises
    ------
    InputError
        Before anything is computed, for what is wrong in the study.
    ComputationError
        If the disk is full.
    """
    from validation.study.dataset import build, check_format, save

    check_format(file_format)
    chosen = Study.of(study)
    folder = _folder(study) if out is None else Path(out)
    pool = None if executor is None else Pool(executor, workers)
    records = run(chosen, folder, pool, workers=workers, progress=progress, retry=retry)
    found = build(chosen, records)
    save(found, folder, file_format)
    return found


def _folder(study: object) -> Path:
    return Path(Path(study).stem) if isinstance(study, (str, os.PathLike)) else Path("sweep")


def run(
    study: Study,
    folder: Path,
    pool: Pool | None = None,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    retry: bool = False,
    work: Work | None = None,
) -> list[Record]:
    """Return the record of every point, in their order; those that were missing are computed and stored."""
    if workers is not None and workers < 1:
        raise InputError(key="workers", value=workers, allowed="a whole number from 1")
    store = Store(folder, study)
    driver = Driver(study, store, Spectra() if work is None else work, progress)
    driver.look(retry)
    if driver.missing:
        with one_thread_each():
            own = pool is None
            used = Processes(workers or usable(driver.memory(), len(driver.missing))) if pool is None else pool
            try:
                driver.drive(used)
            finally:
                if own:
                    used.stop()
    return [driver.records[point.digest] for point in study.points]
