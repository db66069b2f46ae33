"""R_Cstr = sum over processes p of alpha_p/g_p: which process the resistance of a cell, and of its constriction, is made of.

The part of a process in R_DC is what it dissipates for unit current, P_p = g_p x' L_p x (g_p: S/m in the bulk, S/m2 at
interfaces). R_DC is the minimum of the sum over all currents, so alpha_p = g_p P_p is dR_DC/d(1/g_p): the weights depend on
geometry and on ratios of conductances alone, and sum alpha_p/g_p = R_DC (Euler: R_DC is of the first degree in the 1/g_p).
Less those of the 1D-PM they are the weights of the geometric R_Cstr = R_DC(3D) - R_DC(1D-PM), none negative where pores
insulate. A polycrystal or another body that no circuit describes takes the place of the 1D-PM itself, under full contact.

P_p is also the derivative of R_DC by -ln g_p, so on a family of grids it converges with the order of R_DC, and extrapolated
parts still sum to the extrapolated R_DC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER
from fem_constriction.reduction.projection import TARGET
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.solving.backends import Backend, backend_named
from fem_constriction.solving.capabilities import require
from fem_constriction.solving.full_contact import of_interface, under_full_contact
from fem_constriction.solving.refinement import NEIGHBOURS, Family, Limit, solve_family
from fem_constriction.spectra.frequencies import frequencies_taken

#: Relative error of a potential, in energy, that the solver leaves at most (`solver`).
SOLVED = 1e-10


@dataclass(frozen=True, kw_only=True)
class Part:
    """P_p = alpha_p/g_p of one process, in R_DC and in the geometric R_Cstr.

    conductance: g_p in S/m (bulk) or S/m2; direct: part of R_DC in ohm; full_contact: part of R_DC under full contact, of the
    1D-PM or of the same body, in ohm, nan where there is neither; uncertainty: of direct, in ohm; constriction_uncertainty: of
    constriction; unit: of alpha.
    """

    conductance: float
    direct: float
    full_contact: float
    uncertainty: float
    constriction_uncertainty: float
    unit: str

    @property
    def constriction(self) -> float:
        """Part of R_Cstr in ohm."""
        return self.direct - self.full_contact

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
            "R_full_contact_ohm": self.full_contact,
            "R_Cstr_ohm": self.constriction,
            "uncertainty_ohm": self.uncertainty,
            "R_Cstr_uncertainty_ohm": self.constriction_uncertainty,
            "alpha": self.alpha,
            "alpha_direct": self.alpha_direct,
            "alpha_uncertainty": self.constriction_uncertainty * self.conductance,
            "alpha_unit": self.unit,
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class Budget:
    """R_Cstr = R_DC(3D) - R_DC at full contact = sum of the parts of the processes that conduct direct current.

    resistance: (R_DC, uncertainty) in ohm, the limit of the family; full_contact: R_DC of the 1D-PM in ohm, or of the same body
    under full contact, nan where there is none (electrodes in an image without `voids`); constriction_uncertainty: of R_Cstr.
    """

    problem: Problem
    backend: str
    parts: Mapping[str, Part]
    resistance: tuple[float, float]
    full_contact: float
    constriction_uncertainty: float

    @property
    def cell(self) -> Cell:
        """The description that was solved."""
        return self.problem.cell

    @property
    def constriction(self) -> tuple[float, float]:
        """(R_Cstr, uncertainty) in ohm."""
        return self.resistance[0] - self.full_contact, self.constriction_uncertainty

    @property
    def stated(self) -> bool:
        """Whether there is a full contact that R_Cstr is counted from."""
        return bool(np.isfinite(self.full_contact))

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        value, uncertainty = self.constriction
        return {
            "R_DC_ohm": self.resistance[0],
            "R_full_contact_ohm": self.full_contact,
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
    eps = max(family.finest.model.basis_error, SOLVED**2)
    reference = _Reference.of(family)
    found = {}
    conducting = {place: y for place, y in problem.places.items() if y.conductance}
    for process, element in by_name(conducting).items():
        limit = family.extrapolated(np.array([each[process] for each in grids]), np.zeros(1))
        value = float(limit.value[0].real)
        uncertainty = float(limit.uncertainty[0] + _lacking(value, resistance[0], eps))
        full, squeezed = reference.of_part(process, [each[process] for each in grids], (value, uncertainty))
        found[process] = Part(
            conductance=element.conductance,
            direct=value,
            full_contact=full,
            uncertainty=uncertainty,
            constriction_uncertainty=squeezed,
            unit="1/m" if process == BULK else "1/m^2",
        )
    full, squeezed = reference.of_whole(resistance)
    return Budget(
        problem=problem,
        backend=family.backend.name,
        parts=found,
        resistance=resistance,
        full_contact=full,
        constriction_uncertainty=squeezed,
    )


@dataclass(frozen=True, eq=False)
class _Reference:
    """What R_Cstr is counted from: the 1D-PM (exact), or the body under full contact on the same grids, or nothing (nan).

    family: of the cell; even: of the body under full contact; interface: how its interface's part falls to processes.
    """

    family: Family
    even: Family | None
    interface: Mapping[str, float]
    plain: Mapping[str, float]

    @classmethod
    def of(cls, family: Family) -> _Reference:
        problem = family.problem
        if problem.body.uniform:
            return cls(family, None, {}, one_dimensional_parts(problem))
        even = under_full_contact(family)
        return cls(family, even, {} if even in (None, family) else of_interface(problem), {})

    def of_part(self, process: str, grids: Sequence[Any], direct: tuple[float, float]) -> tuple[float, float]:
        """Return the part of a process at full contact and the uncertainty of its part of R_Cstr, ohm."""
        if self.even is None:
            return self.plain.get(process, np.nan), direct[1] if self.plain else np.nan
        if self.even is self.family:
            return direct[0], 0.0
        below = [self._even(process, solution.model) for solution in self.even.solutions[-3:]]
        return self._less(np.array([a - b for a, b in zip(grids, below, strict=True)]), direct[0], float(below[-1][0].real))

    def of_whole(self, resistance: tuple[float, float]) -> tuple[float, float]:
        """Return R_DC at full contact and the uncertainty of R_Cstr, ohm."""
        if self.family.problem.body.uniform:
            return one_dimensional_resistance(self.family.problem), resistance[1]
        if self.even is None:
            return np.nan, np.nan
        if self.even is self.family:
            return resistance[0], 0.0
        pairs = zip(self.family.solutions[-3:], self.even.solutions[-3:], strict=True)
        differences = np.array([[one.model.resistance() - other.model.resistance()] for one, other in pairs])
        limit = self.family.extrapolated(differences, np.zeros(1))
        left = sum(each.finest.model.basis_error + TARGET for each in (self.family, self.even))
        return resistance[0] - float(limit.value[0].real), float(limit.uncertainty[0]) + left * resistance[0]

    def _even(self, process: str, model: ReducedModel) -> NDArray[np.complex128]:
        """The part of a process on one grid at full contact, the interface's shared out."""
        made = parts(model, np.zeros(1))
        if process in self.interface:
            return made[CHARGE_TRANSFER] * self.interface[process]
        return made[process] if process in made and process != CHARGE_TRANSFER else np.zeros(1, dtype=np.complex128)

    def _less(self, differences: NDArray[np.complex128], direct: float, below: float) -> tuple[float, float]:
        assert self.even is not None, "asked of a body that has a full contact"
        limit = self.family.extrapolated(differences, np.zeros(1))
        lacks = sum(
            _lacking(part, each.finest.model.resistance(), max(each.finest.model.basis_error, SOLVED**2))
            for part, each in ((direct, self.family), (below, self.even))
        )
        return direct - float(limit.value[0].real), float(limit.uncertainty[0] + lacks)


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
        limit = family.extrapolated(np.stack([each[process] for each in grids]), s)
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
    if constriction and not found.stated:
        raise ComputationError("no R_Cstr is stated, and it has no activation energy")
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
    spread = sum(
        abs(energies.get(process, 0.0) - value) * (part.constriction_uncertainty if constriction else part.uncertainty)
        for process, part in found.parts.items()
    )
    return value, spread / abs(total)
