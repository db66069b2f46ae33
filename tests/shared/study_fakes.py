"""Work for sweeps that costs nothing, and misbehaves where told to; `python study_fakes.py OUT N` is a sweep of it.

`python study_fakes.py command {...} SWEEP.toml ...` is the command `sweep` with such work, made with these options.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from fem_constriction import Cell
from fem_constriction.errors import ComputationError
from validation.study.dataset import build, save
from validation.study.driver import Progress
from validation.study.plan import Study
from validation.study.points import Settings
from validation.study.pool import Pool
from validation.study.run import run
from validation.study.work import Record

FRACTION = "working_electrode.contact.fraction"
CONDUCTIVITY = "electrolyte.conductivity"


@dataclass(frozen=True)
class Fake:
    """A formula instead of a spectrum.

    seconds: how long each point takes; fails, refuses, kills: fractions that raise, that do not agree, that kill their worker;
    kills_once: a file that is there after the first death; shared: whether cells of one contact share a preparation.
    """

    seconds: float = 0.0
    fails: tuple[float, ...] = ()
    refuses: tuple[float, ...] = ()
    kills: tuple[float, ...] = ()
    kills_once: str = ""
    short_of_memory_once: str = ""
    shared: bool = False
    broken_preparation: bool = False
    log: str = field(default="", compare=False)

    def group(self, cell: Cell, settings: Settings) -> str | None:
        return str(cell.working_electrode.contact.fraction) if self.shared else None

    def prepare(self, cells: Sequence[Cell], settings: Settings) -> Any:
        if self.log:
            with open(self.log, "a") as stream:
                stream.write(f"{len(cells)}\n")
        if self.broken_preparation:
            raise ComputationError("the preparation failed")
        return sum(cell.electrolyte.conductivity for cell in cells)

    def evaluate(self, cell: Cell, settings: Settings, prepared: Any) -> Record:
        time.sleep(self.seconds)
        fraction = cell.working_electrode.contact.fraction
        if fraction in self.fails:
            raise ComputationError(f"the solver failed at {fraction}")
        first = self.kills_once and not Path(self.kills_once).exists()
        if fraction in self.kills and (first or not self.kills_once):
            if self.kills_once:
                Path(self.kills_once).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.short_of_memory_once and not Path(self.short_of_memory_once).exists():
            Path(self.short_of_memory_once).touch()
            raise MemoryError
        frequency = np.array(settings.frequencies)
        size = 1 / (1 - 0.999 * fraction) / cell.electrolyte.conductivity
        z = size / (1 + 2j * np.pi * frequency * 1e-4) + (0.0 if prepared is None else float(prepared))
        numbers = {"resistance_dc": size, "R_geometric": 0.4 * size, "R_geometric_uncertainty": size / 100}
        for name, factor in (("R_Cstr", 0.5), ("C_Cstr", 1e-9), ("tau_Cstr", 0.5e-9)):
            numbers |= {
                name: factor * size,
                f"{name}_model": 0.05 * factor * size,
                f"{name}_discretisation": 1e-3 * factor * size,
            }
        reason = "nothing is extracted: the backends disagree" if fraction in self.refuses else ""
        arrays = {"impedance_real": z.real, "impedance_imag": z.imag, "uncertainty": 1e-4 * np.abs(z)}
        verdict = "disagree" if reason else "agree"
        return Record("", reason, {} if reason else numbers, {"verdict": verdict}, arrays, {"fake": "1"})

    def memory(self, cell: Cell, settings: Settings) -> float:
        return 0.0


def study_of(fractions: int = 10, conductivities: int = 10) -> Study:
    return Study(
        frequencies=[1.0, 1e3, 1e6],
        axes={
            FRACTION: {"start": 0.04, "stop": 0.81, "num": fractions},
            CONDUCTIVITY: np.geomspace(0.01, 1, conductivities),
        },
    )


def fake_sweep(study: Study, out: Path, work: Fake, workers: int = 2, progress: Progress | None = None, **options: Any) -> Any:
    """Run, build and save, as `sweep` does; return the data set."""
    found = build(study, run(study, out, workers=workers, work=work, progress=progress, **options))
    save(found, out)
    return found


class Here(Executor):
    """An executor in this process: what is handed to it is done at once."""

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(call(*arguments, **options))
        except Exception as error:
            future.set_exception(error)
        return future


class Renewing(Pool):
    """A pool that can be had anew."""

    def renew(self) -> bool:
        return True


def here(study: Any, out: Path, work: Fake, executor: Executor | None = None, **options: Any) -> list[Any]:
    return run(study, out, Renewing(executor or Here()), work=work, **options)


def points_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "points").iterdir()}


def same(one: xr.Dataset, two: xr.Dataset) -> bool:
    """Whether two data sets are the same to the last bit."""
    return one.identical(two) and all(
        one[name].values.tobytes() == two[name].values.tobytes() for name in one.variables if one[name].dtype.kind == "f"
    )


def read(folder: Path) -> xr.Dataset:
    with xr.open_dataset(folder / "results.nc") as found:
        return found.load()


def command(options: dict[str, Any], arguments: list[str]) -> int:
    """The command line as a process of its own, but for what it computes."""
    from study_fakes import Fake as Work  # as workers know it

    from validation.cli import app as cli
    from validation.study import pictures
    from validation.study import run as _run

    _run.Spectra = lambda: Work(**options)  # type: ignore[assignment,misc]
    pictures.write = lambda *_: []
    sys.argv[1:] = ["sweep", *arguments]
    return cli.main()


def wait_for(what: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.005)
    return False


if __name__ == "__main__" and sys.argv[1] == "command":
    sys.exit(command(json.loads(sys.argv[2]), sys.argv[3:]))
elif __name__ == "__main__":
    fake_sweep(study_of(), Path(sys.argv[1]), Fake(seconds=0.02), workers=int(sys.argv[2]))
