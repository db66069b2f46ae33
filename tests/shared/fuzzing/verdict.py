"""Exit status 0, 1, 2 or 3 with one short typed message, nothing of a library's on the terminal, an end, and memory kept."""

from __future__ import annotations

import json
import os
import re
import selectors
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Seconds for one input: the slowest takes three on an idle core, and machines are shared.
LIMIT = 90.0
#: Characters of a message, and bytes of memory.
LONGEST = 500
MEMORY = 4 * 2**30

PREFIX = "fem-constriction: "

#: What libraries say of themselves, not of the input.
FOREIGN = re.compile(
    r"zero-size array|argm(ax|in) of an empty|could not be broadcast|could not convert|has no attribute|object is not|"
    r"index out of (range|bounds)|out of bounds for axis|unhashable|invalid literal|NoneType|not subscriptable|unpack|"
    r"unsupported operand|failed with|0x[0-9a-f]{8}|pydantic|skfem|Traceback|cannot reshape|positional argument|"
    r"unexpected keyword|codec can't|must be str|maximum recursion|Input should be|Singular matrix|dtype\("
)

_PROGRESS = re.compile(r"\d+ of \d+ points, ")


def fault(record: dict[str, Any]) -> str:
    """Return what is wrong with what came of an input, "" if nothing is."""
    status, err = record["status"], record["err"]
    lines = [line for line in err.splitlines() if line.strip()]
    said = [line.removeprefix(PREFIX) for line in lines if line.startswith(PREFIX)]
    messages = [line for line in said if not line.startswith("warning: ") and not _PROGRESS.match(line)]
    foreign = [line for line in lines if not line.startswith(PREFIX)]
    wrong = [f"untyped {each}" for each in record["untyped"]]
    if status not in (0, 1, 2, 3):
        wrong.append(f"exit status {status}")
    if "Traceback (most recent call last)" in err + record["out"]:
        wrong.append("a traceback")
    elif foreign:
        wrong.append(f"on standard error: {foreign[0][:200]}")
    wrong += [f"warning of a library: {each}" for each in record["warnings"]]
    if status in (1, 2, 3) and len(messages) != 1:
        wrong.append(f"{len(messages)} messages with exit status {status}")
    wrong += [f"a message of {len(line)} characters: {line[:80]} …" for line in said if len(line) >= LONGEST]
    wrong += [f"words of a library: {line[:300]}" for line in messages if status != 0 and FOREIGN.search(line)]
    if _asks_for_json(record["arguments"]) and status == 0 and not _is_json(record["out"]):
        wrong.append(f"no JSON: {record['out'][:80]!r}")
    if record["rss"] > MEMORY:
        wrong.append(f"{record['rss'] / 2**30:.2g} GiB of memory")
    return "; ".join(wrong)


#: Options without a value: behind any other, what follows is its value, "--json" as well.
FLAGS = ("--json", "--quiet", "--no-discs", "--guaranteed", "--no-header", "--quick", "--no-peers")


def _asks_for_json(arguments: list[str]) -> bool:
    asked = [
        place == 0 or not (before := arguments[place - 1]).startswith("--") or before in FLAGS or "=" in before
        for place, argument in enumerate(arguments)
        if argument == "--json"
    ]
    return any(asked) and "--help" not in arguments


def _is_json(text: str) -> bool:
    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    if text.startswith("fem-constriction "):  # --version
        return True
    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        return False
    return True


def run(kind: str, seed: int, first: int, count: int, limit: float = LIMIT) -> Iterator[tuple[dict[str, Any], str]]:
    """Run inputs and yield the record and the fault of each; one that never ends or ends its process is a fault, too."""
    end = first + count
    while first < end:
        worker = _start(kind, seed, first, end - first)
        begun: dict[str, Any] | None = None
        try:
            for line in _lines(worker, limit):
                record = json.loads(line)
                if "status" in record:
                    begun, first = None, record["number"] + 1
                    yield record, fault(record)
                else:
                    begun = record
        finally:
            worker.kill()
            worker.wait()
        if first < end:
            begun = begun or {"kind": kind, "seed": seed, "number": first, "arguments": []}
            died = worker.returncode not in (0, -9)
            yield begun, f"the process died with {worker.returncode}" if died else f"no end after {limit:g} s"
            first = begun["number"] + 1


def _start(kind: str, seed: int, first: int, count: int) -> subprocess.Popen[bytes]:
    single = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    path = str(Path(__file__).parents[1])
    environment = os.environ | single | {"PYTHONPATH": path, "MPLBACKEND": "agg", "COLUMNS": "120", "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "fuzzing.worker", kind, str(seed), str(first), str(count)]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    )


def _lines(worker: subprocess.Popen[bytes], limit: float) -> Iterator[bytes]:
    """Lines of its output until it ends, or says nothing for too long."""
    assert worker.stdout is not None
    descriptor = worker.stdout.fileno()
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while selector.select(limit):
            data = os.read(descriptor, 1 << 16)
            if not data:
                worker.wait(limit)
                return
            *lines, rest = (rest + data).split(b"\n")
            yield from lines
