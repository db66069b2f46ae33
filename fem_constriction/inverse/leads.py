"""Z_measured = Z_cell + R_leads + i omega L_leads: what lies between cell and instrument, fitted with the cell.

In ohm and H as they are measured; an impedance that is taken to another area takes its leads with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from fem_constriction.arrays import Array, Complex
from fem_constriction.inverse.unknowns import LEADS, Unknown
from fem_constriction.spectra.spectrum import Spectrum

#: Of |Z| at the highest frequency: where leads start from.
START: Final = 1e-2
_POWERS: Final = {"leads.resistance": 0, "leads.inductance": 1}  # of i omega


def starts(spectra: Sequence[Spectrum]) -> dict[str, float]:
    """Return where leads start, in SI: a part of the least |Z| at the highest frequency.

    Parameters
    ----------
    spectra
        As they were measured.

    Returns
    -------
    dict
        Key of `LEADS` -> ohm or H.
    """
    tops = [int(np.argmax(one.frequency)) for one in spectra]
    sizes = [
        (2 * np.pi * float(one.frequency[top]), float(abs(one.impedance[top]))) for one, top in zip(spectra, tops, strict=True)
    ]
    return {key: min(START * size / omega ** _POWERS[key] for omega, size in sizes) for key in LEADS}


def impedance(each: Unknown, u: float, frequency: Array, scale: float) -> Complex:
    """Return what leads add at frequencies in Hz, ohm, (f,): also the derivative by u, the logarithm that is varied.

    Parameters
    ----------
    each, u
        Leads, and their logarithm.
    frequency
        Hz, (f,).
    scale
        By which measured impedances were multiplied.
    """
    return np.asarray(scale * each.outside(u) * (2j * np.pi * frequency) ** _POWERS[each.key], dtype=np.complex128)
