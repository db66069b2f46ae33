"""min over R_inf, R_k of |R_inf + sum of R_k/(1 + i omega tau_k) - Z|/|Z|: the linear Kramers-Kronig test.

Any such sum, R_k of either sign, obeys the Kramers-Kronig relations, so what it cannot follow does not. The tau_k are fixed,
evenly spaced on a logarithmic scale, from a decade below the band to a decade above it. Sources: Boukamp, J. Electrochem. Soc.
142 (1995) 1885; Schönleber, Klotz and Ivers-Tiffée, Electrochim. Acta 131 (2014) 20.

The residual measures the test as much as the data. A sum of n elements per decade follows an arc between two of its tau to
about exp(-pi^2 n/(2 ln 10)): the transform of 1/(1 + i e^u) falls as exp(-pi |x|/2), and the samples' spacing ln(10)/n folds it
at pi n/ln(10). And where there are about as many unknowns as data the sum follows anything, a violation as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fem_constriction import memory
from fem_constriction.arrays import Array
from fem_constriction.errors import InputError
from fem_constriction.fitting.naming import Data
from fem_constriction.fitting.starts import Spectral, stacked
from fem_constriction.spectra.spectrum import Spectrum

BEYOND = 1.0  # decades of tau on either side of the band: slower and faster processes are followed to 1e-10 with it
ENOUGH = 0.5  # of a violation, at half of the frequencies
MOST = 30  # elements per decade: with 13 an exact sum is followed to rounding
_COPIES = 6  # of the matrix, in its singular value decomposition and before
_ALIKE = 0.01  # decades: a third of the spacing of the densest sum
ROUNDING = 2e-12  # what the two projections of 500 data leave


@dataclass(frozen=True, eq=False, kw_only=True)
class KramersKronig:
    """Residual (Z_fit - Z)/|Z| of the best sum of RC elements, and how far it can be trusted.

    frequency: Hz, (f,); residual: complex, (f,); per_decade: RC elements per decade; unknowns, data: their numbers, two
    data for each frequency, however often it occurs; seen: (f,), how much of a violation at that frequency alone, in all rows
    of it, stays in the residual there at least, 0 to 1. Frequencies within 0.01 decades of each other are one: repeats that
    agree add nothing to what can be seen. At the ends of the band it is 0: a process beyond them can look like anything there.
    """

    frequency: Array
    residual: Spectral
    per_decade: int
    unknowns: int
    data: int
    seen: Array

    @property
    def largest(self) -> float:
        """The largest relative residual |Z_fit - Z|/|Z|; a violation at one frequency is at most this over `seen`."""
        return float(np.abs(self.residual).max())

    @property
    def floor(self) -> float:
        """3 exp(-pi^2 n/(2 ln 10)) for n elements per decade: what an exact sum of RC elements may leave.

        The factor is measured, over random sums of one to eight arcs (tests); below 2e-12 it is rounding.
        """
        return float(max(3 * np.exp(-(np.pi**2) * self.per_decade / (2 * np.log(10))), ROUNDING))

    @property
    def enough(self) -> bool:
        """Whether at half of the frequencies, or more, at least half of a violation at one of them stays in the residual."""
        return bool(np.median(self.seen) >= ENOUGH)

    @property
    def reason(self) -> str:
        """What the residual shows, or why it shows nothing, in one sentence."""
        counts = (
            f"{self.data // 2} frequencies are {self.data} data for {self.unknowns} unknowns ({self.per_decade} per decade)"
        )
        stays = f"of a violation at one frequency {np.median(self.seen):.0%} stays in the residual in the median"
        return f"{counts}: {stays}" + (
            "" if self.enough else f", at least {ENOUGH:.0%} is needed: too few data to show anything"
        )

    def passed(self, tolerance: float) -> bool:
        """Whether the data are enough and the residual is within a tolerance, relative to |Z|, at every frequency.

        Raises InputError for a tolerance that this density cannot show.
        """
        if not tolerance >= self.floor:
            raise InputError(
                key="tolerance",
                value=tolerance,
                why=f"{self.per_decade} RC elements per decade leave up to {self.floor:.1e} |Z| of an exact spectrum",
                remedy="allowed is that and more, or more elements per decade",
            )
        return self.enough and self.largest <= tolerance


def kramers_kronig(
    spectrum: Spectrum, per_decade: int = 10, *, capacitance: bool = False, inductance: bool = False
) -> KramersKronig:
    """Return the residual of min |R_inf + sum R_k/(1 + i omega tau_k) [+ 1/(i omega C)] [+ i omega L] - Z|/|Z|.

    Parameters
    ----------
    spectrum
        Z in ohm, measured or computed.
    per_decade
        RC elements per decade of tau.
    capacitance, inductance
        1/C and L, of either sign, as further unknowns. They are seldom needed: with ten elements per decade a blocking
        capacitance is followed to 1e-10 without one, and an inductance that outweighs all else at the upper end to 3e-7.

    Returns
    -------
    KramersKronig
        Residuals relative to |Z|, and what of them is to be expected.

    Raises
    ------
    InputError
        For other numbers, and where Z is 0.
    """
    if not (isinstance(per_decade, int) and 1 <= per_decade <= MOST):
        raise InputError(key="per_decade", value=per_decade, allowed=f"a whole number of RC elements, 1 to {MOST}")
    data = Data.of(spectrum.frequency, spectrum.impedance, None)
    omega, modulus = data.omega, np.abs(data.impedance)
    low, high = -np.log10(omega.max()) - BEYOND, -np.log10(omega.min()) + BEYOND
    tau = np.logspace(low, high, 1 + int(np.ceil((high - low) * per_decade - 1e-9)))
    memory.require(_COPIES * 16 * omega.size * (tau.size + 3), f"a test of {omega.size} frequencies", "fewer frequencies")
    s = 1j * omega[:, None]
    columns = [np.ones_like(s), 1 / (1 + s * tau), *[1 / s] * capacitance, *[s] * inductance]
    basis = stacked(np.hstack(columns) / modulus[:, None])
    # Columns of length 1, and singular values below rounding left out: only what they span counts, not the R_k.
    left, size, _ = np.linalg.svd(basis / np.linalg.norm(basis, axis=0), full_matrices=False)
    left = left[:, size > size[0] * np.finfo(float).eps * max(basis.shape)]
    wanted = stacked(data.impedance / modulus)
    residual = left @ (left.T @ wanted) - wanted
    residual -= left @ (left.T @ residual)  # once more: what rounding left of the first projection
    count, group = omega.size, _groups(omega)
    return KramersKronig(
        frequency=data.frequency,
        residual=np.asarray(residual[:count] + 1j * residual[count:]),
        per_decade=per_decade,
        unknowns=basis.shape[1],
        data=2 * int(group.max() + 1),
        seen=_seen(left[:count], left[count:], group),
    )


def densest(spectrum: Spectrum, most: int = 10, *, capacitance: bool = False, inductance: bool = False) -> KramersKronig:
    """Return the test with as many RC elements per decade, `most` or fewer, as the data are enough for; else with one.

    capacitance, inductance: as in `kramers_kronig`; with few elements per decade they are needed. Raises InputError where Z
    is 0.
    """
    found = kramers_kronig(spectrum, most, capacitance=capacitance, inductance=inductance)
    while not found.enough and found.per_decade > 1:
        found = kramers_kronig(spectrum, found.per_decade - 1, capacitance=capacitance, inductance=inductance)
    return found


def _groups(omega: Array) -> NDArray[np.intp]:
    """For each frequency the number of its group: none reaches farther than 0.01 decades. (f,)"""
    order = np.argsort(omega, kind="stable")
    log = np.log10(omega[order])
    found, first, number = np.empty(omega.size, dtype=np.intp), log[0], 0
    for place, each in zip(order.tolist(), log.tolist(), strict=True):
        if each > first + _ALIKE:
            first, number = each, number + 1
        found[place] = number
    return found


def _seen(real: Array, imag: Array, group: NDArray[np.intp]) -> NDArray[np.float64]:
    """Smallest eigenvalue of the 2 x 2 block of 1 - U U' for each group of rows: the least that stays there, (f,)."""
    size = np.sqrt(np.bincount(group))[:, None]
    order = np.argsort(group, kind="stable")
    begin = np.searchsorted(group[order], np.arange(size.size))
    real, imag = (np.add.reduceat(part[order], begin, axis=0) / size for part in (real, imag))
    first, second = 1 - np.sum(real**2, 1), 1 - np.sum(imag**2, 1)
    mixed = np.sum(real * imag, 1)
    least = (first + second) / 2 - np.hypot((first - second) / 2, mixed)
    return np.asarray(np.clip(least, 0.0, 1.0)[group])
