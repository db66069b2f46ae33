"""Discs closing around Z.

Guaranteed error discs at two accuracies: nothing is assumed of orders or limits, and the radius is what was asked for.
"""

# %%
from matplotlib import pyplot as plt

import fem_constriction as fc
from validation import guarantee

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
figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
for accuracy, colour in ((1e-2, "#e69f00"), (1e-3, "#7d3c98")):
    discs = guarantee(cell, "1:1e7:15", accuracy).discs
    axes.loglog(discs.frequency, discs.radius / abs(discs.centre), "o-", color=colour, label=f"asked for {accuracy:g}")
axes.set(xlabel="frequency / Hz", ylabel="guaranteed radius / |Z|")
axes.legend()
plt.show()
