"""Each wrong version of shared code is seen: by a cross-check on the user's own cell, or by a named test of an oracle."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterator
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import one_dimensional
from planted import AREAS, CIRCUIT, FAULTS, ROUTE, Fault, table, two_layers_at_the_contact

import fem_constriction as fc
from fem_constriction.errors import ComputationError
from fem_constriction.fem import FiniteElements
from fem_constriction.solving.one_grid import solve_grid
from network import Network
from validation import crosscheck
from validation.gate.shared_route import check_route

BAND = (2 * np.pi * 1e-3, 2 * np.pi * 1e9)
BACKENDS = (Network(), FiniteElements())
TESTS = next(folder for folder in Path(__file__).parents if folder.name == "tests")
BY_RUNS = [fault for fault in FAULTS if fault.seen_by in (ROUTE, CIRCUIT)]
BY_TESTS = [fault for fault in FAULTS if fault.seen_by.startswith("test_")]

#: Cases of one named test that are tried at most: one of them has to fail.
CASES = 12


def named(fault: Fault) -> str:
    return fault.what


@pytest.mark.parametrize("fault", BY_RUNS, ids=named)
def test_what_every_cross_check_looks_at_shows_it(
    every_process: fc.Cell, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault.room == "series":
        two_layers_at_the_contact(monkeypatch)
        assert not check_route([every_process], Network(), BAND).faults
    fault.plant(monkeypatch)
    found = [check_route([every_process], backend, BAND) for backend in BACKENDS]
    word = {ROUTE: "the shared route is .* own matrices of", CIRCUIT: "one-dimensional circuit is at fault"}[fault.seen_by]
    assert any(re.search(word, each) for route in found for each in route.faults), [route.state for route in found]


@pytest.mark.parametrize("fault", BY_TESTS, ids=named)
def test_no_run_can_see_it_and_the_test_that_is_named_fails(
    every_process: fc.Cell, fault: Fault, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = found_test(fault.seen_by)
    fault.plant(monkeypatch)
    assert not any(check_route([every_process], backend, BAND).faults for backend in BACKENDS)
    assert fault.why, "the reason why no run can see it"
    for arguments in islice(cases(test, request), CASES):
        try:
            test(**arguments)
        except (AssertionError, ComputationError):
            return
    pytest.fail(f"{fault.seen_by} does not see that {fault.what}")


def found_test(name: str) -> Callable[..., None]:
    """The test "module.function", in whichever folder its module lies."""
    module, function = name.split(".")
    (path,) = TESTS.rglob(f"{module}.py")
    spec = importlib.util.spec_from_file_location(f"named_{module}", path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return getattr(made, function)


def cases(test: Callable[..., None], request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """The arguments of each case of a test: those it is parametrised with, and fixtures for all others."""
    wanted = test.__code__.co_varnames[: test.__code__.co_argcount]
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    lists = []
    for mark in marks:
        names = [each.strip() for each in mark.args[0].split(",")] if isinstance(mark.args[0], str) else list(mark.args[0])
        lists.append([dict(zip(names, row if len(names) > 1 else (row,), strict=True)) for row in mark.args[1]])
    for rows in product(*lists):
        given = {key: value for row in rows for key, value in row.items()}
        yield given | {key: request.getfixturevalue(key) for key in wanted if key not in given}


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.seen_by == AREAS], ids=named)
def test_a_grid_of_other_areas_is_refused_by_every_run(every_process: fc.Cell, fault: Fault, monkeypatch) -> None:
    fault.plant(monkeypatch)
    with pytest.raises(ComputationError, match="its contact area is"):
        crosscheck(every_process, [1.0], discs=False)


@pytest.mark.parametrize("fraction", [0.0, 1.0], ids=["no contact", "full contact"])
def test_every_place_is_read_as_the_cell_file_says(every_process: fc.Cell, fraction: float) -> None:
    """Both backends have their numbers from one reading of the file: the oracle is the circuit, written out from its keys."""
    cell, network = every_process.vary({"working_electrode.contact.fraction": fraction}), Network()
    s = 2j * np.pi * np.geomspace(1e-3, 1e9, 25)
    found = solve_grid(cell, network, network.grid(cell, 0), BAND).model.impedance(s)
    assert found == pytest.approx(one_dimensional(cell, s), rel=1e-9)


def test_there_is_one_in_every_room_and_none_is_large() -> None:
    rooms = {"admittances", "series", "areas and outlines", "modes", "recursion", "face problem", "sparse functions", "samples"}
    rooms |= {"projection", "reduced model", "extrapolation", "R_geometric", "unit conversion"}
    assert {fault.room for fault in FAULTS} == rooms and len(FAULTS) >= 25


def test_one_goes_the_whole_way_to_a_verdict(every_process: fc.Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    BY_RUNS[0].plant(monkeypatch)
    result = crosscheck(every_process, [1e-2, 1e3, 1e6])
    assert result.agreement.verdict == "disagree" and "the shared route is" in result.agreement.summary()


def test_the_documentation_lists_them() -> None:
    page = (TESTS.parent / "docs" / "trust.md").read_text("utf-8")
    assert table() in page
