"""Sum over processes of y_p(s) a_p(phi, psi) = V_psi: the complex potential in scikit-fem, as a backend."""

from fem_constriction.fem.backend import FiniteElements
from fem_constriction.fem.prisms.bounds import Enclosed, enclose
from fem_constriction.fem.prisms.equilibrated import MixedElements
from fem_constriction.fem.prisms.prisms import Prisms

__all__ = ["Enclosed", "FiniteElements", "MixedElements", "Prisms", "enclose"]
