"""Bounds from both sides.

At direct current the network lies above the continuum and the elements below it: between them, whatever the grid, lies R_DC.
"""

# %%
import numpy as np
from matplotlib import pyplot as plt

import fem_constriction as fc
from fem_constriction.pictures.colours import BACKENDS

cell = fc.Cell(
    geometry={"width": "50 um", "thickness": "50 um"},
    electrolyte={"conductivity": "0.46 mS/cm", "relative_permittivity": 150},
    working_electrode={
        "contact": {"shape": "square", "fraction": 0.25},
        "charge_transfer": {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"},
        "pore": {"capacitance": "8.85 uF/cm^2"},
    },
)

# %%
sizes = np.array([4, 8, 16, 32])
found = {
    name: [fc.solve(cell, 1e-3, backend=name, resolution=int(n)).impedance[0].real / 1e3 for n in sizes]
    for name in ("network", "fem")
}
figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
axes.fill_between(sizes, found["fem"], found["network"], color="0.85", label="here lies R_DC")
for (name, values), (colour, marker) in zip(found.items(), BACKENDS, strict=False):
    axes.plot(sizes, values, color=colour, marker=marker, label=name)
axes.set(xscale="log", xlabel="cells per edge", ylabel="R_DC / kΩ")
axes.set_xticks(sizes, [str(n) for n in sizes])
axes.minorticks_off()
axes.legend()
plt.show()
