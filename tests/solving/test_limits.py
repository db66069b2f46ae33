"""What would never fit is refused from its numbers alone: in a moment, before anything of that size is allocated."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fem_constriction as fc
from fem_constriction import memory
from fem_constriction.errors import ComputationError, MemoryShort
from fem_constriction.grids import equal
from fem_constriction.grids.equal import _share
from fem_constriction.reduction.reduced import _small_solution
from fem_constriction.solving.backends import backend_named

CELL = """
geometry = { width = "50 um", thickness = "50 um" }
electrolyte.conductivity = "0.46 mS/cm"
electrolyte.relative_permittivity = 150
working_electrode.contact = { shape = "SHAPE", fraction = 0.25 }
working_electrode.charge_transfer = { resistance = "1 ohm cm^2", capacitance = "885 uF/cm^2" }
working_electrode.pore.capacitance = "8.85 uF/cm^2"
"""
LAYERS = 'electrolyte.grain_boundaries = { layers = 10_000_000, thickness = "1 fm", conductivity = "5.97 uS/cm" }\n'
SWEEP = """
cell = "square.toml"
backend = "network"
frequencies = "1:10:1000000"
axes = { "electrolyte.conductivity" = { start = 1, stop = 2, num = 100000 } }
"""

#: Runs command lines, each under the same limit, and says what they took beyond what the first one left: status, seconds, MiB.
RUN = """
import json, resource, sys, time
from validation.cli import app as cli
cli.main(["show", "square.toml", "--quiet"])
resource.setrlimit(resource.RLIMIT_AS, (MOST, MOST))
for arguments in json.loads(sys.argv[1]):
    with open("/proc/self/clear_refs", "w") as file:  # what was the most so far is forgotten
        file.write("5")
    before = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")][0]
    start = time.monotonic()
    status = cli.main(arguments)
    most = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")][0]
    print(json.dumps([arguments, status, time.monotonic() - start, (most - before) / 1024]))
"""

GRIDS = [
    ["spectrum", "square.toml", "--backend", "network", "--resolution", "100000", "--out", "z.csv"],
    ["spectrum", "square.toml", "--backend", "fem", "--resolution", "100000", "--out", "z.csv"],
    ["spectrum", "disc.toml", "--backend", "network", "--resolution", "100001", "--out", "z.csv"],
    ["spectrum", "disc.toml", "--backend", "fem", "--resolution", "100000", "--out", "z.csv"],
    ["spectrum", "square.toml", "--backend", "fem", "--resolution", str(10**30), "--out", "z.csv"],
    ["spectrum", "layers.toml", "--backend", "network", "--out", "z.csv"],
    ["spectrum", "layers.toml", "--backend", "fem", "--resolution", "4", "--out", "z.csv"],
    ["fields", "square.toml", "--backend", "network", "--resolution", "100000"],
    ["fields", "layers.toml"],
    ["crosscheck", "layers.toml"],
    ["bounds", "layers.toml"],
    ["budget", "layers.toml"],
    ["errors", "disc.toml", "--resolutions", "4,1000000"],
    ["sweep", "sweep.toml"],
]  # fmt: skip
COUNTS = [
    ["spectrum", "square.toml", "--backend", "fem", "--frequencies", "1:2:1000000000", "--out", "z.csv"],
    ["converge", "square.toml", "--levels", "40"],
    ["benchmark", "fem", "square.toml", "--levels", "40"],
    ["benchmark", "network", "square.toml", "--level", "40"],
    ["fields", "square.toml", "--level", "40"],
    ["fields", "disc.toml", "--level", "1000000000000", "--backend", "network"],
    ["bounds", "square.toml", "--rates", "1:2:1000000000"],
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for shape in ("square", "disc"):
        (tmp_path / f"{shape}.toml").write_text(CELL.replace("SHAPE", shape))
    (tmp_path / "layers.toml").write_text(CELL.replace("SHAPE", "square") + LAYERS)
    (tmp_path / "sweep.toml").write_text(SWEEP)
    return tmp_path


def run(folder: Path, commands: list[list[str]]) -> list[Any]:
    import json

    done = subprocess.run(
        [sys.executable, "-c", RUN.replace("MOST", str(2 * 2**30)), json.dumps(commands)],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
        env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"},
    )  # fmt: skip
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[[")]
    lines = [line for line in done.stderr.splitlines() if line.startswith("fem-constriction: ")]
    messages = [line for line in lines if "warning: " not in line]  # 1e7 layers are unusual
    assert len(rows) == len(messages) == len(commands), done.stdout + done.stderr
    return [(*row, message) for row, message in zip(rows, messages, strict=True)]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the most memory so far is read from /proc")
@pytest.mark.parametrize("commands", [GRIDS, COUNTS], ids=["memory", "counts"])
def test_what_never_fits_is_refused_before_it_is_allocated(commands: list[list[str]], folder: Path) -> None:
    for arguments, status, seconds, taken, message in run(folder, commands):
        assert status == 2, (arguments, message)
        assert taken < 200, (arguments, f"{taken:.0f} MiB were allocated first", message)
        assert seconds < 10, (arguments, f"{seconds:.1f} s", message)  # 0.2 s on an idle core
        if commands is GRIDS:
            assert "GiB of memory" in message, message


def test_the_check_itself_is_seen_to_fail(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, the grid is made: here one that is merely large."""
    cell = fc.Cell.load(folder / "square.toml")
    monkeypatch.setattr(memory, "free", lambda: 2**20)
    monkeypatch.setattr(memory, "_least", lambda: (2**20, ""))
    with pytest.raises(MemoryShort, match="uniform, 200 per edge"):
        backend_named("network").uniform(cell, 200)
    monkeypatch.setattr(equal, "check_counts", lambda *_: None)
    assert backend_named("network").uniform(cell, 200).shape == (100, 100, 200)


@pytest.mark.parametrize("level", [40, 1000, 10**6])
@pytest.mark.parametrize("shape", ["square", "disc"])
def test_no_level_is_too_high_to_be_refused(shape: str, level: int, folder: Path) -> None:
    cell = fc.Cell.load(folder / f"{shape}.toml")
    with pytest.raises(MemoryShort):
        backend_named("network").grid(cell, level)


def test_a_grid_that_can_be_solved_is_not_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1000 voxels per edge take 1 GiB mode by mode: a 4 GiB machine may still do it."""
    monkeypatch.setattr(memory, "_least", lambda: (2 * 2**30, ""))
    assert backend_named("network").uniform(fc.Cell.load(folder / "square.toml"), 1000).shape == (500, 500, 1000)


def test_cells_are_shared_out_one_by_one_to_the_widest_and_in_no_time(folder: Path) -> None:
    def plain(pieces: list[float], total: int) -> list[int]:
        lengths = np.asarray(pieces)
        counts = np.maximum(1, np.floor(lengths / lengths.sum() * total + 1e-9).astype(int))
        while counts.sum() != total:
            step = 1 if counts.sum() < total else -1
            widths = np.where((counts + step) >= 1, lengths / counts, -np.inf if step > 0 else np.inf)
            counts[int(np.argmax(widths) if step > 0 else np.argmin(widths))] += step
        return counts.tolist()

    random = np.random.default_rng(0)
    for _ in range(100):
        pieces = (random.random(random.integers(1, 9)) ** 4 + 1e-6).tolist()
        total = int(random.integers(len(pieces), 60))
        assert _share(pieces, total) == plain(pieces, total), (pieces, total)
    assert sum(_share([1.0] * 100_000, 150_000)) == 150_000


def test_pores_that_short_circuit_are_shorted_or_refused_and_never_wrong(folder: Path) -> None:
    """Where double precision ends depends on the order of a processor's sums: from 1e15 F/m2 on, or not before 1e19."""
    cell = fc.Cell.load(folder / "disc.toml").vary(
        {
            "working_electrode.contact.fraction": 0.2,
            "counter_electrode.charge_transfer.resistance": "1 ohm cm^2",
            "electrolyte.grain_boundaries": {
                "layers": 3, "thickness": "10 nm", "conductivity": "0.597 uS/cm", "relative_permittivity": 150
            },
        }
    )  # fmt: skip
    pore = "working_electrode.pore.capacitance"
    short, shorter = (fc.solve(cell.vary({pore: c}), [1.0, 1e4], backend="fem", resolution=4) for c in (8.85e11, 8.85e13))
    np.testing.assert_allclose(shorter.impedance, short.impedance, rtol=1e-8)  # of a model made for 1e-8
    for capacitance in (8.85e15, 8.85e17, 8.85e19):
        try:
            found = fc.solve(cell.vary({pore: capacitance}), [1.0, 1e4], backend="fem", resolution=4)
        except ComputationError as error:
            assert "more than double precision tells apart" in str(error)
        else:
            np.testing.assert_allclose(found.impedance, short.impedance, rtol=1e-8)


def test_a_singular_model_says_that_double_precision_does_not_tell_its_admittances_apart() -> None:
    with pytest.raises(ComputationError, match="more than double precision tells apart"):
        _small_solution(np.array([[[1.0, 1.0], [1.0, 1.0]]]), np.ones((1, 2, 1)))
