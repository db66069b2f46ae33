"""Agree, then extract: two independent discretisations of one cell, compared in their limits.

`crosscheck(cell)` is the main job; `compare` and `enclose` are its two kinds of evidence, for anybody's spectra and families;
`prepare` and `judge` are it for many cells that differ in materials alone, `sweep(study)` for every point of a parameter study.
What is public stands in `__init__.pyi`; each name is imported when it is first used.
"""

from typing import Final

import lazy_loader

from validation import ours as ours

#: The distribution this package belongs to, checked at start-up: its name is a common word.
DISTRIBUTION: Final = "fem-constriction"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ = [*__all__, "DISTRIBUTION"]
