"""sigma(T) = sigma(T_ref) exp(-(E_a/k_B)(1/T - 1/T_ref)): a cell at another temperature than that of its material data.

Every conductance of a process follows its own activation energy: conductivities, and 1/R_pol alike. There is no prefactor 1/T
(an activation energy fitted to sigma T is larger by about k_B T, 0.026 eV at 25 degC). Capacitances and lengths do not change.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Self

from pydantic import Field, model_validator
from pydantic.json_schema import JsonSchemaValue
from scipy.constants import Avogadro, Boltzmann

from fem_constriction.cell.conversion import apart, number
from fem_constriction.cell.sections import Section
from fem_constriction.cell.units import Quantity
from fem_constriction.errors import InputError

if TYPE_CHECKING:
    pass

#: Factor between the conductances at T and at T_ref that is still taken for physics: ln of 1e100.
LARGEST_EXPONENT: Final = 100 * math.log(10)


@dataclass(frozen=True, kw_only=True)
class _Absolute(Quantity):
    """A temperature in kelvin; offset units (degC, degF) are understood, below zero as well."""

    def schema(self) -> JsonSchemaValue:
        number, string = super().schema()["anyOf"]
        return {"anyOf": [number, string | {"pattern": r"^\s*[+-]?[0-9.].*\D"}], "examples": [self.example]}


@dataclass(frozen=True, kw_only=True)
class _EachOrMolar(Quantity):
    """An energy of one particle in J, or of a mole of them with its unit: 30 kJ/mol is 30 kJ/N_A."""

    def validate(self, value: object) -> float:
        try:
            molar = isinstance(value, str) or apart(value)[1] is not None
            each = number(value, "J/mol") / Avogadro if molar else value
        except ValueError:
            each = value
        return super().validate(each)


Kelvin = Annotated[float, _Absolute(unit="K", what="an absolute temperature", example="60 degC", usual=(150, 2000))]
ENERGY: Final = _EachOrMolar(unit="J", what="an energy", example="0.35 eV", positive=False, usual=(1.6e-22, 8e-19))
Energy = Annotated[float, ENERGY]


class ActivationEnergies(Section):
    """E_a of the conductance of each process; left out: 0, no dependence on temperature (inclusions of an image have none)."""

    bulk: Energy = Field(0.0, description="Activation energy of the bulk conductivity in J; left out: 0")
    grain_boundary: Energy = Field(0.0, description="Activation energy of the grain boundary conductivity in J; left out: 0")
    charge_transfer: Energy = Field(0.0, description="Activation energy of 1/R_pol at the contact in J; left out: 0")
    pore: Energy = Field(0.0, description="Activation energy of the conductivity of what fills the pores in J; left out: 0")
    interphase: Energy = Field(0.0, description="Activation energy of the conductance of interphases in J; left out: 0")
    counter_electrode: Energy = Field(0.0, description="Activation energy of 1/R_pol at the other electrode in J; left out: 0")
    counter_pore: Energy = Field(
        0.0, description="Activation energy of what fills pores of the other electrode in J; left out: 0"
    )
    counter_interphase: Energy = Field(
        0.0, description="Activation energy of the conductance of interphases of the other electrode in J; left out: 0"
    )

    def of(self, process: str) -> float:
        """Return E_a of a process in J, of one of several alike that of its kind: interphase_2 is an interphase."""
        return float(getattr(self, re.sub(r"_\d+$", "", process), 0.0))


class Temperature(Section):
    """g(T) = g(T_ref) exp(-(E_a/k_B)(1/T - 1/T_ref)): the cell file holds g(T_ref), the cell conducts with g(T)."""

    value: Kelvin = Field(description="Temperature T of the cell in K")
    reference: Kelvin = Field(298.15, description="Temperature T_ref in K at which this file holds; left out: 25 degC")
    activation_energy: ActivationEnergies = Field(
        default=ActivationEnergies(), description="Activation energies by process; left out: no dependence on temperature"
    )

    def exponent(self, process: str) -> float:
        """Return -(E_a/k_B)(1/T - 1/T_ref)."""
        return float(-self.activation_energy.of(process) / Boltzmann * (1 / self.value - 1 / self.reference))

    def factor(self, process: str) -> float:
        """Return g(T)/g(T_ref) of a process."""
        return math.exp(self.exponent(process))

    @property
    def factors(self) -> dict[str, float]:
        """g(T)/g(T_ref) of every process."""
        return {process: self.factor(process) for process in ActivationEnergies.model_fields}

    @model_validator(mode="after")
    def _within_physics(self) -> Self:
        for process in ActivationEnergies.model_fields:
            if abs(exponent := self.exponent(process)) > LARGEST_EXPONENT:
                raise InputError(
                    key="value",
                    value=self.value,
                    unit="K",
                    why=f"{process} would conduct 1e{exponent / math.log(10):+.0f} times as well as at "
                    f"{self.reference!r} K, and 1e-100 to 1e+100 times is allowed",
                )
        return self
