"""Z(f) of a cross-check: every backend, the fitted circuit and its arcs, and the 1D-PM for comparison."""

from __future__ import annotations

from fem_constriction.pictures import plane
from fem_constriction.pictures.picture import Picture
from validation.gate.result import Result


def nyquist(result: Result) -> Picture:
    """What every backend says, the fitted circuit and its arcs, and the 1D-PM for comparison, in the impedance plane."""
    return result.picture()


def bode(result: Result) -> Picture:
    """|Z| and -arg Z over frequency, of every backend and of the fitted circuit."""
    return plane.bode(result.agreement.limits, result.extraction, title=result.heading)
