"""What a circuit says of a spectrum: elements with their uncertainties, those that are not there, and what else to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from fem_constriction.files import jsonable
from fem_constriction.fitting.ladder import Ladder
from fem_constriction.fitting.model_fit import CAPACITANCE, CPE, INDUCTANCE
from fem_constriction.fitting.rc_fit import Weighting
from fem_constriction.fitting.tree import Block
from fem_constriction.fitting.values import Constriction, Element, Value
from fem_constriction.processes.circuits import CONSTRICTION, SERIES, Arc, Circuit

#: |Z_fit - Z|/|Z|, the largest: beyond it a process is missing; noise and drift of measured spectra stay well below.
MISFIT: Final = 0.3


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """What the circuit fitted to a spectrum says.

    arcs: element -> its values, in the order of tau, a free R_elec first as "r_elec"; removed: element that the cell
    does not have, that has vanished or that coincides with another -> its values with the reason; residual: the largest
    |Z_fit - Z|/|Z| of the main fit, None if there is nothing to fit; variations: other weightings and windows tried for
    the model contribution; left_out: those of them that failed or lost an arc; notes: what else to know; statistics: of a
    measured spectrum the circuit, its information criteria and the noise; blocks: parts of the circuit that are no arcs;
    ladder: the two arcs of the interface of the working electrode as a ladder, of a cell that has both; refusal: why
    the spectrum does not tell the constriction that the cell has, None where it does.
    """

    arcs: Mapping[str, Element]
    removed: Mapping[str, Element]
    residual: float | None
    weighting: Weighting = "modulus"
    variations: int = 0
    left_out: int = 0
    notes: tuple[str, ...] = ()
    statistics: Mapping[str, Any] = field(default_factory=dict)
    blocks: tuple[Block, ...] = field(default=(), repr=False)
    ladder: Ladder | None = None
    refusal: str | None = None
    geometric: Value | None = field(default=None, repr=False)

    @property
    def constriction(self) -> Constriction | None:
        """The constriction, fitted or with the reason why there is none; None for a spectrum without a cell.

        A value that its uncertainty reaches is none here, with the reason; `arcs` has it all the same.
        """
        found = self.arcs.get(CONSTRICTION) or self.removed.get(CONSTRICTION)
        if found is None:
            return None
        r, c, tau = (each.headline() for each in (found.R, found.C, found.tau))
        return Constriction(R=r, C=c, tau=tau, R_geometric=self.geometric)

    @property
    def fits(self) -> bool:
        """Whether the circuit describes the data: nowhere farther than 30 % of |Z| off, and not above a known noise."""
        return (self.residual is None or self.residual <= MISFIT) and not self.statistics.get("above_noise", False)

    def circuit(self) -> Circuit:
        """The fitted circuit, for plotting."""
        arcs: list[Arc] = []
        rest: dict[str, Any] = {}
        for name, arc in self.arcs.items():
            r, c = arc.R.value or 0.0, arc.C.value or 0.0
            if name == CPE and arc.Q is not None and arc.alpha is not None:
                rest["cpe"] = (arc.Q.value or 0.0, arc.alpha.value or 1.0)
            elif name in (SERIES, INDUCTANCE, CAPACITANCE):
                rest |= {SERIES: {"r_elec": r}, CAPACITANCE: {"capacitance": c}}.get(name, {})
                rest |= {} if arc.L is None else {"inductance": arc.L.value or 0.0}
            elif not any(name in block.labels for block in self.blocks):
                alpha = 1.0 if arc.alpha is None else arc.alpha.value or 1.0
                arcs.append(Arc(name=name, resistance=r, capacitance=c, alpha=alpha))
        return Circuit(arcs=tuple(arcs), blocks=self.blocks, **rest)

    def as_dict(self) -> dict[str, Any]:
        """Everything, as JSON can hold it; the constriction once more by itself, infinite numbers as null."""
        constriction = self.constriction
        plain = {key: value for key, value in asdict(replace(self, blocks=())).items() if key not in ("geometric", "blocks")}
        plain["constriction"] = None if constriction is None else asdict(constriction)
        return dict(jsonable(plain))
