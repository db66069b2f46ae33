"""Sum over processes of y_p(s) a_p(phi, psi) = V_psi: the complex potential in scikit-fem, as a backend."""

from fem_constriction.fem.backend import FiniteElements

__all__ = ["FiniteElements"]
