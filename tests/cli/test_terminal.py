"""Every command of the README as it is typed: on a terminal, into a pipe, and where nothing can be shown.

Coarse grids and few frequencies; what is printed has the same form.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

import fem_constriction as fc
from fem_constriction import chatter
from fem_constriction.errors import ResolutionWarning
from fem_constriction.files import write_text
from validation.cli import app as cli
from validation.show import streams, terminal

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
FEW = ("--frequencies", "1e-3:1e9:13")

#: Each command of the README's table, as it stands there, and how it is run here.
QUICK: dict[str, tuple[str, ...]] = {
    "crosscheck CELL.toml": ("crosscheck", "cell.toml", "--no-discs", "--tolerance", "0.1", *FEW),
    "spectrum CELL.toml --backend fem --out z.csv": ("spectrum", "cell.toml", "--backend", "fem", "--accuracy", "0.1",
                                                     "--out", "z.csv", *FEW),
    "spectrum CELL.toml --guaranteed --accuracy 1e-4 --out z.csv": ("spectrum", "cell.toml", "--guaranteed", "--accuracy",
                                                                    "0.05", "--out", "z.csv", *FEW),
    "fit z.csv": ("fit", "measured.csv"),
    "figures": ("figures", "2", "--quick"),
    "claims": ("claims", "8", "--quick"),
    "bounds CELL.toml": ("bounds", "cell.toml", "--accuracy", "0.1"),
    "converge CELL.toml": ("converge", "cell.toml", "--levels", "3", *FEW),
    "errors CELL.toml": ("errors", "cell.toml", "--resolutions", "8"),
    "references": ("references",),
    "budget CELL.toml": ("budget", "cell.toml"),
    "fields CELL.toml --frequency 1,3e3,1e6": ("fields", "cell.toml", "--frequency", "1,3e3,1e6", "--level", "0"),
    "sweep SWEEP.toml": ("sweep", "sweep.toml", "--workers", "1"),
    "benchmark network": ("benchmark", "network", "cell.toml", "--sizes", "8", *FEW),
    "benchmark fem": ("benchmark", "fem", "cell.toml", "--levels", "1", "--no-peers", *FEW),
    "benchmark planes CELL.toml": ("benchmark", "planes", "disc.toml", "--levels", "1", *FEW),
    "benchmark discs": ("benchmark", "discs", "--cells", "1"),
    "benchmark honesty": ("benchmark", "honesty", "--cells", "1"),
    "show CELL.toml": ("show", "cell.toml"),
    "conformance --backend NAME": ("conformance", "--backend", "network", "--check", "attributes"),
    "backends": ("backends",),
    "schema": ("schema",),
    # Not in the table, and typed all the same.
    "spectrum --resolution": ("spectrum", "cell.toml", "--backend", "network", "--resolution", "8", "--out", "z.csv", *FEW),
    "backends CELL.toml": ("backends", "cell.toml"),
    "references --out": ("references", "--out", "set"),
    "--version": ("--version",),
    "--help": ("--help",),
    "crosscheck --help": ("crosscheck", "--help"),
    "no such file": ("show", "missing.toml"),
}  # fmt: skip

#: More than a second or two each.
LONG = {"figures", "claims", "sweep SWEEP.toml", "benchmark network", "benchmark fem", "benchmark discs", "benchmark honesty",
        "converge CELL.toml", "errors CELL.toml", "benchmark planes CELL.toml"}  # fmt: skip
#: Done at once: in every circumstance in the fast tests; the others, on a terminal and into a pipe.
LIGHT = {"show CELL.toml", "backends", "backends CELL.toml", "schema", "references", "references --out",
         "spectrum --resolution", "--version", "--help", "crosscheck --help", "no such file",
         "conformance --backend NAME"}  # fmt: skip


#: Half a minute and more: on one terminal alone.
HEAVY = {"figures", "claims", "benchmark fem", "converge CELL.toml"}


def cases(*, light: bool = False, without: Collection[str] = ()) -> list[Any]:
    """Every command but some; long is what is, or, of the light ones, all others."""
    return [pytest.param(name, id=name, marks=[pytest.mark.long] if name in LONG or (light and name not in LIGHT) else [])
            for name in QUICK if name not in without]  # fmt: skip


#: What a command ends with where nothing is in its way: 1 where coarse grids let nothing be extracted, or claims fail.
FINE = {"no such file": {2}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, coarse: None) -> Path:
    """The user's folder: a cell, one with a disc, a spectrum and a study."""
    cell = fc.Cell.load(ROOT / "tests/data/cells/homogeneous-25.toml")
    cell.save(tmp_path / "cell.toml")
    cell.vary({"working_electrode.contact.shape": "disc"}).save(tmp_path / "disc.toml")
    f = np.geomspace(1e6, 1, 31)
    s = 2j * np.pi * f
    fc.Spectrum(f, 10 + 50 / (1 + s * 1e-5) + 100 / (1 + s * 1e-2)).save(tmp_path / "measured.csv")
    axis = '[axes]\n"working_electrode.contact.fraction" = [0.25]\n'
    study = 'cell = "cell.toml"\nfrequencies = "1e-3:1e9:13"\ntolerance = 0.1\n'
    (tmp_path / "sweep.toml").write_text(study + axis)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@contextmanager
def shown_on(output: IO[str] | None, error: IO[str] | None) -> Iterator[None]:
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = output, error  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def typed(arguments: tuple[str, ...], output: IO[str] | None, error: IO[str] | None, monkeypatch: pytest.MonkeyPatch) -> int:
    """The command as a process starts it, with these streams."""
    monkeypatch.setattr(sys, "argv", ["fem-constriction", *arguments])
    with shown_on(output, error):
        return cli.main()


def on_terminal(arguments: tuple[str, ...], width: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Exit status, and what a terminal of so many columns showed."""
    controller, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm-256color")
    parts: list[bytes] = []

    def read() -> None:
        while True:
            try:
                part = os.read(controller, 65536)
            except OSError:  # the other end is closed
                return
            if not part:
                return
            parts.append(part)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    with open(end, "w", encoding="utf-8", newline="") as output:
        status = typed(arguments, output, output, monkeypatch)
    reader.join(10)
    os.close(controller)
    return status, b"".join(parts).decode("utf-8", "replace")


def readme_commands() -> set[str]:
    """What stands in the first column: full commands, and short ones beside them."""
    found = set()
    for row in re.findall(r"^\| (`fem-constriction [^|]*) \|", README, flags=re.MULTILINE):
        first, *others = re.findall(r"`([^`]+)`", row)
        whole = first.removeprefix("fem-constriction ")
        found.add(whole)
        group = f"{whole.split()[0]} " if whole.startswith("benchmark") else ""
        found |= {group + other for other in others}
    return found


def test_every_command_of_the_readme_is_run_here() -> None:
    assert readme_commands() <= set(QUICK)


@pytest.mark.parametrize("name", cases())
def test_a_command_runs_on_a_terminal(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _runs_on_a_terminal(name, 80, monkeypatch)


@pytest.mark.parametrize("name", cases(light=True, without=LONG))
def test_a_command_runs_on_a_wide_terminal(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _runs_on_a_terminal(name, 120, monkeypatch)


def _runs_on_a_terminal(name: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    status, text = on_terminal(QUICK[name], width, monkeypatch)
    assert status in FINE.get(name, {0, 1}), text
    assert "Traceback" not in text
    assert "failed with" not in text
    assert text.strip()
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    said = ("fem-constriction:", "Written", '"', " " * 4)  # sentences, which the terminal wraps
    tables = [line for line in re.split(r"[\r\n]+", plain) if not line.startswith(said)]
    if name != "schema":
        assert not [line for line in tables if len(line) > width]


@pytest.mark.parametrize("name", cases(without=HEAVY))
def test_a_command_runs_into_a_pipe(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with open(tmp_path / "out.txt", "w") as output, open(tmp_path / "err.txt", "w") as error:
        status = typed(QUICK[name], output, error, monkeypatch)
    out, err = (tmp_path / "out.txt").read_text(), (tmp_path / "err.txt").read_text()
    assert status in FINE.get(name, {0, 1}), err
    assert "Traceback" not in out + err
    assert "failed with" not in err
    assert "\x1b" not in out + err
    assert out or err


def full() -> IO[str]:
    return open("/dev/full", "w")


def unread() -> IO[str]:
    """A pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    return open(writer, "w")


@pytest.mark.parametrize("name", cases(light=True, without={*LONG, "no such file"}))
@pytest.mark.parametrize("output", [lambda: None, full], ids=["closed", "full"])
def test_what_cannot_be_shown_is_lost_and_said(
    name: str, output: Callable[[], IO[str] | None], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = output()
    with open("err.txt", "w") as error:
        status = typed(QUICK[name], stream, error, monkeypatch)
    err = Path("err.txt").read_text()
    assert "Traceback" not in err
    assert "standard output cannot be written" in err
    assert status in ({1, 3} if name == "crosscheck CELL.toml" else {3}), err
    if "z.csv" in QUICK[name]:
        assert len(fc.Spectrum.load("z.csv")) == 13


@pytest.mark.parametrize("name", cases(light=True, without=LONG))
def test_a_reader_that_has_seen_enough_changes_nothing(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open("err.txt", "w") as error:
        status = typed(QUICK[name], unread(), error, monkeypatch)
    assert status in FINE.get(name, {0, 1})
    assert "standard output" not in Path("err.txt").read_text()


@pytest.mark.parametrize("name", ["show CELL.toml", "backends", "no such file", "--help", "fit z.csv"])
@pytest.mark.parametrize("error", [lambda: None, full], ids=["closed", "full"])
def test_standard_error_may_be_closed_or_full(
    name: str, error: Callable[[], IO[str] | None], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open("out.txt", "w") as output:
        status = typed(QUICK[name], output, error(), monkeypatch)
    assert status in FINE.get(name, {0})
    assert bool(Path("out.txt").read_text()) == (name != "no such file")


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("{} backends >&-", 3),
        ("{} backends > /dev/full", 3),
        ("{} --version > /dev/full", 3),
        ("{} --help >&-", 3),
        ("{} backends 2>&- >/dev/null", 0),
        ("{} backends >&- 2>&-", 3),
        ("{} schema | head -1 > /dev/null", 0),
        ("{} show missing.toml >&-", 2),
        ("{} backends --quiet >&-", 0),
    ],
)
def test_a_shell_that_closes_streams(line: str, status: int, tmp_path: Path) -> None:
    command = line.format(f"{sys.executable} -m validation")
    script = f"set -o pipefail; {command}"
    found = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert found.returncode == status, found.stderr
    assert "Traceback" not in found.stderr
    assert "Exception ignored" not in found.stderr


def test_a_closed_descriptor_is_not_given_to_the_next_file(tmp_path: Path) -> None:
    """Where fd 1 is free, a result would be opened on it, and be printed into."""
    code = "from validation.show import streams\nwith streams.held(): f = open('z.csv', 'w'); print(f.fileno() > 2, file=f)"
    subprocess.run(["bash", "-c", f'{sys.executable} -c "{code}" >&-'], cwd=tmp_path, timeout=60, check=True)
    assert (tmp_path / "z.csv").read_text() == "True\n"


# What libraries say


def test_our_warnings_are_said_once_and_nobody_elses(capsys: pytest.CaptureFixture[str]) -> None:
    with chatter.ours_alone(lambda text: terminal.say(f"warning: {text}")):
        for _ in range(3):
            warnings.warn("grids are coarse", ResolutionWarning, stacklevel=1)
        warnings.warn("a library's", UserWarning, stacklevel=1)
        warnings.warn("numpy's", RuntimeWarning, stacklevel=1)
        np.log(np.zeros(1))
        with warnings.catch_warnings():  # as libraries do
            warnings.simplefilter("always")
            warnings.warn("Setting maxiter to maximum allowed, n.", UserWarning, stacklevel=1)
        import logging

        logging.getLogger("skfem").warning("Transforming over 1000 vertices to C_CONTIGUOUS.")
    assert capsys.readouterr().err == "fem-constriction: warning: grids are coarse\n"


def test_the_library_logs_nothing_from_below(caplog: pytest.LogCaptureFixture) -> None:
    """A contact of many corners: its triangulation has over a thousand vertices in one array."""
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    corners = [[f"{25 + 10 * np.cos(a)} um", f"{25 + 7 * np.sin(a)} um"] for a in angle]
    contact = {"shape": "regions", "regions": [{"shape": "polygon", "vertices": corners}]}
    cell = fc.Cell(
        geometry={"width": "50 um", "thickness": "50 um"},
        electrolyte={"conductivity": "0.46 mS/cm"},
        working_electrode={"contact": contact},
    )
    elements = fc.backends()["fem"]()
    elements.layered(cell, elements.grid(cell, 1))  # type: ignore[attr-defined]
    assert [record.getMessage() for record in caplog.records] == []


# Options


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("crosscheck", "cell.toml", "--accuracy", "fem"), "--accuracy = 'fem' is not allowed: a number"),
        (("crosscheck", "cell.toml", "--tolerance=x"), "--tolerance = 'x' is not allowed: a number"),
        (("spectrum", "cell.toml", "--backend", "fem", "--resolution", "1.5", "--out", "z.csv"), "--resolution = '1.5' is not"),
        (("benchmark", "honesty", "--workers", "0"), "--workers = '0' is not allowed: at least 1"),
        (("crosscheck", "cell.toml", "--tolerance", "nan"), "--tolerance = nan is not allowed"),
        (("crosscheck", "cell.toml", "--tolerance", "1e400"), "--tolerance = inf is not allowed"),
        (("crosscheck", "cell.toml", "--backends", ""), "--backends = '' is not allowed"),
        (("crosscheck", "cell.toml", "--backends", "fem,fem"), "--backends = 'fem,fem' is not allowed"),
        (("crosscheck", "cell.toml", "--frequencies", "1:2:1e9"), "--frequencies = '1:2:1e9' is not allowed"),
        (("crosscheck", "cell.toml", "--frequencies", "1:2:100000000"), "--frequencies = "),
        (("spectrum", "cell.toml", "--backend", "fem", "--out", "x" * 5000), "--out = 'xxx"),
        (("spectrum", "cell.toml", "--backend", "fem", "--out", "cell.toml"), "it is what is read"),
        (("spectrum", "cell.toml", "--backend", "fem", "--out", "."), "the name of a CSV file"),
        (("spectrum", "cell.toml", "--backend", "fem", "--out", "/dev/null"), "the name of a CSV file"),
        (("crosscheck", "cell.toml", "--out", "cell.toml"), "it is not a folder"),
        (("crosscheck", "cell.toml", "--out", "/dev/null"), "it is not a folder"),
        (("crosscheck", "cell.toml", "--out", "x" * 5000), "--out = 'xxx"),
        (("x" * 5000,), "No such command"),
    ],
)
def test_a_refused_option_is_one_short_sentence(
    arguments: tuple[str, ...], words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = cli.main(arguments)
    out, err = capsys.readouterr()
    assert (status, out) == (2, ""), err
    assert words in err
    assert err.count("\n") == 1
    assert len(err) <= 500


def test_what_is_no_file_is_written_into_and_never_replaced(tmp_path: Path) -> None:
    """A stand-in for /dev/null: a terminal's end, a character device like it."""
    controller, end = pty.openpty()
    link = tmp_path / "device"
    link.symlink_to(os.ttyname(end))
    write_text(link, "text")
    assert os.read(controller, 10) == b"text"
    assert link.is_symlink()
    assert not link.is_file()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(fc.InputError, match="it is a named pipe"):
        write_text(tmp_path / "pipe", "text")
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "file").read_text() == "new"
    assert (tmp_path / "link").is_symlink()
    os.close(end)
    os.close(controller)


def test_a_stream_that_takes_nothing_is_replaced_for_good(tmp_path: Path) -> None:
    shown = streams.Shown(full())
    shown.write("x" * 100000)
    shown.flush()
    assert shown.lost == "No space left on device"
    shown.write("y")
    shown.flush()
    with pytest.raises(TypeError):
        shown.write(b"bytes")  # type: ignore[arg-type]
