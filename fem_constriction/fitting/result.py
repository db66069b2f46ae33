"""What a circuit says of a spectrum: elements with their uncertainties, those that are not there, and what else to know."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np

from fem_constriction.files import jsonable
from fem_constriction.fitting.circuit_fit import Weighting
from fem_constriction.fitting.ladder import Ladder
from fem_constriction.fitting.model_fit import CAPACITANCE, CPE, INDUCTANCE
from fem_constriction.fitting.tree import Block
from fem_constriction.fitting.values import Constriction, Element, Value
from fem_constriction.held import Recorded
from fem_constriction.pictures import plane
from fem_constriction.pictures.colours import DATA
from fem_constriction.pictures.picture import Picture
from fem_constriction.processes.circuits import CONSTRICTION, SERIES, Arc, Circuit
from fem_constriction.spectra.spectrum import Spectrum

#: |Z_fit - Z|/|Z|, the largest: beyond it a process is missing; noise and drift of measured spectra stay well below.
MISFIT: Final = 0.3


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Extraction(Recorded):
    """What the circuit fitted to a spectrum says.

    Parameters
    ----------
    arcs
        Element -> its values, in the order of tau, a free R_elec first as "r_elec".
    removed
        Element that the cell does not have, that has vanished or that coincides with another -> its values with the reason.
    residual
        The largest |Z_fit - Z|/|Z| of the main fit, None if there is nothing to fit.
    weighting
        Of the main fit.
    variations
        Other weightings and windows that were tried for the model contribution.
    left_out
        Those of them that failed or lost an arc.
    notes
        What else to know.
    statistics
        Of a measured spectrum the circuit, its information criteria and the noise.
    blocks
        Parts of the circuit that are no arcs.
    ladder
        The interface of the working electrode as a ladder, of a cell that has one.
    margins
        Arc -> how much more of its energy and heat is that of the process it is named after than of any other (0: a tie, 1:
        all of both).
    refusal
        Why the spectrum does not tell the constriction that the cell has, None where it does.
    geometric
        The geometric R_Cstr, ohm, where it is known.
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
    margins: Mapping[str, float] = field(default_factory=dict)
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

    def facts(self) -> tuple[str, list[tuple[str, str]]]:
        """Return R, C and tau of every element, the misfit, and what there is not."""
        rows: list[tuple[str, str]] = []
        for name, element in self.arcs.items():
            values = [(key, getattr(element, key)) for key in ("R", "C", "tau", "alpha", "L", "Q", "sigma")]
            words = [f"{key} = {each.text()}" for key, each in values if each is not None and each.value and not each.reason]
            rows.append((name.replace("_", " "), words[0] if words else "none"))
            rows += [("", word) for word in words[1:]]
        rows += [(name.replace("_", " "), element.R.text()) for name, element in self.removed.items()]
        rows.append(("largest misfit", "nothing was fitted" if self.residual is None else f"{self.residual:.1e} |Z|"))
        rows += [("note", note) for note in (*self.notes, *([self.refusal] if self.refusal else []))]
        return "Fit of a circuit", rows

    def picture(self, spectrum: Spectrum | None = None) -> Picture:
        """Return the arcs and the circuit in the impedance plane.

        Parameters
        ----------
        spectrum
            What it was fitted to, to be drawn as points.

        Returns
        -------
        Picture
            The plane.
        """
        if spectrum is not None:
            return plane.impedance_plane({"Z": spectrum}, self, looks=(DATA,))
        circuit = self.circuit()
        times = [arc.tau for arc in circuit.arcs if 0 < arc.tau < math.inf] or [1.0]
        frequency = np.geomspace(min(1 / max(times), 1e100) / 100, 100 / min(times), 121) / (2 * np.pi)
        return plane.impedance_plane({"fitted circuit": Spectrum(frequency, circuit.impedance(frequency))}, self, looks=(DATA,))

    def plot(self, ax: Any = None, *, spectrum: Spectrum | None = None) -> Any:
        """Draw the fit in the impedance plane, and return the axes.

        Parameters
        ----------
        ax
            Axes of matplotlib; left out: those of a new figure.
        spectrum
            What it was fitted to, to be drawn as points.

        Returns
        -------
        matplotlib.axes.Axes
            Those that it was drawn on.
        """
        from fem_constriction.pictures.printed import draw

        return draw(self.picture(spectrum), ax)

    def to_pandas(self) -> Any:
        """Return a table with a row for each quantity of each element.

        Returns
        -------
        pandas.DataFrame
            value, unit, discretisation, model, nominal and uncertainty over (element, quantity).
        """
        import pandas as pd

        every = {
            (name, key): {**asdict(each), "uncertainty": each.uncertainty}
            for name, element in {**self.arcs, **self.removed}.items()
            for key in ("R", "C", "tau", "alpha", "L", "Q", "sigma")
            if (each := getattr(element, key)) is not None
        }
        index = pd.MultiIndex.from_tuples(every, names=["element", "quantity"])
        columns = ["value", "unit", "discretisation", "model", "nominal", "uncertainty", "reason"]
        return pd.DataFrame(list(every.values()), index=index, columns=columns)

    def to_xarray(self) -> Any:
        """Return the same as a labelled data set.

        Returns
        -------
        xarray.Dataset
            value, discretisation, model, nominal and uncertainty over element and quantity, in SI; what is not there is NaN.
        """
        numbers = self.to_pandas().drop(columns=["unit", "reason"]).astype(float)
        return numbers.to_xarray()

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
