"""One colour for one thing, in every picture and on every page: data, fit, each backend, each process, each verdict.

Okabe and Ito's palette, which colour-blind readers can tell apart, and others for what is neither backend nor process.
"""

from __future__ import annotations

from typing import Final

#: What the arc of the constriction is called; the other processes have the names of their places.
CONSTRICTION: Final = "constriction"
#: A colour and a marker of matplotlib per backend; they repeat after four.
BACKENDS: Final = (("#0072b2", "o"), ("#d55e00", "x"), ("#009e73", "^"), ("#000000", "+"))
#: A spectrum that is fitted, measured or agreed: its points and its distribution of relaxation times.
DATA: Final = ("#882255", "o")
#: The circuit that is fitted to a spectrum.
FIT: Final = "#000000"
#: What other things are compared with: the 1D-PM, tolerances, slopes.
GREY: Final = "#555555"
#: Discs that are guaranteed to hold Z.
DISCS: Final = "#7d3c98"
PROCESSES: Final = {
    "bulk": "#56b4e9",
    "grain_boundary": "#009e73",
    "charge_transfer": "#e69f00",
    "interphase": "#a6611a",
    "interphase_1": "#a6611a",
    "interphase_2": "#d9a05b",
    "interphase_3": "#6b4410",
    "counter_electrode": "#999999",
    "counter_interphase": "#c9b8a0",
    CONSTRICTION: "#cc79a7",
}
#: Arcs without a name, ascending in tau: none of them the colour of a process, whose arc it need not be (Tol's light palette).
ARCS: Final = ("#44bb99", "#eedd88", "#77aadd", "#ee8866", "#bbcc33", "#dddddd")
#: A colour and a marker of matplotlib for the verdict of a frequency.
VERDICTS: Final = {"agree": ("#009e73", "o"), "unresolved": ("#e69f00", "^"), "disagree": ("#000000", "X")}


def of_arc(name: str, number: int) -> str:
    """Return the colour of an arc: that of its process, or that of its place among the arcs."""
    return PROCESSES.get(name, ARCS[number % len(ARCS)])
