"""Z(c L, y/c) = Z(L, y)/c, Re Z > 0, Z(x, y) = Z(y, x): what any cell of resistors and capacitors obeys."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.fitting.kramers_kronig import densest
from fem_constriction.spectra.spectrum import Spectrum
from validation.conformance.cells import FACTOR
from validation.conformance.outcome import SAME, Check, Measurement, hertz, worst
from validation.conformance.subject import Subject

BASE = "every process"


def lengths(subject: Subject) -> Measurement:
    """Z of the cell with lengths times c and admittances per area over c is Z/c."""
    return _same(subject.coarse(BASE), subject.coarse("every process, lengths x 3"), FACTOR)


def admittances(subject: Subject) -> Measurement:
    """Z of the cell with all conductances and capacitances times c is Z/c."""
    return _same(subject.coarse(BASE), subject.coarse("every process, admittances x 3"), FACTOR)


def capacitances(subject: Subject) -> Measurement:
    """Z(f) of the cell with all capacitances times 10 is Z(10 f)."""
    slow, cell = subject.coarse("every process, capacitances x 10"), subject.coarse(BASE)
    shifted = Spectrum(slow.frequency[:-1], cell.impedance[1:], _width(cell)[1:])
    return _same(Spectrum(slow.frequency[:-1], slow.impedance[:-1], _width(slow)[:-1]), shifted)


def turned(subject: Subject) -> Measurement:
    """Exchanging x and y changes nothing."""
    return _same(subject.coarse("wide in x"), subject.coarse("wide in y"))


def exchanged(subject: Subject) -> Measurement:
    """Exchanging the electrodes' films at full contact changes nothing."""
    return _same(subject.coarse("full contact"), subject.coarse("full contact, films exchanged"))


def passive(subject: Subject) -> Measurement:
    """Re Z > 0 and Im Z <= 0, to the uncertainty."""
    found = subject.spectrum(BASE)
    size, width = np.abs(found.impedance), _width(found)
    short = np.maximum(-found.impedance.real, found.impedance.imag)
    return worst(short, width, size, hertz(found.frequency))


def falling(subject: Subject) -> Measurement:
    """Re Z falls with frequency, to the uncertainty."""
    found = subject.spectrum(BASE)
    real, width, size = found.impedance.real, _width(found), np.abs(found.impedance)
    return worst(np.diff(real), width[1:] + width[:-1] + SAME * size[1:], size[1:], hertz(found.frequency[1:]))


def kramers_kronig(subject: Subject) -> Measurement:
    """The rms residual of the best sum of RC elements is at most that of an exact sum, and the uncertainty's."""
    found = subject.spectrum(BASE)
    test = densest(found)
    if not test.enough:
        return Measurement("nothing", "", False, test.reason)
    rms = float(np.sqrt(np.mean(np.abs(test.residual) ** 2)))
    allowed = test.floor + float(np.sqrt(np.mean((_width(found) / np.abs(found.impedance)) ** 2)))
    where = f"{test.per_decade} RC elements per decade, largest residual {test.largest:.1e}"
    return Measurement(f"{rms:.1e} |Z|", f"{allowed:.1e} |Z|", rms <= allowed, where)


def _same(first: Spectrum, second: Spectrum, factor: float = 1.0) -> Measurement:
    """Z_1 = c Z_2 within both uncertainties."""
    a, b = first.impedance, factor * second.impedance
    size: Array = np.abs(a)
    allowed = _width(first) + factor * _width(second) + SAME * size
    return worst(np.abs(a - b), allowed, size, hertz(first.frequency))


def _width(found: Spectrum) -> NDArray[np.float64]:
    assert found.uncertainty is not None
    return found.uncertainty


_BOTH = "equal to both stated uncertainties together, and rounding (1e-8 |Z|)"

CHECKS = (
    Check(
        "films exchanged",
        "Z(y_we, y_ce) = Z(y_ce, y_we) at full contact",
        f"reciprocity: {_BOTH}",
        exchanged,
        ("full contact", "full contact, films exchanged"),
    ),
    Check("passive", "Re Z >= 0, Im Z <= 0", "resistors and capacitors; the stated uncertainty", passive, (BASE,)),
    Check(
        "falling real part",
        "d Re Z/d omega <= 0",
        "Re Z = R_inf + sum R_k/(1 + (omega tau_k)^2) with R_k >= 0; both uncertainties",
        falling,
        (BASE,),
    ),
    Check(
        "Kramers-Kronig",
        "rms |R_inf + sum R_k/(1 + i omega tau_k) - Z|/|Z| = 0",
        "3 exp(-pi^2 n/(2 ln 10)) for n elements per decade, and the rms of the stated uncertainty",
        kramers_kronig,
        (BASE,),
    ),
    Check("scaling of admittances", "Z(c y) = Z(y)/c", _BOTH, admittances, (BASE, "every process, admittances x 3")),
    Check(
        "scaling of lengths",
        "Z(c L, y_film/c) = Z(L, y_film)/c",
        _BOTH,
        lengths,
        (BASE, "every process, lengths x 3"),
    ),
    Check(
        "scaling of time",
        "Z(10 C; f) = Z(C; 10 f)",
        _BOTH,
        capacitances,
        (BASE, "every process, capacitances x 10"),
    ),
    Check("x and y exchanged", "Z(L_x, L_y) = Z(L_y, L_x)", _BOTH, turned, ("wide in x", "wide in y")),
)
