"""Cells the tests share: the paper's, and small ones that solve in a fraction of a second."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from paper_cells import SMALL, paper_cell
from threadpoolctl import threadpool_limits

import fem_constriction as fc
import network.stacks
from fem_constriction.fem.stacks import elements
from fem_constriction.grids import mesh_twin, pixelated
from fem_constriction.grids.grid import Grading
from fem_constriction.pictures import printed
from validation.cli import app as cli

# Small matrices: threads of dense algebra only wait for each other, on a busy machine for minutes.
threadpool_limits(limits=1)


# Nobody looks into the fonts of a PDF here, and to leave out letters that it does not have takes a quarter of a second each.
printed.STYLE["pdf.fonttype"] = 3


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fuzz", "damaged inputs, test_fuzz.py")
    group.addoption("--fuzz", type=int, default=200, help="how many inputs (default: 200)")
    group.addoption("--fuzz-seed", type=int, default=0, help="which inputs (default: 0)")


@pytest.fixture(scope="session")
def figure_2() -> fc.Cell:
    return paper_cell("figure-2-25")


@pytest.fixture(scope="session")
def small(figure_2: fc.Cell) -> fc.Cell:
    """Boundaries, charge transfer, pores and an ideal counter electrode."""
    return figure_2.vary(SMALL)


@pytest.fixture(scope="session")
def every_process(small: fc.Cell) -> fc.Cell:
    """All five processes at once."""
    return small.vary(
        {
            "counter_electrode.charge_transfer.resistance": "1 ohm cm^2",
            "counter_electrode.charge_transfer.capacitance": "8.85 uF/cm^2",
        }
    )


@pytest.fixture(scope="session")
def ideal_contact() -> fc.Cell:
    """An ideal contact (the singular edge) with capacitive pores and two boundaries."""
    return paper_cell("figure-3a-16").vary({"electrolyte.grain_boundaries.layers": 3})


@pytest.fixture(scope="session")
def frequencies() -> np.ndarray:
    return np.geomspace(1e-3, 1e9, 25)


@pytest.fixture(scope="session")
def band() -> tuple[float, float]:
    return 2 * np.pi * 1e-3, 2 * np.pi * 1e9


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Families of the built-in backends whose coarsest grids are a few cells wide."""
    monkeypatch.setattr(network.stacks, "GRADING", Grading(exponent=2.5, steps=2))
    monkeypatch.setattr(network.stacks, "VOXELS", 12)
    monkeypatch.setattr(pixelated, "COARSEST", 8)
    monkeypatch.setattr(mesh_twin, "COARSEST", 6)
    monkeypatch.setitem(elements.GRADINGS, 2, Grading(exponent=4.0, steps=1))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """The command line: arguments -> exit status, standard output, standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        status = cli.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return call
