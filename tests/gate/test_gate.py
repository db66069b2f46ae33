"""Agree, then extract: nothing comes through the gate that two independent backends do not agree on."""

from __future__ import annotations

import json
import pickle
import re
from dataclasses import replace

import numpy as np
import pytest
from paper_cells import paper_cell

import fem_constriction as fc
from fem_constriction.errors import InputError, NotAgreed
from fem_constriction.grids.grid import Grid
from fem_constriction.reduction.assembly import Assembly
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.stack.layered import Layered
from network import Network
from network.stacks import GRADING
from validation import Result, crosscheck, extract_agreed
from validation.gate.run import judge, prepare

F = np.geomspace(1e-3, 1e9, 25)


class BoundaryLeftOut(Network):
    """One grain boundary fewer than the cell has: two layers are one."""

    def assemble(self, cell: fc.Cell, grid: Grid) -> Assembly:
        merged = np.concatenate([grid.layers[0], grid.layers[1][1:]])
        return super().assemble(cell, replace(grid, layers=(merged, *grid.layers[2:])))


class ContactTooWide(Network):
    """A contact wider by one voxel of the coarsest grid on every side, at all levels."""

    def assemble(self, cell: fc.Cell, grid: Grid) -> Assembly:
        side = cell.contact_sides[0]
        wider = side + side * (1 / GRADING.steps) ** GRADING.exponent
        fraction = wider**2 / cell.area
        if fraction > 1:
            return super().assemble(cell, grid)
        wrong = cell.vary({"working_electrode.contact.fraction": fraction})
        *kind, number = re.findall(r"uniform|level|\d+", grid.name)
        return super().assemble(
            wrong, super().uniform(wrong, int(number)) if kind == ["uniform"] else super().grid(wrong, int(number))
        )


class PoreOffByOnePerCent(Network):
    """1.01 times the capacitance of the pores."""

    def assemble(self, cell: fc.Cell, grid: Grid) -> Assembly:
        found = super().assemble(cell, grid)
        if "pore" not in found.operators:
            return found
        pore = found.operators["pore"]
        operators = {**found.operators, "pore": replace(pore, geometry=1.01 * pore.geometry)}
        return replace(found, operators=operators)


class PoreOffOnTheFace(Network):
    """The same fault where a stack is solved on its WE face alone."""

    def layered(self, cell: fc.Cell, grid: Grid) -> Layered:
        found = super().layered(cell, grid)
        return replace(found, face={**found.face, "pore": 1.01 * found.face["pore"]})


FAULTS = [BoundaryLeftOut, ContactTooWide, PoreOffByOnePerCent]


@pytest.mark.parametrize("wrong", FAULTS, ids=lambda fault: fault.__name__)
def test_a_wrong_backend_is_caught_and_nothing_is_extracted(small: fc.Cell, wrong: type[Network]) -> None:
    result = crosscheck(small, F, backends=[wrong(), "fem"])
    assert result.agreement.verdict == "disagree"
    assert result.extraction is None
    with pytest.raises(NotAgreed, match="nothing is extracted: network and fem disagree"):
        _ = result.constriction


@pytest.mark.long
def test_a_wrong_backend_is_caught_on_the_cell_of_the_paper(figure_2: fc.Cell) -> None:
    """One boundary of 49 left out; every one of these faults is caught on the small cell."""
    assert crosscheck(figure_2, backends=[BoundaryLeftOut(), "fem"]).agreement.verdict == "disagree"


@pytest.fixture(scope="module")
def agreed(small: fc.Cell) -> Result:
    return crosscheck(small, F)


def test_the_built_in_backends_agree(agreed: Result) -> None:
    assert agreed.agreement.verdict == "agree"
    assert agreed.refusal is None
    size = np.abs(agreed.spectrum.impedance)
    assert np.max(agreed.agreement.difference / size) <= 1e-4  # asked; 1e-5 is what is aimed at
    (enclosure,) = agreed.agreement.enclosures
    assert enclosure.pairs == 9
    assert not enclosure.violations


def test_both_backends_extract_the_same_constriction_within_their_discretisation(agreed: Result) -> None:
    network, fem = (agreed.by_backend[name].constriction for name in ("network", "fem"))
    for key in ("R", "C", "tau"):
        a, b = getattr(network, key), getattr(fem, key)
        assert abs(a.value - b.value) <= a.discretisation + b.discretisation


@pytest.mark.long
def test_on_the_cell_of_the_paper_limits_and_constriction_are_known_as_well_as_asked(figure_2: fc.Cell) -> None:
    result = crosscheck(figure_2)
    size = np.abs(result.spectrum.impedance)
    assert result.agreement.frequency.size == 61
    assert np.max(result.agreement.difference / size) <= 1e-5  # asked: 1e-4
    for key in ("R", "C", "tau"):
        a, b = (getattr(result.by_backend[name].constriction, key) for name in ("network", "fem"))
        assert abs(a.value - b.value) <= a.discretisation + b.discretisation
        assert max(a.discretisation / a.value, b.discretisation / b.value) <= 0.005


def test_geometric_and_fitted_constriction_stand_side_by_side(agreed: Result) -> None:
    geometric = agreed.geometric
    assert geometric is not None
    assert geometric.enclosure is not None
    low, high = geometric.enclosure
    assert low <= geometric.value <= high
    assert agreed.constriction.R_geometric.value == geometric.value
    assert geometric.uncertainty <= 0.05 * geometric.value
    assert agreed.constriction.tau.value == pytest.approx(agreed.constriction.R.value * agreed.constriction.C.value, rel=1e-9)


def test_the_result_is_json_with_versions_cell_grids_verdicts_and_extraction(agreed: Result) -> None:
    found = json.loads(json.dumps(agreed.as_dict(), allow_nan=False))
    assert found["agreement"]["verdict"] == "agree"
    assert {"versions", "cell", "grids", "extraction", "geometric_constriction_resistance"} <= set(found)
    assert fc.Cell(**found["cell"]) == agreed.cell
    assert [row["level"] for row in found["grids"]["fem"]] == [0, 1, 2]


def test_extraction_takes_an_agreement_and_refuses_anything_else(agreed: Result) -> None:
    limits = {
        name: fc.Spectrum(limit.frequency, limit.impedance * factor, limit.uncertainty)
        for (name, limit), factor in zip(agreed.agreement.limits.items(), (1.0, 1.001), strict=True)
    }
    from validation import compare

    with pytest.raises(NotAgreed, match=r"nothing is extracted: .* disagree at .* of 25 frequencies, worst at .* Hz"):
        extract_agreed(agreed.cell, compare(limits, 1e-3), agreed.families, agreed.geometric)
    narrow = compare(agreed.agreement.limits, 1e-9)
    with pytest.raises(NotAgreed, match=r"unresolved at 25 of 25 frequencies, .* their uncertainties together are"):
        extract_agreed(agreed.cell, narrow, agreed.families, agreed.geometric)


def test_a_geometric_resistance_that_is_not_known_well_enough_is_refused(agreed: Result) -> None:
    assert agreed.geometric is not None
    vague = replace(agreed.geometric, uncertainty=0.06 * agreed.geometric.value)
    with pytest.raises(NotAgreed, match="the geometric constriction resistance is .* known to .* only, and 5%"):
        extract_agreed(agreed.cell, agreed.agreement, agreed.families, vague)


def test_at_full_contact_there_is_no_constriction_and_a_reason(small: fc.Cell) -> None:
    result = crosscheck(small.vary({"working_electrode.contact.fraction": 1}), F)
    assert result.refusal is None
    constriction = result.constriction
    assert constriction.R.value == 0
    assert constriction.C.value is None
    assert constriction.tau.value is None
    assert "full contact" in constriction.R.reason
    assert result.geometric is not None
    assert result.geometric.value == 0


def test_without_contact_they_agree_and_there_is_nothing_to_extract(small: fc.Cell) -> None:
    result = crosscheck(small.vary({"working_electrode.contact.fraction": 0}), F)
    assert result.agreement.verdict == "agree"
    assert result.refusal is None
    assert result.geometric is None
    assert result.constriction.R.value is None
    assert "no contact" in result.constriction.R.reason


def test_two_different_backends_are_needed() -> None:
    cell = paper_cell("homogeneous-25")
    with pytest.raises(InputError, match="name at least two different ones"):
        crosscheck(cell, F, backends=["fem", "fem"])
    with pytest.raises(InputError, match="backend = 'comsol' is not allowed: installed are fem, network"):
        crosscheck(cell, F, backends=["fem", "comsol"])


def test_without_discs_the_verdict_and_the_constriction_are_the_same(small: fc.Cell, agreed: Result) -> None:
    full, quick = agreed, crosscheck(small, F, discs=False)
    assert full.agreement.discs is not None
    assert quick.agreement.discs is None
    assert quick.agreement.verdict == full.agreement.verdict == "agree"
    assert not [note for note in quick.agreement.notes if "discs" in note]
    for family in quick.families.values():
        assert all(solution.description["route"] == "mode by mode" for solution in family.solutions)
    for name in ("R", "C", "tau"):
        found, expected = (getattr(result.constriction, name) for result in (quick, full))
        # Both routes solve the same grids, each to 1e-8 of Z; a fit makes 1e-6 of that.
        assert found.value == pytest.approx(expected.value, rel=1e-5)


@pytest.mark.parametrize("wrong", [*FAULTS, PoreOffOnTheFace], ids=lambda fault: fault.__name__)
def test_wrong_backends_are_caught_without_discs_as_well(small: fc.Cell, wrong: type[Network]) -> None:
    result = crosscheck(small, F, backends=[wrong(), "fem"], discs=False)
    assert result.agreement.verdict == "disagree"
    assert result.extraction is None


def test_a_backend_that_assembles_otherwise_is_not_solved_as_what_it_inherits(small: fc.Cell) -> None:
    wrong = PoreOffByOnePerCent()
    grid = wrong.grid(small, 0)
    band = (2 * np.pi * 1e-3, 2 * np.pi * 1e9)
    solved, right = (solve_grid(small, each, grid, band) for each in (wrong, Network()))
    assert "route" not in solved.description
    assert np.max(np.abs(solved.model.impedance(2j * np.pi * F) / right.model.impedance(2j * np.pi * F) - 1)) > 1e-4


@pytest.mark.long
def test_a_resistive_counter_electrode_at_1e12_hz_is_agreed_on_and_certified() -> None:
    """Admittances that span fourteen decades: what rounding does to bounds and models is no fault of anybody's."""
    cell = fc.Cell(
        geometry={"width": "7.075794935828832 mm", "thickness": "0.26826571872123786 mm"},
        electrolyte={"conductivity": "0.11720832382860062 S/m", "relative_permittivity": 1.0245260714350277},
        working_electrode={
            "contact": {"shape": "square", "fraction": 0.9286071492282207},
            "charge_transfer": {"resistance": "7.13454603761502e-05 ohm m^2", "capacitance": "22.873571061347317 F/m^2"},
            "pore": {"depth": "1 nm", "conductivity": "7.134930763167141e-07 S/m"},
        },
        counter_electrode={"charge_transfer": {"resistance": "2.989286960000214e-05 ohm m^2"}},
    )
    result = crosscheck(cell, np.geomspace(1e-3, 1e12, 31))
    assert result.agreement.verdict == "agree" and not result.agreement.faults
    assert result.agreement.certified
    assert all(not route.faults and not route.exempt for route in result.agreement.routes)


def test_a_cell_that_was_prepared_by_itself_is_extracted_as_in_its_cross_check(small: fc.Cell, agreed: Result) -> None:
    prepared = pickle.loads(pickle.dumps(prepare([small], agreed.agreement.frequency)))
    found = judge(small, prepared, agreed.agreement.frequency, discs=False, every_fit=False)
    assert found.refusal is None
    assert found.constriction.R.value == pytest.approx(agreed.constriction.R.value, rel=1e-6)
