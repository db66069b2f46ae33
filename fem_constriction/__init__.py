"""Z(s) = V/I of a solid-state cell whose electrode touches only in spots: dynamic constriction, by two discretisations.

The shared language (cell, admittances, spectrum), the shared mechanism (assembly, projection, refinement, extraction) and the
finite elements. The voxel network is the package `network`; what compares the two is `validation`. What is public stands in
`__init__.pyi`; each name is imported when it is first used.
"""

from typing import Final

import lazy_loader

#: The version of the distribution, in one place: pyproject.toml reads it here.
__version__: Final = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
