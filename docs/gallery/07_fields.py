"""Potential and current, slow and fast.

At 1 Hz current squeezes through the contact; at 1 MHz the pores carry it as well.
"""

# %%
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
found = fc.fields.fields_at(cell, [1.0, 1e6], backend="fem")
figure, axes = plt.subplots(1, 2, figsize=(7, 3.2), layout="constrained", sharey=True)
for each, ax in zip(found, axes, strict=True):
    section = each.section("y", nx=101, nz=100)
    x, z = 1e6 * section.x, 1e6 * section.z
    filled = ax.contourf(x, z, abs(section.potential), levels=24, vmin=0, vmax=1)
    ax.set(xlabel="x / µm", title=f"{each.frequency:g} Hz", aspect="equal")
axes[0].set(ylabel="z / µm")
axes[0].invert_yaxis()
figure.colorbar(filled, ax=axes, label="|φ| / V")
plt.show()
