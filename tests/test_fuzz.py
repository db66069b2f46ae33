"""Whatever is put in: exit status 0 to 3, one short typed message, no traceback, no word of a library, an end, little memory.

`pytest tests/test_fuzz.py --fuzz 5000 --fuzz-seed 7` takes more inputs, and others.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fuzzing import planted, verdict
from fuzzing.damage import Random
from fuzzing.kinds import KINDS

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of address space are Linux's")


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_input_ends_in_a_sentence(kind: str, request: pytest.FixtureRequest) -> None:
    count = max(1, round(request.config.getoption("--fuzz") * KINDS[kind][1] / 100))
    seed = request.config.getoption("--fuzz-seed")
    records = list(verdict.run(kind, seed, 0, count))
    wrong = [f"{kind} {seed} {each['number']}: {fault}\n  {each['arguments']}" for each, fault in records if fault]
    assert len(records) == count
    assert not wrong, "\n".join(
        [f"{len(wrong)} of {count}; PYTHONPATH=tests/shared python -m fuzzing.worker KIND SEED NUMBER 1 FOLDER", *wrong]
    )


@pytest.fixture(scope="module")
def judged() -> dict[str, str]:
    """What is said of each planted fault; those that end their process, or never end, do not keep the others from being run."""
    found = verdict.run("planted", 0, 0, len(planted.CALLS), limit=20.0)
    return {planted.CALLS[record["number"]].__name__: said for record, said in found}


@pytest.mark.parametrize("fault", planted.CALLS, ids=lambda call: call.__name__)
def test_a_planted_fault_is_seen(fault: Callable[[], int], judged: dict[str, str]) -> None:
    words, said = planted.WORDS[fault], judged[fault.__name__]
    assert words in said if words else not said, said


@pytest.mark.parametrize("kind", KINDS)
def test_an_input_is_the_same_whenever_it_is_made(kind: str, tmp_path: Path) -> None:
    for number in range(5):
        made = []
        for name in ("one", "two"):
            folder = tmp_path / f"{number}-{name}"
            folder.mkdir()
            arguments = KINDS[kind][0](Random(kind, 3, number), folder)
            made.append((arguments, {path.name: path.read_bytes() for path in folder.iterdir()}))
        assert made[0] == made[1]


def test_nothing_is_written_outside_the_folder() -> None:
    """No argument is a path that leads out of it: any of them may come to stand behind --out."""
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(300):
            arguments = KINDS["options"][0](Random("options", 5, number), Path(scratch))
            assert not [each for each in arguments if each.startswith(("/", "..", "~"))], arguments
