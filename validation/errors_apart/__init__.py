"""Z_N - Z = grid + interface + staircase: the errors of a voxelised contact outline, told apart.

`tell_apart(cell)` is the study; `staircase(cell, N)` is the cell whose contact is the voxels that are half or more metal, and
`neglected(cell)` what both backends leave out of thin layers.
"""

from validation.errors_apart.neglected import Neglected, neglected
from validation.errors_apart.outcome import ErrorsApart, Order, Split
from validation.errors_apart.run import tell_apart
from validation.errors_apart.voxels import refined, staircase

__all__ = ["ErrorsApart", "Neglected", "Order", "Split", "neglected", "refined", "staircase", "tell_apart"]
