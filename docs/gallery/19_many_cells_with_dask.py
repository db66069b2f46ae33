"""Many cells with Dask.

A cell is a plain, frozen description: any scheduler maps a function over a hundred of them.
"""

# %%
import dask
import numpy as np
from matplotlib import pyplot as plt

import fem_constriction as fc

cell = fc.Cell(
    geometry={"width": "50 um", "thickness": "50 um"},
    electrolyte={"conductivity": "0.46 mS/cm", "relative_permittivity": 150},
    working_electrode={
        "contact": {"shape": "square", "fraction": 0.25},
        "charge_transfer": {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"},
        "pore": {"capacitance": "8.85 uF/cm^2"},
    },
)

fractions = np.linspace(0.04, 0.64, 7)


@dask.delayed
def resistance(fraction):
    """R_DC of one cell, ohm."""
    varied = cell.vary({"working_electrode.contact.fraction": float(fraction)})
    return fc.solve(varied, 1e-3, backend="network", resolution=20).impedance[0].real


# %%
r = np.array(dask.compute(*[resistance(each) for each in fractions], scheduler="threads"))
figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
axes.plot(fractions, r / 1e3, "ko-")
axes.set(xlabel="contact fraction", ylabel="R_DC / kΩ", ylim=(0, None))
plt.show()
