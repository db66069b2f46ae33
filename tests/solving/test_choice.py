"""Level(2) | PerEdge(50) | Accuracy(1e-3): one value says on which grids a cell is solved, and what two of them mean."""

from __future__ import annotations

from typing import Any

import pytest
from images import image_cell

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.choice import DEFAULT, FINEST, Accuracy, Level, PerEdge, one_of, settled


@pytest.mark.parametrize(
    ("given", "choice"),
    [({}, None), ({"level": 2}, Level(2)), ({"resolution": 50}, PerEdge(50)), ({"accuracy": 1e-3}, Accuracy(1e-3))],
)
def test_the_one_that_is_given_is_chosen(given: dict[str, Any], choice: object) -> None:
    assert one_of(**given) == choice


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"accuracy": 1e-3, "resolution": 8},
            "--accuracy and --resolution are not allowed together: one asks for a limit, the other for a grid",
        ),
        (
            {"level": 1, "resolution": 8},
            "--level and --resolution are not allowed together: each asks for a grid of its own",
        ),
    ],
)
def test_two_that_contradict_each_other_are_refused_by_the_names_of_the_options(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        one_of(**given, prefix="--")
    assert str(caught.value) == words


@pytest.mark.parametrize("number", [-1, FINEST + 1, True, 1.0])
def test_a_level_is_one_of_a_family(number: Any) -> None:
    with pytest.raises(InputError, match=r"level = .* is not allowed: a whole number from 0, the coarsest grid, to"):
        Level(number)


@pytest.mark.parametrize("relative", [0.0, 1.0, "1 %", float("nan")])
def test_an_accuracy_is_a_part_of_the_modulus(relative: Any) -> None:
    with pytest.raises(InputError, match=r"accuracy = .* is not allowed: a number between 0 and 1, relative to \|Z\|"):
        Accuracy(relative)


def test_a_stack_is_solved_to_the_default_accuracy_unless_something_else_is_chosen(small: fc.Cell) -> None:
    problem, network = Problem.of(small), backend_named("network")
    assert settled("spectrum", problem, network, None) == DEFAULT == Accuracy(1e-3)
    assert settled("spectrum", problem, network, PerEdge(8)) == PerEdge(8)


def test_a_label_image_is_solved_on_its_own_grid_and_no_other() -> None:
    cell = image_cell((4, 4, 4), 0.25, {"generator": "voronoi", "grains": 3})
    problem, network = Problem.of(cell), backend_named("network")
    assert settled("spectrum", problem, network, None) == settled("spectrum", problem, network, PerEdge(4)) == Level(0)
    with pytest.raises(InputError, match="resolution = 5 is not allowed with electrolyte.microstructure"):
        settled("spectrum", problem, network, PerEdge(5))
