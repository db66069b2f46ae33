"""J = U S V': which products of powers of the unknowns a spectrum determines, prod p_i^v_i to 1/s, and which it does not.

J holds d(residual/sigma)/d(log p), of the data alone, without what is known beforehand. Each right singular vector is a
combination of the unknowns; 1/s is the standard error of its logarithm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fem_constriction.arrays import Array

#: Standard error of a logarithm from which on a combination is not determined.
OPEN: Final = 0.5
#: Part of the largest exponent below which an unknown is not named in a combination.
_NAMED: Final = 0.15


@dataclass(frozen=True, kw_only=True)
class Combination:
    """A product of powers of the unknowns.

    Parameters
    ----------
    powers
        Name of an unknown -> its exponent, the largest in modulus is 1.
    error
        Standard error of the logarithm of the product.
    """

    powers: dict[str, float]
    error: float

    @property
    def determined(self) -> bool:
        """Whether the data tell it to better than half of it."""
        return self.error < OPEN

    def text(self) -> str:
        """The combination in words."""
        product = " * ".join(name if abs(p - 1) < 0.005 else f"{name}^{p:.2g}" for name, p in self.powers.items())
        return f"{product}: {f'known to {self.error:.2g}' if self.determined else 'not determined by the data'}" + (
            f" ({self.error:.1%})" if self.determined else ""
        )


def combinations(jacobian: Array, names: Sequence[str]) -> tuple[Combination, ...]:
    """Return the combinations, best known first.

    Parameters
    ----------
    jacobian
        Derivatives of residuals over sigma by log p, (m, n).
    names
        Of the unknowns, (n,).

    Returns
    -------
    tuple of Combination
        As many as unknowns.
    """
    _, sizes, vectors = np.linalg.svd(jacobian, full_matrices=False)
    found = []
    for size, vector in zip(sizes, vectors, strict=True):
        powers = vector / vector[np.argmax(np.abs(vector))]
        named = {name: float(p) for name, p in zip(names, powers, strict=True) if abs(p) >= _NAMED}
        scale = float(np.max(np.abs(vector)))  # the largest exponent is 1: the error grows with it
        found.append(Combination(powers=named, error=1 / max(float(size) * scale, 1e-300)))
    return tuple(found)
