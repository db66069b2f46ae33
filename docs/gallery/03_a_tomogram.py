"""A tomogram.

Grains of a label image with boundaries in all directions, and a slice through it.
"""

# %%
import numpy as np
from matplotlib import pyplot as plt

import fem_constriction as fc

rng = np.random.default_rng(3)
seeds = rng.uniform(0, 24, (20, 3))
places = np.indices((24, 24, 24)).reshape(3, -1).T + 0.5
labels = np.argmin(np.linalg.norm(places[:, None] - seeds, axis=2), axis=1).reshape(24, 24, 24).astype(np.uint8)
np.save("grains.npy", labels)

# %%
cell = fc.Cell(
    geometry={"width": "24 um", "thickness": "24 um"},
    electrolyte={
        "conductivity": "0.46 mS/cm",
        "relative_permittivity": 150,
        "microstructure": {
            "image": "grains.npy",
            "voxel": "1 um",
            "boundary": {"thickness": "10 nm", "conductivity": "2 uS/cm", "relative_permittivity": 150},
        },
    },
    working_electrode={"contact": {"shape": "square", "fraction": 0.25}, "pore": {"capacitance": "8.85 uF/cm^2"}},
)
z = fc.solve(cell, "1e2:1e9:36", backend="network")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3), layout="constrained", width_ratios=(1, 1.6))
left.imshow(labels[:, 12, :], cmap="tab20", interpolation="nearest")
left.set(xlabel="x / µm", ylabel="z / µm", title="grains, a slice")
right.plot(z.impedance.real / 1e3, -z.impedance.imag / 1e3, "o-", ms=3, color="#0072b2")
right.set(xlabel="Re Z / kΩ", ylabel="−Im Z / kΩ", aspect="equal")
plt.show()
