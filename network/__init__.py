"""Sum over links of y (phi_a - phi_b) = 0: the voxel RC network of Eckhardt et al. (2022), as a backend."""

from network.backend import Network

#: The distribution this package belongs to, checked at start-up: its name is a common word.
DISTRIBUTION = "fem-constriction"

__all__ = ["DISTRIBUTION", "Network"]
