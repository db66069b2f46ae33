from .convergence import Convergence, converge
from .discs.guaranteed import Guaranteed, guarantee
from .gate.agreement import Agreement, Enclosure, compare, enclose
from .gate.result import Result
from .gate.run import Prepared, crosscheck, extract_agreed, judge, prepare
from .study import sweep

DISTRIBUTION: str

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
