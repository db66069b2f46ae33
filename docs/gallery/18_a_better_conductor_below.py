"""A protective layer on a better conductor.

The layer at the contact is where current is narrowest: its conductivity counts far more than its thickness.
"""

# %%
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


# %%
def layered(sigma):
    """5 um of a material on 45 um of the cell's own."""
    rest = {"thickness": "45 um", "conductivity": "0.46 mS/cm", "relative_permittivity": 150}
    return cell.vary({"electrolyte": {"layers": [{**rest, "thickness": "5 um", "conductivity": sigma}, rest]}})


sigma = np.array([0.1, 0.2, 0.46, 1.0, 2.0])
r = [fc.solve(layered(f"{each} mS/cm"), 1e-3, backend="network", resolution=20).impedance[0].real / 1e3 for each in sigma]
even = [(5e-6 / (0.1 * each) + 45e-6 / 0.046) / cell.area / 1e3 for each in sigma]
figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
axes.semilogx(sigma, r, "ko-", label="with the contact of 25 %")
axes.semilogx(sigma, even, "k--", label="both layers, no constriction")
axes.set(xlabel="conductivity of the upper 5 µm / (mS/cm)", ylabel="R_DC / kΩ", ylim=(0, None))
axes.legend()
plt.show()
