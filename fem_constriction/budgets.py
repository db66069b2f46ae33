"""R_Cstr = sum over processes p of alpha_p/g_p: which process the resistance of a cell, and of its constriction, is made of.

The part of a process in R_DC is what it dissipates for unit current, P_p = g_p x' L_p x (g_p: S/m in the bulk, S/m2 at
interfaces). R_DC is the minimum of the sum over all currents, so alpha_p = g_p P_p is dR_DC/d(1/g_p): the weights depend on
geometry and on ratios of conductances alone, and sum alpha_p/g_p = R_DC (Euler: R_DC is of the first degree in the 1/g_p).
Less those of the 1D-PM they are the weights of the geometric R_Cstr = R_DC(3D) - R_DC(1D-PM), none negative where pores
insulate.

P_p is also the derivative of R_DC by -ln g_p, so on a family of grids it converges with the order of R_DC, and extrapolated
parts still sum to the extrapolated R_DC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fem_constriction.cell.cell import Cell
from fem_constriction.cell.temperature import ENERGY, ActivationEnergies
from fem_constriction.cell.units import checked
from fem_constriction.errors import Absent, ComputationError, InputError
from fem_constriction.problem.one_dimensional import in_series, one_dimensional_resistance
from fem_constriction.problem.problem import Described, Problem
from fem_constriction.processes.elements import by_name
from fem_constriction.processes.names import BULK
from fem_constriction.reduction.projection import TARGET
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.solving.backends import Backend, backend_named
from fem_constriction.solving.capabilities import require
from fem_constriction.solving.refinement import NEIGHBOURS, Family, Limit, extrapolate, solve_family
from fem_constriction.spectra.frequencies import frequencies_taken

#: Relative error of a potential, in energy, that the solver leaves at most (`solver`).
SOLVED = 1e-10


@dataclass(frozen=True, kw_only=True)
class Part:
    """P_p = alpha_p/g_p of one process, in R_DC and in the geometric R_Cstr.

    conductance: g_p in S/m (bulk) or S/m2; direct: part of R_DC in ohm; one_dimensional: part of R_DC of the 1D-PM in ohm,
    exact; uncertainty: of direct, hence of constriction, in ohm; unit: of alpha.
    """

    conductance: float
    direct: float
    one_dimensional: float
    uncertainty: float
    unit: str

    @property
    def constriction(self) -> float:
        """Part of R_Cstr in ohm."""
        return self.direct - self.one_dimensional

    @property
    def alpha(self) -> float:
        """Weight of the process in R_Cstr = sum alpha_p/g_p, in `unit`."""
        return self.constriction * self.conductance

    @property
    def alpha_direct(self) -> float:
        """Weight of the process in R_DC, dR_DC/d(1/g_p), in `unit`."""
        return self.direct * self.conductance

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            "conductance_SI": self.conductance,
            "R_DC_ohm": self.direct,
            "R_1D_ohm": self.one_dimensional,
            "R_Cstr_ohm": self.constriction,
            "uncertainty_ohm": self.uncertainty,
            "alpha": self.alpha,
            "alpha_direct": self.alpha_direct,
            "alpha_uncertainty": self.uncertainty * self.conductance,
            "alpha_unit": self.unit,
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class Budget:
    """R_Cstr = R_DC(3D) - R_DC(1D-PM) = sum of the parts of the processes that conduct direct current.

    resistance: (R_DC, uncertainty) in ohm, the limit of the family; one_dimensional: R_DC of the 1D-PM in ohm.
    """

    problem: Problem
    backend: str
    parts: Mapping[str, Part]
    resistance: tuple[float, float]
    one_dimensional: float

    @property
    def cell(self) -> Cell:
        """The description that was solved."""
        return self.problem.cell

    @property
    def constriction(self) -> tuple[float, float]:
        """(R_Cstr, uncertainty) in ohm."""
        return self.resistance[0] - self.one_dimensional, self.resistance[1]

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        value, uncertainty = self.constriction
        return {
            "R_DC_ohm": self.resistance[0],
            "R_1D_ohm": self.one_dimensional,
            "R_Cstr_ohm": value,
            "uncertainty_ohm": uncertainty,
            "processes": {name: part.as_dict() for name, part in self.parts.items()},
        }


def check_flows(described: Described) -> None:
    """Raise InputError for a cell without direct current: it has no R_DC that could have parts."""
    problem = Problem.of(described)
    if not problem.direct_current:
        raise InputError(
            key="working_electrode.contact.fraction",
            value=problem.contact_fraction,
            why="no direct current flows, and its resistance has no parts",
            remedy="allowed is a fraction above 0, or pores that conduct",
        )


def budget(what: Described | Family, *, backend: str | Backend = "network") -> Budget:
    """Return the parts of R_DC and R_Cstr by process: limits of a family of grids, with their uncertainties.

    Parameters
    ----------
    what
        A cell, solved at direct current on a backend's family, or a family that is solved already.
    backend
        The name of an installed one, or the backend itself.

    Returns
    -------
    Budget
        Processes in the order of current flow; an ideal contact is none.

    Raises
    ------
    InputError
        For a cell without direct current.
    ComputationError
        Where a solver fails.
    """
    problem = what.problem if isinstance(what, Family) else Problem.of(what)
    check_flows(problem)
    if isinstance(what, Family):
        family = what
    else:
        chosen = backend_named(backend)
        require("budget", problem, [chosen])
        family = solve_family(problem, chosen, None)
    resistance = family.resistance()
    grids = [parts(solution.model, np.zeros(1)) for solution in family.solutions[-3:]]
    plain = one_dimensional_parts(problem)
    found = {}
    conducting = {place: y for place, y in problem.places.items() if y.conductance}
    for process, element in by_name(conducting).items():
        limit = extrapolate(np.array([each[process] for each in grids]), family.order, erratic=family.erratic(np.zeros(1)))
        value = float(limit.value[0].real)
        lacks = _lacking(value, resistance[0], max(family.finest.model.basis_error, SOLVED**2))
        found[process] = Part(
            conductance=element.conductance,
            direct=value,
            one_dimensional=plain[process],
            uncertainty=float(limit.uncertainty[0] + lacks),
            unit="1/m" if process == BULK else "1/m^2",
        )
    return Budget(
        problem=problem,
        backend=family.backend.name,
        parts=found,
        resistance=resistance,
        one_dimensional=one_dimensional_resistance(problem),
    )


def one_dimensional_parts(described: Described) -> dict[str, float]:
    """Return the part of every process in R_DC of the 1D-PM in ohm: its arcs, the interface's shared out by current.

    Contact and pores lie in parallel, so each dissipates g A/(g_ct A_c + g_pore (A - A_c)) of the interface's part; elements in
    series dissipate in proportion to their resistance.
    """
    problem = Problem.of(described)
    y = problem.places
    found = dict.fromkeys(by_name(y), 0.0)
    for parallel in in_series(problem).values():
        conducts = {place: admittance.conductance * size for place, (admittance, size) in parallel.items()}
        total = sum(conducts.values())
        for place, g in conducts.items():
            for process, share in y[place].shares(0.0, place).items():
                found[process] += float(share) * g / total**2 if total else 0.0
    return found


def parts(model: ReducedModel, s: ArrayLike) -> dict[str, NDArray[np.complex128]]:
    """Return y_p x' L_p x, the part of every process in Z(s), in ohm, {process: (number of s,)}: they sum to Z.

    Of one grid, without conjugation: -dZ/d ln y_p.
    """
    points = np.atleast_1d(np.asarray(s))
    z = model.impedance(points)
    return {name: np.asarray(share * z, dtype=np.complex128) for name, share in model.shares(points).items()}


def spectral_parts(family: Family, frequency: ArrayLike) -> dict[str, Limit]:
    """Return the part of every process in Z(f): limits of a family, which sum to the limit of Z.

    The uncertainty is the largest, relative to |Z|, within half a decade, and holds what leaving out
    any one of the solutions changes, at least the 1e-8 |Z| of Z itself: a part is of the first order in what the reduced
    potential lacks, Z of the second.

    Parameters
    ----------
    family
        Solved for a band.
    frequency
        Hz, shape (n,).

    Returns
    -------
    dict
        Process -> Limit, complex, in ohm, shape (n,).

    Raises
    ------
    InputError
        For a family that was solved at direct current alone.
    """
    model = family.finest.model
    if not np.any(model.shifts > 0):
        raise InputError("a family solved at direct current alone is not allowed: parts of Z(f) take one solved for a band")
    points = frequencies_taken(frequency)[:, None]
    low, high = family.band
    around = np.clip(points * NEIGHBOURS, np.minimum(low, points), np.maximum(high, points))
    s, here = 2j * np.pi * around.ravel(), slice(around.shape[1] // 2, None, around.shape[1])
    size = np.abs(model.impedance(s))
    grids = [parts(solution.model, s) for solution in family.solutions[-3:]]
    fewer = [parts(model.within(np.delete(model.coordinates, j, axis=1)), s) for j in np.flatnonzero(model.shifts > 0)]
    found = {}
    for process, finest in grids[-1].items():
        limit = extrapolate(np.stack([each[process] for each in grids]), family.order, erratic=family.erratic(s))
        reduced = np.maximum(np.max([np.abs(each[process] - finest) for each in fewer], axis=0), TARGET * size)
        lacks = _lacking(np.abs(finest), size, model.basis_error)
        relative = ((limit.uncertainty + reduced + lacks) / size).reshape(around.shape).max(1)
        found[process] = Limit(limit.value[here], relative * size[here], limit.order[here], limit.asymptotic[here])
    return found


def _lacking(part: Any, total: Any, error: float) -> Any:
    """2 sqrt(P_p R eps) + R eps: what an error of the potential that changes R by eps may do to a part (Cauchy-Schwarz)."""
    return 2 * np.sqrt(np.abs(part * total) * error) + np.abs(total) * error


def activation_energy(
    found: Budget, energies: Mapping[str, Any] | None = None, *, constriction: bool = True
) -> tuple[float, float]:
    """Return E = sum P_p E_p/sum P_p: k_B d ln R_Cstr/d(1/T), at the temperature of the budget.

    Parameters
    ----------
    found
        Parts by process.
    energies
        Process -> E_p in J or with a unit, 0 for one that is not named; left out: those of the cell (`temperature`).
    constriction
        False: that of R_DC.

    Returns
    -------
    tuple of float
        (E, its uncertainty) in J.

    Raises
    ------
    InputError
        For an unknown process, and for a cell without activation energies.
    ComputationError
        Where there is no constriction.
    """
    if energies is None:
        if not found.problem.activation_energies:
            raise InputError(
                key="temperature",
                value=Absent.MISSING,
                allowed="required are activation energies, in the cell or given by process in J",
            )
        energies = {process: found.problem.activation_energies.get(process, 0.0) for process in found.parts}
    for process, energy in energies.items():
        known = dict.fromkeys([*ActivationEnergies.model_fields, *found.parts])
        if process not in known:
            allowed = ", ".join(known)
            raise InputError(key=f"energies.{process}", value=energy, allowed=f"the processes are {allowed}")
    energies = {process: checked(f"energies.{process}", energy, ENERGY) for process, energy in energies.items()}
    total, uncertainty = found.constriction if constriction else found.resistance
    if abs(total) <= uncertainty:
        raise ComputationError(
            f"the resistance is {total:.3g} ohm, known to {uncertainty:.1g} ohm: it has no activation energy"
        )
    value = (
        sum(
            (part.constriction if constriction else part.direct) * energies.get(process, 0.0)
            for process, part in found.parts.items()
        )
        / total
    )
    spread = sum(abs(energies.get(process, 0.0) - value) * part.uncertainty for process, part in found.parts.items())
    return value, spread / abs(total)
