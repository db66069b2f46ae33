"""Agree, then extract: two independent discretisations of one cell, compared in their limits.

`crosscheck(cell)` is the main job; `compare` and `enclose` are its two kinds of evidence, for anybody's spectra and families;
`prepare` and `judge` are it for many cells that differ in materials alone, `sweep(study)` for every point of a parameter study.
"""

from validation import ours as ours
from validation.convergence import Convergence, converge
from validation.discs.guaranteed import Guaranteed, guarantee
from validation.gate.agreement import Agreement, Enclosure, compare, enclose
from validation.gate.result import Result
from validation.gate.run import Prepared, crosscheck, extract_agreed, judge, prepare
from validation.study import sweep

#: The distribution this package belongs to, checked at start-up: its name is a common word.
DISTRIBUTION = "fem-constriction"

__all__ = [
    "DISTRIBUTION",
    "Agreement",
    "Convergence",
    "Enclosure",
    "Guaranteed",
    "Prepared",
    "Result",
    "compare",
    "converge",
    "crosscheck",
    "enclose",
    "extract_agreed",
    "guarantee",
    "judge",
    "prepare",
    "sweep",
]
