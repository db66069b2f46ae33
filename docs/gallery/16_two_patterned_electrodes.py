"""Two patterned electrodes.

Far apart, each squeezes the current for itself; close together, they feel each other.
"""

# %%
import numpy as np
from matplotlib import pyplot as plt

import fem_constriction as fc
from fem_constriction.problem.one_dimensional import one_dimensional_resistance

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
def constriction(thickness, counter):
    """R_DC less that of whole faces with the same interfaces, ohm."""
    electrode = {"contact": {"shape": "square", "fraction": counter}} if counter < 1 else {}
    varied = cell.vary({"geometry.thickness": thickness, "counter_electrode": electrode})
    return fc.solve(varied, 1e-3, backend="network", resolution=16).impedance[0].real - one_dimensional_resistance(varied)


thickness = np.array([5, 10, 20, 40]) * 1e-6
one, both = (np.array([constriction(each, counter) for each in thickness]) / 1e3 for counter in (1.0, 0.25))
figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
axes.plot(1e6 * thickness, 2 * one, "k--", label="twice that of one")
axes.plot(1e6 * thickness, both, "ko-", label="both")
axes.set(xlabel="thickness / µm", ylabel="geometric R_Cstr / kΩ", ylim=(0, None))
axes.legend()
plt.show()
