"""What constriction is made of, over contact fraction.

Bulk and charge transfer share the geometric R_Cstr; the smaller the contact, the more the bulk makes of it.
"""

# %%
import numpy as np
from matplotlib import pyplot as plt

import fem_constriction as fc
from fem_constriction.budgets import budget
from fem_constriction.pictures.colours import PROCESSES

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
fractions = np.array([0.04, 0.16, 0.36, 0.64])
found = [budget(cell.vary({"working_electrode.contact.fraction": float(each)}), backend="fem") for each in fractions]
figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
below = np.zeros(fractions.size)
for process in ("bulk", "charge_transfer"):
    part = np.array([each.parts[process].constriction for each in found]) / 1e3
    axes.fill_between(fractions, below, below + part, color=PROCESSES[process], label=process.replace("_", " "))
    below = below + part
axes.set(xlabel="contact fraction", ylabel="geometric R_Cstr / kΩ", ylim=(0, None))
axes.legend()
plt.show()
