"""DRT against exact relaxations.

A distribution of relaxation times is an estimate from Z alone; a discretised cell has its relaxation times exactly.
"""

# %%
import numpy as np
from matplotlib import pyplot as plt

import fem_constriction as fc
from fem_constriction.fitting.drt import broadened, distribution
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.one_grid import solve_grid

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
problem, fem = Problem.of(cell), backend_named("fem")
grid = solve_grid(problem, fem, fem.grid(problem, 0), (2 * np.pi * 1e-2, 2 * np.pi * 1e9))
exact = grid.model.all_unknowns().relaxation()
f = np.geomspace(1e-2, 1e9, 111)
found = distribution(fc.Spectrum(f, grid.model.impedance(2j * np.pi * f)))

# %%
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
axes.fill_between(found.tau, broadened(exact, found.tau) / 1e3, color="#56b4e9", alpha=0.6, label="exact, drawn as wide")
axes.plot(found.tau, found.gamma / 1e3, color="#882255", label="DRT of Z")
axes.set(xscale="log", xlabel="relaxation time / s", ylabel="γ(ln τ) / kΩ", xlim=(1e-9, 1e-1), ylim=(0, None))
axes.legend()
plt.show()
