"""A film under the contact.

An interphase in series with charge transfer, on the contact alone or under the pores as well.
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
film = {"resistance": "1 ohm cm^2", "capacitance": "0.5 uF/cm^2"}
films = {"none": None, "on the contact": film, "on the whole face": {**film, "covers": "face"}}
figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
for (name, each), style in zip(films.items(), ("-", "--", ":"), strict=True):
    varied = cell.vary({"working_electrode.interphase": each}) if each else cell
    z = fc.solve(varied, f, backend="network", resolution=16).impedance / 1e3
    axes.plot(z.real, -z.imag, "k" + style, label=name)
axes.set(xlabel="Re Z / kΩ", ylabel="-Im Z / kΩ", ylim=(0, 460), aspect="equal")
axes.legend(title="film")
plt.show()
