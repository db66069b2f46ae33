"""Whether an arc's name is another's: by what each arc holds of each process, in ohm."""

from __future__ import annotations

import numpy as np

from fem_constriction.fitting.extraction import _misplaced

NAMES = ("bulk", "grain_boundary", "constriction", "charge_transfer")


def test_an_arc_that_is_of_its_process_alone_bears_its_name_whatever_another_holds() -> None:
    """Figure 2 at 96 %, network: of two relaxations 0.6 % apart in the arc of the boundaries one is mostly charge transfer."""
    held = {
        "bulk": np.array([4.35e5, 922.0, 0.68, 4.6e-3]),
        "grain_boundary": np.array([7.3, 2.57e5, 22.3, 0.039]),
        "charge_transfer": np.array([2.1, 6.47e4, 147.0, 4.17e4]),
        "constriction": np.array([6.9, 5345.0, 3.8, 17.5]),
    }
    assert not _misplaced(NAMES, held)


def test_an_arc_that_is_mostly_of_others_bears_a_name_that_is_not_its_own() -> None:
    """A leftover of the boundaries that is called charge transfer, which the third arc holds with the constriction."""
    held = {
        "bulk": np.array([4.35e5, 1.0, 1.0, 0.0]),
        "grain_boundary": np.array([0.0, 3.3e5, 1.0, 300.0]),
        "charge_transfer": np.array([0.0, 5e4, 100.0, 20.0]),
        "constriction": np.array([0.0, 1.0, 1e4, 0.0]),
    }
    assert _misplaced(NAMES, held)
