"""Z_wrong = F(Z): faults that show in spectra alone, made from right spectra of the voxel network."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from fem_constriction.api import resistance, spectrum_of
from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell
from fem_constriction.reduction.assembly import Bound
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.refinement import angular_band, solve_family
from fem_constriction.spectra.spectrum import Spectrum

Spectral = NDArray[np.complexfloating[Any, Any]]


class Wrong(Protocol):
    """A backend with a fault."""

    name: str
    caught_by: ClassVar[str]

    def __init__(self) -> None: ...


@lru_cache
def _right(cell: Cell, frequencies: tuple[float, ...]) -> Spectrum:
    network = backend_named("network")
    return spectrum_of(solve_family(cell, network, angular_band(frequencies)), frequencies)


class Altered:
    """The network's spectra of `cell`, `z` and `u` changed."""

    name = "altered"
    bound: Bound = None
    caught_by: ClassVar[str] = ""

    def cell(self, cell: Cell) -> Cell:
        """Return the cell that is solved."""
        return cell

    def z(self, s: Spectral, z: Spectral) -> Spectral:
        """Return the impedance that is told."""
        return z

    def u(self, u: Array, z: Spectral) -> Array:
        """Return the uncertainty that is told."""
        return u

    def impedance(self, cell: Cell, frequencies: Array) -> Spectrum:
        """Return the altered spectrum."""
        right = _right(self.cell(cell), tuple(float(f) for f in frequencies))
        assert right.uncertainty is not None
        z = np.asarray(self.z(2j * np.pi * right.frequency, right.impedance), dtype=np.complex128)
        return Spectrum(right.frequency, z, self.u(right.uncertainty, z))

    def resistance(self, cell: Cell) -> tuple[float, float]:
        """Return the altered resistance."""
        r, width = resistance(self.cell(cell), backend="network", uncertainty=True)
        if not np.isfinite(r):
            return float(r), float(width)
        return float(self.z(np.zeros(1, dtype=complex), np.array([r], dtype=complex))[0].real), float(width)


class ConjugateImpedance(Altered):
    """The imaginary part has the sign of the other time convention, exp(-i omega t)."""

    caught_by = "passive"

    def z(self, s: Spectral, z: Spectral) -> Spectral:
        """Return conj(Z)."""
        return z.conj()


class ActiveElement(Altered):
    """A negative resistance in series, 1e-3 of the modulus at the lowest frequency."""

    caught_by = "passive"

    def z(self, s: Spectral, z: Spectral) -> Spectral:
        """Return Z less a resistance."""
        return np.asarray(z - 1e-3 * np.abs(z[0]))


class EffectBeforeCause(Altered):
    """A factor exp(+s t), t = 1 ns: the answer comes before the question."""

    caught_by = "Kramers-Kronig"

    def z(self, s: Spectral, z: Spectral) -> Spectral:
        """Return Z ahead of time."""
        return np.asarray(z * np.exp(1e-9 * s))


class ConstantThatIsNone(Altered):
    """A material constant that is looked up at each frequency: 1 % more at 1 kHz, real, in a decade around it."""

    caught_by = "Kramers-Kronig"

    def z(self, s: Spectral, z: Spectral) -> Spectral:
        """Return Z with a real factor that depends on frequency."""
        decades = np.log10(np.maximum(np.abs(s), 1e-30) / (2 * np.pi)) - 3
        return np.asarray(z * (1 + 0.01 * np.exp(-(decades**2))))


class CentimetresForMetres(Altered):
    """Lengths of the box are read in centimetres."""

    caught_by = "one dimension: full contact"

    def cell(self, cell: Cell) -> Cell:
        """Return the cell a hundred times as large."""
        width = cell.geometry.width
        wide = [100 * each for each in width] if isinstance(width, tuple) else 100 * width
        return cell.vary({"geometry.width": wide, "geometry.thickness": 100 * cell.geometry.thickness})


class RadiansForHertz(Altered):
    """Frequencies are taken as angular ones."""

    caught_by = "one dimension: full contact"

    def impedance(self, cell: Cell, frequencies: Array) -> Spectrum:
        """Return the spectrum at f/(2 pi), called f."""
        found = super().impedance(cell, frequencies / (2 * np.pi))
        return Spectrum(frequencies, found.impedance, found.uncertainty)


class IgnoresLy(Altered):
    """The face is taken for a square of side L_x."""

    caught_by = "x and y exchanged"

    def cell(self, cell: Cell) -> Cell:
        """Return the cell with a square face."""
        return cell.vary({"geometry.width": cell.geometry.lengths[0]})


class CounterElectrodeIgnored(Altered):
    """The counter electrode is always ideal."""

    caught_by = "films exchanged"

    def cell(self, cell: Cell) -> Cell:
        """Return the cell with an ideal counter electrode."""
        return cell.vary({"counter_electrode.charge_transfer": None})


class UncertaintyFarTooSmall(Altered):
    """A hundredth of the uncertainty."""

    caught_by = "oracle: every process"

    def u(self, u: Array, z: Spectral) -> Array:
        """Return a hundredth of u."""
        return u / 100


class UncertaintyFarTooLarge(Altered):
    """Half of the modulus as uncertainty: nothing could ever be wrong."""

    caught_by = "sharpness"

    def u(self, u: Array, z: Spectral) -> Array:
        """Return |Z|/2."""
        return np.abs(z) / 2


class NoUncertainty(Altered):
    """Numbers alone."""

    caught_by = "values"

    def impedance(self, cell: Cell, frequencies: Array) -> Spectrum:
        """Return the spectrum without its uncertainty."""
        found = super().impedance(cell, frequencies)
        return Spectrum(found.frequency, found.impedance)


class RandomNoise(Altered):
    """Normal noise of a third of the uncertainty, another one at every call: within u, and not twice the same."""

    caught_by = "same answer twice"

    def __init__(self) -> None:
        self._random: Any = np.random.default_rng(20220915)

    def impedance(self, cell: Cell, frequencies: Array) -> Spectrum:
        """Return the spectrum with noise."""
        found = super().impedance(cell, frequencies)
        assert found.uncertainty is not None
        real, imaginary = self._random.standard_normal((2, len(found)))
        noise = found.uncertainty / 3 * (real + 1j * imaginary) / np.sqrt(2)
        return Spectrum(found.frequency, found.impedance + noise, found.uncertainty)


SPECTRA = (
    ConjugateImpedance,
    ActiveElement,
    EffectBeforeCause,
    ConstantThatIsNone,
    CentimetresForMetres,
    RadiansForHertz,
    IgnoresLy,
    CounterElectrodeIgnored,
    UncertaintyFarTooSmall,
    UncertaintyFarTooLarge,
    NoUncertainty,
    RandomNoise,
)
