"""One spectrum from what was measured: sweeps apart, repeats merged, very many rows thinned; no test blinded by repeats."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fem_constriction.errors import InputError, MemoryShort
from fem_constriction.fitting.drt import distribution
from fem_constriction.fitting.kramers_kronig import densest, kramers_kronig
from fem_constriction.spectra.spectrum import Spectrum
from fem_constriction.spectra.sweeps import MOST, prepared, sweep, sweeps

F = np.geomspace(1e5, 0.1, 31)


def arcs(f: NDArray[np.float64], r_elec: float = 10.0) -> NDArray[np.complex128]:
    s = 2j * np.pi * f
    return r_elec + 100 / (1 + 1e-3 * s) + 50 / (1 + 1e-5 * s)


def begins(frequency: NDArray[np.float64]) -> list[int]:
    return [each.start for each in sweeps(frequency)]


def test_a_frequency_that_jumps_back_begins_another_sweep() -> None:
    assert begins(np.tile(F, 3)) == [0, 31, 62]
    assert begins(np.concatenate([F, F[-2::-1]])) == [0, 31]  # there and back
    assert begins(np.concatenate([F, 1.1 * F])) == [0, 31]
    assert begins(np.concatenate([F, F[:10]])) == [0, 31]


def test_order_and_pieces_of_a_band_make_no_sweep() -> None:
    random = np.random.default_rng(0)
    assert begins(F) == begins(F[::-1]) == [0]
    assert all(begins(random.permutation(F)) == [0] for _ in range(20))
    assert begins(np.concatenate([F[15:], F[:17]])) == [0]  # the lower half first, two frequencies in both
    assert begins(np.concatenate([F[15::-1], F[15:]])) == [0]
    assert begins(np.repeat(F, 2)) == [0]


def test_two_sweeps_are_refused_and_each_can_be_chosen() -> None:
    both = Spectrum(np.tile(F, 2), np.concatenate([arcs(F), arcs(F, 110)]))
    with pytest.raises(
        InputError, match=r"the frequencies run through the band 2 times, from rows 1, 32 on: these are 2 spectra"
    ):
        prepared(both)
    assert np.array_equal(sweep(both, 2).impedance, arcs(F, 110))
    with pytest.raises(InputError, match="sweep = 3 is not allowed: 1 to 2"):
        sweep(both, 3)


def test_repeats_are_merged_and_said() -> None:
    z = np.repeat(arcs(F), 2) * np.tile([1.01, 0.99], 31)
    found, notes = prepared(Spectrum(np.repeat(F, 2), z, np.tile([1.0, 2.0], 31)))
    assert np.array_equal(found.frequency, F) and np.allclose(found.impedance, arcs(F), rtol=1e-15)
    assert found.uncertainty is not None and np.all(found.uncertainty == 2.0)
    assert notes == ("31 frequencies occur several times: the mean is taken, from which repeats differ by up to 1.0e-02 |Z|",)


def test_repeats_that_are_two_spectra_are_refused() -> None:
    z = np.stack([arcs(F), arcs(F, 110)], axis=1).ravel()
    with pytest.raises(InputError, match=r"occurs 2 times with impedances that differ by more than 10%"):
        prepared(Spectrum(np.repeat(F, 2), z))


def test_very_many_rows_are_thinned_evenly() -> None:
    f = np.geomspace(1e7, 1.0, 30_000)
    found, notes = prepared(Spectrum(f, arcs(f)))
    assert MOST / 2 < len(found) <= MOST and found.frequency[0] == f[0] and found.frequency[-1] == f[-1]
    assert np.array_equal(found.impedance, arcs(found.frequency))
    assert notes == (f"30000 frequencies: {len(found)} of them, evenly spaced over log f, are fitted and tested",)


def test_memory_is_counted_before_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fem_constriction.memory.free", lambda: 10**6)
    monkeypatch.setattr("fem_constriction.memory._least", lambda: (10**6, ""))
    f = np.geomspace(1e7, 1.0, 3000)
    for compute in (kramers_kronig, distribution):
        with pytest.raises(MemoryShort, match="of 3000 frequencies would need about"):
            compute(Spectrum(f, arcs(f)))


@pytest.mark.parametrize("times", [1, 2, 5])
@pytest.mark.parametrize("apart", [0.0, 1e-4, 1e-3])
def test_a_violation_is_found_however_often_its_frequency_is_repeated(times: int, apart: float) -> None:
    """5 % at one frequency, in all of its rows: repeats are no further data, and do not allow a denser sum that follows it."""
    f = np.repeat(F, times) * np.tile(1 + apart * np.arange(times), 31)
    z = arcs(f)
    exact, z[15 * times : 16 * times] = densest(Spectrum(f, z)), 1.05 * z[15 * times : 16 * times]
    found = densest(Spectrum(f, z))
    assert exact.enough and exact.passed(exact.floor)
    assert found.enough and found.largest > 5 * found.floor and found.largest > 0.4 * 0.05
    assert found.data == 62
