"""A Cell is lowered once: a Problem says what a cell says, is the same for whoever asks, and is asked for nothing twice."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable
from typing import Any

import images
import numpy as np
import outline_cells
import pytest
from paper_cells import DATA

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.fem import FiniteElements
from fem_constriction.grids.grid import Grading, family_member, uniform
from fem_constriction.problem import problem as lowering
from fem_constriction.problem.bodies import Image, Mesh
from fem_constriction.problem.faces import face_of
from fem_constriction.problem.kinds import IMAGE, KINDS, OUTLINES, RECTANGLES
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.of_cell import admittances, direct_current
from network import Network
from validation import crosscheck


def test_a_problem_of_a_problem_is_itself_and_of_a_cell_what_the_cell_says(figure_2: fc.Cell) -> None:
    problem = Problem.of(figure_2)
    assert Problem.of(problem) is problem
    assert Problem.of(figure_2.model_dump()) == problem
    assert dict(problem.places) == dict(admittances(figure_2))
    assert admittances(problem) is problem.places
    assert problem.direct_current == direct_current(figure_2)
    assert (problem.area, problem.contact_area) == (figure_2.area, figure_2.contact_area)
    assert problem.body.lengths == figure_2.geometry.lengths
    assert (problem.ideal_contact, problem.ideal_counter) == (False, True)
    assert problem.body.layers == 50
    assert problem.body.crossings == 49
    with pytest.raises(InputError, match="cell = 3"):
        Problem.of(3)  # type: ignore[arg-type]


def test_a_band_is_added_and_all_else_is_shared(figure_2: fc.Cell) -> None:
    problem = Problem.of(figure_2).lowered()
    banded = problem.over([1.0, 100.0])
    assert banded.band == pytest.approx((2 * np.pi, 200 * np.pi))
    assert problem.band is None
    assert banded.places is problem.places
    assert banded.face is problem.face
    assert banded.over([1.0, 100.0]) is banded
    assert banded.vary({"electrolyte.conductivity": 1.0}).band == banded.band


def test_only_materials_leave_the_discretisation_as_it_is(figure_2: fc.Cell) -> None:
    text = Problem.of(figure_2).discretisation
    assert Problem.of(figure_2.vary({"electrolyte.conductivity": 2.0})).discretisation == text
    changes = {
        "geometry.thickness": "49 um",
        "working_electrode.charge_transfer": None,
        "electrolyte.grain_boundaries.layers": 9,
    }
    for key, value in changes.items():
        assert Problem.of(figure_2.vary({key: value})).discretisation != text


def test_what_goes_to_another_process_is_the_description(figure_2: fc.Cell) -> None:
    problem = Problem.of(figure_2).over([1.0, 2.0]).lowered()
    copy = pickle.loads(pickle.dumps(problem))
    assert copy == problem
    assert "places" not in vars(copy)


def test_equal_faces_are_one_key(figure_2: fc.Cell) -> None:
    assert face_of(figure_2) == face_of(figure_2.vary({"electrolyte.conductivity": 2.0}))
    assert face_of(figure_2) != face_of(figure_2.vary({"working_electrode.contact.fraction": 0.16}))
    assert face_of(figure_2) != face_of(figure_2, whole=True)
    assert len({face_of(figure_2), face_of(figure_2)}) == 1


def test_rectangles_that_nearly_touch_a_wall_are_outlines(figure_2: fc.Cell) -> None:
    near = {"shape": "rectangle", "centre": ["5.0000001 um", "20 um"], "size": ["10 um", "10 um"]}
    assert Problem.of(figure_2).kind is RECTANGLES
    assert Problem.of(outline_cells.cell(outline_cells.regions(near))).kind is OUTLINES
    assert Problem.of(outline_cells.cell(outline_cells.DISC)).kind is OUTLINES


def test_a_body_is_taken_as_what_it_is_alone() -> None:
    image = images.image_cell((4, 4, 4), 0.25, {"generator": "voronoi", "grains": 2, "seed": 1})
    body = Problem.of(image).body
    assert Problem.of(image).kind is IMAGE
    assert Image.of(body).shape == (4, 4, 4)
    assert body.resolution(None) is None
    with pytest.raises(InputError, match="resolution = 5"):
        body.resolution(5)
    with pytest.raises(InputError, match="mesh is missing"):
        Mesh.of(body)


@pytest.mark.parametrize("make", [Network, FiniteElements])
def test_a_backend_takes_a_cell_and_its_problem_alike(make: Callable[[], Any]) -> None:
    cell = fc.Cell.load(DATA / "cells" / "homogeneous-25.toml")
    backend, problem = make(), Problem.of(cell)
    for one, other in (
        (backend.grid(cell, 0), backend.grid(problem, 0)),
        (backend.uniform(cell, 8), backend.uniform(problem, 8)),
    ):
        assert one.shape == other.shape
        assert backend.unknowns(cell, one) == backend.unknowns(problem, other)
        assert backend.assemble(cell, one).unknowns == backend.assemble(problem, other).unknowns
    assert family_member(cell, Grading(2.0, 2), 0).shape == family_member(problem, Grading(2.0, 2), 0).shape
    assert uniform(cell, 8).shape == uniform(problem, 8).shape


@pytest.mark.parametrize("make", [Network, FiniteElements])
def test_what_a_backend_offers_is_what_its_schemes_do(make: Callable[[], Any]) -> None:
    backend = make()
    assert set(backend.schemes) == set(backend.offers) <= {kind.name for kind in KINDS}
    for kind, scheme in backend.schemes.items():
        assert scheme.offers == backend.offers[kind]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, fc.Cell]]:
    """How often each cell is asked what it conducts, whether direct current flows, and what symmetry leaves of its face."""
    counted: Counter[tuple[str, fc.Cell]] = Counter()

    def counting(name: str) -> Callable[..., Any]:
        ask = getattr(lowering, name)

        def asked(*given: Any, **more: Any) -> Any:
            counted[name, given[0]] += 1
            return ask(*given, **more)

        return asked

    for name in ("processes", "places", "direct_current", "faces_of"):
        monkeypatch.setattr(lowering, name, counting(name))
    return counted


def test_one_crosscheck_asks_a_cell_once(calls: Counter[tuple[str, fc.Cell]], coarse: None) -> None:
    cell = fc.Cell.load(DATA / "cells" / "homogeneous-25.toml")
    crosscheck(cell, np.geomspace(1, 1e6, 5), tolerance=0.5, discs=False)
    asked = {name: times for (name, which), times in calls.items() if which == cell}
    assert asked == {"processes": 1, "places": 1, "direct_current": 1, "faces_of": 1}


def test_whoever_lowers_it_again_is_counted(calls: Counter[tuple[str, fc.Cell]], figure_2: fc.Cell) -> None:
    for _ in range(2):
        Problem.of(figure_2).lowered()
    assert calls["processes", figure_2] == 2
