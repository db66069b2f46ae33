"""A backend that gives spectra alone goes through the gate like any other: agree, then extract."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import fem_constriction as fc
from fem_constriction.errors import InputError
from validation import crosscheck
from validation.conformance.cells import CELLS, FREQUENCIES
from validation.show.pictures.grids import convergence

CELL = CELLS["every process"]


class Spoken:
    """What the finite elements said, times a factor."""

    name = "spoken"
    bound = None

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor

    def impedance(self, cell: fc.Cell, frequencies: np.ndarray) -> fc.Spectrum:
        found = fc.solve(cell, frequencies, backend="fem")
        return fc.Spectrum(found.frequency, self.factor * found.impedance, found.uncertainty)

    def resistance(self, cell: fc.Cell) -> tuple[float, float]:
        value, uncertainty = fc.resistance(cell, backend="fem", uncertainty=True)
        return self.factor * value, uncertainty


def test_spectra_alone_agree_with_a_backend_that_has_grids_and_the_constriction_is_extracted() -> None:
    seen = []
    result = crosscheck(
        CELL, FREQUENCIES, backends=["network", Spoken()], discs=False, progress=lambda *each: seen.append(each)
    )
    assert result.agreement.verdict == "agree"
    assert set(result.agreement.limits) == {"network", "spoken"}
    assert list(result.families) == ["network"]
    assert ("spoken", 2) in seen
    assert result.geometric is not None
    network, spoken = (result.geometric.by_backend[name] for name in ("network", "spoken"))
    assert abs(network[0] - spoken[0]) <= network[1] + spoken[1]
    assert set(result.by_backend) == {"network", "spoken"}
    assert result.constriction.R.value > 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a mean over no other backend would be one
        assert len(convergence(result).panels) == 2


def test_spectra_alone_that_are_off_by_a_thousandth_disagree_and_nothing_is_extracted() -> None:
    result = crosscheck(CELL, FREQUENCIES, backends=["network", Spoken(1.001)], discs=False)
    assert result.agreement.verdict == "disagree"
    assert result.extraction is None


def test_spectra_alone_are_not_enough_to_name_the_arcs() -> None:
    other = Spoken()
    other.name = "heard"
    with pytest.raises(InputError, match="backends = spoken,heard is not allowed: one of them must have grids"):
        crosscheck(CELL, FREQUENCIES, backends=[Spoken(), other])
    with pytest.raises(InputError, match="backends = spoken,spoken is not allowed: name at least two different ones"):
        crosscheck(CELL, FREQUENCIES, backends=[Spoken(), Spoken()])
