"""|Z - Z_ref| <= u + u_ref: reference spectra that two discretisations agree on, published for other codes.

`names()` and `load(name)` give the published set, its checksums verified; `recompute(cell)` makes such a spectrum anew. The
files lie in `data/`, with a README for who compares another code with them.
"""

from validation.references.computed import Recomputed, recompute
from validation.references.published import Reference, load, names

__all__ = ["Recomputed", "Reference", "load", "names", "recompute"]
