"""phi = w(x, y) zeta_l(z): a potential in closed form that jumps at boundaries, with the data that make it a solution.

w = 1 + cos(pi x/L_x) cos(pi y/L_y)/2 leaves no current through the side walls; zeta_l(z) = (h/lambda) exp(lambda z/h) + c_l,
lambda complex, has one slope throughout, so that current is continuous, and offsets c_l that make the jump at every boundary
(phi_above - phi_below) y_gb = -kappa dphi/dz. z runs from the WE face, 0, to the CE face, h.

Weak form: sum over layers of int kappa grad phi . grad psi + sum over boundaries of int y_gb [phi][psi] + int_WE y phi psi
+ int_CE y_ce phi psi = int f psi + int_WE q psi + int_CE q_ce psi, with y the admittance of contact or pore. What the oracle
gives are functions and admittances; matrices and quadrature are the judged code's own. Source: method of manufactured
solutions, P. J. Roache, J. Fluids Eng. 124 (2002) 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from validation.oracles.validity import positive

ComplexArray = NDArray[np.complex128]
FloatArray = NDArray[np.float64]

#: lambda: how fast, and through which phase, the potential changes over the thickness.
RATE = 1.0 + 0.7j


@dataclass(frozen=True, kw_only=True)
class Manufactured:
    """The problem of the module's head. Lengths m, `layers` their thicknesses from the WE down, kappa S/m, y S/m2; all complex.

    contact: (x_0, y_0, x_1, y_1) on the face, where y = y_contact, else y_pore. Raises ValueError for lengths that are not
    positive and admittances that are 0.
    """

    width: tuple[float, float]
    layers: tuple[float, ...]
    contact: tuple[float, float, float, float]
    kappa: complex
    y_gb: complex
    y_contact: complex
    y_pore: complex
    y_ce: complex

    def __post_init__(self) -> None:
        positive(L_x=self.width[0], L_y=self.width[1])
        for thickness in self.layers:
            positive(layer=thickness)
        for name in ("kappa", "y_gb", "y_contact", "y_pore", "y_ce"):
            positive(**{f"|{name}|": abs(getattr(self, name))})

    @property
    def height(self) -> float:
        """h, the sum of the layers, m."""
        return sum(self.layers)

    @property
    def boundaries(self) -> FloatArray:
        """z of the boundaries between layers, m."""
        return np.cumsum(self.layers)[:-1]

    @property
    def offsets(self) -> ComplexArray:
        """c_l of every layer: c_(l+1) = c_l + kappa zeta'(z_l)/y_gb; c_0 = 0.3 - 0.2i."""
        jumps = self.kappa * self.slope(self.boundaries) / self.y_gb
        return np.asarray(0.3 - 0.2j + np.append(0.0, np.cumsum(jumps)))

    def lateral(self, x: FloatArray, y: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
        """w(x, y) as a sum of products: [(factor of x, factor of y), ...]; the second has the Laplacian -k^2 times itself."""
        return [
            (np.ones_like(x), np.ones_like(y)),
            (0.5 * np.cos(np.pi * x / self.width[0]), np.cos(np.pi * y / self.width[1])),
        ]

    @property
    def wave_numbers(self) -> tuple[float, float]:
        """k^2 of the terms of `lateral`, 1/m2."""
        return 0.0, float((np.pi / self.width[0]) ** 2 + (np.pi / self.width[1]) ** 2)

    def profile(self, z: FloatArray, layer: int) -> ComplexArray:
        """zeta_l(z), V."""
        h = self.height
        return np.asarray(h / RATE * np.exp(RATE * np.asarray(z) / h) / h + self.offsets[layer])

    def slope(self, z: FloatArray | float) -> ComplexArray:
        """zeta'(z), V/m: the same in every layer."""
        return np.asarray(np.exp(RATE * np.asarray(z) / self.height) / self.height)

    def source(self, z: FloatArray, layer: int, term: int) -> ComplexArray:
        """f = -div(kappa grad phi) of one term of w: kappa (k^2 zeta - zeta''), A/m3."""
        curvature = RATE / self.height * self.slope(z)
        return np.asarray(self.kappa * (self.wave_numbers[term] * self.profile(z, layer) - curvature))

    def electrode(self, y: complex) -> complex:
        """q at the WE face where its admittance is y, of each term of w: y zeta - kappa zeta', A/m2."""
        return complex(y * self.profile(np.zeros(1), 0)[0] - self.kappa * self.slope(0.0))

    def counter(self) -> complex:
        """q_ce at the CE face, of each term of w: y_ce zeta + kappa zeta', A/m2."""
        h = np.array([self.height])
        return complex((self.y_ce * self.profile(h, len(self.layers) - 1) + self.kappa * self.slope(h))[0])
