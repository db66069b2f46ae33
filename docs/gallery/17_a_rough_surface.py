"""The highest parts of a rough surface.

The longer the correlation of a self-affine surface, the fewer and larger its spots are, and the more they cost.
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
figure, axes = plt.subplots(1, 3, figsize=(7, 2.6), layout="constrained", sharey=True)
for ax, length in zip(axes, ("4 um", "8 um", "16 um"), strict=True):
    rough = {"shape": "rough", "fraction": 0.1, "correlation_length": length, "hurst": 0.8, "pixels": 32, "seed": 7}
    varied = cell.vary({"working_electrode.contact": rough})
    r = fc.solve(varied, 1e-3, backend="network", resolution=32).impedance[0].real
    drawn = varied.plot(ax)
    ax.set_title(f"{length}: {r / 1e3:.0f} kΩ")
plt.show()
