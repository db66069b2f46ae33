"""Meshes come from files that name their regions, fit their cell, and are refused in one sentence where they do not."""

from __future__ import annotations

import hashlib
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import meshio
import numpy as np
import pytest
from mesh_files import (
    BOUNDARY,
    LENGTHS,
    NUMBERS,
    WRITERS,
    Named,
    digest_of,
    mesh_cell,
    meshio_of,
    small,
    write_gmsh22,
    write_vtu,
)

import fem_constriction as fc
from fem_constriction.cell.description import measure_of
from fem_constriction.cell.meshfile import read_mesh
from fem_constriction.errors import InputError
from fem_constriction.geometry.facets import Facets, affine, areas, volumes

REGIONS = ("electrolyte", "contact", "pore", "counter_electrode")
REAL = Path(__file__).parents[1] / "data" / "meshes"
TEXT = """
[geometry]
width = ["6 um", "4 um"]
thickness = "5 um"

[electrolyte]
conductivity = "0.46 mS/cm"

[working_electrode.contact]
shape = "mesh"

[mesh]
file = "meshes/gmsh22.msh"
unit = "um"

[mesh.regions]
grain_boundaries = ["grain_boundaries"]
"""


@pytest.fixture(params=["tetra", "hexahedron"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("write", WRITERS)
def test_regions_are_found_however_programs_name_them(write: Callable[..., dict], kind: str, tmp_path: Path) -> None:
    mesh = small(kind)
    cell = mesh_cell(write(mesh, tmp_path) | {"boundary": BOUNDARY}, LENGTHS)
    found, measure = read_mesh(cell.mesh), measure_of(cell)
    assert found.cells.shape == mesh.cells.shape
    assert {name: len(faces) for name, faces in found.faces.items()} == {name: len(f) for name, f in mesh.faces.items()}
    # Areas and volume of the box in m2 and m3, to the rounding of sums.
    assert measure.contact == pytest.approx(8e-12, rel=1e-12)
    assert measure.electrode == pytest.approx(24e-12, rel=1e-12)
    assert measure.counter_electrode == pytest.approx(24e-12, rel=1e-12)
    assert measure.boundaries == pytest.approx(24e-12, rel=1e-12)
    assert measure.walls == pytest.approx(100e-12, rel=1e-12)
    assert measure.volume == pytest.approx(120e-18, rel=1e-12)
    assert measure.crossings == pytest.approx(1, rel=1e-12)
    assert measure.sides == pytest.approx((2e-6, 4e-6), rel=1e-12)
    assert cell.contact_fraction == pytest.approx(1 / 3, rel=1e-12)
    assert measure.sha256 == digest_of(Path(cell.mesh.file), *tmp_path.glob("*.h5"))


@pytest.mark.parametrize("version", ["2.2", "4.1"])
def test_what_gmsh_wrote_is_read(version: str) -> None:
    """A disc as contact and a tilted boundary, meshed by Gmsh 4.15; 2.2 is text, 4.1 binary."""
    cell = mesh_cell({"file": str(REAL / f"disc-{version}.msh"), "boundary": BOUNDARY}, (50, 50, 50))
    measure = measure_of(cell)
    # The polygon that stands for the disc is inscribed: smaller, by the 8 sides at least that it has here.
    assert 0.9 < measure.contact / (np.pi * 12.5e-6**2) < 1
    assert measure.electrode == pytest.approx(cell.geometry.lengths[0] ** 2, rel=1e-9)
    slope = 14 / 70  # of the plane that the boundary lies in, so that it is larger than the face by 1/n_z
    assert measure.boundaries / measure.electrode == pytest.approx(np.hypot(1, slope), rel=1e-9)
    assert measure.crossings == pytest.approx(1 / np.hypot(1, slope), rel=1e-9)


def test_second_order_cells_are_taken_where_they_are_straight(tmp_path: Path) -> None:
    mesh = small("tetra", middle=False)
    edges = [(0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)]
    middles = np.array([mesh.points[mesh.cells[:, pair]].mean(1) for pair in edges])
    points = np.concatenate([mesh.points, middles.reshape(-1, 3)])
    added = len(mesh.points) + np.arange(6)[:, None] * len(mesh.cells) + np.arange(len(mesh.cells))
    plain = meshio_of(mesh)
    blocks = [("tetra10", np.concatenate([mesh.cells, added.T], axis=1)), *((b.type, b.data) for b in plain.cells[1:])]
    section = write_vtu(mesh, tmp_path)
    expected = measure_of(mesh_cell(section, LENGTHS))
    meshio.Mesh(points, blocks, cell_data=plain.cell_data).write(tmp_path / "cell.vtu")
    straight = measure_of(mesh_cell(section, LENGTHS))
    assert (straight.cells, straight.vertices, straight.volume) == (expected.cells, expected.vertices, expected.volume)
    points[-1] += 0.1
    meshio.Mesh(points, blocks, cell_data=plain.cell_data).write(tmp_path / "curved.vtu")
    with pytest.raises(InputError, match=r"curved.vtu' is not allowed: 1 of \d+ cells of electrolyte are curved"):
        mesh_cell(section | {"file": str(tmp_path / "curved.vtu")}, LENGTHS)


def test_mirrored_cells_are_turned(kind: str, tmp_path: Path) -> None:
    mesh = small(kind)
    expected = measure_of(mesh_cell(write_vtu(mesh, tmp_path), LENGTHS)).volume
    mesh.cells = mesh.cells[:, {"tetra": [1, 0, 2, 3], "hexahedron": [4, 5, 6, 7, 0, 1, 2, 3]}[kind]]
    assert measure_of(mesh_cell(write_vtu(mesh, tmp_path), LENGTHS)).volume == pytest.approx(expected, rel=1e-14)


def test_volumes_and_areas_of_a_sheared_hexahedron_are_exact() -> None:
    corners = np.array([(0, 0, 0), (2, 0, 0), (2, 3, 0), (0, 3, 0), (0, 0, 1), (2, 0, 1), (2, 3, 1), (0, 3, 1)], dtype=float)
    cells = np.arange(8)[None]
    sheared = corners @ np.array([(1, 0, 0), (0.3, 1, 0), (0.2, 0.5, 1)])
    assert volumes(sheared, cells) == pytest.approx([6], rel=1e-14)
    assert affine(sheared, cells)
    wedge = corners.copy()
    wedge[[5, 6], 2] = 2  # twice as high at one end: a trapezoid, 1.5 times the volume
    assert volumes(wedge, cells) == pytest.approx([9], rel=1e-14)
    assert not affine(wedge, cells)
    assert areas(wedge, np.array([[0, 1, 5, 4]]))[0] == pytest.approx([0, -3, 0], abs=1e-14)
    assert Facets.build(cells).count.tolist() == [1] * 6


def test_a_cell_with_a_mesh_is_saved_and_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meshes").mkdir()
    write_gmsh22(small(), tmp_path / "meshes")
    (tmp_path / "cell.toml").write_text(TEXT)
    monkeypatch.chdir(tmp_path / "meshes")
    cell = fc.Cell.load(Path("..") / "cell.toml")
    assert cell.contact_area == pytest.approx(8e-12, rel=1e-12)
    cell.save(tmp_path / "elsewhere" / "saved.toml")
    again = fc.Cell.load(tmp_path / "elsewhere" / "saved.toml")
    assert again == cell
    assert hash(again) == hash(cell)
    other = cell.vary({"mesh.regions.pore": "counter_electrode", "mesh.regions.counter_electrode": ["pore"]})
    assert other.mesh.regions.pore == ("counter_electrode",)


def test_another_mesh_than_the_one_meant_is_refused(tmp_path: Path) -> None:
    section = write_vtu(small(), tmp_path)
    digest = hashlib.sha256(Path(section["file"]).read_bytes()).hexdigest()
    mesh_cell(section | {"sha256": digest}, LENGTHS)
    write_vtu(small("hexahedron"), tmp_path)
    with pytest.raises(InputError, match="it is another mesh"):
        mesh_cell(section | {"sha256": digest}, LENGTHS)


def refusal(mesh: Named, folder: Path, changes: dict[str, Any] | None = None, lengths: Any = LENGTHS, **sections: Any) -> str:
    """What is said of a mesh that is refused."""
    with pytest.raises(InputError) as refused:
        mesh_cell(write_gmsh22(mesh, folder) | (changes or {}), lengths, **sections)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_missing_regions_are_named_with_what_there_is(tmp_path: Path) -> None:
    said = refusal(small(), tmp_path, {"regions": {"contact": "metal", "pore": "holes", "electrolyte": "contact"}})
    assert "it has no cells 'contact' for electrolyte (these are faces), no faces 'metal' for contact" in said
    assert "no faces 'holes' for pore" in said
    assert "; it has cells named 'electrolyte', faces named 'contact', 'pore', 'counter_electrode', 'grain_boundaries';" in said
    mesh = small(middle=False)
    assert "no faces 'grain_boundaries' for grain_boundaries" in refusal(mesh, tmp_path, {"boundary": BOUNDARY})
    mesh.faces.pop("counter_electrode")
    assert "it has no faces 'counter_electrode' for counter_electrode;" in refusal(mesh, tmp_path)


def test_missing_numbers_are_named_with_what_there_is(tmp_path: Path) -> None:
    section = write_vtu(small(), tmp_path)
    with pytest.raises(
        InputError, match=r"no faces 9 for contact; .* faces numbered 2, 3, 4, 5; arrays for mesh.data: 'region'"
    ):
        mesh_cell(section | {"regions": section["regions"] | {"contact": 9}}, LENGTHS)
    with pytest.raises(InputError, match=r"no cells 1 for electrolyte, .* arrays for mesh.data: 'region'"):
        mesh_cell(section | {"data": None}, LENGTHS)


def test_files_that_cannot_be_read_are_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name, said in {
        "nowhere.msh": "there is no such file",
        "": "it is a folder, not a file",
        "broken.msh": "it cannot be read",
        "broken.vtu": "it cannot be read",
        "cell.doc": r"its name ends in none of .avs, .*, .msh, ",
    }.items():
        if name and name != "nowhere.msh":
            (tmp_path / name).write_text("not a mesh")
        with pytest.raises(InputError, match=f"is not allowed: {said}"):
            mesh_cell({"file": str(tmp_path / name)}, LENGTHS)
    assert capfd.readouterr() == ("", "")  # meshio's own words are in the message


def change(section: dict[str, Any], how: Callable[[str], str]) -> dict[str, Any]:
    """Change the text of a file."""
    path = Path(section["file"])
    path.write_text(how(path.read_text()))
    return section


def without_tags(text: str) -> str:
    """What Gmsh writes with `Mesh.SaveAll = 1` and version 2.2: names of groups, and cells that are in none."""
    return re.sub(r"(?m)^(\d+ \d+ 2) \d+ \d+ ", r"\1 0 0 ", text)


def test_names_that_nothing_bears_are_missing(tmp_path: Path) -> None:
    mesh = small(middle=False)
    with pytest.raises(InputError) as refused:
        mesh_cell(change(write_gmsh22(mesh, tmp_path), without_tags), LENGTHS)
    nothing = "(there is such a name, and nothing bears it)"
    assert f"it has no cells 'electrolyte' for electrolyte {nothing}, no faces 'contact' for contact {nothing}" in str(
        refused.value
    )
    whole = mesh.faces["contact"]
    mesh.faces["contact"] = whole[:0]
    assert f"it has no faces 'contact' for contact {nothing}" in refusal(mesh, tmp_path)  # and not a cell without a contact
    assert "no faces 'contact' for contact" in refusal(mesh, tmp_path, {"regions": {"contact": ["contact"]}})
    mesh.faces["contact"], mesh.faces["pore"] = mesh.faces["pore"], mesh.faces["contact"]
    joined = mesh_cell(write_gmsh22(mesh, tmp_path) | {"regions": {"contact": ["contact", "pore"], "pore": []}}, LENGTHS)
    assert measure_of(joined).contact == pytest.approx(16e-12, rel=1e-12)


def test_cells_that_are_no_cells_are_refused(kind: str, tmp_path: Path) -> None:
    for place, said in {
        (0, 0, np.nan): "1 of 36 nodes have coordinates that are no numbers",
        (1, 1, np.inf): "1 of 36 nodes have coordinates that are no numbers",
        (1, 1, 1e308): "of the electrolyte are folded or flat",
        (1, 1, 1e-320): "of the electrolyte are folded or flat",
    }.items():
        mesh = small(kind, middle=False)
        mesh.points[place[:1]] = place[2]
        assert said in refusal(mesh, tmp_path)
    mesh = small(kind, middle=False)
    mesh.cells = mesh.cells.copy()
    mesh.cells[0, 0] = mesh.cells[0, 1]
    assert "1 of" in (said := refusal(mesh, tmp_path)) and "are folded or flat" in said
    mesh.points = mesh.points * 0
    assert "of the electrolyte are folded or flat" in refusal(mesh, tmp_path)


def test_nodes_that_are_not_there_are_refused(tmp_path: Path) -> None:
    mesh = small(middle=False)
    for node in (10**6, -3):
        found = meshio_of(mesh)
        found.cells[0].data[0, 0] = node
        found.write(tmp_path / "cell.vtu")
        section = {"file": str(tmp_path / "cell.vtu"), "data": "region", "regions": {name: NUMBERS[name] for name in REGIONS}}
        with pytest.raises(InputError, match="electrolyte has cells with nodes that are not there: 36 are"):
            mesh_cell(section, LENGTHS)


def test_meshes_without_points_or_cells_are_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    points = small().points
    meshes = {
        "it has vertex, and tetrahedra": meshio.Mesh(points, [("vertex", np.arange(len(points))[:, None])]),
        "it has no cells, and tetrahedra": meshio.Mesh(points, []),
        "it has pyramid, and tetrahedra": meshio.Mesh(points, [("pyramid", [[0, 1, 2, 3, 4]])]),
        "it has no points|damaged": meshio.Mesh(np.zeros((0, 3)), []),
    }
    for ending in ("vtk", "xdmf", "med", "msh"):
        for said, mesh in meshes.items():
            path = tmp_path / f"cell.{ending}"
            mesh.write(path, **({"file_format": "gmsh22"} if ending == "msh" else {}))
            capfd.readouterr()
            with pytest.raises(InputError, match=f"{said}|it is cut off, damaged or of another kind"):
                mesh_cell({"file": str(path)}, LENGTHS)
    assert capfd.readouterr() == ("", "")


def test_files_of_surfaces_are_refused_before_they_are_read(tmp_path: Path) -> None:
    """Among them WKT, where meshio's pattern takes an age to say that half a file is none."""
    triangles = meshio.Mesh(small().points, [("triangle", small().faces["contact"])])
    for ending in ("wkt", "stl", "off", "ply", "obj"):
        triangles.write(tmp_path / f"cell.{ending}")
        whole = (tmp_path / f"cell.{ending}").read_bytes()
        (tmp_path / f"cell.{ending}").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(InputError, match=f"files .{ending} hold surfaces, and tetrahedra or hexahedra"):
            mesh_cell({"file": str(tmp_path / f"cell.{ending}")}, LENGTHS)


@pytest.fixture
def in_time() -> Iterator[None]:
    """Ends a test that does not end."""

    def late(*_: Any) -> None:
        pytest.fail("no end")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("in_time")
@pytest.mark.parametrize("write", WRITERS)
def test_a_file_that_is_cut_off_is_refused_in_time(write: Callable[..., dict], tmp_path: Path) -> None:
    """meshio looks for the end of a block also where the file has ended."""
    section = write(small(), tmp_path)
    path = Path(section["file"])
    whole = path.read_bytes()
    for part in np.linspace(0, 0.97, 15):
        path.write_bytes(whole[: int(part * len(whole))])
        with pytest.raises(InputError, match=r"is not allowed: ") as refused:
            mesh_cell(section, LENGTHS)
        assert len(str(refused.value)) < 500 + len(str(path))


@pytest.mark.usefixtures("in_time")
@pytest.mark.parametrize("ending", ["bdf", "mdpa", "dat", "vol", "su2", "avs", "mesh", "ele", "dato"])
def test_other_kinds_that_are_cut_off_are_refused_in_time(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"cell.{ending}"
    mesh = small(middle=False)
    meshio.Mesh(mesh.points, [("tetra", mesh.cells)]).write(path)
    whole = path.read_bytes()
    for part in (0, 0.02, 0.2, 0.4, 0.6, 0.8, 0.95):
        path.write_bytes(whole[: int(part * len(whole))])
        with pytest.raises(InputError, match=r"is not allowed: "):
            mesh_cell({"file": str(path)}, LENGTHS)


def test_a_flat_mesh_is_refused(tmp_path: Path) -> None:
    meshio.Mesh(np.eye(3), [("triangle", [[0, 1, 2]])]).write(tmp_path / "flat.vtu")
    with pytest.raises(InputError, match="it has triangle, and tetrahedra or hexahedra in space are allowed"):
        mesh_cell({"file": str(tmp_path / "flat.vtu")}, LENGTHS)


def test_kinds_that_are_not_solved_are_refused(tmp_path: Path) -> None:
    mesh = small("hexahedron", middle=False)
    found = meshio_of(mesh)
    blocks = [("wedge", mesh.cells[:, :6]), *((block.type, block.data) for block in found.cells[1:])]
    section = write_vtu(mesh, tmp_path)
    meshio.Mesh(mesh.points, [*blocks, ("tetra", mesh.cells[:1, :4])], cell_data={
        "region": [*found.cell_data["region"], np.array([7])]}).write(tmp_path / "cell.vtu")  # fmt: skip
    with pytest.raises(InputError, match="electrolyte has cells of the kind wedge, and tetra, .* are allowed"):
        mesh_cell(section, LENGTHS)
    meshio.Mesh(mesh.points, [("tetra", mesh.cells[:1, :4]), ("hexahedron", mesh.cells), *blocks[1:]], cell_data={
        "region": [np.array([1]), *found.cell_data["region"]]}).write(tmp_path / "cell.vtu")  # fmt: skip
    with pytest.raises(InputError, match="electrolyte has cells of several kinds, and one kind is allowed"):
        mesh_cell(section, LENGTHS)


def test_faces_must_be_facets_where_they_belong(kind: str, tmp_path: Path) -> None:
    mesh = small(kind)
    inner, contact = mesh.faces["grain_boundaries"], mesh.faces["contact"]
    mesh.faces["contact"] = inner
    assert f"{len(inner)} of {len(inner)} faces of contact lie inside it, and on the outside" in refusal(mesh, tmp_path)
    mesh.faces["contact"] = np.vstack([contact, mesh.cells[:1, [0, 2, 6, 4] if kind == "hexahedron" else [0, 0, 1]]])
    assert f"1 of {len(contact) + 1} faces of contact are no facets of the electrolyte" in refusal(mesh, tmp_path)
    mesh.faces |= {"contact": contact, "grain_boundaries": mesh.faces["pore"]}
    said = refusal(mesh, tmp_path, {"boundary": BOUNDARY})
    assert "faces of grain_boundaries lie on the outside of the electrolyte, and inside it is allowed" in said


def test_faces_of_two_electrodes_are_refused(tmp_path: Path) -> None:
    mesh = small()
    mesh.faces["pore"] = np.concatenate([mesh.faces["pore"], mesh.faces["contact"][:3]])
    assert "3 faces belong to pore and to contact, and one of the two is allowed" in refusal(mesh, tmp_path)


def test_folded_cells_are_refused(kind: str, tmp_path: Path) -> None:
    mesh = small(kind)
    mesh.points[np.argmin(np.abs(mesh.points - (2, 2, 2.5)).sum(1))] = (5, 2, 2.5)
    said = refusal(mesh, tmp_path)  # a tetrahedron is never folded, but it may lie on the wrong side of its neighbours
    assert (
        "both of their cells on one side" if kind == "tetra" else "of 12 cells of the electrolyte are folded or flat"
    ) in said


def test_three_cells_on_one_facet_are_refused(tmp_path: Path) -> None:
    mesh = small()
    third = np.append(mesh.faces["grain_boundaries"][0], len(mesh.points))
    mesh.cells = np.vstack([mesh.cells, third])
    mesh.points = np.vstack([mesh.points, (1.1, 1.2, 3.3)])
    assert "1 facets belong to more than two cells of the electrolyte" in refusal(mesh, tmp_path)


def test_parts_that_hang_on_no_electrode_are_named_with_their_volume(tmp_path: Path) -> None:
    mesh = small(middle=False)
    lone = np.array([(8, 0, 2), (9, 0, 2), (8, 1, 2), (8, 0, 5)], dtype=float)
    mesh.cells = np.vstack([mesh.cells, np.arange(4) + len(mesh.points)])
    mesh.points = np.concatenate([mesh.points, lone])
    said = refusal(mesh, tmp_path)
    assert "1 part of the electrolyte, 5e-19 m^3 of 1.205e-16 m^3, hang on neither the contact nor the counter" in said


def test_nodes_in_one_place_are_refused(tmp_path: Path) -> None:
    """Two halves that were meshed apart: their faces touch, their nodes are not the same."""
    mesh = small()
    upper = mesh.points[mesh.cells].mean(1)[:, 2] < 2.5
    double = np.unique(mesh.faces["grain_boundaries"])
    new = np.arange(len(mesh.points))
    new[double] = len(mesh.points) + np.arange(double.size)
    mesh.cells[upper] = new[mesh.cells[upper]]
    mesh.points = np.concatenate([mesh.points, mesh.points[double]])
    assert f"{double.size} of {len(mesh.points)} nodes lie where others do" in refusal(mesh, tmp_path)


def test_without_a_way_for_the_current_it_is_refused(tmp_path: Path) -> None:
    mesh = small(middle=False)
    keep = mesh.points[mesh.cells].mean(1)[:, 2] < 2.5
    mesh.cells, mesh.points = mesh.cells.copy(), mesh.points.copy()
    far = np.unique(mesh.cells[~keep])
    new = np.arange(len(mesh.points))
    new[far] = len(mesh.points) + np.arange(far.size)
    mesh.points = np.concatenate([mesh.points, mesh.points[far] + (0, 0, 1)])
    mesh.cells[~keep] = new[mesh.cells[~keep]]
    mesh.faces["counter_electrode"] = new[mesh.faces["counter_electrode"]]
    said = refusal(mesh, tmp_path)
    assert "no part of the electrolyte joins contact to counter_electrode: no current can flow" in said


def test_the_box_of_the_mesh_is_that_of_the_cell(tmp_path: Path) -> None:
    said = refusal(small(), tmp_path, lengths=(6, 4, 5.00001))
    assert "geometry.thickness = 5.00001e-06 m is not allowed: the electrolyte of" in said
    assert "is 5e-06 m long along z (with unit = 'um')" in said
    assert "is 0.006 m long along x (with unit = 'mm')" in refusal(small(), tmp_path, {"unit": "mm"})


def test_wrong_sections_are_refused_in_one_sentence(tmp_path: Path) -> None:
    mesh = small()
    for changes, said in (
        ({"unit": None}, "mesh.unit is missing: required is a unit of length such as 'um'"),
        ({"unit": "kg"}, "mesh.unit = 'kg' is not allowed: a unit of length"),
        ({"unit": 1e-6}, "mesh.unit = 1e-06 is not allowed: a unit of length"),
        ({"file": None}, "mesh.file is missing"),
        ({"regions": {"contact": 1.5}}, "mesh.regions.contact = 1.5 is not allowed: the name of a region in the file"),
        ({"regions": {"metal": "contact"}}, "mesh.regions.metal"),
        ({"boundary": {"thickness": "1 nm"}}, "mesh.boundary.conductivity is missing"),
        ({"regions": {"contact": [], "pore": []}}, "no faces are contact and none are pores: no current can enter"),
    ):
        assert said in refusal(mesh, tmp_path, changes)
    cell = mesh_cell(write_gmsh22(mesh, tmp_path), LENGTHS)
    for changes, said in (
        ({"working_electrode.contact.shape": "square", "working_electrode.contact.fraction": 0.1}, "it must be 'mesh'"),
        ({"working_electrode.contact.fraction": 0.1}, "fraction is not allowed: shape 'mesh' takes the contact from the mesh"),
        ({"mesh": None}, "working_electrode.contact.shape = 'mesh' is not allowed: it needs the section mesh"),
        (
            {"electrolyte.grain_boundaries": {"layers": 2, "thickness": "1 nm", "conductivity": "1 S/m"}},
            "electrolyte.grain_boundaries is not allowed together with mesh",
        ),
    ):
        with pytest.raises(InputError, match=said):
            cell.vary(changes)
    mesh.faces["contact"] = np.concatenate([mesh.faces["contact"], mesh.faces.pop("pore")])
    assert "working_electrode.pore is not allowed: no faces of" in refusal(mesh, tmp_path)
