"""Cell -> record of its sample: the work that a study of a figure does at its points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fem_constriction.cell.cell import Cell
from validation.gate import run as gate
from validation.paper.cells import identify
from validation.paper.sample import Sample
from validation.study.points import TOLERANCE, Settings
from validation.study.work import Record, Spectra


@dataclass(frozen=True)
class Fitted(Spectra):
    """The cross-check of each cell of a figure, with every circuit fitted to what each backend says and to both together."""

    figure: str

    def group(self, cell: Cell, settings: Settings) -> str | None:
        """Return None: a stack solved mode by mode on its WE face costs less by itself than its part of a shared basis."""
        return None

    def evaluate(self, cell: Cell, settings: Settings, prepared: Any) -> Record:
        """Cross-check the cell, guaranteed discs included: a figure shows the limits, which have to lie in them."""
        label, varied = identify(self.figure, cell)
        tolerance = settings.tolerance or TOLERANCE
        result = gate.crosscheck(cell, settings.frequencies, backends=settings.backends, tolerance=tolerance)
        return Sample.of_result(result, label, varied).as_record(result)
