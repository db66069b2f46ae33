"""Backends with one known fault each, by name: what the suite can see, and what it must.

`WRONG[name]` is a class; its docstring says what is wrong, its `caught_by` which check must fail.
"""

from validation.conformance.wrong.assembling import ASSEMBLING
from validation.conformance.wrong.grids import GRIDS
from validation.conformance.wrong.spectra import SPECTRA, Wrong

#: Every wrong backend by the name of its class.
WRONG: dict[str, type[Wrong]] = {kind.__name__: kind for kind in (*ASSEMBLING, *GRIDS, *SPECTRA)}

__all__ = ["WRONG", "Wrong"]
