"""Random label images of all phases: reduced models of both backends against plain complex sparse solutions."""

from __future__ import annotations

import numpy as np
import pytest

from fem_constriction.problem.problem import Problem
from validation.benchmarks.random_images import compared, random_image

pytestmark = pytest.mark.filterwarnings("ignore::fem_constriction.errors.ResolutionWarning", "ignore::UserWarning")

#: Seeds whose images have, together, every phase there is.
SEEDS = [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("seed", SEEDS)
def test_both_backends_are_plain_solutions_of_their_matrices(seed: int) -> None:
    worst = compared(random_image(seed, range(5, 8)), np.array([1e-3, 1e4, 1e9]))
    assert max(worst.values()) < 1e-6, worst  # what reduced models of images are made for


def test_the_seeds_have_all_phases() -> None:
    kinds = set()
    for seed in SEEDS:
        structure = random_image(seed, range(5, 8)).electrolyte.microstructure
        kinds |= {each.kind for each in structure.phases} | {structure.boundary and structure.boundary.area}
    assert kinds >= {"inclusion", "hole", "electrode", "voxels", "smooth"}


def test_images_are_drawn_alike_from_their_seed() -> None:
    assert random_image(3) == random_image(3)
    assert Problem.of(random_image(3)).body.described != Problem.of(random_image(4)).body.described
