"""Convergence at a singular edge.

At an ideal contact's edge the current density grows as r^(-1/2): uniform grids converge with order 1, whatever the method.
"""

# %%
import numpy as np
from matplotlib import pyplot as plt

import fem_constriction as fc

cell = fc.Cell(
    geometry={"width": 1.0, "thickness": 1.0},
    electrolyte={"conductivity": 1.0},
    working_electrode={"contact": {"shape": "square", "fraction": 0.25}},
)
limit = fc.resistance(cell, backend="fem")

# %%
sizes = np.array([8, 16, 32])
figure, axes = plt.subplots(figsize=(4.5, 3.2), layout="constrained")
for name, look in (("network", "o-"), ("fem", "x-")):
    z = [fc.solve(cell, 1e-3, backend=name, resolution=int(n)).impedance[0].real for n in sizes]
    axes.loglog(sizes, np.abs(np.array(z) / limit - 1), look, label=name)
axes.loglog(sizes, 0.6 / sizes, ":", color="#555555", label="order 1")
axes.set(xlabel="cells per edge", ylabel="error of R_DC, relative", xticks=sizes, xticklabels=sizes)
axes.minorticks_off()
axes.legend()
plt.show()
