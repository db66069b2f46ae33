"""Every claim of the paper can hold, and every one can fail: on made-up samples, nothing solved."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from claims_fakes import What, World

from fem_constriction.processes.circuits import CONSTRICTION
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY
from validation.gate.run import FREQUENCIES
from validation.paper import cells
from validation.paper.claims import REGISTRY, decide
from validation.paper.claims import extra_series as extra
from validation.paper.claims.backend_view import Context
from validation.paper.claims.base import FAILS, HOLDS, OPEN, Finding, above, at_least, at_most, every
from validation.paper.claims.measured import Measured


def arc(name: str, letter: str, change: Any, label: str = "", extended: bool | None = None) -> Any:
    """A hook that changes R or C of one arc: change(what, value)."""

    def hook(what: What, value: float) -> float:
        here = what.name == name and what.letter == letter and label in ("", what.label)
        return change(what, value) if here and extended in (None, what.extended) else value

    return hook


def times(factor: Any) -> Any:
    return lambda what, value: value * factor(what)


def r_pol(what: What) -> float:
    return cells.value_of(what.cell, cells.R_POL) * 1e4


def merged(what: What, value: Any) -> Any:
    """Charge transfer and constriction become one arc in the spectrum."""
    if what.x == 1:
        return value
    from fem_constriction.problem.one_dimensional import physical
    from validation.gate.run import FREQUENCIES

    return physical(what.cell).impedance(FREQUENCIES)


def straight(what: What, value: float) -> float:
    """R_CT A -> R_pol (1 + x) as R_pol rises."""
    return r_pol(what) * 1e-4 / what.cell.area * (1 + what.x) * (1 + what.x * (1 - what.x) / r_pol(what))


def lopsided(what: What, part: float) -> float:
    """A part that is no derivative of the whole."""
    sigma = cells.value_of(what.cell, cells.SIGMA_BULK) / cells.CONDUCTIVITY
    return part * sigma**0.1 if what.name == BULK else part


CSTR, GB, CT, CE = CONSTRICTION, GRAIN_BOUNDARY, CHARGE_TRANSFER, COUNTER_ELECTRODE

#: Claim -> a world in which it is false.
FALSE: dict[int, World] = {
    1: World(model=lambda what, z: z * (1 + 1e-8)),
    2: World(model=lambda what, z: z + 1.0 if what.x == 0 else z),
    3: World(sparse=lambda what, z: z * (1 + 1e-5 * np.sin(np.arange(z.size)))),
    4: World(sparse=lambda what, z: z * (1 + 1e-9 * what.cell.geometry.thickness / 50e-6)),
    5: World(arc=arc(CSTR, "C", times(lambda what: (what.cell.geometry.thickness and depth(what)) ** 0.1), "depth")),
    6: World(arc=arc(CSTR, "R", times(lambda what: (50e-6 / what.cell.geometry.lengths[0]) ** 2), "spots")),
    7: World(z=merged),
    8: World(arc=arc(CSTR, "R", lambda what, value: 1e5 * (1 + what.x), "2")),
    10: World(residual=lambda what, value: 4e-3),
    11: World(arc=arc(GB, "R", times(lambda what: 1.01), "2")),
    12: World(arc=arc(CT, "R", times(lambda what: 0.8 if what.x == 0.25 else 1.0), "2")),
    13: World(arc=arc(CSTR, "R", lambda what, value: 1e6 * (1 - what.x**2), "2")),
    14: World(arc=arc(CT, "C", lambda what, value: 1e-8 * (2 - what.x), "2")),
    15: World(arc=arc(CSTR, "C", lambda what, value: 0.0885 * what.cell.area * (1 - what.x), "2")),
    16: World(direct=lambda what, value: value * 1.001 if what.x == 1 else value),
    17: World(arc=arc(CT, "R", lambda what, value: value / (1 + 0.2 * (1 - what.x)), "2")),
    18: World(spread=lambda what, value: 0 * value + 0.1),
    19: World(spread=lambda what, value: value * (1 + what.frequency / 1e3) ** 2),
    20: World(share=lambda what, value: np.append(np.zeros(10), value[:-10])),
    21: World(arc=arc(CSTR, "C", times(lambda what: 1e-3), "3a")),
    22: World(arc=arc(GB, "R", times(lambda what: 1 + 0.01 * what.x), "3a")),
    23: World(arc=arc(GB, "C", times(lambda what: 1e-6), "3b")),
    24: World(arc=arc(GB, "R", lambda what, value: 1e6 * what.x, "3b")),
    25: World(arc=arc(GB, "C", lambda what, value: 1e-9 * (2 - what.x), "3b")),
    26: World(arc=arc(GB, "C", times(lambda what: 1.05), "3b")),
    27: World(arc=arc(GB, "C", times(lambda what: 1.01), "3a")),
    28: World(arc=arc(CSTR, "R", times(lambda what: 1.05), "3b")),
    29: World(arc=arc(CSTR, "C", times(lambda what: cells.value_of(what.cell, cells.SIGMA_BULK) ** 0.3), "4")),
    30: World(arc=arc(CSTR, "R", times(lambda what: cells.value_of(what.cell, cells.SIGMA_BULK)), "4")),
    31: World(part=lopsided),
    32: World(part=lambda what, part: part * 1.5 if what.name == GB else part),
    33: World(part=lopsided),
    34: World(arc=arc(CSTR, "C", times(lambda what: cells.value_of(what.cell, extra.EPS_BULK) ** 0.1), "depth")),
    35: World(arc=arc(CT, "R", times(lambda what: 1 + 2 * (1 - what.x)), "5a")),
    36: World(arc=arc(CT, "C", times(lambda what: 1.05 if what.x < 1 else 1.0), "5a")),
    37: World(arc=arc(CT, "R", times(lambda what: 1 + what.x), "5a")),
    38: World(arc=arc(CT, "R", times(lambda what: 1.5), "5b")),
    39: World(arc=arc(CSTR, "R", times(lambda what: cells.value_of(what.cell, extra.C_DL) ** 0.1), "double_layer")),
    40: World(arc=arc(CSTR, "R", lambda what, value: 1e5 / r_pol(what), "6")),
    41: World(arc=arc(CT, "C", lambda what, value: 1e-10, "6")),
    42: World(arc=arc(CT, "R", straight, "6")),
    43: World(arc=arc(CSTR, "C", times(lambda what: 1.2), "6")),
    44: World(arc=arc(CSTR, "C", lambda what, value: 8.85 * what.cell.area * (1 - what.x) ** 2, "6")),
    45: World(arc=arc(CSTR, "C", times(lambda what: 1 + 0.1 * r_pol(what)), "6")),
    46: World(arc=arc(CSTR, "C", times(lambda what: r_pol(what) ** -2.0), "6")),
    47: World(arc=arc(CT, "C", lambda what, value: 0.0885 * 1e-4 * r_pol(what) / bent(what), "6")),
    48: World(relaxation=lambda what, value: (np.append(value[0], 1.0), np.append(value[1], 1e6))),
    49: World(arc=arc(BULK, "C", times(lambda what: 1.05), "7")),
    50: World(arc=arc(CSTR, "R", times(lambda what: 1.5), "7", extended=False)),
    51: World(arc=arc(CE, "C", times(lambda what: 1.5), "7", extended=True)),
    52: World(arc=arc(CT, "C", times(lambda what: 10.0), "7", extended=True)),
    53: World(arc=arc(CT, "C", times(lambda what: 10.0), "7", extended=True)),
    54: World(residual=lambda what, value: 1e-2 if what.extended else 2e-2),
    55: World(relaxation=lambda what, value: (np.append(value[0], 1e2), np.append(value[1], 1e6))),
    56: World(direct=lambda what, value: value * (1 - 0.9 * (what.x == 0.9))),
}


def depth(what: What) -> float:
    return cells.value_of(what.cell, extra.DEPTH)


def bent(what: What) -> float:
    """R_CT of figure 6 in this world."""
    from claims_fakes import arcs

    return arcs("6", what.cell, extended=False)[CT][0]


def few(number: int, world: World) -> World:
    """Claim 7 fits every spectrum anew: two of them will do."""
    return replace(world, fractions=(0.25, 1.0)) if number == 7 else world


def test_every_claim_of_the_list_is_there() -> None:
    assert sorted(REGISTRY) == list(range(1, 57))
    # Claim 9 is about the 1D-PM alone, which no sample can falsify: see below.
    assert sorted(FALSE) == [number for number in sorted(REGISTRY) if number != 9]


@cache
def true(fractions: tuple[float, ...]) -> Context:
    """The world where all claims hold, whose samples are made once."""
    return World(fractions=fractions).context()


@pytest.mark.parametrize("number", sorted(REGISTRY))
def test_it_holds_where_the_paper_is_right(number: int) -> None:
    outcome = decide(REGISTRY[number], true(few(number, World()).fractions))
    assert outcome.verdict == HOLDS, outcome.evidence


@pytest.mark.parametrize("number", sorted(FALSE))
def test_it_fails_where_the_paper_is_wrong(number: int) -> None:
    outcome = decide(REGISTRY[number], few(number, FALSE[number]).context())
    assert outcome.verdict == FAILS, outcome.evidence
    assert all(finding.number is not None for finding in outcome.findings.values())


def test_a_physical_circuit_with_two_arcs_in_one_place_has_not_three() -> None:
    """Claim 9, on cells whose charge transfer is as fast as the bulk: R_pol C_DL = eps_b/sigma_b."""
    context = World().context()
    merged_cells = [
        replace(sample, cell=sample.cell.vary({extra.C_DL: 2.9e-4, extra.PORE: 1e-7})) for sample in context.samples("2")
    ]
    outcome = decide(REGISTRY[9], replace(context, samples=lambda _: merged_cells))
    assert outcome.verdict == FAILS, outcome.evidence


def rungs(x: float) -> tuple[float, float, float, float]:
    """R_Cstr, C_pore, R_CT, C_CT of a world of ladders."""
    return 1e5 / np.sqrt(x), 2e-10 * (1 - x), 4e4 / x, 2e-8 * x


def exchanged(what: What, value: float) -> float:
    """R and C of the arcs of those ladders, whose names change places at 9 %."""
    if what.label != "2" or what.name not in (CSTR, CT) or what.x == 1:
        return value
    squeezed, pore, under, store = rungs(what.x)
    tau = np.sort(-1 / np.roots([squeezed * under * pore * store, pore * (squeezed + under) + under * store, 1.0]))
    # Z = (R_Cstr + R_CT + s R_Cstr R_CT C_CT)/(1 + ...): what it leaves at its poles are the arcs.
    total = squeezed + under
    first = (total * tau[0] - squeezed * under * store) / (tau[0] - tau[1])
    resistance = np.array([first, total - first])
    place = int((what.name == CT) != (what.x == 0.09))
    return float(resistance[place] if what.letter == "R" else tau[place] / resistance[place])


def switched(what: What, value: Any) -> Any:
    """The pores' share of the current where R_Cstr C_pore of the ladder is what switches."""
    squeezed, pore, *_ = rungs(what.x) if what.x < 1 else (1.0, 1e-9)
    u = (2 * np.pi * FREQUENCIES * squeezed * pore) ** 2
    return (1 - what.x) * u / (1 + u)


@pytest.mark.parametrize("number", [8, 13, 20])
def test_the_ladder_is_told_beside_the_arcs_and_has_no_names_to_exchange(number: int) -> None:
    """Named arcs jump where names change places, and the claim fails; the ladder of the same fits has what was put in."""
    world = World(arc=exchanged, share=switched, fractions=(0.01, 0.04, 0.09, 0.25, 1.0))
    outcome = decide(REGISTRY[number], world.context())
    assert outcome.verdict == FAILS, outcome.evidence
    if number == 20:
        assert "of the ladder, with tau = R_Cstr C_pore: 1 at 0.01, 1 at 0.04, 1 at 0.09, " in outcome.evidence
        return
    assert "R_Cstr 1e+06 ohm at 0.01, 5e+05 ohm at 0.04, 3.333e+05 ohm at 0.09, 2e+05 ohm at 0.25" in outcome.evidence
    assert "it falls at every step" in outcome.evidence and "is convex" in outcome.evidence


@pytest.mark.parametrize("number", [8, 22, 30, 36, 40, 54, 56])
def test_what_the_backends_do_not_agree_on_decides_nothing(number: int) -> None:
    outcome = decide(REGISTRY[number], World(verdict=lambda what: "disagree").context())
    assert outcome.verdict == OPEN
    assert "do not agree" in outcome.evidence


@pytest.mark.parametrize("number", [8, 11, 22, 37])
def test_an_uncertainty_as_large_as_the_matter_decides_nothing(number: int) -> None:
    outcome = decide(REGISTRY[number], World(uncertainty=0.5).context())
    assert outcome.verdict == OPEN
    assert all(finding.number is not None for finding in outcome.findings.values())


def test_two_backends_that_contradict_each_other_decide_nothing() -> None:
    one = arc(GB, "R", lambda what, value: value * (1.05 if what.backend == "fem" and what.x == 0.25 else 1.0), "3a")
    outcome = decide(REGISTRY[22], World(arc=one).context())
    assert [finding.verdict for finding in outcome.findings.values()] == [HOLDS, FAILS]
    assert outcome.verdict == OPEN


def test_a_number_decides_by_its_uncertainty() -> None:
    assert at_most(Measured(1.0, 0.1), 1.2, "", "").verdict == HOLDS
    assert at_most(Measured(1.0, 0.3), 1.2, "", "").verdict == OPEN
    assert at_most(Measured(1.5, 0.1), 1.2, "", "").verdict == FAILS
    assert at_least(Measured(1.0), 1.0, "", "").verdict == HOLDS
    assert above(Measured(1.0), 1.0, "", "").verdict == FAILS


def test_the_gravest_of_several_findings_counts() -> None:
    findings = [Finding(verdict, number, "", verdict) for number, verdict in enumerate((HOLDS, FAILS, OPEN))]
    assert every(*findings).verdict == FAILS
    assert every(findings[0], findings[2]).number == 2
    assert every(*findings).evidence == "holds; fails; not decided"
