"""Where current stops squeezing.

The deeper the pores, the smaller their capacitance, and the higher the frequency above which current flows through them.
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
f = np.geomspace(1, 1e7, 57)
figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
for depth, style in (("1 nm", "-"), ("10 nm", "--"), ("100 nm", ":")):
    pores = {"depth": depth, "relative_permittivity": 10}
    z = fc.solve(cell.vary({"working_electrode.pore": pores}), f, backend="network", resolution=16).impedance
    axes.semilogx(f, z.real / 1e3, "k" + style, label=depth)
axes.set(xlabel="f / Hz", ylabel="Re Z / kΩ", ylim=(0, None))
axes.legend(title="depth of pores")
plt.show()
