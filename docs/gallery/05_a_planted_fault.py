"""Two backends that disagree.

A network whose pores conduct 2 % too well: the gate sees at which frequencies, by how much, and extracts nothing.
"""

# %%
from dataclasses import replace

from matplotlib import pyplot as plt

import fem_constriction as fc
from fem_constriction.pictures.printed import draw
from network import Network
from validation import crosscheck
from validation.show.pictures.agreement import agreement

cell = fc.Cell(
    geometry={"width": "50 um", "thickness": "50 um"},
    electrolyte={"conductivity": "0.46 mS/cm", "relative_permittivity": 150},
    working_electrode={
        "contact": {"shape": "square", "fraction": 0.25},
        "charge_transfer": {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"},
        "pore": {"capacitance": "8.85 uF/cm^2"},
    },
)


class LeakyPores(Network):
    """The network with 1.02 times the pores' admittance."""

    name = "leaky"

    def assemble(self, problem, grid):
        found = super().assemble(problem, grid)
        pore = found.operators["pore"]
        return replace(found, operators={**found.operators, "pore": replace(pore, geometry=1.02 * pore.geometry)})


# %%
result = crosscheck(cell, "1:1e7:29", backends=(LeakyPores(), "fem"), discs=False)
print(result.agreement.summary())
assert result.extraction is None
draw(agreement(result))
plt.show()
