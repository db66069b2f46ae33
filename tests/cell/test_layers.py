"""Layers of different materials, boundaries plane by plane: where they lie, what they conduct, limits that are simpler."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import direct
from scipy.constants import epsilon_0

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.problem.one_dimensional import elements, one_dimensional, physical
from fem_constriction.problem.problem import Problem
from fem_constriction.reduction.projection import reduce
from fem_constriction.solving.backends import backend_named
from fem_constriction.stack.face_model import reduce_layered

S = 2j * np.pi * np.geomspace(1e-3, 1e9, 13)
BAND = (2 * np.pi * 1e-3, 2 * np.pi * 1e9)
FRACTION = "working_electrode.contact.fraction"
LAYERS: list[dict[str, Any]] = [
    {"thickness": "5 um", "conductivity": "0.1 mS/cm", "relative_permittivity": 50},
    {"thickness": "15 um", "conductivity": "1 mS/cm", "relative_permittivity": 150},
]
PLANES: list[dict[str, Any]] = [
    {"position": "12 um", "resistance": "0.2 ohm cm^2", "capacitance": "1 uF/cm^2"},
    {"position": "9 um", "thickness": "10 nm", "conductivity": "6 uS/cm", "relative_permittivity": 150},
]


def cell(electrolyte: dict[str, Any]) -> fc.Cell:
    return fc.Cell(
        geometry={"width": 5e-5, "thickness": 2e-5},
        electrolyte=electrolyte,
        working_electrode={
            "contact": {"shape": "square", "fraction": 0.25},
            "charge_transfer": {"resistance": 1e-4, "capacitance": 8.85},
            "pore": {"capacitance": 0.0885},
        },
        counter_electrode={"charge_transfer": {"resistance": 1e-4}},
    )


def bilayer() -> fc.Cell:
    return cell({"layers": LAYERS, "grain_boundaries": {"planes": PLANES}})


def test_where_layers_and_planes_lie_and_what_they_conduct(tmp_path: Path) -> None:
    problem = Problem.of(bilayer())
    assert problem.body.ends == pytest.approx([0, 5e-6, 9e-6, 12e-6, 2e-5])
    assert problem.body.course.bulks == ("bulk", "bulk_2", "bulk_2", "bulk_2")
    assert problem.body.course.boundaries == (None, "grain_boundary", "grain_boundary_2")
    assert problem.places["bulk_2"](S) == pytest.approx(0.1 + S * 150 * epsilon_0)
    assert problem.places["grain_boundary"](S) == pytest.approx((6e-4 + S * 150 * epsilon_0) / 1e-8)
    assert problem.places["grain_boundary_2"](S) == pytest.approx(1 / 2e-5 + S * 1e-2)
    bilayer().save(tmp_path / "cell.toml")
    assert fc.Cell.load(tmp_path / "cell.toml") == bilayer()


def test_planes_that_are_alike_share_a_name_and_take_what_all_have() -> None:
    found = Problem.of(
        cell(
            {
                "conductivity": 0.046,
                "grain_boundaries": {
                    "thickness": 1e-8,
                    "conductivity": 6e-4,
                    "planes": [{"position": z} for z in (3e-6, 1e-5)] + [{"position": 1.5e-5, "conductivity": 1e-4}],
                },
            }
        )
    )
    assert found.body.course.boundaries == ("grain_boundary", "grain_boundary", "grain_boundary_2")
    assert found.body.across == pytest.approx({"bulk": 2e-5, "grain_boundary": 2.0, "grain_boundary_2": 1.0})


def test_the_circuit_has_an_arc_for_each_and_their_budget() -> None:
    circuit = physical(bilayer())
    assert [arc.name for arc in circuit.arcs][:4] == ["bulk", "bulk_2", "grain_boundary", "grain_boundary_2"]
    assert circuit["bulk"].resistance == pytest.approx(5e-6 / (0.01 * 2.5e-9))
    assert circuit["grain_boundary_2"].resistance == pytest.approx(2e-5 / 2.5e-9)
    assert elements(bilayer()).names == (
        "r_elec", "bulk", "bulk_2", "grain_boundary", "grain_boundary_2", "charge_transfer", "constriction",
    )  # fmt: skip
    assert circuit.impedance(S.imag / (2 * np.pi)) == pytest.approx(one_dimensional(bilayer(), S), rel=1e-12)


@pytest.mark.parametrize("backend", ["network", "fem"])
def test_both_routes_are_the_sparse_solution_of_the_backends_own_matrices(backend: str) -> None:
    problem, chosen = Problem.of(bilayer()), backend_named(backend)
    grid = chosen.uniform(problem, 12)
    assembly = chosen.assemble(problem, grid)
    exact = direct(assembly, problem.places, S)
    layered = chosen.layered(problem, grid)
    assert layered is not None
    face = reduce_layered(layered, problem.places, BAND, tolerance=1e-10)
    whole = reduce(assembly, problem.places, BAND, tolerance=1e-10)
    # The projection is made for 1e-10; sparse complex solutions keep some 1e-10 (as in tests of elements in series).
    assert np.max(np.abs(face.impedance(S) / exact - 1)) < 2e-9
    assert np.max(np.abs(whole.impedance(S) / exact - 1)) < 2e-9
    shares = face.shares(S)
    assert set(shares) == set(problem.places)
    assert sum(shares.values()) == pytest.approx(np.ones(S.size), abs=1e-8)
    for name, share in whole.shares(S).items():  # of the first order in what the potentials lack, 1e-5 of 1e-10
        assert shares[name] == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("backend", ["network", "fem"])
def test_at_full_contact_two_layers_are_the_circuit(backend: str) -> None:
    problem, chosen = Problem.of(bilayer().vary({FRACTION: 1.0})), backend_named(backend)
    exact = direct(chosen.assemble(problem, chosen.grid(problem, 0)), problem.places, S)
    assert exact == pytest.approx(one_dimensional(problem, S), rel=1e-9)


@pytest.mark.parametrize("backend", ["network", "fem"])
def test_equal_layers_and_even_planes_are_the_plain_stack(backend: str) -> None:
    """Four layers of one material, three planes alike: the same cell as it was always written."""
    film = {"thickness": 1e-8, "conductivity": 5.97e-4, "relative_permittivity": 150}
    plain = cell({"conductivity": 0.046, "relative_permittivity": 150, "grain_boundaries": {"layers": 4, **film}})
    alike = cell(
        {
            "layers": [{"thickness": 5e-6, "conductivity": 0.046, "relative_permittivity": 150}] * 4,
            "grain_boundaries": {"planes": [{"position": z, **film} for z in (5e-6, 1e-5, 1.5e-5)]},
        }
    )
    assert Problem.of(alike).places == Problem.of(plain).places
    assert Problem.of(alike).body.course == Problem.of(plain).body.course
    one, other = (fc.solve(each, [1.0, 1e3, 1e6], backend=backend, resolution=8) for each in (plain, alike))
    # ends of layers are sums of thicknesses: the last bit of each line may differ
    assert one.impedance == pytest.approx(other.impedance, rel=1e-9)


@pytest.mark.parametrize("backend", ["network", "fem"])
def test_an_interface_that_resists_nothing_joins_two_layers_of_one_material(backend: str) -> None:
    """Where materials touch without a boundary the potential is continuous: one layer, cut in two, is one layer."""
    one = cell({"conductivity": 0.046, "relative_permittivity": 150})
    cut = cell({"layers": [{"thickness": 1e-5, "conductivity": 0.046, "relative_permittivity": 150}] * 2})
    assert Problem.of(cut).body.course.boundaries == (None,)
    first, other = (fc.solve(each, [1.0, 1e3, 1e6], backend=backend, resolution=8) for each in (one, cut))
    assert first.impedance == pytest.approx(other.impedance, rel=1e-8)  # what both are solved for


def test_lines_lie_on_every_plane() -> None:
    for backend in ("network", "fem"):
        grid = backend_named(backend).grid(Problem.of(bilayer()), 0)
        assert [float(z[-1]) for z in grid.layers] == pytest.approx([5e-6, 9e-6, 12e-6, 2e-5])
        assert all(above[-1] == below[0] for above, below in pairwise(grid.layers))


@pytest.mark.parametrize(
    ("electrolyte", "words"),
    [
        ({"layers": LAYERS[:1]}, "together they are 5e-06 m thick"),
        ({"layers": [*LAYERS, {"thickness": 1e-6}]}, "electrolyte.layers.2.conductivity is missing"),
        ({}, "electrolyte.conductivity is missing"),
        (
            {"conductivity": 1, "grain_boundaries": {"planes": [{"position": 3e-5, "resistance": 1e-5}]}},
            "less than the thickness",
        ),
        ({"conductivity": 1, "grain_boundaries": {"planes": [{"position": 1e-5, "resistance": 1e-5}] * 2}}, "there already"),
        ({"conductivity": 1, "grain_boundaries": {"planes": [{"position": 1e-5}]}}, "planes.0.thickness is missing"),
        ({"conductivity": 1, "grain_boundaries": {"planes": [{"position": 1e-5, "resistance": 0}]}}, "leave the plane out"),
        ({"conductivity": 1, "grain_boundaries": {"planes": PLANES, "layers": 3}}, "together with planes"),
        ({"conductivity": 1, "grain_boundaries": {"layers": 3}}, "thickness is missing"),
        ({"conductivity": 1, "grain_boundaries": {"thickness": 1e-8, "conductivity": 1e-4}}, "layers is missing"),
        (
            {"conductivity": 1, "grain_boundaries": {"planes": [{"position": 1e-5, "resistance": 1e-5, "thickness": 1e-8}]}},
            "together with thickness",
        ),
    ],
)
def test_what_does_not_fit_is_one_sentence(electrolyte: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as refused:
        cell(electrolyte)
    assert words in str(refused.value)


def test_the_schema_requires_a_conductivity_or_layers() -> None:
    """What an editor checks a file by is what loads: one material, layers with their own, or neither, which is refused."""
    schema = fc.Cell.json_schema()["$defs"]["Electrolyte"]
    assert "conductivity" not in schema["required"]
    assert schema["anyOf"] == [{"required": ["conductivity"]}, {"required": ["layers"]}]
