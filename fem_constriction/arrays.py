"""Arrays of double precision, real and complex: what nearly every module hands to the next."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
