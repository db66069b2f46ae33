"""An ensemble of contacts.

Three spots of equal size at random: where they lie changes R_DC, though their area does not.
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
rng, radius = np.random.default_rng(7), 5e-6


def spots():
    """Three centres in m that do not touch each other, nor the edge of the face."""
    while True:
        places = rng.uniform(1.2 * radius, 50e-6 - 1.2 * radius, (3, 2))
        apart = np.linalg.norm(places[:, None] - places, axis=2) + np.diag([1.0] * 3)
        if apart.min() > 2.4 * radius:
            return places


# %%
members = []
for _ in range(4):
    places = spots()
    regions = [{"shape": "disc", "centre": list(map(float, each)), "radius": radius} for each in places]
    varied = cell.vary({"working_electrode.contact": {"shape": "regions", "regions": regions}})
    members.append((places, fc.solve(varied, 1e-3, backend="fem", resolution=16).impedance[0].real))

# %%
figure, axes = plt.subplots(1, 4, figsize=(7, 2.3), layout="constrained", sharey=True)
for ax, (places, r) in zip(axes, members, strict=True):
    for x, y in 1e6 * places:
        ax.add_patch(plt.Circle((x, y), 1e6 * radius, color="#808080"))
    ax.set(xlim=(0, 50), ylim=(0, 50), aspect="equal", title=f"{r / 1e3:.1f} kΩ", xlabel="x / µm")
axes[0].set_ylabel("y / µm")
plt.show()
