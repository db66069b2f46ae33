"""Equal cells of pixels: modes of elements are cosines, and the contact's matrix is summed cell by cell."""

from __future__ import annotations

import numpy as np
import pytest

from fem_constriction.fem.stacks.spaces import LineSpace, PlanarSpace
from fem_constriction.stack.modes import LONG, Lateral, Modes


def test_modes_of_elements_on_equal_lines_are_cosines() -> None:
    lines = [np.linspace(0, 1, LONG + 1), np.linspace(0, 0.7, LONG + 8)]
    spaces = [LineSpace.build(each, 1) for each in lines]
    fast = Lateral(*(space.modes for space in spaces))
    dense = Lateral(*(Modes.generalised(space.stiffness.toarray(), space.mass.toarray()) for space in spaces))
    assert fast.x.cosines is not None
    assert dense.x.cosines is None
    np.testing.assert_allclose(fast.values, dense.values, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(fast.diagonal, dense.diagonal, rtol=1e-12)
    phi = np.random.default_rng(1).standard_normal((2, *fast.shape))
    # Signs of modes are free: what is made of them there and back is not.
    f = np.sqrt(1 + fast.values)
    np.testing.assert_allclose(fast.conduct(phi, f), dense.conduct(phi, f), rtol=0, atol=1e-10 * np.abs(f).max() * 1e-4)
    np.testing.assert_allclose(fast.synthesise(fast.adjoint(phi)), dense.synthesise(dense.adjoint(phi)), rtol=1e-8, atol=1e-6)
    for lateral in (fast, dense):
        np.testing.assert_allclose(lateral.synthesise(lateral.analyse(phi)), phi, rtol=0, atol=1e-10)
        np.testing.assert_allclose(lateral.spread(lateral.adjoint(phi)), phi, rtol=0, atol=1e-10)


def test_other_lines_and_other_degrees_have_no_cosines() -> None:
    uneven = np.linspace(0, 1, LONG + 1) ** 1.1
    assert Modes.elements(uneven) is None
    assert Modes.elements(np.linspace(0, 1, LONG)) is None
    assert LineSpace.build(np.linspace(0, 1, 12), 2).modes.cosines is None


def test_a_contact_matrix_cell_by_cell_is_the_sum_of_products(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(2)
    x, y = np.cumsum(random.uniform(0.5, 1, 41)), np.cumsum(random.uniform(0.5, 1, 36))
    touched = (random.random((40, 35)) < 0.4).astype(float)
    found = PlanarSpace.build(x, y, touched, 1)
    monkeypatch.setattr("fem_constriction.fem.stacks.spaces.ALIKE", 100)
    summed = PlanarSpace.build(x, y, touched, 1)
    for part in ("contact", "pore"):
        assert abs(getattr(found, part) - getattr(summed, part)).max() < 1e-14
    assert found.contact.sum() == pytest.approx(float(np.outer(np.diff(x), np.diff(y))[touched > 0].sum()), rel=1e-12)
    assert abs(found.contact + found.pore - found.mass).max() < 1e-14
