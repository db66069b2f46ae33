"""Z(f) = R_inf + i omega L + 1/(i omega C) + integral of gamma(ln tau)/(1 + i omega tau) d ln tau, gamma >= 0: the DRT.

Found as a comb of RC elements with R_k >= 0 that minimises sum |Z_fit - Z|^2/|Z|^2 + lambda sum R_k^2 (Tikhonov), lambda by
generalised cross-validation, or at least so large that the noise is left in the residual. C is there for what blocks direct
current. Bands are quantiles over spectra with more noise, as large as the residual or as what is known of it. For drawing, each
line of the comb becomes a Gaussian of one stated width, and so does each of the exact relaxation spectrum, which a discretised
cell knows (`ReducedModel.relaxation`): the two can be laid over each other.
Sources: Wan et al., Electrochim. Acta 184 (2015) 483; Golub, Heath and Wahba, Technometrics 21 (1979) 215.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import nnls
from scipy.signal import find_peaks

from fem_constriction import memory
from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.fitting.naming import Data
from fem_constriction.fitting.starts import Spectral, stacked
from fem_constriction.reduction.reduced import Relaxation
from fem_constriction.spectra.spectrum import Spectrum

WIDTH = 0.1  # decades, standard deviation of the Gaussian a line is drawn as: 0.24 at half height
BEYOND = 1.0  # decades of tau on either side of the band
_LEAST = 1e-2  # of the highest peak: the lowest that is one
_VALLEY = 0.5  # of a peak's height: how far it must stand out
_FREE = 2  # columns that are not penalised: R_inf and the inductance, where nothing blocks
BLOCKS = 0.25  # of |Re Z| at the lowest frequency: from such an -Im Z on a capacitance in series is one more
_COPIES = 6  # of the matrix, in decompositions and in the least squares
_ROUNDING = 1e-9  # of the whole resistance
_LEAST_FREE = 1e-9  # of the data: fewer that are not spent on unknowns are none
_LAMBDAS = np.logspace(-22, 0, 89)  # of the largest squared singular value: from rounding to nothing but R_inf


class Peak(NamedTuple):
    """A peak of gamma: where it is highest (s), and the resistance between the valleys beside it (ohm).

    beyond: whether its time constant lies beyond the band that was measured, 1/omega: where no datum holds it.
    """

    tau: float
    resistance: float
    beyond: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class DRT:
    """Gamma(ln tau) in ohm, tau in s, (n,), ascending; gamma d ln tau adds up to the resistance.

    resistance: the comb, R_k in ohm at tau, (n,); width: standard deviation in decades that gamma is drawn with; r_inf: ohm;
    inductance: H; capacitance: F, in series, infinite where nothing blocks direct current; low, high: the ends of the band that
    gamma lies in with 95 %, (n,), where it was asked for; lambda_: weight of sum R_k^2 beside relative residuals, in 1/ohm^2;
    residual: (Z_fit - Z)/|Z| complex at frequency (Hz), (f,). Without noise it shows the spacing of the comb: about 2e-4 with
    40 lines per decade.
    """

    tau: Array
    gamma: Array
    resistance: Array
    r_inf: float
    inductance: float
    lambda_: float
    width: float
    frequency: Array
    residual: Spectral
    capacitance: float = float("inf")
    low: Array | None = None
    high: Array | None = None

    def peaks(self) -> tuple[Peak, ...]:
        """Return the peaks of gamma, ascending in tau: of 1 % of the highest at least, with valleys of half their height.

        Those beyond the band say so: they stand for what goes on there, whatever it is.

        Beside a resistance rounding makes peaks too: what is below 1e-9 of the whole is none.
        """
        least = _ROUNDING * (self.r_inf + float(self.resistance.sum()))
        omega = 2 * np.pi * self.frequency
        fastest, slowest = 1 / omega.max(), 1 / omega.min()
        return tuple(
            peak._replace(beyond=not fastest <= peak.tau <= slowest)
            for peak in peaks(self.tau, self.gamma, self.resistance)
            if peak.resistance > least
        )


def distribution(
    spectrum: Spectrum,
    per_decade: int = 40,
    *,
    width: float = WIDTH,
    lambda_: float | None = None,
    noise: float | None = None,
    bands: int = 0,
) -> DRT:
    """Return the distribution of relaxation times of a spectrum, for processes from a decade below to a decade above its band.

    Parameters
    ----------
    spectrum
        Z in ohm.
    per_decade
        Lines of the comb.
    width
        Standard deviation in decades that they are drawn with.
    lambda_
        Weight of the penalty, 1/ohm^2; left out: by generalised cross-validation of the sum without its signs, sum of
        squares/(data - effective unknowns)^2 least, which takes what is uncorrelated between frequencies for noise.
    noise
        Standard deviation of each part relative to |Z|, where it is known: the penalty is at least as large as leaves it in the
        residual, so that no peaks are made of it.
    bands
        Number of spectra with noise that the band of gamma is made of; 0: none.

    Returns
    -------
    DRT
        Resistances at the lines of the comb, and peaks.

    Raises
    ------
    InputError
        For other numbers, and where Z is 0.
    """
    if not (isinstance(per_decade, int) and 5 <= per_decade <= 100):
        raise InputError(key="per_decade", value=per_decade, allowed="a whole number of RC elements, 5 to 100")
    if lambda_ is not None and not 0 <= lambda_ < np.inf:
        raise InputError(key="lambda_", value=lambda_, allowed="a number of at least 0 in 1/ohm^2")
    data = Data.of(spectrum.frequency, spectrum.impedance, None)
    omega, modulus = data.omega, np.abs(data.impedance)
    low, high = -np.log10(omega.max()) - BEYOND, -np.log10(omega.min()) + BEYOND
    tau = np.logspace(low, high, 1 + int(np.ceil((high - low) * per_decade - 1e-9)))
    memory.require(
        _COPIES * 16 * (omega.size + tau.size) * tau.size, f"a distribution of {omega.size} frequencies", "fewer of them"
    )
    scale = float(modulus.max())
    weight = scale / modulus[:, None]
    s = 1j * omega[:, None]
    lowest = data.impedance[int(np.argmin(omega))]
    series = [np.ones_like(s), s / omega.max(), *[omega.min() / s] * bool(-lowest.imag > BLOCKS * abs(lowest.real))]
    basis = stacked(np.hstack([*series, 1 / (1 + s * tau)]) * weight)
    wanted, count = stacked(data.impedance / modulus), len(series)
    ridge = _cross_validated(basis, wanted, count, noise or 0.0) if lambda_ is None else lambda_ * scale**2
    penalty = np.sqrt(ridge) * np.eye(tau.size, tau.size + count, count)
    rows = np.vstack([basis, penalty])

    def solved(right: Array) -> Array:
        try:
            return np.asarray(nnls(rows, np.append(right, np.zeros(tau.size)), maxiter=30 * tau.size)[0])
        except RuntimeError as error:
            raise ComputationError(f"the distribution of relaxation times was not found: {error}") from None

    found = solved(wanted)
    residual = basis @ found - wanted
    resistance = scale * found[count:]
    low = high = None
    if bands:
        size = max(float(np.sqrt(np.mean(residual**2))), noise or 0.0)
        random = np.random.default_rng(0)
        drawn = [solved(wanted + size * random.normal(size=wanted.size))[count:] for _ in range(bands)]
        gammas = scale * np.array([gaussians(tau, each, tau, width) for each in drawn])
        low, high = np.quantile(gammas, (0.025, 0.975), axis=0)
    blocked = found[2] if count > _FREE else 0.0
    return DRT(
        tau=tau,
        gamma=gaussians(tau, resistance, tau, width),
        resistance=resistance,
        r_inf=float(scale * found[0]),
        inductance=float(scale * found[1] / omega.max()),
        lambda_=ridge / scale**2,
        width=width,
        frequency=data.frequency,
        residual=np.asarray(residual[: omega.size] + 1j * residual[omega.size :]),
        capacitance=float(1 / (scale * blocked * omega.min())) if blocked > 0 else float("inf"),
        low=low,
        high=high,
    )


def broadened(relaxation: Relaxation, tau: ArrayLike, width: float = WIDTH, process: str | None = None) -> Array:
    """Return gamma(ln tau) = sum of R_k g(ln tau - ln tau_k), g a Gaussian of unit area: an exact relaxation spectrum.

    Terms at tau = 0 (a resistance) and infinite tau (what blocks direct current) have no place in it.

    Parameters
    ----------
    relaxation
        Resistances and relaxation times, and what of each is stored in which process.
    tau
        s, shape (n,).
    width
        Standard deviation in decades.
    process
        Only the part whose energy is stored there; left out: all.

    Returns
    -------
    numpy.ndarray
        Ohm, shape (n,).

    Raises
    ------
    InputError
        For an unknown process or a width that is not above 0.
    """
    line, resistance = relaxation.tau, relaxation.resistance
    if process is not None:
        if process not in relaxation.stored:
            raise InputError(key="process", value=process, allowed=", ".join(relaxation.stored))
        resistance = resistance * relaxation.stored[process]
    keep = (line > 0) & np.isfinite(line) & np.isfinite(resistance)
    return gaussians(line[keep], resistance[keep], np.asarray(tau, dtype=float), width)


def peaks(tau: Array, gamma: Array, resistance: Array) -> tuple[Peak, ...]:
    """Return the peaks of gamma (n,) over evenly spaced ln tau, ascending, with the resistances (n,) between their valleys.

    A peak has 1 % of the height of the highest, and falls to half its height on both sides before a higher one.
    """
    padded = np.concatenate([[0.0], gamma, [0.0]])
    places, found = find_peaks(padded, height=_LEAST * gamma.max(initial=0.0), prominence=0)
    places = places[found["prominences"] >= _VALLEY * padded[places]] - 1
    valleys = [0, *(a + int(np.argmin(gamma[a:b])) for a, b in pairwise(places)), gamma.size]
    result = []
    for number, place in enumerate(places):
        # The vertex of the parabola through the logarithms of three points: exact for a Gaussian.
        shift = 0.0
        if 0 < place < gamma.size - 1:
            before, at, after = np.log(np.maximum(gamma[place - 1 : place + 2], 1e-300))
            shift = (before - after) / (2 * (before - 2 * at + after)) if before - 2 * at + after < 0 else 0.0
        centre = tau[place] * (tau[-1] / tau[0]) ** (shift / (tau.size - 1))
        result.append(Peak(float(centre), float(resistance[valleys[number] : valleys[number + 1]].sum())))
    return tuple(result)


def gaussians(line: Array, resistance: Array, tau: Array, width: float = WIDTH) -> Array:
    """Return gamma at tau (s, (n,)) of lines (s, ohm, (k,)) drawn as Gaussians of `width` decades. Raises InputError."""
    if not 0 < width < np.inf:
        raise InputError(key="width", value=width, allowed="a number of decades above 0")
    spread = width * np.log(10)
    distance = (np.log(tau)[:, None] - np.log(line)) / spread
    return np.asarray(np.exp(-(distance**2) / 2) @ resistance / (spread * np.sqrt(2 * np.pi)))


def _cross_validated(basis: Array, wanted: Array, series: int = _FREE, noise: float = 0.0) -> float:
    """lambda with the least sum of squares/(data - 2 - sum of s^2/(s^2 + lambda))^2; the first columns are not penalised.

    At least as large as leaves residuals of the size of the noise.
    """
    first, _ = np.linalg.qr(basis[:, :series])
    rest, right = basis[:, series:] - first @ (first.T @ basis[:, series:]), wanted - first @ (first.T @ wanted)
    left, size, _ = np.linalg.svd(rest, full_matrices=False)
    parts = left.T @ right
    outside = max(float(right @ right - parts @ parts), 0.0)
    squares = size**2
    tried = _LAMBDAS * (squares[0] or 1.0)  # 0 of one frequency, which R_inf and the inductance follow alone
    kept = tried[:, None] / (squares + tried[:, None])
    free = wanted.size - series - np.sum(1 - kept, 1)
    enough = free > _LEAST_FREE * wanted.size  # one or two frequencies leave nothing to validate with
    left_over = outside + np.sum((kept * parts) ** 2, 1)
    score = left_over / np.where(enough, free, 1.0) ** 2
    chosen = int(np.argmin(np.where(enough, score, np.inf))) if enough.any() else tried.size - 1
    noisy = np.flatnonzero(left_over <= wanted.size * noise**2)
    return float(tried[max(chosen, int(noisy[-1]) if noisy.size else 0)])
