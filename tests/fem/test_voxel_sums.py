"""Sums of voxel matrices over one pattern are the sums of the matrices themselves, V's row, column and entry included."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from fem_constriction.fem.voxels.summed import Summands


@pytest.mark.parametrize("left_out", ["", "pore"])
def test_a_sum_over_one_pattern_is_that_of_the_matrices_whatever_their_patterns(left_out: str) -> None:
    """Full, partly overlapping and diagonal ones; V, the last unknown, meets some; entries below 1 and above 1.5."""
    random = np.random.default_rng(5)
    full = random.normal(size=(6, 6))
    apart, diagonal = np.zeros((6, 6)), np.diag([0.2, 0, 1.6, 0, 0, 3.0])
    apart[1:3, 1:3], apart[5, 4], apart[4, 5], apart[5, 5] = random.normal(size=(2, 2)), 0.7, 0.7, -2.0
    dense = {"bulk": full + full.T, "contact": apart + apart.T, "pore": diagonal}
    y = {"bulk": 0.3, "contact": 2.5, "pore": 0.0 if left_out else 11.0}
    found = Summands.of({name: sparse.csr_array(each) for name, each in dense.items()}).summed(y)
    whole = sum(y[name] * each for name, each in dense.items())
    np.testing.assert_allclose(found.inner.toarray(), whole[:-1, :-1], atol=1e-14)
    x = random.normal(size=6)
    np.testing.assert_allclose(found.apply(x), whole @ x, rtol=1e-12)
