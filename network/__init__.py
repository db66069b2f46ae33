"""Sum over links of y (phi_a - phi_b) = 0: the voxel RC network of Eckhardt et al. (2022), as a backend."""

from typing import Final

import lazy_loader

#: The distribution this package belongs to, checked at start-up: its name is a common word.
DISTRIBUTION: Final = "fem-constriction"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ = [*__all__, "DISTRIBUTION"]
