"""A spectrum from a file, fitted.

Two arcs with noise, written and read as a file, and what a circuit says of them.
"""

# %%
import numpy as np
from matplotlib import pyplot as plt

from fem_constriction import Spectrum
from fem_constriction.fitting.extraction import fit_spectrum

f = np.geomspace(1e-1, 1e6, 61)
s = 2j * np.pi * f
z = 20 + 100 / (1 + s * 1e-4) + 250 / (1 + (s * 2e-2) ** 0.9)
noise = np.random.default_rng(1).normal(size=(2, f.size))
Spectrum(f, z * (1 + 2e-3 * (noise[0] + 1j * noise[1]))).save("measured.csv")

# %%
data = Spectrum.load("measured.csv")
fit = fit_spectrum(data, "R0-p(R1,C1)-p(R2,CPE2)")
print(fit)
fit.plot(spectrum=data)
plt.show()
