"""Many small spots or one large one.

The same contact fraction as one square and as four discs: small spots constrict less, and their arc is faster.
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
radius = np.sqrt(cell.contact_area / (4 * np.pi))
discs = [{"shape": "disc", "centre": [x, y], "radius": radius} for x in (12.5e-6, 37.5e-6) for y in (12.5e-6, 37.5e-6)]
four = cell.vary({"working_electrode.contact": {"shape": "regions", "regions": discs}})

# %%
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
for one, name, colour in ((cell, "one square", "#0072b2"), (four, "four discs", "#d55e00")):
    z = fc.solve(one, "1e-1:1e7:41", backend="fem", resolution=16)
    axes.plot(z.impedance.real / 1e3, -z.impedance.imag / 1e3, "o-", ms=3, label=name, color=colour)
axes.set(xlabel="Re Z / kΩ", ylabel="−Im Z / kΩ", aspect="equal")
axes.legend()
plt.show()
