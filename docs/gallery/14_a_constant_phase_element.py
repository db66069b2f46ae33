"""A constant-phase element at the interface.

Charge transfer whose double layer is no ideal capacitor: depressed arcs, on the same matrices.
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
f = np.geomspace(1e-1, 1e8, 109)
figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
for exponent, style in ((1.0, "-"), (0.9, "--"), (0.8, ":")):
    layer = {"resistance": "1 ohm cm^2", "cpe": {"Q": "885 uS s^n/cm^2", "exponent": exponent}}
    z = fc.solve(cell.vary({"working_electrode.charge_transfer": layer}), f, backend="network", resolution=16).impedance / 1e3
    axes.plot(z.real, -z.imag, "k" + style, label=f"n = {exponent:g}")
axes.set(xlabel="Re Z / kΩ", ylabel="-Im Z / kΩ", ylim=(0, 330), aspect="equal")
axes.legend()
plt.show()
