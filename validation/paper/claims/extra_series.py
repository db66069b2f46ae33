"""Series that the claims need beside the figures: the same cells with one more value varied, judged and fitted like them.

depth: figure 3 (a) at 25 % contact, its pores deeper and shallower, its permittivities varied. homogeneous: figure 3's cells
without boundaries. spots: a square of side L/n of one of these, which by mirror symmetry is one of n x n spots.
double_layer: figure 5 (a) at 25 % contact, C_DL varied, and pores that hold as much as the double layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from numpy.typing import ArrayLike

from fem_constriction.cell.cell import Cell
from validation.gate import run as gate
from validation.gate.run import FREQUENCIES
from validation.paper import cells
from validation.paper.claims.measured import Undecided
from validation.paper.sample import Sample
from validation.paper.series import Watch
from validation.study.plan import Study
from validation.study.points import TOLERANCE, Settings
from validation.study.run import run
from validation.study.work import Record, Spectra

DEPTH: Final = "working_electrode.pore.depth"
PORE: Final = "working_electrode.pore.capacitance"
EPS_BULK: Final = "electrolyte.relative_permittivity"
EPS_BOUNDARY: Final = "electrolyte.grain_boundaries.relative_permittivity"
C_DL: Final = "working_electrode.charge_transfer.capacitance"
C_DL_COUNTER: Final = "counter_electrode.charge_transfer.capacitance"
WIDTH: Final = "geometry.width"

FRACTION: Final = 0.25
#: Fractions that the full and the quick series of figure 3 both have.
FRACTIONS: Final = (0.04, 0.25, 0.78)
NAMES: Final = ("depth", "homogeneous", "spots", "double_layer")


def study(name: str, frequencies: ArrayLike | None = None) -> Study:
    """Return one of the further series as a study; KeyError for a name that is none."""
    base, rows = {"depth": _depth, "homogeneous": _homogeneous, "spots": _spots, "double_layer": _double_layer}[name]()
    return Study(
        title=f"Claims: {name}",
        cell=base.vary({"title": ""}),
        mode="zip",
        frequencies=FREQUENCIES if frequencies is None else frequencies,
        axes={key: [row[key] for row in rows] for key in rows[0]},
    )


Rows = Sequence[Mapping[str, Any]]


def _depth() -> tuple[Cell, Rows]:
    """Depths of 0.5 to 4 nm at eps_r = 100, which is figure 3 (a) at 1 nm; permittivities that keep the order of the tau."""
    base = cells.cell("3a", FRACTION).vary({PORE: None, DEPTH: 1e-9, "working_electrode.pore.relative_permittivity": 100})
    usual: dict[str, float] = {DEPTH: 1e-9, EPS_BULK: 150.0, EPS_BOUNDARY: 150.0}
    depths = [{**usual, DEPTH: depth} for depth in (1e-9, 0.5e-9, 2e-9, 4e-9)]
    # tau_bulk < tau_GB/5 and tau_GB < tau_Cstr/10 with all of these.
    bulk = [{**usual, EPS_BULK: eps} for eps in (15.0, 300.0)]
    boundary = [{**usual, EPS_BOUNDARY: eps} for eps in (100.0, 450.0)]
    return base, [*depths, *bulk, *boundary]


def _homogeneous() -> tuple[Cell, Rows]:
    """Figure 3 (b) without boundaries, the pores of (a) as well, and half and twice the conductivity."""
    base = cells.cell("3b", FRACTION).vary({"electrolyte.grain_boundaries": None})
    rows = [
        {cells.FRACTION: fraction, PORE: cells.TABLE[label].pore, cells.SIGMA_BULK: factor * cells.CONDUCTIVITY}
        for fraction in FRACTIONS
        for label in ("3a", "3b")
        for factor in (1.0, 0.5, 2.0)
        if factor == 1.0 or label == "3a"
    ]
    return base, rows


def _spots() -> tuple[Cell, Rows]:
    """Figure 3 (a) without boundaries at 25 % contact: n x n spots are n^2 cells of width L/n side by side."""
    base = cells.cell("3a", FRACTION).vary({"electrolyte.grain_boundaries": None})
    return base, [{WIDTH: base.geometry.lengths[0] / n} for n in (1, 2, 3)]


def _double_layer() -> tuple[Cell, Rows]:
    """Figure 5 (a) with less C_DL, which keeps tau_CT < tau_Cstr, and with C_pore = C_DL."""
    base = cells.cell("5a", FRACTION)
    row = cells.TABLE["5a"]
    usual = {C_DL: row.double_layer, C_DL_COUNTER: row.double_layer, PORE: row.pore}
    smaller = [
        {**usual, C_DL: factor * row.double_layer, C_DL_COUNTER: factor * row.double_layer} for factor in (0.3, 0.1, 0.03)
    ]
    return base, [usual, *smaller, {**usual, PORE: row.double_layer}]


@dataclass(frozen=True)
class Judged(Spectra):
    """The cross-check of each cell, with every circuit fitted, whatever series it is of."""

    series: str

    def group(self, cell: Cell, settings: Settings) -> str | None:
        """Return None: every cell by itself, see `work.Fitted`."""
        return None

    def evaluate(self, cell: Cell, settings: Settings, prepared: Any) -> Record:
        """Cross-check the cell, without discs."""
        tolerance = settings.tolerance or TOLERANCE
        result = gate.crosscheck(cell, settings.frequencies, backends=settings.backends, tolerance=tolerance, discs=False)
        return Sample.of_result(result, self.series, {}).as_record(result)


def samples(
    folder: Path, name: str, watch: Watch, *, workers: int | None = None, frequencies: ArrayLike | None = None
) -> tuple[Sample, ...]:
    """Return the samples of a further series, computed as far as they are missing; Undecided if one of them failed."""
    asked = study(name, frequencies)
    with watch(asked) as told:
        records = run(asked, folder / f"claims-{name}", workers=workers, progress=told, work=Judged(name))
    for record in records:
        if not record.done:
            raise Undecided(f"a cell of the series {name} failed: {record.reason}")
    return tuple(
        Sample.of_record(record, name, point.cell, {key: float(value) for key, value in point.values.items()})
        for point, record in zip(asked.points, records, strict=True)
    )


Series = Callable[[str], Sequence[Sample]]
