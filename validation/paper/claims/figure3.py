"""The order of tau_Cstr and tau_GB decides who changes whom: claims 21 to 28, on the two cases of figure 3."""

from __future__ import annotations

from itertools import pairwise

from fem_constriction.processes.circuits import CONSTRICTION
from fem_constriction.processes.names import BULK, GRAIN_BOUNDARY
from fem_constriction.processes.of_cell import admittances
from validation.paper.claims.backend_view import SeenCell, Side
from validation.paper.claims.base import Finding, above, at_most, claim, every, worst
from validation.paper.claims.extra_series import PORE
from validation.paper.claims.measured import Measured, Undecided
from validation.paper.claims.shapes import off, percent, ratio, smallest_fall, smallest_rise, spread

SPREAD = 0.5
PRESERVED_A = 0.3
#: From this fraction on, tau_GB of case (b) is within this many %.
PRESERVED_B = ((0.2, 2.0), (0.04, 7.0))
SAME = 2.0


def _order(side: Side, figure: str, names: tuple[str, str, str]) -> Finding:
    """Smallest tau_(i+1)/tau_i over x."""
    findings = []
    for row in side.rows(figure, few=2):
        for first, second in pairwise(names):
            step = ratio(row.tau(second), row.tau(first))
            text = f"smallest ratio, tau of {second.replace('_', ' ')} over {first.replace('_', ' ')}, at x = {row.x:g}"
            findings.append(above(step, 1.0, "", text))
    return worst(findings, lambda each: -(each.number or 0.0))


@claim(
    21,
    "3a",
    "Constriction slower than boundaries",
    statement="(a) tau_bulk < tau_GB < tau_Cstr for all x.",
    tolerance="strict",
    reason="Ratios of fitted time constants above 1 beyond their uncertainty.",
    needs=("3a",),
)
def order_a(side: Side) -> Finding:
    """Smallest ratio of successive time constants in case (a)."""
    return _order(side, "3a", (BULK, GRAIN_BOUNDARY, CONSTRICTION))


@claim(
    22,
    "3a",
    "Boundaries do not see a slower constriction",
    statement="(a) R_GB and C_GB do not depend on x.",
    tolerance=f"spread at most {SPREAD:g} %",
    reason="From an independent computation of the limit.",
    needs=("3a",),
)
def boundaries_a(side: Side) -> Finding:
    """(max - min)/mean of R_GB and of C_GB over x, in %."""
    rows = side.rows("3a", full=True, few=3)
    return worst(
        at_most(percent(spread([row.value(GRAIN_BOUNDARY, letter) for row in rows])), SPREAD, "%", f"spread of {letter}_GB")
        for letter in "RC"
    )


@claim(
    23,
    "3b",
    "Constriction faster than boundaries",
    statement="(b) tau_bulk < tau_Cstr < tau_GB.",
    tolerance="strict",
    reason="As claim 21.",
    needs=("3b",),
)
def order_b(side: Side) -> Finding:
    """Smallest ratio of successive time constants in case (b)."""
    return _order(side, "3b", (BULK, CONSTRICTION, GRAIN_BOUNDARY))


@claim(
    24,
    "3b",
    "R_GB rises as x falls",
    statement="(b) R_GB rises as x falls.",
    tolerance="0",
    reason="Every step beyond the uncertainty of its ends.",
    needs=("3b",),
)
def resistance_b(side: Side) -> Finding:
    """Smallest relative step of R_GB between neighbouring fractions, in %."""
    rows = side.rows("3b", full=True, few=3)
    step = percent(smallest_fall([row.R(GRAIN_BOUNDARY) for row in rows]))
    return above(step, 0.0, "%", _range("R_GB", [row.R(GRAIN_BOUNDARY) for row in rows], "ohm"))


@claim(
    25,
    "3b",
    "C_GB falls as x falls",
    statement="(b) C_GB falls as x falls.",
    tolerance="0",
    reason="Every step beyond the uncertainty of its ends.",
    needs=("3b",),
)
def capacitance_b(side: Side) -> Finding:
    """Smallest relative step of C_GB between neighbouring fractions, in %."""
    rows = side.rows("3b", full=True, few=3)
    step = percent(smallest_rise([row.C(GRAIN_BOUNDARY) for row in rows]))
    return above(step, 0.0, "%", _range("C_GB", [row.C(GRAIN_BOUNDARY) for row in rows], "F"))


def _range(name: str, values: list[Measured], unit: str) -> str:
    return f"smallest step between neighbours; {name} from {values[0].value:.4g} to {values[-1].value:.4g} {unit} as x rises"


def _off_input(row: SeenCell) -> Measured:
    """|tau_GB - eps_GB/sigma_GB| over the latter, in %."""
    return percent(off(row.tau(GRAIN_BOUNDARY), admittances(row.cell)[GRAIN_BOUNDARY].relaxation_time))


@claim(
    26,
    "3",
    "tau_GB is almost preserved",
    statement="tau_GB equals eps_GB/sigma_GB, almost, in both cases.",
    tolerance=f"(a) {PRESERVED_A:g} %; (b) 2 % for x >= 0.2, 7 % for x >= 0.04",
    reason="From an independent computation of the limit. Below 4 % the paper's word 'almost' gives no number.",
    needs=("3a", "3b"),
)
def preserved(side: Side) -> Finding:
    """Largest deviation of tau_GB from the input over x, as a part of what it may be."""
    findings = []
    for row in side.rows("3a", few=2):
        findings.append((_off_input(row), PRESERVED_A, f"(a) at x = {row.x:g}"))
    for row in side.rows("3b", few=2, least=PRESERVED_B[-1][0]):
        limit = next(limit for least, limit in PRESERVED_B if row.x >= least)
        findings.append((_off_input(row), limit, f"(b) at x = {row.x:g}"))
    found = [
        (at_most(away, limit, "%", f"{where}, allowed {limit:g} %"), away.value / limit) for away, limit, where in findings
    ]
    gravest = worst(finding for finding, _ in found).verdict
    return max((each for each in found if each[0].verdict == gravest), key=lambda each: each[1])[0]


@claim(
    27,
    "3",
    "Only the faster constriction shifts tau_GB",
    statement="tau_GB deviates slightly in case (b) only.",
    tolerance=f"more than {PRESERVED_A:g} % in (b), and ten times as much as in (a)",
    reason="What claim 26 allows in (a); an order of magnitude tells 'only' from 'more'.",
    needs=("3a", "3b"),
)
def deviation(side: Side) -> Finding:
    """Largest deviation of tau_GB in (b), and that less ten times the largest in (a), in %."""
    a, b = (max(_off_input(row) for row in side.rows(figure, few=2)) for figure in ("3a", "3b"))
    text = f"largest deviation of tau_GB: {b.value:.3g} % in (b), {a.value:.3g} % in (a)"
    excess = Measured(b.value - 10 * a.value, b.uncertainty + 10 * a.uncertainty)
    return every(above(b, PRESERVED_A, "%", text), above(excess, 0.0, "%", f"less ten times the latter {excess.value:.3g} %"))


@claim(
    28,
    "3",
    "Who influences whom",
    statement="Constriction is influenced by faster processes only: R_Cstr in (b) is that without boundaries, in (a) larger.",
    tolerance=f"(b) {SAME:g} %",
    reason="In (b) the boundaries are short-circuited where the pores switch, up to tau_Cstr/tau_GB, about 1 %.",
    needs=("3a", "3b"),
)
def influence(side: Side) -> Finding:
    """R_Cstr of (b) and of (a) over that without boundaries, at the fractions that all series have."""
    findings = []
    for figure in ("3a", "3b"):
        plain = {row.x: row for row in side.rows("homogeneous") if _alike(row, figure)}
        both = [(row, plain[row.x]) for row in side.rows(figure) if row.x in plain]
        if not both:
            raise Undecided(f"no fraction of figure {figure} is among those without boundaries")
        for row, other in both:
            found = ratio(row.R(), other.R())
            text = f"({figure[-1]}) at x = {row.x:g}: R_Cstr is {found.value:.4f} times that without boundaries"
            if figure == "3b":
                findings.append(at_most(percent(off(found, 1.0)), SAME, "%", text))
            else:
                findings.append(above(percent(Measured(found.value - 1, found.uncertainty)), SAME, "%", text))
    same = worst(each for each in findings if each.evidence.startswith("(b)"))
    larger = worst((each for each in findings if each.evidence.startswith("(a)")), lambda each: -(each.number or 0.0))
    return every(same, larger)


def _alike(row: SeenCell, figure: str) -> bool:
    """Whether a cell without boundaries has the pores and the bulk of a case."""
    from validation.paper import cells

    usual = row.setting(cells.SIGMA_BULK) == cells.CONDUCTIVITY
    return usual and abs(row.setting(PORE) / cells.TABLE[figure].pore - 1) < 1e-9
