"""Potential and current density in space: conserved, the two backends alike, exact where theory is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import meshio
import numpy as np
import pytest
from numpy.polynomial.legendre import leggauss
from two_electrodes import SQUARE, two

import fem_constriction as fc
from fem_constriction.fem.stacks.elements import GRADINGS
from fem_constriction.fields import Fields, fields_at, solve_fields
from fem_constriction.fields.harmonic import solve_harmonic
from fem_constriction.grids.grading import Grading
from fem_constriction.processes.elements import evaluate
from fem_constriction.processes.of_cell import admittances
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.space.interpolation import Inside

BACKENDS = ["network", "fem"]
FREQUENCIES = [0.0, 1e4, 1e9]

#: Solved to 1e-12 in the energy norm, which thin elements raise by up to sqrt(L/h), below 100 here; measured 1e-15 to 1e-11.
CONSERVED = 1e-8

Point = tuple[Any, Any, Any]


@pytest.fixture(scope="module")
def cell(every_process: fc.Cell) -> fc.Cell:
    """Three layers, all processes, wider along x than along y: axes cannot be exchanged unnoticed."""
    return every_process.vary({"electrolyte.grain_boundaries.layers": 3, "geometry.width": ["60 um", "40 um"]})


@pytest.fixture(scope="module", params=BACKENDS)
def found(request: pytest.FixtureRequest, cell: fc.Cell) -> tuple[Fields, ...]:
    return fields_at(cell, FREQUENCIES, backend=request.param, level=0)


@pytest.fixture(scope="module")
def coarse(cell: fc.Cell) -> tuple[Fields, ...]:
    return fields_at(cell, FREQUENCIES, backend="fem", level=0)


def unconserved(fields: Fields) -> float:
    """Largest relative difference of the current through planes from the total, both sides of each boundary among them."""
    inside = np.random.default_rng(1).uniform(0, fields.grid.depth, 10)
    parts = [fields.through(inside)]
    for layer, (top, bottom) in enumerate(zip(fields.ends[:-1], fields.ends[1:], strict=True)):
        parts.append(fields.through([top, bottom], layer=layer))
    return float(np.abs(np.concatenate(parts) / fields.current - 1).max())


def imbalance(fields: Fields) -> float:
    """What flows out through the faces of a box in the first layer, as a part of the current; the box cuts the contact's edges.

    Sums over the middles of a fine grid: 1e-4 of quadrature is in it, the network's currents being conserved exactly.
    """
    (lx, ly, _), n = fields.cell.geometry.lengths, 40
    middles = (np.arange(n) + 0.5) / n
    (left, right), (back, front), (top, bottom) = (0.55 * lx, 0.9 * lx), (0.3 * ly, 0.6 * ly), (2e-6, 14e-6)
    x, y, z = (start + (end - start) * middles for start, end in ((left, right), (back, front), (top, bottom)))
    out = 0j
    for at, sign in ((left, -1), (right, 1)):
        out += sign * fields.current_density(at, y[:, None], z)[..., 0].mean() * (front - back) * (bottom - top)
    for at, sign in ((back, -1), (front, 1)):
        out += sign * fields.current_density(x[:, None], at, z)[..., 1].mean() * (right - left) * (bottom - top)
    for at, sign in ((top, -1), (bottom, 1)):
        out += sign * fields.current_density(x[:, None], y, at)[..., 2].mean() * (right - left) * (front - back)
    return float(abs(out / fields.current))


def test_the_current_is_that_of_the_impedance(cell: fc.Cell, found: tuple[Fields, ...]) -> None:
    """Another route: the model projected on real shifts, made for 1e-8, against a complex solution at each frequency."""
    backend = backend_named(found[0].backend)
    model = solve_grid(cell, backend, backend.grid(cell, 0), (2 * np.pi * 1e4, 2 * np.pi * 1e9)).model
    for fields in found:
        z = model.impedance(np.array([2j * np.pi * fields.frequency]))[0]
        assert abs(fields.current * z - 1) < 1e-8
        assert fields.impedance == 1 / fields.current


def test_every_plane_carries_the_same_current(found: tuple[Fields, ...]) -> None:
    for fields in found:
        assert unconserved(fields) < CONSERVED


def test_what_flows_into_a_box_flows_out_of_it(found: tuple[Fields, ...]) -> None:
    """Voxels exactly (1e-4 of quadrature), finite elements up to their discretisation error (measured 1e-3)."""
    for fields in found:
        assert imbalance(fields) < 2e-3


def drop_error(fields: Fields) -> float:
    """Largest relative difference of y_gb int [phi] dA over a boundary from the current: what both backends solve exactly."""
    y = evaluate(admittances(fields.cell), 2j * np.pi * fields.frequency)["grain_boundary"]
    rule = leggauss(2 if fields.backend == "fem" else 1)  # the network's mean is that of its nodes
    (x, of_x), (y_at, of_y) = (points(fields.whole.lines(axis), rule) for axis in (0, 1))
    errors = []
    for layer, z in enumerate(fields.ends[1:-1]):
        above, below = (fields.potential(x[:, None], y_at, z, layer=number) for number in (layer, layer + 1))
        errors.append(abs(y * (of_x @ (above - below) @ of_y) / fields.current - 1))
    return float(max(errors))


def points(lines: np.ndarray, rule: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    half = np.diff(lines)[:, None] / 2
    return ((lines[1:] + lines[:-1])[:, None] / 2 + half * rule[0]).ravel(), (half * rule[1]).ravel()


@dataclass(frozen=True)
class Fault(Inside):
    """Fields with something wrong about them."""

    right: Inside
    kind: str

    def _moved(self, layer: int, z: Any) -> tuple[int, Any]:
        if self.kind == "wrong layer" and layer == 1:
            return 0, z
        return layer, z

    def potential(self, layer: int, x: Any, y: Any, z: Any) -> Any:
        layer, z = self._moved(layer, z)
        return self.right.potential(layer, *((y, x) if self.kind == "swapped coordinates" else (x, y)), z)

    def current_density(self, layer: int, x: Any, y: Any, z: Any) -> Any:
        layer, z = self._moved(layer, z)
        j = self.right.current_density(layer, *((y, x) if self.kind == "swapped coordinates" else (x, y)), z)
        if self.kind == "swapped components":
            return j[[1, 0, 2]]
        return j[[2, 1, 0]] if self.kind == "swapped axis" else j


@pytest.mark.parametrize("kind", ["swapped axis", "wrong layer", "swapped components", "swapped coordinates"])
def test_a_fault_in_the_fields_is_caught(found: tuple[Fields, ...], kind: str) -> None:
    fields = replace(found[1], inside=Fault(found[1].inside, kind))
    assert unconserved(fields) > 1e-3 or drop_error(fields) > 1e-3 or imbalance(fields) > 0.02


def test_the_voxels_currents_are_those_of_their_links(cell: fc.Cell) -> None:
    """Reconstructed densities are conserved by construction; at voxel faces they must be y_bulk (phi_a - phi_b)/length."""
    fields = solve_fields(cell, 1e4, backend="network", level=0)
    y_bulk = evaluate(admittances(cell), 2j * np.pi * 1e4)["bulk"]
    x, y = ((lines[1:] + lines[:-1]) / 2 + middle for lines, middle in ((fields.grid.x, 30e-6), (fields.grid.y, 20e-6)))
    for layer, lines in enumerate(fields.grid.layers):
        nodes = np.concatenate([lines[:1], (lines[1:] + lines[:-1]) / 2, lines[-1:]])
        phi = fields.potential(x[:, None], y, nodes[:, None, None], layer=layer)
        j = fields.current_density(x[:, None], y, lines[:, None, None], layer=layer)
        own = y_bulk * (phi[:-1] - phi[1:]) / np.diff(nodes)[:, None, None]
        scale = np.abs(own).max()
        # As far as the solver went; pores below 1e-7 of the current are sealed, here they are not.
        assert np.abs(j[..., 2] - own).max() < 1e-8 * scale
        phi, middles = phi[1:-1], nodes[1:-1]
        faces = (x[1:] + x[:-1]) / 2 if np.ptp(np.diff(x)) == 0 else fields.grid.x[1:-1] + 30e-6
        j = fields.current_density(faces[:, None], y, middles[:, None, None], layer=layer)
        own = y_bulk * (phi[:, :-1] - phi[:, 1:]) / np.diff(x)[:, None]
        assert np.abs(j[..., 0] - own).max() < 1e-8 * scale


def test_the_drop_across_a_boundary_drives_the_current(found: tuple[Fields, ...]) -> None:
    for fields in found:
        assert drop_error(fields) < CONSERVED


def difference(one: Fields, other: Fields) -> tuple[float, float]:
    """Root mean square difference of phi on a section (V), and of J relative to J, off the edges of the contact."""
    lx, _, lz = one.cell.geometry.lengths
    x, z = np.linspace(0.02, 0.98, 31) * lx, (np.arange(40) + 0.5) / 40 * lz
    phi = one.potential(x, 23e-6, z[:, None]) - other.potential(x, 23e-6, z[:, None])
    first, second = (each.current_density(x, 23e-6, z[8:, None]) for each in (one, other))
    return float(np.sqrt(np.mean(np.abs(phi) ** 2))), float(np.linalg.norm(first - second) / np.linalg.norm(second))


def test_both_backends_have_the_same_fields_ever_more_so_on_finer_grids(cell: fc.Cell) -> None:
    levels = [[fields_at(cell, [1e3], backend=name, level=level) for name in BACKENDS] for level in (0, 1)]
    coarse, fine = ([difference(*pair) for pair in zip(*level, strict=True)] for level in levels)
    for (phi, j), (phi_fine, j_fine) in zip(coarse, fine, strict=True):
        assert phi < 4e-3  # of 1 V; measured 2e-3
        assert phi_fine < 0.4 * phi  # second order: a quarter
        assert j_fine < 0.6 * j


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("frequency", [0.0, 1e3, 1e7])
def test_a_full_contact_has_the_potential_of_the_series_circuit(cell: fc.Cell, backend: str, frequency: float) -> None:
    """phi = V - I (1/y_ct + z/kappa + n/y_gb)/A, jumps included, and J = I/A everywhere."""
    full = cell.vary({"working_electrode.contact.fraction": 1.0})
    fields = solve_fields(full, frequency, backend=backend, level=0)
    y = evaluate(admittances(full), 2j * np.pi * frequency)
    lx, ly, lz = full.geometry.lengths
    per_area = lz / y["bulk"] + 2 / y["grain_boundary"] + 1 / y["charge_transfer"] + 1 / y["counter_electrode"]
    j = 1 / per_area
    assert fields.current == pytest.approx(j * lx * ly, rel=1e-10)
    x, y_at = np.linspace(0, lx, 5)[:, None], np.linspace(0, ly, 4)
    for layer in range(3):
        for z in np.linspace(fields.ends[layer], fields.ends[layer + 1], 6):
            phi = 1 - j * (1 / y["charge_transfer"] + z / y["bulk"] + layer / y["grain_boundary"])
            assert fields.potential(x, y_at, z, layer=layer) == pytest.approx(np.full((5, 4), phi), abs=1e-9)
            density = fields.current_density(x, y_at, z, layer=layer)
            assert density[..., 2] == pytest.approx(np.full((5, 4), j), rel=1e-8)
            assert np.abs(density[..., :2]).max() < 1e-8 * abs(j)
    assert np.all(fields.lateral_spread(np.linspace(0, lz, 5)) < 1e-9)


def test_points_on_a_boundary_belong_to_the_layer_below_it(found: tuple[Fields, ...]) -> None:
    fields = found[1]
    z = float(fields.ends[1])
    above, below, plain = (fields.potential(25e-6, 20e-6, z, layer=layer) for layer in (0, 1, None))
    assert plain == below
    assert abs(above) > abs(below)
    # A rounding error of the caller's does not change sides; a nanometre does.
    assert fields.potential(25e-6, 20e-6, z * (1 - 1e-12)) == pytest.approx(below, rel=1e-9)
    assert fields.potential(25e-6, 20e-6, z - 1e-12) == pytest.approx(above, rel=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_quarter_is_unfolded_by_mirror_symmetry(cell: fc.Cell, backend: str) -> None:
    """Against the whole cell: an odd number of cells per edge has no plane of symmetry to be cut at."""
    size = 8 if backend == "fem" else 12
    quarter, whole = (solve_fields(cell, 1e3, backend=backend, resolution=n) for n in (size, size + 1))
    assert (quarter.grid.copies, whole.grid.copies) == (4, 1)
    lx, ly, _ = cell.geometry.lengths
    x, y, z = (
        np.array([3e-6, 14e-6, 26e-6])[:, None, None],
        np.array([4e-6, 9e-6, 18e-6])[:, None],
        np.array([3e-6, 21e-6, 46e-6]),
    )
    for fields, rounding in ((quarter, 1e-12), (whole, 1e-6)):
        phi, j = fields.potential(x, y, z), fields.current_density(x, y, z)
        for mirrored, signs in (((lx - x, y, z), [-1, 1, 1]), ((x, ly - y, z), [1, -1, 1]), ((lx - x, ly - y, z), [-1, -1, 1])):
            assert fields.potential(*mirrored) == pytest.approx(phi, abs=rounding)
            assert fields.current_density(*mirrored) == pytest.approx(j * signs, abs=rounding * np.abs(j).max())
    # Two grids of some 5 um: percents of the largest density.
    assert whole.potential(x, y, z) == pytest.approx(quarter.potential(x, y, z), abs=0.02)
    scale = np.abs(quarter.current_density(x, y, z)).max()
    assert whole.current_density(x, y, z) == pytest.approx(quarter.current_density(x, y, z), abs=0.1 * scale)


def test_current_spreads_outwards_below_the_contact_and_downwards(found: tuple[Fields, ...]) -> None:
    j = found[1].current_density([15e-6, 45e-6, 30e-6, 30e-6], [20e-6, 20e-6, 10e-6, 30e-6], 3e-6).real
    assert j[0, 0] < 0 < j[1, 0]
    assert j[2, 1] < 0 < j[3, 1]
    assert np.all(j[:, 2] > 0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_fields_scale_with_the_cell(cell: fc.Cell, backend: str) -> None:
    """Lengths and areal resistances times k, areal capacitances over k: the same phi, currents times k, densities over k."""
    k = 20.0
    record = cell.model_dump()
    changes: dict[str, Any] = {"geometry.width": [k * each for each in record["geometry"]["width"]]}
    changes["geometry.thickness"] = k * record["geometry"]["thickness"]
    changes["electrolyte.grain_boundaries.thickness"] = k * record["electrolyte"]["grain_boundaries"]["thickness"]
    for electrode in ("working_electrode", "counter_electrode"):
        transfer = record[electrode]["charge_transfer"]
        changes[f"{electrode}.charge_transfer.resistance"] = k * transfer["resistance"]
        changes[f"{electrode}.charge_transfer.capacitance"] = transfer["capacitance"] / k
    changes["working_electrode.pore.capacitance"] = record["working_electrode"]["pore"]["capacitance"] / k
    small, large = (solve_fields(each, 1e3, backend=backend, level=0) for each in (cell, cell.vary(changes)))
    x, y, z = 11e-6, 17e-6, np.array([1e-6, 12e-6, 40e-6])
    assert large.current == pytest.approx(k * small.current, rel=1e-10)
    assert large.potential(k * x, k * y, k * z) == pytest.approx(small.potential(x, y, z), rel=1e-9)
    assert large.current_density(k * x, k * y, k * z) == pytest.approx(small.current_density(x, y, z) / k, rel=1e-7)


def test_equipotentials_are_bent_at_low_frequency_and_flat_at_high(found: tuple[Fields, ...]) -> None:
    low, high = (fields.lateral_spread(1e-6) for fields in (found[0], found[-1]))
    assert low > 0.1 > 100 * high


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_left_of_the_constriction_decays_with_2_pi_over_l(backend: str) -> None:
    """No boundaries, an ideal counter electrode: sinh(2 pi (L - z)/L), the slowest lateral mode of a centred contact."""
    cell = fc.Cell.load(Path(__file__).parents[1] / "data" / "cells" / "homogeneous-25.toml")
    fields = solve_fields(cell, 0.0, backend=backend, resolution=24)
    depth = np.array([0.3, 0.5, 0.7])
    spread = fields.lateral_spread(50e-6 * depth)
    expected = np.sinh(2 * np.pi * (1 - depth))
    # The next mode that the middle and the corners do not share, sqrt(5) 2 pi/L, is 1e-2 of it at 0.3 L; grids add a percent.
    assert spread[:-1] / spread[1:] == pytest.approx(expected[:-1] / expected[1:], rel=0.02)


@pytest.mark.parametrize(("backend", "suffix"), [("network", "vtu"), ("fem", "xdmf")])
def test_a_written_mesh_has_the_volume_and_the_fields_of_the_cell(
    cell: fc.Cell, tmp_path: Path, backend: str, suffix: str
) -> None:
    fields = solve_fields(cell, 1e4, backend=backend, resolution=6)
    path = tmp_path / f"fields.{suffix}"
    fields.write(path)
    read = meshio.read(path)
    corners = read.points[read.cells_dict["hexahedron"]]
    edges = corners[:, [1, 3, 4]] - corners[:, [0]]
    volume = np.linalg.det(edges)
    lx, ly, lz = fields.cell.geometry.lengths
    assert volume.min() > 0
    assert volume.sum() == pytest.approx(lx * ly * lz, rel=1e-12)
    assert corners[:, 6] - corners[:, 0] == pytest.approx(edges.sum(1))
    assert read.points.min(0) == pytest.approx([0, 0, 0], abs=1e-18)
    assert read.points.max(0) == pytest.approx([lx, ly, lz])
    number = len(read.points) // 3
    z = fields.ends[1]
    on_boundary = np.flatnonzero(np.isclose(read.points[:, 2], z, rtol=1e-12))
    assert len(on_boundary) == 2 * len(np.unique(read.points[on_boundary, :2], axis=0))  # a point on either side
    some = np.random.default_rng(3).choice(number, 20)  # of the first layer
    phi = read.point_data["potential_real / V"] + 1j * read.point_data["potential_imaginary / V"]
    first = read.points[some][read.points[some, 2] <= z]
    assert phi[some][read.points[some, 2] <= z] == pytest.approx(fields.potential(*first.T, layer=0), rel=1e-12)
    assert read.point_data["potential_modulus / V"] == pytest.approx(np.abs(phi))
    assert read.point_data["potential_phase / deg"] == pytest.approx(np.degrees(np.angle(phi)))
    j = read.cell_data["current_density_real / (A/m2)"][0] + 1j * read.cell_data["current_density_imaginary / (A/m2)"][0]
    (layer,) = read.cell_data["layer"]
    assert sorted(set(layer.ravel())) == [0, 1, 2]
    for number in range(3):  # the middle of a cell has the mean of J_z over it, to the order of its size
        own = layer.ravel() == number
        assert np.sum(j[own, 2] * volume[own]) == pytest.approx(fields.current * lz / 3, rel=0.02)


def test_a_section_has_both_sides_of_every_boundary(found: tuple[Fields, ...]) -> None:
    fields = found[1]
    across = fields.section("x", 25e-6, nx=11, nz=31)
    assert across.x[[0, -1]] == pytest.approx([0, 40e-6])
    assert across.potential.shape == (len(across.z), 11)
    assert across.current_density.shape == (len(across.z), 11, 3)
    assert np.all(np.diff(across.z) >= 0)
    assert across.z[np.diff(across.z, prepend=-1) == 0] == pytest.approx(fields.ends[1:-1])
    for row, (z, layer) in enumerate(zip(across.z, across.layer, strict=True)):
        assert across.potential[row] == pytest.approx(fields.potential(25e-6, across.x, z, layer=int(layer)), rel=1e-12)
    assert across.within == pytest.approx(across.current_density[..., 1:])
    middle = fields.section(nx=5, nz=9)
    side = np.sqrt(0.25 * 60e-6 * 40e-6)
    assert middle.at == 20e-6
    assert middle.contact[0] == pytest.approx((30e-6 - side / 2, 30e-6 + side / 2))
    assert fields.section(at=1e-6, nx=5, nz=9).contact == ()


def test_the_whole_face_and_no_face_at_all_are_contacts_too(cell: fc.Cell) -> None:
    for fraction, expected in ((1.0, ((0.0, 60e-6),)), (0.0, ())):
        fields = solve_fields(cell.vary({"working_electrode.contact.fraction": fraction}), 1e4, level=0)
        contact = fields.section(nx=5, nz=9).contact
        assert np.array(contact) == pytest.approx(np.array(expected))
        assert unconserved(fields) < CONSERVED


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_ideal_contact_is_at_the_voltage_of_the_metal(ideal_contact: fc.Cell, backend: str) -> None:
    fields = solve_fields(ideal_contact, 0.0, backend=backend, level=0)
    assert fields.potential(25e-6, 25e-6, 0.0) == pytest.approx(1.0, abs=1e-15)
    assert fields.potential(25e-6, 25e-6, 50e-6) == 0  # and so is the ideal counter electrode
    assert unconserved(fields) < CONSERVED


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("frequency", [0.0, 1e4])
def test_iterations_and_a_direct_solver_find_the_same_potential(ideal_contact: fc.Cell, backend: str, frequency: float) -> None:
    chosen = backend_named(backend)
    assembly = chosen.assemble(ideal_contact, chosen.uniform(ideal_contact, 10))
    y = {name: complex(value) for name, value in evaluate(admittances(ideal_contact), 2j * np.pi * frequency).items()}
    iterated, direct = solve_harmonic(assembly, y), solve_harmonic(replace(assembly, precondition=None), y)
    assert iterated.error < 1e-11
    assert iterated.potential == pytest.approx(direct.potential, abs=1e-11)
    assert iterated.current == pytest.approx(direct.current, rel=1e-11)
    assert assembly.matrix(y)[[-1]] @ iterated.potential == pytest.approx(iterated.current, rel=1e-9)


def test_iterations_that_do_not_reach_the_solution_are_a_failure(ideal_contact: fc.Cell) -> None:
    chosen = backend_named("network")
    assembly = chosen.assemble(ideal_contact, chosen.uniform(ideal_contact, 10))
    y = {name: complex(value) for name, value in evaluate(admittances(ideal_contact), 2j * np.pi * 1e5).items()}
    with pytest.raises(fc.ComputationError, match="stopped after 3 iterations"):
        solve_harmonic(assembly, y, most_iterations=3)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda f: f.potential(61e-6, 0, 0), "x = 6.1e-05 m is not allowed: from 0 to 6e-05 m"),
        (lambda f: f.potential(0, -1e-6, 0), "y = -1e-06 m is not allowed"),
        (lambda f: f.current_density(0, 0, np.nan), "z = nan m is not allowed"),
        (lambda f: f.potential(0, 0, 1e-6, layer=2), "z = 1e-06 m is not allowed: from 3.3"),
        (lambda f: f.potential(0, 0, 1e-6, layer=3), "layer = 3 is not allowed: from 0"),
        (lambda f: f.through(51e-6), "z = 5.1e-05 m is not allowed"),
        (lambda f: f.section("z"), "plane = 'z' is not allowed"),
        (lambda f: f.section(nx=1), "nx = 1 is not allowed"),
        (lambda f: f.section(at=1.0), "y = 1.0 m is not allowed"),
        (lambda f: f.write("fields.txt"), "path = 'fields.txt' is not allowed"),
    ],
)
def test_places_outside_the_cell_are_refused(coarse: tuple[Fields, ...], wrong: Callable[[Fields], Any], says: str) -> None:
    with pytest.raises(fc.InputError, match=says):
        wrong(coarse[1])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"frequency": -1.0}, "frequency = -1.0 is not allowed"),
        ({"frequency": True}, "frequency = "),
        ({"frequency": np.inf}, "frequency = inf is not allowed"),
        ({"level": -1}, "level = -1 is not allowed"),
        ({"level": 0, "resolution": 8}, "level and resolution are not allowed together"),
        ({"resolution": 2}, "resolution = 2 is not allowed"),
        ({"backend": "nothing"}, "backend = 'nothing' is not allowed"),
    ],
)
def test_wrong_questions_are_refused(cell: fc.Cell, options: dict[str, Any], says: str) -> None:
    with pytest.raises(fc.InputError, match=says):
        solve_fields(cell, **{"frequency": 1e3, **options})


def test_direct_current_takes_a_path_and_fields_take_a_backend_that_has_them(
    cell: fc.Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(fc.InputError, match="no direct current can flow"):
        solve_fields(cell.vary({"working_electrode.contact.fraction": 0.0}), 0.0)
    backend = backend_named("network")
    assemble = backend.assemble
    monkeypatch.setattr(backend, "assemble", lambda *of: replace(assemble(*of), inside=None))
    with pytest.raises(fc.InputError, match="offers no fields"):
        solve_fields(cell, 1e3, backend=backend, level=0)


def test_a_mesh_that_cannot_be_written_is_refused(coarse: tuple[Fields, ...], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(fc.InputError, match="cannot be written"):
        coarse[1].write(tmp_path / "file" / "fields.vtu")


MATERIALS = {
    "layers": [
        {"thickness": "5 um", "conductivity": "0.1 mS/cm", "relative_permittivity": 50},
        {"thickness": "20 um", "conductivity": "1 mS/cm", "relative_permittivity": 150},
        {"thickness": "25 um", "conductivity": "0.46 mS/cm", "relative_permittivity": 150},
    ],
    "grain_boundaries": {"planes": [{"position": "25 um", "resistance": "0.2 ohm cm^2", "capacitance": "1 uF/cm^2"}]},
}
DISCS = [{"shape": "disc", "fraction": fraction} for fraction in (0.16, 0.3)]
BETWEEN = {
    "materials": two(SQUARE, None, electrolyte=MATERIALS),
    "two electrodes": two(SQUARE, {"shape": "square", "fraction": 0.16}, layers=2),
    "two electrodes, ideal": two(
        **{f"{each}_electrode.charge_transfer": None for each in ("working", "counter")}, electrolyte=MATERIALS
    ),
    "two electrodes of discs": two(*DISCS),
}


@pytest.mark.parametrize("name", BETWEEN)
def test_layers_of_materials_and_two_electrodes_have_conserved_fields(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On elements: the current of the impedance through every plane, phi continuous where materials touch, and in a planted
    fault, the conductivity of one layer in another, not conserved."""
    monkeypatch.setitem(GRADINGS, 2, Grading(exponent=4.0, steps=1))
    monkeypatch.setattr("fem_constriction.fem.prisms.prisms.FINER", 0)
    cell = BETWEEN[name]
    fields = solve_fields(cell, 1e4, backend="fem", level=0)
    assert unconserved(fields) < CONSERVED
    backend = backend_named("fem")
    z = solve_grid(cell, backend, backend.grid(cell, 0), (2 * np.pi * 1e3, 2 * np.pi * 1e5)).model.impedance(2j * np.pi * 1e4)
    assert fields.impedance == pytest.approx(complex(z), rel=1e-7)
    if len(fields.grid.layers) == 3:
        x = np.linspace(0, 50e-6, 7)
        above, below = (fields.potential(x, 20e-6, 5e-6, layer=layer) for layer in (0, 1))
        np.testing.assert_allclose(above, below, rtol=1e-12)
        inside = fields.inside
        wrong = replace(fields, inside=replace(inside, y_bulk=[inside.y_bulk[0], *inside.y_bulk[:-1]]))  # type: ignore[type-var, attr-defined]
        assert unconserved(wrong) > 0.1


def test_the_network_says_that_it_has_no_fields_of_layers() -> None:
    with pytest.raises(fc.InputError, match="it offers no fields of this cell"):
        solve_fields(BETWEEN["materials"], 1e4, backend="network", level=0)
