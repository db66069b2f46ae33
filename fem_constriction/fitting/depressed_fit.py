"""Z = R_elec + sum of R/(1 + (i omega tau)^alpha), alpha = 1 but for arcs of constant-phase elements: the 1D-FM of such a cell.

An arc is depressed where the processes that store its energy have constant-phase elements; the fit starts from the relaxations
of the cell, where each process is known. Its C is tau/R with tau = (Q R)^(1/alpha),
the effective capacitance of Hsu and Mansfeld (2001), doi 10.5006/1.3280607, which is Brug's where no resistance lies in series.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.fitting.coordinates import Limits
from fem_constriction.fitting.model_fit import fit_model
from fem_constriction.fitting.naming import Data, Naming
from fem_constriction.fitting.notation import parse
from fem_constriction.fitting.rc_report import outside
from fem_constriction.fitting.result import Extraction
from fem_constriction.fitting.values import Element, Value
from fem_constriction.problem.one_dimensional import Elements
from fem_constriction.processes.circuits import SERIES

#: Exponent of an arc, at least.
LEAST: Final = 0.1
#: Part of every relaxation that an arc starts from at least.
FAINT: Final = 1e-9
EFFECTIVE: Final = "C of a depressed arc is tau/R, tau = (Q R)^(1/alpha): the effective capacitance of Hsu and Mansfeld"


@dataclass(frozen=True, eq=False)
class _Arcs:
    """A fitted circuit as `Naming` reads it."""

    resistance: Array
    tau: Array
    alpha: Array
    largest: float

    @classmethod
    def of(cls, elements: Mapping[str, Element], largest: float) -> _Arcs:
        """Of elements in the order of tau, R_elec first."""
        alpha = [1.0 if each.alpha is None else each.alpha.value or 1.0 for each in elements.values()]
        return cls(
            np.array([each.R.value or 0.0 for each in elements.values()]),
            np.array([0.0 if name == SERIES else each.tau.value or 0.0 for name, each in elements.items()]),
            np.array(alpha),
            largest,
        )

    @property
    def series(self) -> bool:
        """Whether R_elec is among the elements."""
        return bool(self.tau[0] == 0)


def depressed(
    data: Data, parts: Elements, naming: Naming, removed: Mapping[str, Element], least: float, geometric: Value | None
) -> Extraction:
    """Return the fit of a cell's 1D-FM in which arcs of constant-phase elements are depressed, its arcs named.

    Parameters
    ----------
    data
        What is fitted.
    parts
        The elements of the 1D-FM.
    naming
        Which arc is which.
    removed
        Elements that the cell does not have.
    least
        Ohm, of a constriction that is there whatever the circuit says.
    geometric
        R_DC(3D) - R_DC(1D-PM), passed on.

    Raises
    ------
    ComputationError
        Where no fit converges.
    """
    names = [name for name in parts.names if name != SERIES]
    kinds = ["CPE" if name in parts.depressed else "C" for name in names]
    circuit = parse("-".join(["R0"] * (SERIES in parts.names) + [f"p(R{n},{kind}{n})" for n, kind in enumerate(kinds, 1)]))
    start = {"R0": float(np.abs(data.impedance).min())} | {
        parameter: value for n, name in enumerate(names, 1) for parameter, value in _start(n, name, parts, naming).items()
    }
    bounds = {f"CPE{n}_alpha": (LEAST, 1.0) for n, kind in enumerate(kinds, 1) if kind == "CPE"}
    found = fit_model(data, circuit, Limits(bounds=bounds), start=start)
    arcs = {name: each for name, each in found.elements.items() if name == SERIES or name.startswith("arc_")}
    fitted = _Arcs.of(arcs, found.residual)
    called, held = naming.names(fitted)
    gone, why = dict(removed), next((str(each.R.reason).removeprefix("vanished: ") for each in found.removed.values()), "")
    for name in parts.names:
        if name not in called:
            gone[name] = naming.missing(name, fitted, called, held.get(name), why, least)
    made = dict(zip(called, arcs.values(), strict=True))
    stands = f"arcs are named by RC elements that stand for constant-phase elements, and are off by {naming.off:.0e} |Z|"
    return Extraction(
        arcs=made,
        removed=gone,
        residual=found.residual,
        variations=found.variations,
        left_out=found.left_out,
        notes=(*outside(data, made), EFFECTIVE, stands),
        geometric=geometric,
        margins=naming.margins(fitted),
    )


def _start(number: int, name: str, parts: Elements, naming: Naming) -> dict[str, float]:
    """Where the fit of an arc starts: the relaxations whose energy its processes store, and their constant-phase elements."""
    tau, resistance = naming.spectrum
    share = np.sum([naming.stored[process] for process in parts.processes[name]], axis=0) * resistance
    share = share + FAINT * resistance  # an arc may hold nothing of what relaxes
    total = float(np.sum(share))
    exponents = [naming.y[process].exponent for process in parts.processes[name] if naming.y[process].cpe]
    found = {f"R{number}": total, f"tau{number}": float(np.exp(np.average(np.log(tau), weights=share)))}
    return found | ({f"CPE{number}_alpha": min(exponents)} if exponents else {})
