"""Z = Z_WE + Z_CE: what a reference electrode tells apart, (V - V_ref)/I and V_ref/I, V_ref the mean potential of a plane.

In a laterally uniform stack the mean potential of planes obeys the one-dimensional law whatever the current's path
(`one_dimensional.beyond`). Where the counter electrode touches its whole face it does down to phi = 0, and Z_CE is exact: all
of the uncertainty of Z is that of Z_WE. Between two patterned electrodes the mean potential of the lower face comes from the
grids (`MeanPotential`), with a limit and an uncertainty as Z has them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fem_constriction.arrays import Array
from fem_constriction.problem.one_dimensional import beyond
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.names import COUNTER_ELECTRODE
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.solving.refinement import Family
from fem_constriction.spectra.spectrum import Spectrum
from fem_constriction.stack.face_model import LateralModel, MeanPotential

#: The electrodes whose spectra a reference tells apart, in the order of the current.
WORKING, COUNTER = "working", "counter"

#: Relative rounding of sums of a few terms.
ROUNDING: Final = 1e-14


def observed(family: Family) -> Family | None:
    """Return the same grids with the mean potential of the counter electrode's face as their Z; None where they have none."""
    models = [solution.model for solution in family.solutions]
    if not all(isinstance(model, LateralModel) and model.observer is not None for model in models):
        return None
    solutions = (replace(each, model=mean_of(each.model), assembly=None) for each in family.solutions)
    return Family(family.problem, family.backend, tuple(solutions))


def mean_of(model: ReducedModel) -> MeanPotential:
    """Return the model of the mean potential of the counter electrode's face."""
    assert isinstance(model, LateralModel)
    return model.mean_potential


def apart(
    problem: Problem, frequency: Array, impedance: NDArray[np.complex128], known: Array | None, mean: Spectrum | None
) -> dict[str, Spectrum]:
    """Return the spectra of both electrodes, which sum to Z; none without a reference, or without what it takes.

    Parameters
    ----------
    problem
        What was solved.
    frequency, impedance, known
        Hz, Z in ohm, and its uncertainty in ohm or None, (n,).
    mean
        Of two patterned electrodes the mean potential of the counter electrode's face over the current.
    """
    if problem.reference is None or (problem.patterned_counter and mean is None):
        return {}
    counter = beyond_plane(problem, 2j * np.pi * frequency)
    doubt: Array | None = ROUNDING * np.abs(counter)
    if problem.patterned_counter and mean is not None:
        counter, doubt = counter + mean.impedance, mean.uncertainty
    both = None if known is None or doubt is None else known + doubt
    return {WORKING: Spectrum(frequency, impedance - counter, both), COUNTER: Spectrum(frequency, counter, doubt)}


def beyond_plane(problem: Problem, s: ArrayLike) -> NDArray[np.complex128]:
    """Return what the one-dimensional law knows of Z_CE, ohm: the electrolyte below the plane, a whole counter electrode."""
    assert problem.reference is not None
    points = np.asarray(s)
    found = beyond(problem, points, problem.reference)
    if not problem.patterned_counter and not problem.ideal_counter:
        found = found + 1 / (problem.places[COUNTER_ELECTRODE](points) * problem.area)
    return found


def of_family(family: Family, frequency: Array, spectrum: Spectrum) -> dict[str, Spectrum]:
    """Return the spectra of both electrodes of a family's limit; none without a reference."""
    problem, mean = family.problem, None
    if problem.observed and (there := observed(family)) is not None:
        limit = there.limit(frequency)
        mean = Spectrum(frequency, limit.value, limit.uncertainty)
    return apart(problem, frequency, spectrum.impedance, spectrum.uncertainty, mean)


def of_model(problem: Problem, model: ReducedModel, frequency: Array, spectrum: Spectrum) -> dict[str, Spectrum]:
    """Return the spectra of both electrodes on one grid, without uncertainties; none without a reference."""
    mean = None
    if problem.observed and isinstance(model, LateralModel) and model.observer is not None:
        mean = Spectrum(frequency, model.mean_potential.impedance(2j * np.pi * frequency))
    return apart(problem, frequency, spectrum.impedance, None, mean)
