"""The finite elements are the weak form: matrices of the three-dimensional mesh, jumps, thin layers, exact quadrature."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import direct, one_dimensional
from skfem import Basis, ElementHex1, ElementHex2, FacetBasis, MeshHex

import fem_constriction as fc
from fem_constriction.fem import FiniteElements
from fem_constriction.fem.forms import bulk, sheet
from fem_constriction.fem.stacks.spaces import LineSpace, PlanarSpace, VerticalSpace
from fem_constriction.fem.stacks.two_port import two_port
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.projection import reduce
from fem_constriction.solving.one_grid import solve_grid

HEX = {1: ElementHex1, 2: ElementHex2}


@pytest.fixture(params=[1, 2])
def degree(request: pytest.FixtureRequest) -> int:
    return request.param


def hexahedra(x: np.ndarray, y: np.ndarray, z: np.ndarray, degree: int) -> tuple[MeshHex, Basis, np.ndarray]:
    """The three-dimensional mesh and its nodes in the order (z, x, y)."""
    mesh = MeshHex.init_tensor(x, y, z)
    basis = Basis(mesh, HEX[degree](), intorder=2 * degree)
    return mesh, basis, np.lexsort(np.round(basis.doflocs, 12)[[1, 0, 2]])


def test_extruded_matrices_are_those_of_the_hexahedral_mesh(degree: int) -> None:
    x, y, z = np.array([0, 0.2, 0.5, 1.0]), np.array([0, 0.6, 0.7]), np.array([0, 0.1, 0.4])
    touching = np.array([[True, False], [True, False], [False, False]])
    plane = PlanarSpace.build(x, y, touching, degree)
    line = VerticalSpace.build([z], degree)
    mesh, basis, order = hexahedra(x, y, z, degree)

    product = (np.kron(line.mass.toarray(), plane.stiffness.toarray())
               + np.kron(line.stiffness.toarray(), plane.mass.toarray()))  # fmt: skip
    volume = bulk.assemble(basis).toarray()[np.ix_(order, order)]
    assert product == pytest.approx(volume, abs=1e-13)

    def touches(centre: np.ndarray) -> np.ndarray:
        return (np.abs(centre[2]) < 1e-12) & (centre[0] < 0.5) & (centre[1] < 0.6)

    face = FacetBasis(mesh, HEX[degree](), facets=mesh.facets_satisfying(touches), intorder=2 * degree)
    contact = sheet.assemble(face).toarray()[np.ix_(order, order)]
    assert np.kron(line.row(0).toarray(), plane.contact.toarray()) == pytest.approx(contact, abs=1e-13)


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_an_element_of_a_column_is_its_two_port(degree: int) -> None:
    """c and d are those of the element's matrix with its inner nodes eliminated, and go to the continuum's with the degree."""
    line, height = LineSpace.build(np.array([0.0, 0.3]), degree), 0.3
    ends, inner = [0, degree], list(range(1, degree))
    values = np.array([0.0, 1e-9, 1.0, 50.0, 1e5])
    c, d = two_port(degree)(values, height)
    for value, even, odd in zip(values, c, d, strict=True):
        full = line.stiffness.toarray() + value * line.mass.toarray()
        left = full[np.ix_(ends, ends)]
        if inner:
            left = left - full[np.ix_(ends, inner)] @ np.linalg.solve(full[np.ix_(inner, inner)], full[np.ix_(inner, ends)])
        # The written-out matrix loses c to rounding where lambda h^2 is small: eps times its entries, some 100/h.
        assert even == pytest.approx(left[0].sum(), rel=1e-11, abs=1e-12)
        assert odd == pytest.approx(left[0, 0] - left[0, 1], rel=1e-11)
    root = np.sqrt(1.0)
    # The first neglected term of the expansion in lambda h^2 = 0.09 is below this power of it (Pade approximants of tanh).
    assert c[2] == pytest.approx(root * np.tanh(root * height / 2), rel=0.09 ** (2 * ((degree + 1) // 2) - 1))


@pytest.mark.parametrize("degree", [3, 4])
def test_higher_degrees_bound_from_below_and_converge_faster(degree: int) -> None:
    """Degree 2 has order 4; where mu exceeds k, as it does here at a Robin edge, higher degrees have more (numerics)."""
    cell = fc.Cell(
        geometry={"width": 1.0, "thickness": 1.0},
        electrolyte={"conductivity": 1.0},
        working_electrode={"contact": {"shape": "square", "fraction": 0.25}, "charge_transfer": {"resistance": 0.1}},
    )
    backend = FiniteElements(degree)
    r = [solve_grid(cell, backend, backend.grid(cell, level), None).model.resistance() for level in (0, 1, 2)]
    finer = solve_grid(cell, FiniteElements(4), FiniteElements(4).grid(cell, 3), None).model.resistance()
    assert r[0] < r[1] < r[2] < finer * (1 + 1e-9)
    assert np.log2((finer - r[0]) / (finer - r[1])) > 5


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_masses_are_exact(degree: int) -> None:
    space = LineSpace.build(np.array([0.0, 0.3, 1.0]), degree)
    polynomial = space.nodes**degree
    assert polynomial @ (space.mass @ polynomial) == pytest.approx(1 / (2 * degree + 1), rel=1e-14)
    assert polynomial @ (space.stiffness @ polynomial) == pytest.approx(degree**2 / (2 * degree - 1), rel=1e-14)


def test_a_jump_is_seen_by_its_boundary_and_by_nothing_else(degree: int) -> None:
    line = VerticalSpace.build([np.array([0, 0.1]), np.array([0.1, 0.3]), np.array([0.3, 1.0])], degree)
    potential = np.repeat([5.0, 2.0, 2.0], degree + 1)
    assert potential @ (line.jumps @ potential) == pytest.approx(9.0, rel=1e-14)
    assert np.abs(line.stiffness @ potential).max() < 1e-12


def test_every_matrix_is_symmetric_positive_semidefinite_and_applied_as_written(
    every_process: fc.Cell, ideal_contact: fc.Cell, degree: int
) -> None:
    fem = FiniteElements(degree)
    for cell in (every_process, ideal_contact):
        assembly = fem.assemble(cell, fem.uniform(cell, 4))
        columns = np.random.default_rng(0).standard_normal((assembly.unknowns, 3))
        for operator in assembly.operators.values():
            matrix = operator.tocsr().toarray()
            size = np.abs(matrix).max()
            assert matrix == pytest.approx(matrix.T, abs=1e-14 * size)
            assert np.linalg.eigvalsh(matrix).min() > -1e-13 * size
            assert operator @ columns == pytest.approx(matrix @ columns, abs=1e-12 * size)


def test_the_electrode_has_the_contact_area_and_the_pore_area_of_the_cell(small: fc.Cell, degree: int) -> None:
    fem = FiniteElements(degree)
    assembly = fem.assemble(small, fem.grid(small, 0))
    metal = np.zeros((assembly.unknowns, 1))
    metal[-1] = 1.0
    areas = [float((assembly.operators[process] @ metal)[-1, 0]) for process in ("charge_transfer", "pore")]
    assert areas == pytest.approx([small.contact_area, small.area - small.contact_area], rel=1e-12)


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_without_or_with_full_contact_it_is_the_one_dimensional_circuit(
    figure_2: fc.Cell, fraction: float, band: tuple[float, float], degree: int
) -> None:
    cell = figure_2.vary({"working_electrode.contact.fraction": fraction})
    fem = FiniteElements(degree)
    model = reduce(fem.assemble(cell, fem.grid(cell, 0)), admittances(cell), band, direct_current=fraction > 0)
    s = 2j * np.pi * np.geomspace(1e-3, 1e9, 61)
    # Linear potentials are in the space, so only rounding is left, of stiffness over mass on thin elements.
    assert model.impedance(s) == pytest.approx(one_dimensional(cell, s), rel=1e-9)


def test_boundaries_are_interface_terms_not_thin_layers(small: fc.Cell) -> None:
    """The thickness of a boundary enters through its admittance alone: ten times both changes nothing."""
    fem = FiniteElements(1)
    thick = small.vary({
        "electrolyte.grain_boundaries.thickness": "100 nm",
        "electrolyte.grain_boundaries.conductivity": "5.97 uS/cm",
        "electrolyte.grain_boundaries.relative_permittivity": 1500,
    })  # fmt: skip
    s = 2j * np.pi * np.array([1.0, 1e5])
    z = [direct(fem.assemble(cell, fem.uniform(cell, 8)), admittances(cell), s) for cell in (small, thick)]
    assert z[0] == pytest.approx(z[1], rel=1e-11)
