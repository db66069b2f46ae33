"""What is free is the least of machine, control groups and limits of the process, shared by those who run side by side."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

import fem_constriction as fc
from fem_constriction import memory
from fem_constriction.errors import MemoryShort
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.one_grid import check_memory
from validation.gate import families
from validation.study import pool

GIB = 2**30

V2 = "35 25 0:30 {top} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = (
    "35 25 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
    "36 25 0:32 {top} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of system files of its own, on a machine with 16 GiB free and no limits of the process."""
    (tmp_path / "proc/self").mkdir(parents=True)
    monkeypatch.setattr(memory, "ROOT", tmp_path)
    monkeypatch.setattr(memory, "resource", None)
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=16 * GIB))
    return tmp_path


def group(root: Path, files: dict[str, object]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (root / name).write_text(f"{text}\n")


def inside(root: Path, cgroup: str, mounts: str) -> None:
    (root / "proc/self/cgroup").write_text(cgroup)
    (root / "proc/self/mountinfo").write_text(mounts)


def test_without_limits_the_machine_says_what_is_free(machine: Path) -> None:
    assert memory.free() == 16 * GIB


def test_a_group_leaves_its_limit_less_what_it_uses_and_cannot_drop(machine: Path) -> None:
    inside(machine, "0::/user/job\n", V2.format(top="/"))
    used = {"memory.current": 3 * GIB, "memory.stat": f"anon {2 * GIB}\ninactive_file {GIB}\nactive_file 0"}
    group(machine / "sys/fs/cgroup/user/job", {"memory.max": 4 * GIB} | used)
    assert memory.free() == 2 * GIB


def test_a_limit_higher_up_holds_below(machine: Path) -> None:
    inside(machine, "0::/user/job/step\n", V2.format(top="/"))
    used = {"memory.current": GIB, "memory.stat": "inactive_file 0"}
    group(machine / "sys/fs/cgroup/user/job/step", {"memory.max": "max"} | used)
    group(machine / "sys/fs/cgroup/user/job", {"memory.max": 8 * GIB} | used)
    group(machine / "sys/fs/cgroup/user", {"memory.max": 3 * GIB} | used)
    assert memory.free() == 2 * GIB
    assert memory._least()[1] == " within its control group"


def test_a_container_sees_its_own_group_as_the_topmost(machine: Path) -> None:
    used = {"memory.current": GIB, "memory.stat": "inactive_file 0"}
    group(machine / "sys/fs/cgroup", {"memory.max": 2 * GIB} | used)
    for cgroup, top in (("0::/docker/a1\n", "/docker/a1"), ("0::/\n", "/"), ("0::/../..\n", "/")):
        inside(machine, cgroup, V2.format(top=top))
        assert memory.free() == GIB, cgroup


def test_the_first_version_of_control_groups_is_read_as_well(machine: Path) -> None:
    inside(machine, "7:cpu:/\n4:memory:/batch/job\n0::/\n", V1.format(top="/"))
    stat = f"inactive_file 0\ntotal_inactive_file {GIB}"
    numbers = {"memory.limit_in_bytes": 3 * GIB, "memory.usage_in_bytes": GIB, "memory.stat": stat}
    group(machine / "sys/fs/cgroup/memory/batch/job", numbers)
    group(machine / "sys/fs/cgroup/memory", numbers | {"memory.limit_in_bytes": 9223372036854771712})
    assert memory.free() == 3 * GIB


def test_files_that_nobody_understands_limit_nothing(machine: Path) -> None:
    inside(machine, "nonsense\n", "more of it\n")
    assert memory.free() == 16 * GIB
    inside(machine, "0::/job\n", V2.format(top="/"))
    group(machine / "sys/fs/cgroup/job", {"memory.max": "", "memory.current": 1, "memory.stat": ""})
    assert memory.free() == 16 * GIB


def test_a_group_beyond_its_limit_leaves_nothing(machine: Path) -> None:
    inside(machine, "0::/job\n", V2.format(top="/"))
    group(machine / "sys/fs/cgroup/job", {"memory.max": GIB, "memory.current": 2 * GIB, "memory.stat": ""})
    assert memory.free() == 0


LIMITED = """
import resource, sys
from fem_constriction import memory
from fem_constriction.errors import MemoryShort
name, size = sys.argv[1], {size}
resource.setrlimit(getattr(resource, name), (size, resource.getrlimit(getattr(resource, name))[1]))
assert size / 4 < memory.free() < size, memory.free()
try:
    memory.require(size, "this")
except MemoryShort as error:
    print(error)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere these limits mean something else, or nothing")
@pytest.mark.parametrize("name", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_a_limit_of_the_process_is_what_is_free(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that ignores the limit fails here: the machine has more than these 3 GiB, or the case is told by its aside."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED.format(size=3 * GIB), name], capture_output=True, text=True, timeout=60, check=True
    )
    assert "this would need about 3 GiB of memory and" in done.stdout
    assert f"GiB are free within {name}: allowed is a coarser grid" in done.stdout


def test_those_who_run_side_by_side_share_what_is_free(machine: Path) -> None:
    with memory.shared(2), ThreadPoolExecutor(2) as threads:
        assert list(threads.map(lambda _: memory.free(), range(2))) == [8 * GIB, 8 * GIB]
        with memory.shared(4):
            assert memory.free() == 2 * GIB
        with pytest.raises(MemoryShort, match="8 GiB are free for each of those that run side by side"):
            memory.require(9 * GIB, "one of two")
    assert memory.free() == 16 * GIB


def test_a_share_is_no_promise(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with memory.shared(2):
        monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=GIB))
        assert memory.free() == GIB


def test_both_backends_of_a_crosscheck_share(machine: Path, small: fc.Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def solve(_cell: object, backend: object, *_: object, **__: object) -> None:
        seen.append(memory.free())

    monkeypatch.setattr(families, "solve_family", solve)
    chosen = [backend_named(name) for name in ("network", "fem")]
    problem = Problem.of(small).within((1.0, 2.0))
    families.solve_families([problem], chosen)
    families.solve_families([problem], chosen, side_by_side=False)
    assert seen == [8 * GIB, 8 * GIB, 16 * GIB, 16 * GIB]


def test_workers_of_a_study_share(machine: Path) -> None:
    assert pool.usable(3 * GIB, 100) <= 5
    workers = pool.Processes(4)
    try:
        assert workers.submit(memory.free).result(timeout=60) <= 4 * GIB
    finally:
        workers.stop()


def test_the_sentence_has_what_is_needed_what_is_free_and_what_helps(machine: Path) -> None:
    with pytest.raises(
        MemoryShort, match=r"^an image would need about 20 GiB of memory and 16 GiB are free: allowed is .*voxel$"
    ):
        memory.require(20 * GIB, "an image", "a larger voxel")
    memory.require(15.9 * GIB, "an image")


@pytest.mark.parametrize("needed", [10**400, float("inf"), 1e308])
def test_no_number_is_too_large_to_be_refused(machine: Path, needed: float) -> None:
    with pytest.raises(MemoryShort):
        memory.require(needed, "everything")
    with pytest.raises(MemoryShort):
        check_memory(10**400, "everything")
