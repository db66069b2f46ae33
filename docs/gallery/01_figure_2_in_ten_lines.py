"""Figure 2 in ten lines.

Both backends on the paper's cell at 25 % contact (with 5 layers instead of 50, to be quick), what they agree on, and its arcs.
"""

# %%
from matplotlib import pyplot as plt

import fem_constriction as fc
from validation import crosscheck

cell = fc.Cell(
    geometry={"width": "50 um", "thickness": "50 um"},
    electrolyte={"conductivity": "0.46 mS/cm", "relative_permittivity": 150},
    working_electrode={
        "contact": {"shape": "square", "fraction": 0.25},
        "charge_transfer": {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"},
        "pore": {"capacitance": "8.85 uF/cm^2"},
    },
)
boundaries = {"layers": 5, "thickness": "10 nm", "conductivity": "0.6 uS/cm", "relative_permittivity": 150}

# %%
result = crosscheck(cell.vary({"electrolyte.grain_boundaries": boundaries}), discs=False)
print(result)
result.plot()
plt.show()
