"""Backends of a stranger for the command line, and what a refused command looks like."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

#: A third-party distribution: coarse backends, which are fast, and one that is wrong.
PLUGINS = """
from dataclasses import replace
from fem_constriction.fem import FiniteElements
from fem_constriction.grids.grid import Grading, family_member
from network import Network

class CoarseNetwork(Network):
    name = "coarse-network"
    def grid(self, cell, level):
        return family_member(cell, Grading(exponent=2.5, steps=3), level)

class CoarseElements(FiniteElements):
    name = "coarse-fem"
    def grid(self, cell, level):
        return family_member(cell, Grading(exponent=4.0, steps=1), level)

class Weaker:
    def __init__(self, operator):
        self.operator, self.shape = operator, operator.shape
    def __matmul__(self, columns):
        return 0.99 * (self.operator @ columns)

class Wrong(CoarseNetwork):
    name = "wrong"
    def assemble(self, cell, grid):
        made = super().assemble(cell, grid)
        return replace(made, operators={**made.operators, "bulk": Weaker(made.operators["bulk"])})
"""

POINTS = """[fem_constriction.backends]
coarse-network = stranger:CoarseNetwork
coarse-fem = stranger:CoarseElements
wrong = stranger:Wrong
broken = stranger:Missing
"""


@contextmanager
def installed(monkeypatch: pytest.MonkeyPatch, site: Path, name: str, code: str, points: str) -> Iterator[None]:
    """A distribution of one module and these entry points is on the path; afterwards the module is forgotten."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (site / f"{name}.py").write_text(code)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(site)
    yield
    sys.modules.pop(name, None)


def refused(result: tuple[int, str, str], *words: str) -> None:
    """Exit status 2, one line on stderr with these words, no traceback, nothing on stdout."""
    status, out, err = result
    assert status == 2, err
    assert out == ""
    assert err.count("\n") == 1
    assert "Traceback" not in err
    for word in words:
        assert word in err
