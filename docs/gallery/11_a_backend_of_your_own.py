"""A backend of your own, judged.

The circuit of the layers is claimed to be exact; put to the same test as the built-in ones, it is found out.
"""

# %%
import numpy as np
from matplotlib import pyplot as plt

import fem_constriction as fc
from fem_constriction.problem.one_dimensional import physical
from validation import crosscheck

cell = fc.Cell(
    geometry={"width": "50 um", "thickness": "50 um"},
    electrolyte={"conductivity": "0.46 mS/cm", "relative_permittivity": 150},
    working_electrode={
        "contact": {"shape": "square", "fraction": 0.25},
        "charge_transfer": {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"},
        "pore": {"capacitance": "8.85 uF/cm^2"},
    },
)


class Layers:
    """Z of the cell's layers, which knows no constriction."""

    name = "layers"
    bound = None

    def impedance(self, cell, frequencies):
        z = physical(cell).impedance(frequencies)
        return fc.Spectrum(frequencies, z, 1e-3 * np.abs(z))

    def resistance(self, cell):
        value = physical(cell).resistance
        return value, 1e-3 * value


# %%
result = crosscheck(cell, "1e-1:1e8:37", backends=("fem", Layers()), discs=False)
print(result.agreement.summary())
result.plot()
plt.show()
