"""What in a cell is allowed and nobody means, in one sentence each; the ranges come with the quantities."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fem_constriction.cell import Cell


def implausible(cell: Cell) -> tuple[str, ...]:
    """Return the sentences, each with key, value and the range that is usual; () for a cell as others are."""
    return ()
