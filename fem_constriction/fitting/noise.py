"""sigma of a measured spectrum, and whether a misfit is above it: F = (S/(2N - p))/sigma^2 against its quantile.

S is the sum of squares of a circuit with p parameters over N frequencies, relative to |Z|; sigma the standard deviation of the
real and of the imaginary part each, relative to |Z|, known with so many degrees of freedom: as given, from repeated
frequencies, or from what the Kramers-Kronig relations do not allow. Of the last, what scatters from point to point is told
from what neighbours share, a drift of the sample during the sweep: sum (r_(k+1) - r_k)^2 over sum r_k^2 (von Neumann's
ratio) is 2 of noise and 0 of what is smooth; second differences, sum (r_(k+1) - 2 r_k + r_(k-1))^2 over 6, hold the noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.stats import f as fisher

from fem_constriction.errors import InputError
from fem_constriction.fitting.circuit_fit import CircuitFit
from fem_constriction.fitting.coordinates import parameters
from fem_constriction.fitting.kramers_kronig import KramersKronig, densest
from fem_constriction.spectra.spectrum import Spectrum
from fem_constriction.spectra.sweeps import groups

#: Probability with which a circuit that is right is said to misfit.
RISK: Final = 1e-3
#: Of |Z|: a misfit that is nowhere larger is none, whatever the noise; instruments are not more accurate.
ACCURACY: Final = 1e-3
#: The same of a table that may be computed, of a cell that is no circuit, and has no noise.
UNKNOWN: Final = 1e-2
_FEW: Final = 5  # repeats that tell a scatter
#: Standard deviations of von Neumann's ratio below 2 from which on residuals are smooth: noise is so in one of a thousand.
SMOOTH: Final = 3.1


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Standard deviation of real and imaginary part each, relative to |Z|, where it comes from, and its degrees of freedom.

    accuracy: of |Z|, a misfit that is nowhere larger is none. drift: the part of size that neighbouring frequencies share,
    scatter: what is left, both relative to |Z|; None where no drift is seen.
    """

    size: float
    source: str
    freedom: float
    accuracy: float = ACCURACY
    drift: float | None = None
    scatter: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Size and source, and what of it is drift where one is seen, as JSON can hold it."""
        found: dict[str, Any] = {"size": self.size, "source": self.source}
        return found if self.drift is None else found | {"drift": self.drift, "scatter": self.scatter}

    def text(self) -> str:
        """Return what is said of a drift, "" where none is seen."""
        if self.drift is None or self.scatter is None:
            return ""
        return (
            f"the spectrum drifts: of {self.size:.1e} |Z| that the Kramers-Kronig relations do not allow, neighbouring "
            f"frequencies share {self.drift:.1e}, and {self.scatter:.1e} scatter; the sample changed while it was measured, or "
            "is not linear"
        )

    def above(self, squares: float, freedom: int, largest: float) -> bool:
        """Whether a sum of squares with so many degrees of freedom, and a largest residual, is more than noise."""
        if largest <= self.accuracy or freedom < 1:
            return False
        return bool(squares / freedom > self.size**2 * fisher.ppf(1 - RISK, freedom, self.freedom))


def noise_of(spectrum: Spectrum, given: float | None = None) -> Noise | None:
    """Return the noise of one sweep of a measured spectrum, None where too few data tell it.

    given: what the user knows, relative to |Z|. Raises InputError for one that is no number above 0.
    """
    if given is not None:
        if not 0 < given < 1:
            raise InputError(key="noise", value=given, allowed="a part of |Z|, above 0 and below 1, such as 0.005")
        return Noise(size=given, source="given", freedom=1e9)
    repeats = _repeats(spectrum)
    if repeats is not None:
        return repeats
    tested = densest(spectrum, capacitance=True, inductance=True)
    freedom = tested.data - tested.unknowns
    if not tested.enough or freedom < _FEW:
        return None
    squares = float(np.sum(np.abs(tested.residual) ** 2))
    # The test itself leaves up to `floor` of an exact spectrum: what is below cannot be told from it.
    size = max(np.sqrt(squares / freedom), tested.floor / 3)
    measured = spectrum.provenance.get("measured")
    accuracy = ACCURACY if isinstance(measured, dict) and "format" in measured else UNKNOWN
    drift, scatter = _drift(tested, float(size))
    return Noise(
        size=float(size),
        source="Kramers-Kronig residuals",
        freedom=float(freedom),
        accuracy=accuracy,
        drift=drift,
        scatter=scatter,
    )


def _drift(tested: KramersKronig, size: float) -> tuple[float | None, float | None]:
    """What of a test's residuals neighbours share, and what scatters, relative to |Z|; None where all of it scatters."""
    r = tested.residual[np.argsort(tested.frequency)]
    both = np.stack([r.real, r.imag])
    count = r.size
    squares = float(np.sum(both**2))
    if count < 2 * _FEW or size <= tested.floor or not squares:
        return None, None
    ratio = float(np.sum(np.diff(both) ** 2)) / squares * count / (count - 1)
    if (2 - ratio) / np.sqrt(4 * (2 * count - 2) / (4 * count**2 - 1)) < SMOOTH:
        return None, None
    second = np.diff(both, 2)
    # The test's own unknowns take their part of the scatter as well.
    scatter = float(np.sqrt(np.mean(second**2) / 6 * tested.data / (tested.data - tested.unknowns)))
    return float(np.sqrt(max(size**2 - scatter**2, 0.0))), min(scatter, size)


def _repeats(spectrum: Spectrum) -> Noise | None:
    """The scatter of frequencies that were measured several times, in one sweep."""
    group = groups(spectrum.frequency)
    count = np.bincount(group)
    freedom = 2 * int(np.sum(count - 1))
    if freedom < 2 * _FEW:
        return None
    z = spectrum.impedance
    mean = (np.bincount(group, z.real) + 1j * np.bincount(group, z.imag)) / count
    squares = float(np.sum(np.abs((z - mean[group]) / mean[group]) ** 2))
    return Noise(size=float(np.sqrt(squares / freedom)), source="repeated frequencies", freedom=float(freedom))


def information(squares: float, count: int, varied: int) -> dict[str, float]:
    """Return AIC and BIC of a fit to count data with so many parameters: N log(S/N) + 2 p, and + p log N."""
    size = count * float(np.log(max(squares, 1e-300) / count))
    return {"AIC": size + 2 * varied, "BIC": size + varied * float(np.log(count))}


def statistics(circuit: str, squares: float, count: int, varied: int, largest: float, noise: Noise | None) -> dict[str, Any]:
    """Return what is known of the quality of a fit, as JSON can hold it; above_noise where the noise is known."""
    found: dict[str, Any] = {
        "circuit": circuit,
        "data": count,
        "parameters": varied,
        "sum_of_squares": squares,
        "rms": float(np.sqrt(squares / count)),
        **information(squares, count, varied),
        "noise": None,
    }
    if noise is not None:
        found["noise"] = noise.as_dict()
        found["above_noise"] = noise.above(squares, count - varied, largest)
    return found


def of_fit(found: CircuitFit, noise: Noise | None) -> dict[str, Any]:
    """The same of a fit of a circuit, weighted by the modulus, with its parameters and their standard errors."""
    errors, units = found.errors(), parameters(found.topology)
    made = statistics(found.topology.text, found.cost, found.weighted.size, found.varied, found.largest, noise)
    made["values"] = {
        name: {"value": value, "stderr": errors[name] * (1.0 if name.endswith("_alpha") else value), "unit": units[name]}
        for name, value in found.values().items()
    }
    return made
