"""Commands with planted faults, one of each that the judge knows: a judge that lets one pass is none."""

from __future__ import annotations

import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from fem_constriction.errors import InputError
from fuzzing.damage import Random
from validation.cli import app as cli


def key_error() -> int:
    return {}["grid"]


def traceback_() -> int:
    try:
        key_error()
    except KeyError:
        traceback.print_exc()
    return 0


def hang() -> int:
    while True:
        time.sleep(1)


def death() -> int:
    os.kill(os.getpid(), 11)
    return 0


def memory() -> int:
    np.ones(2**29)
    return 0


def chatter() -> int:
    os.write(2, b"Transforming over 1000 vertices\n")
    return 0


def library_warning() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("always")  # past whatever filters the command has
        warnings.warn("divide by zero encountered", RuntimeWarning, stacklevel=1)
    return 0


def essay() -> int:
    print(f"fem-constriction: {'x' * 501}", file=sys.stderr)
    return 2


def library_words() -> int:
    raise InputError("the cell is not allowed: zero-size array to reduction operation minimum which has no identity")


def silence() -> int:
    return 2


def two_messages() -> int:
    print("fem-constriction: one", file=sys.stderr)
    raise InputError("two")


def strange_status() -> int:
    return 7


def no_json() -> int:
    print("{'R': nan}")
    return 0


def sound() -> int:
    raise InputError("geometry.width = -1 is not allowed: a length above 0")


#: Planted fault -> what the judge must say of it; "" of the sound one.
WORDS: dict[Callable[[], int], str] = {
    key_error: "KeyError",
    traceback_: "traceback",
    hang: "no end",
    death: "died",
    memory: "MemoryError",
    chatter: "Transforming over 1000 vertices",
    library_warning: "RuntimeWarning",
    essay: "characters",
    library_words: "zero-size array",
    silence: "0 messages",
    two_messages: "2 messages",
    strange_status: "exit status 7",
    no_json: "no JSON",
    sound: "",
}


CALLS = tuple(WORDS)


def planted(rng: Random, _folder: Path) -> list[str]:
    """Make a command of the fault whose turn it is, and return how it is called."""
    call = CALLS[rng.number]
    command = cli.app.command(name=call.__name__)

    @command
    def run(as_json: Annotated[bool, typer.Option("--json")] = False) -> Any:
        return call()

    return [call.__name__, "--json"] if call is no_json else [call.__name__]
