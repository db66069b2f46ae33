"""Cells whose contact is an image of the face."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from outline_cells import cell

import fem_constriction as fc


def masked(pixels: NDArray[Any], **contact: Any) -> dict[str, Any]:
    """A contact of the metal pixels of an array."""
    return {"shape": "mask", "image": pixels, **contact}


def random_pixels(count: int, part: float = 0.3, seed: int = 0) -> NDArray[np.bool_]:
    """Pixels of which about this part is metal, each by chance."""
    return np.random.default_rng(seed).random((count, count)) < part


def random_mask(count: int, *, robin: bool = True, layers: int = 1, seed: int = 0) -> fc.Cell:
    """A cell of 50 um with such a contact."""
    return cell(masked(random_pixels(count, seed=seed)), robin=robin, layers=layers)
