"""Parameter studies: a cell and axes, a cross-checked spectrum per point, kept as they are made, and one labelled data set."""

from validation.study.plan import Study
from validation.study.run import sweep

__all__ = ["Study", "sweep"]
