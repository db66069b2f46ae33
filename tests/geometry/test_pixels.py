"""Pieces of metal on pixels, their gaps and edges, against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from fem_constriction.geometry.pixels import covered, halved, perimeter, smallest_gap, spots

SIZE = (2.0, 3.0)


def by_all_pairs(pixels: np.ndarray) -> float:
    labels, count = ndimage.label(pixels)
    least = np.inf
    for one in range(1, count + 1):
        for other in range(one + 1, count + 1):
            a, b = np.argwhere(labels == one), np.argwhere(labels == other)
            away = np.maximum(np.abs(a[:, None] - b) - 1, 0) * SIZE
            least = min(least, float(np.hypot(away[..., 0], away[..., 1]).min()))
    return least


@pytest.mark.parametrize("seed", range(12))
def test_the_smallest_gap_is_that_of_all_pairs_of_pixels(seed: int) -> None:
    random = np.random.default_rng(seed)
    pixels = np.zeros((30, 26), dtype=bool)
    for x, y in random.integers(0, 24, (4, 2)):
        pixels[x : x + random.integers(1, 4), y : y + random.integers(1, 4)] = True
    # Pixels nearest by their centres are up to half a diagonal off those nearest by their edges.
    assert smallest_gap(pixels, SIZE) == pytest.approx(
        by_all_pairs(pixels), abs=0 if spots(pixels) < 2 else np.hypot(*SIZE) / 2
    )
    assert smallest_gap(pixels, SIZE) >= by_all_pairs(pixels)


def test_pieces_share_edges_and_corners_are_gaps_of_nothing() -> None:
    pixels = np.eye(3, dtype=bool)
    assert spots(pixels) == 3
    assert smallest_gap(pixels, SIZE) == 0
    assert smallest_gap(np.ones((2, 2), dtype=bool), SIZE) == np.inf
    assert perimeter(np.array([[1, 0], [0, 0]], dtype=bool), SIZE) == 2.0 + 3.0


def test_shares_of_cells_are_exact_wherever_lines_lie() -> None:
    random = np.random.default_rng(3)
    pixels = random.random((7, 5)) < 0.5
    x, y = (
        np.append(np.insert(np.sort(random.uniform(0, n * h, 9)), 0, 0.0), n * h) for n, h in zip((7, 5), SIZE, strict=True)
    )
    share = covered(pixels, SIZE, x, y)
    total = np.sum(share * np.outer(np.diff(x), np.diff(y)))
    assert total == pytest.approx(pixels.sum() * 6.0, rel=1e-12)
    by_hand = np.zeros_like(share)
    for i, j in np.argwhere(pixels):
        along = [
            np.clip(np.minimum(line[1:], (k + 1) * h) - np.maximum(line[:-1], k * h), 0, None)
            for line, k, h in ((x, i, 2.0), (y, j, 3.0))
        ]
        by_hand += np.outer(*along)
    np.testing.assert_allclose(share, by_hand / np.outer(np.diff(x), np.diff(y)), atol=1e-12)


def test_halves_are_those_beyond_the_middle_of_an_even_number() -> None:
    half = np.random.default_rng(4).random((3, 5)) < 0.5
    whole = np.vstack([half[::-1], half])
    assert np.array_equal(halved(whole, 0), half)  # type: ignore[arg-type]
    assert halved(whole[:5], 0) is None
    assert halved(whole, 1) is None
