"""A digest covers all that is read; what lies elsewhere, is missing or would not fit is refused before anything is read."""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
import re
import struct
import sys
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import meshio
import numpy as np
import pytest
import tifffile
from images import image_cell
from mesh_files import LENGTHS, WRITERS, digest_of, mesh_cell, small, write_abaqus, write_med, write_vtu, write_xdmf

from fem_constriction import memory
from fem_constriction.cell.description import measure_of
from fem_constriction.cell.meshfile import contents_of
from fem_constriction.errors import InputError, MemoryShort
from fem_constriction.grids.image_labels import labels_of
from fem_constriction.sources import contents as _contents
from fem_constriction.sources.meshsources import leads_of_mesh
from fem_constriction.sources.volumes import CONTAINERS
from validation.study.points import Point, Settings

SHAPE = (4, 6, 8)
LABELS = (np.arange(np.prod(SHAPE)).reshape(SHAPE) % 5).astype(np.uint8)


def image(path: Path, **keys: Any) -> Any:
    """The labels of a cell whose image is a file."""
    return labels_of(image_cell(SHAPE, 1 / 3, {"image": str(path), **keys}))


@pytest.fixture
def xdmf(tmp_path: Path) -> dict[str, Any]:
    """A folder with a mesh in two files."""
    return write_xdmf(small(), tmp_path)


def swap_labels(path: Path, times: tuple[int, int]) -> None:
    """Contact and pore change places, in as many bytes, and the file says that nobody touched it."""
    with h5py.File(path, "r+") as file:
        for data in file.values():
            labels = data[()]
            if labels.ndim == 1 and labels.dtype.kind == "i" and labels.max() == 5:
                data[...] = np.where(labels == 2, 3, np.where(labels == 3, 2, labels))
    os.utime(path, ns=times)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times of files are believed at once, so that a test need not wait until they are."""
    monkeypatch.setattr(_contents, "_STEP", -1.0)


# One digest of everything that is read


@pytest.mark.parametrize("believed", [False, True])
def test_a_change_of_the_data_beside_is_another_mesh(xdmf: dict, monkeypatch: pytest.MonkeyPatch, believed: bool) -> None:
    if believed:
        monkeypatch.setattr(_contents, "_STEP", -1.0)
    data = Path(xdmf["file"]).with_suffix(".h5")
    times = data.stat().st_atime_ns, data.stat().st_mtime_ns
    cell = mesh_cell(xdmf, LENGTHS)
    before = measure_of(cell)
    assert before.sha256 == digest_of(Path(xdmf["file"]), data)
    assert mesh_cell(xdmf | {"sha256": before.sha256}, LENGTHS).contact_area == before.contact
    swap_labels(data, times)
    assert data.stat().st_mtime_ns == times[1]
    after = measure_of(cell)
    assert (after.contact, after.pore) == pytest.approx((before.pore, before.contact), rel=1e-12)
    assert after.sha256 != before.sha256
    with pytest.raises(InputError, match=rf"mesh.sha256 = '{before.sha256}' .* with cell.h5 has the digest {after.sha256}"):
        mesh_cell(xdmf | {"sha256": before.sha256}, LENGTHS)


def test_a_digest_of_the_file_alone_is_told_what_it_covers_now(xdmf: dict) -> None:
    alone = digest_of(Path(xdmf["file"]))
    whole = measure_of(mesh_cell(xdmf, LENGTHS)).sha256
    with pytest.raises(InputError) as refused:
        mesh_cell(xdmf | {"sha256": alone}, LENGTHS)
    assert "cell.xdmf alone; with cell.h5, which is read too, the digest is " + whole in str(refused.value)


@pytest.mark.usefixtures("patient")
def test_what_has_not_changed_is_read_once(xdmf: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = mesh_cell(xdmf, LENGTHS)
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("read again"))
    monkeypatch.setattr(meshio, "read", lambda *_: pytest.fail("read again"))
    assert measure_of(cell).contact == cell.contact_area


@pytest.mark.usefixtures("patient")
def test_a_changed_image_is_another_image(tmp_path: Path) -> None:
    path = tmp_path / "grains.npy"
    np.save(path, LABELS)
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    _, made = image(path)
    with path.open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        stream.write(b"\x07")
    os.utime(path, ns=times)
    labels, again = image(path)
    assert labels[-1, -1, -1] == 7
    assert again["sha256"] == digest_of(path) != made["sha256"]


def test_a_study_computes_again_what_a_changed_file_changes(tmp_path: Path, xdmf: dict) -> None:
    """A finished point is found by a digest of all that its result depends on, the data of its files among them."""
    np.save(tmp_path / "grains.npy", LABELS)
    settings = Settings(frequencies=(1.0,), backends=("fem",), accuracy=1e-2)
    cells = mesh_cell(xdmf, LENGTHS), image_cell(SHAPE, 1 / 3, {"image": str(tmp_path / "grains.npy")})
    before = [Point({}, cell, settings).digest for cell in cells]
    assert before == [Point({}, cell, settings).digest for cell in cells]
    swap_labels(tmp_path / "cell.h5", (0, 0))
    np.save(tmp_path / "grains.npy", LABELS + 1)
    after = [Point({}, cell, settings).digest for cell in cells]
    assert not set(before) & set(after)


#: Files that a process opens, of those below a folder, while it listens.
_heard: list[Path] = []
_listening: list[Path] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _listening and isinstance(arguments[0], (str, bytes, os.PathLike)):
        path = Path(os.fsdecode(arguments[0])).absolute()
        if path.is_relative_to(_listening[-1]):
            _heard.append(path)


sys.addaudithook(_hook)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[list[Path]]:
    """The files of the test's folder that python opens."""
    _heard.clear()
    _listening.append(tmp_path)
    yield _heard
    _listening.clear()


def including(mesh: Any, folder: Path) -> dict[str, Any]:
    """An Abaqus file whose elements lie in another, in a folder below."""
    found = write_abaqus(mesh, folder)
    path = Path(found["file"])
    (folder / "parts").mkdir()
    path.rename(folder / "parts" / "all.inp")
    (folder / "parts" / "middle.txt").write_text("** leads on\n*include, INPUT = all.inp\n")
    path.write_text("*Heading\n a mesh\n*Include, input=parts/middle.txt\n")
    return found


def functions(mesh: Any, folder: Path) -> dict[str, Any]:
    """DOLFIN's XML, which has functions on the mesh in files beside it, has no faces: it is only read here."""
    meshio.Mesh(mesh.points, [("tetra", mesh.cells)], cell_data={"f": [np.ones(len(mesh.cells))]}).write(folder / "cell.xml")
    beside = folder / "cell_f.xml"
    beside.write_text(re.sub(r"np.float64\((.*?)\)", r"\1", beside.read_text()))
    return {"file": str(folder / "cell.xml")}


@pytest.mark.parametrize("write", [*WRITERS, including, functions])
def test_nothing_is_opened_that_the_digest_does_not_cover(
    write: Callable[..., Any], tmp_path: Path, opened: list[Path]
) -> None:
    section = write(small(), tmp_path)
    if write is write_xdmf:
        (tmp_path / "cell.vtu").unlink()
    opened.clear()
    try:
        found = contents_of(mesh_cell(section, LENGTHS).mesh)
    except InputError as error:
        assert write is functions and "no faces" in str(error)
        found = _contents.contents(Path(section["file"]), leads_of_mesh)
    covered = {path.resolve() for path in found.files}
    assert {path.resolve() for path in opened} <= covered
    assert covered >= {path.resolve() for path in tmp_path.rglob("*") if path.is_file()}


def test_included_files_are_part_of_the_mesh(tmp_path: Path) -> None:
    section = including(small(), tmp_path)
    files = [tmp_path / "cell.inp", tmp_path / "parts" / "all.inp", tmp_path / "parts" / "middle.txt"]
    lines = [f"{digest_of(path)}  {path.relative_to(tmp_path).as_posix()}\n" for path in files]
    found = measure_of(mesh_cell(section, LENGTHS))
    assert found.sha256 == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert found.contact == pytest.approx(8e-12, rel=1e-12)


# What lies elsewhere


def elsewhere(folder: Path, kind: str) -> dict[str, Any]:
    """A mesh whose data lie in the folder above, reached in some way; the mesh would be read."""
    home = folder / "home"
    home.mkdir()
    if kind == "include":
        section = write_abaqus(small(), folder)
        (home / "cell.inp").write_text("*INCLUDE, INPUT=../cell.inp\n")
        return section | {"file": str(home / "cell.inp")}
    if kind == "include absolute":
        section = write_abaqus(small(), folder)
        (home / "cell.inp").write_text(f" *include,input={folder / 'cell.inp'}\n")
        return section | {"file": str(home / "cell.inp")}
    if kind in ("link in med", "virtual in med", "external in med"):
        section = write_med(small(), folder)
        with h5py.File(folder / "cell.med", "r") as old, h5py.File(home / "cell.med", "w") as new:
            for name in old:
                old.copy(name, new)
            points = "ENS_MAA/mesh/-0000000000000000001-0000000000000000001/NOE/COO"
            assert points in new
            attributes, values = dict(new[points].attrs), new[points][()]
            del new[points]
            if kind == "link in med":
                new[points] = h5py.ExternalLink("../cell.med", points)
            elif kind == "virtual in med":
                layout = h5py.VirtualLayout(values.shape, values.dtype)
                layout[:] = h5py.VirtualSource(str(folder / "cell.med"), points, shape=values.shape)
                new.create_virtual_dataset(points, layout)
            else:
                values.tofile(folder / "points.raw")
                source = [(str(folder / "points.raw"), 0, values.nbytes)]
                new.create_dataset(points, values.shape, values.dtype, external=source)
            if kind != "link in med":
                new[points].attrs.update(attributes)
        return section | {"file": str(home / "cell.med")}
    section = write_xdmf(small(), folder)
    text = (folder / "cell.xdmf").read_text()
    if kind == "link":
        (home / "cell.h5").symlink_to(folder / "cell.h5")
    elif kind == "linked folder":
        (home / "data").symlink_to(folder)
        text = text.replace("cell.h5:", "data/cell.h5:")
    elif kind == "parent":
        text = text.replace("cell.h5:", "../cell.h5:")
    elif kind == "absolute":
        text = text.replace("cell.h5:", f"{folder}/cell.h5:")
    elif kind == "link in h5":
        with h5py.File(folder / "cell.h5", "r") as old, h5py.File(home / "cell.h5", "w") as new:
            for name in old:
                new[name] = h5py.ExternalLink("../cell.h5", name)
    elif kind == "binary":
        (folder / "all.bin").write_bytes(b"\0" * 8)
        text = re.sub(r'Format="HDF"([^>]*)>[^<]*<', rf'Format="Binary"\1>{folder / "all.bin"}<', text)
    (home / "cell.xdmf").write_text(text)
    return section | {"file": str(home / "cell.xdmf")}


ELSEWHERE = ["link", "linked folder", "parent", "absolute", "link in h5", "binary", "include", "include absolute",
             "link in med", "virtual in med", "external in med"]  # fmt: skip


@pytest.mark.parametrize("kind", ELSEWHERE)
def test_a_mesh_that_leads_elsewhere_is_refused(kind: str, tmp_path: Path) -> None:
    section = elsewhere(tmp_path, kind)
    with pytest.raises(InputError) as refused:
        mesh_cell(section, LENGTHS)
    said = str(refused.value)
    assert said.startswith(f"mesh.file = '{section['file']}' is not allowed: ")
    assert re.search(r"in its own folder are allowed|in the file itself are allowed", said), said
    assert len(said) < 500


def test_a_mesh_may_lead_to_its_own_folder(tmp_path: Path) -> None:
    section = write_xdmf(small(), tmp_path)
    text = (tmp_path / "cell.xdmf").read_text()
    (tmp_path / "data").mkdir()
    (tmp_path / "cell.h5").rename(tmp_path / "data" / "all.h5")
    (tmp_path / "cell.xdmf").write_text(text.replace("cell.h5:", f"../{tmp_path.name}/data/all.h5:"))
    assert mesh_cell(section, LENGTHS).contact_area == pytest.approx(8e-12, rel=1e-12)
    # A link to the whole of it stands for it
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "link.xdmf").symlink_to(tmp_path / "cell.xdmf")
    linked = mesh_cell(section | {"file": str(tmp_path / "elsewhere" / "link.xdmf")}, LENGTHS)
    assert linked.contact_area == pytest.approx(8e-12, rel=1e-12)


def test_what_a_mesh_leads_to_must_be_there(xdmf: dict) -> None:
    Path(xdmf["file"]).with_suffix(".h5").unlink()
    with pytest.raises(InputError, match=r"it leads to '.*cell.h5', and there is no such file"):
        mesh_cell(xdmf, LENGTHS)
    Path(xdmf["file"]).with_suffix(".h5").write_bytes(b"\x89HDF\r\n\x1a\n and no more")
    with pytest.raises(InputError, match="cell.h5 cannot be read"):
        mesh_cell(xdmf, LENGTHS)


def test_data_that_a_reader_of_abaqus_would_leave_out_are_refused(tmp_path: Path) -> None:
    section = write_abaqus(small(), tmp_path)
    whole = Path(section["file"]).read_text()
    for lines, said in {
        "*Element, type=C3D4, Input=more.inp\n": r"line \d+ of cell.inp, \*ELEMENT, takes data from another file",
        "*NODE\n1, 0., 0., 0.\n": r"cell.inp has 2 blocks \*NODE, of which the last alone would be read",
        "*ELSET, ELSET=both\ncontact\npore\n": "the set 'both' in cell.inp is made of sets, and sets of elements are allowed",
        "*ELSET, ELSET=pore\n1\n": "the set 'pore' stands in cell.inp more than once",
        "*ELEMENT, TYPE=S3\n1, 1, 2, 3\n": r"cell.inp has \*ELEMENT after \*ELSET, and sets after all elements are allowed",
        "*INCLUDE, INPUT=cell.inp\n": "cell.inp includes a file that includes it",
        "*INCLUDE, INPUT=nowhere.inp\n": "it leads to .*nowhere.inp', and there is no such file",
    }.items():
        Path(section["file"]).write_text(whole + lines)
        with pytest.raises(InputError, match=said):
            mesh_cell(section, LENGTHS)


def test_sets_of_some_blocks_of_elements_are_refused(tmp_path: Path) -> None:
    """meshio numbers the sets of blocks by their order: with one block that has none, all others are another's."""
    section = write_abaqus(small(), tmp_path)
    path = Path(section["file"])
    path.write_text(re.sub(r"(?i)(\*element, ?type=(?!C3D)\w*)", r"\1, ELSET=faces", path.read_text(), count=1))
    assert "ELSET=faces" in path.read_text()
    with pytest.raises(InputError, match=r"1 of \d blocks \*ELEMENT in cell.inp have an ELSET, and all or none are allowed"):
        mesh_cell(section, LENGTHS)


def test_a_deck_that_includes_another_is_refused(tmp_path: Path) -> None:
    mesh = small(middle=False)
    path = tmp_path / "cell.bdf"
    meshio.Mesh(mesh.points, [("tetra", mesh.cells)]).write(path)
    path.write_text(path.read_text().replace("ENDDATA", "include 'more.bdf'\nENDDATA"))
    with pytest.raises(InputError, match=r"line \d+ includes another file, and all data in one file are allowed"):
        mesh_cell({"file": str(path)}, LENGTHS)


# XML


BOMB = '<!DOCTYPE Xdmf [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE Xdmf [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
PARAMETER = '<!DOCTYPE Xdmf [<!ENTITY % a SYSTEM "http://127.0.0.1/x.dtd"> %a;]>'


@pytest.mark.parametrize("declared", [BOMB, OUTSIDE, PARAMETER])
@pytest.mark.parametrize("write", [write_xdmf, write_vtu])
def test_entities_are_refused(write: Callable[..., dict], declared: str, tmp_path: Path) -> None:
    section = write(small(), tmp_path)
    path = Path(section["file"])
    text = path.read_text().removeprefix('<?xml version="1.0"?>\n')
    for encoding in ("utf-8", "utf-16"):
        path.write_bytes(f'<?xml version="1.0" encoding="{encoding}"?>\n{declared}\n{text}'.encode(encoding))
        with pytest.raises(InputError, match="it declares the XML entity 'a', and XML without entities is allowed"):
            mesh_cell(section, LENGTHS)


def test_entities_in_a_text_that_is_read_as_xml_are_refused(xdmf: dict) -> None:
    path = Path(xdmf["file"])
    inner = f"<![CDATA[{BOMB}<main><map key='&b;' dim='3'>1</map></main>]]>"
    path.write_text(path.read_text().replace('<Grid Name="Grid">', f'<Grid Name="Grid"><Information>{inner}</Information>'))
    with pytest.raises(InputError, match="a text in it declares the XML entity"):
        mesh_cell(xdmf, LENGTHS)


def test_a_document_type_without_entities_is_what_xdmf_files_have(xdmf: dict) -> None:
    path = Path(xdmf["file"])
    path.write_text('<?xml version="1.0"?>\n<!DOCTYPE Xdmf SYSTEM "Xdmf.dtd" []>\n' + path.read_text())
    assert mesh_cell(xdmf, LENGTHS).contact_area == pytest.approx(8e-12, rel=1e-12)


# What is missing


def test_data_that_were_never_written_are_refused(xdmf: dict) -> None:
    path = Path(xdmf["file"]).with_suffix(".h5")
    with h5py.File(path, "r+") as file:
        shape, kind = file["data0"].shape, file["data0"].dtype
        for options in ({}, {"chunks": (2, 3)}):
            del file["data0"]
            data = file.create_dataset("data0", shape, kind, **options)
            if options:
                data[:2] = 1.0
            file.flush()
            with pytest.raises(InputError, match="'data0' in cell.h5 is incomplete: a part of it was never written"):
                mesh_cell(xdmf, LENGTHS)


def test_nodes_that_were_never_written_are_no_nodes_at_the_origin(tmp_path: Path) -> None:
    section = write_med(small(), tmp_path)
    with h5py.File(section["file"], "r+") as file:
        points = "ENS_MAA/mesh/-0000000000000000001-0000000000000000001/NOE/COO"
        attributes, shape, kind = dict(file[points].attrs), file[points].shape, file[points].dtype
        del file[points]
        file.create_dataset(points, shape, kind).attrs.update(attributes)
    with pytest.raises(InputError, match="COO' in cell.med is incomplete: a part of it was never written"):
        mesh_cell(section, LENGTHS)


def test_text_that_is_no_number_is_a_fault(tmp_path: Path) -> None:
    """numpy reads as far as it can, and warns."""
    mesh = small(middle=False)
    section = write_vtu(mesh, tmp_path)
    path = Path(section["file"])
    meshio.Mesh(mesh.points, [("tetra", mesh.cells)]).write(path, binary=False)
    path.write_text(re.sub(r"(\d)\n(\s*</DataArray>\s*</Points>)", r"\1 nothing 7\n\2", path.read_text(), count=1))
    with pytest.raises(InputError, match="is not read whole .*unmatched data|cannot be read"):
        mesh_cell(section, LENGTHS)


def test_what_meshio_leaves_out_with_a_warning_is_a_fault(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mesh = small(middle=False)
    path = tmp_path / "cell.mesh"
    meshio.Mesh(mesh.points, [("tetra", mesh.cells)]).write(path)
    path.write_text(path.read_text().replace("End\n", "Pyramids\n1\n1 2 3 4 5 1\nStrange\n1\n1 2\nEnd\n"))
    with pytest.raises(InputError, match=r"is not allowed: it (is not read whole|cannot be read).*Strange"):
        mesh_cell({"file": str(path)}, LENGTHS)
    assert capfd.readouterr() == ("", "")


# Sizes


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> int:
    """A machine with 20 MB of memory."""
    monkeypatch.setattr(memory, "_least", lambda: (20_000_000, ""))
    return 20_000_000


def peak(call: Callable[[], Any]) -> int:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def refused_short(call: Callable[[], Any], most: int = 30_000_000) -> None:
    """It is refused for its memory, and does not take it."""

    def tried() -> None:
        with pytest.raises(InputError, match="would need about .* GiB of memory"):
            call()

    assert peak(tried) < most


def test_headers_that_promise_more_than_the_memory_are_refused(xdmf: dict, little: int) -> None:
    path = Path(xdmf["file"]).with_suffix(".h5")
    with h5py.File(path, "r+") as file:
        del file["data0"]
        file.create_dataset("data0", (10**9, 3), "f8", chunks=(10**6, 3), compression="gzip")[:1] = 0.0
    with pytest.raises(InputError, match=r"incomplete|would need about"):
        mesh_cell(xdmf, LENGTHS)
    with h5py.File(path, "r+") as file:
        del file["data0"]
        file.create_dataset("data0", data=np.zeros((1_000_000, 3)), compression="gzip")
    assert path.stat().st_size < 500_000
    refused_short(lambda: mesh_cell(xdmf, LENGTHS))


def vtu_bomb(path: Path, appended: bool) -> None:
    """100 MB of zeros in 100 kB, as the points of one cell."""
    packed = zlib.compress(bytes(100_000_000), 9)
    head = struct.pack("<4I", 1, 100_000_000, 0, len(packed))
    kinds = "".join(f'<DataArray type="{kind}" Name="{name}" format="ascii">{value}</DataArray>' for kind, name, value in (
        ("Int64", "connectivity", "0 1 2 3"), ("Int64", "offsets", "4"), ("Int64", "types", "10")))  # fmt: skip
    inline = (base64.b64encode(head) + base64.b64encode(packed)).decode()
    where = 'format="appended" offset="0"/>' if appended else f'format="binary">{inline}</DataArray>'
    text = (
        '<VTKFile type="UnstructuredGrid" version="0.1" byte_order="LittleEndian" header_type="UInt32" '
        'compressor="vtkZLibDataCompressor"><UnstructuredGrid>\n<Piece NumberOfPoints="4166666" NumberOfCells="1"><Points>'
        f'<DataArray type="Float64" Name="Points" NumberOfComponents="3" {where}</Points><Cells>{kinds}</Cells></Piece>'
        "</UnstructuredGrid>\n"
    )
    data = b'<AppendedData encoding="raw">\n_' + head + packed + b"\n</AppendedData>" if appended else b""
    path.write_bytes(text.encode() + data + b"</VTKFile>\n")


@pytest.mark.parametrize("appended", [False, True])
def test_a_compressed_vtu_is_counted_before_it_is_unpacked(tmp_path: Path, little: int, appended: bool) -> None:
    vtu_bomb(tmp_path / "cell.vtu", appended)
    assert (tmp_path / "cell.vtu").stat().st_size < 200_000
    refused_short(lambda: mesh_cell({"file": str(tmp_path / "cell.vtu")}, LENGTHS))


def test_a_compressed_vtu_that_fits_is_read(tmp_path: Path) -> None:
    """What counts unpacks to the same."""
    mesh = small()
    section = write_vtu(mesh, tmp_path)
    plain = measure_of(mesh_cell(section, LENGTHS))
    for packed in ("zlib", "lzma"):
        found = meshio.read(section["file"])
        found.write(tmp_path / f"{packed}.vtu", compression=packed)
        again = measure_of(mesh_cell(section | {"file": str(tmp_path / f"{packed}.vtu")}, LENGTHS))
        assert (again.volume, again.contact) == (plain.volume, plain.contact)


def test_a_structured_grid_is_counted_before_it_is_made(tmp_path: Path, little: int) -> None:
    text = "# vtk DataFile Version 4.2\nx\nASCII\nDATASET STRUCTURED_POINTS\nDIMENSIONS 1000 1000 1000\n"
    (tmp_path / "cell.vtk").write_text(text + "ORIGIN 0 0 0\nSPACING 1 1 1\n")
    refused_short(lambda: mesh_cell({"file": str(tmp_path / "cell.vtk")}, LENGTHS))


def test_a_packed_file_is_counted_before_it_is_read(tmp_path: Path, little: int) -> None:
    (tmp_path / "cell.vol.gz").write_bytes(gzip.compress(b"mesh3d\n" + b"\n" * 50_000_000))
    refused_short(lambda: mesh_cell({"file": str(tmp_path / "cell.vol.gz")}, LENGTHS))


# Images


def ome_set(folder: Path, *, names: tuple[str, str] = ("a.ome.tif", "b.ome.tif")) -> Path:
    """A stack of four pages in two files, each of which describes both."""
    data = "".join(
        f'<TiffData IFD="{z % 2}" FirstZ="{z}" FirstC="0" FirstT="0" PlaneCount="1">'
        f'<UUID FileName="{names[z // 2]}">urn:uuid:{z // 2}</UUID></TiffData>'
        for z in range(4)
    )
    for number, name in enumerate(names):
        text = (
            f'<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:{number}">'
            '<Image ID="Image:0"><Pixels DimensionOrder="XYZCT" ID="Pixels:0" SizeC="1" SizeT="1" SizeX="8" SizeY="6" '
            f'SizeZ="4" Type="uint8"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>{data}</Pixels></Image></OME>'
        )
        path = folder / name
        with tifffile.TiffWriter(path) as stream:
            for z in (0, 1):
                stream.write(LABELS[2 * number + z], description=text if z == 0 else None, metadata=None, contiguous=False)
    return folder / names[0]


def test_a_set_of_files_is_one_image_with_one_digest(tmp_path: Path) -> None:
    path = ome_set(tmp_path)
    labels, made = image(path)
    assert np.array_equal(labels, LABELS)
    assert made["sha256"] == digest_of(path, tmp_path / "b.ome.tif")
    with pytest.raises(InputError, match=r"it covers .*a.ome.tif alone; with b.ome.tif, which is read too, the digest is"):
        image(path, sha256=digest_of(path))


def test_a_set_with_a_missing_file_is_refused(tmp_path: Path) -> None:
    path = ome_set(tmp_path)
    (tmp_path / "b.ome.tif").unlink()
    with pytest.raises(InputError, match=r"a.ome.tif' is not allowed: it leads to '.*b.ome.tif', and there is no such file"):
        image(path)


def test_a_set_with_a_file_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "x").mkdir()
    ome_set(tmp_path, names=("home/a.ome.tif", "x/../b.tif"))
    path = tmp_path / "home" / "a.ome.tif"
    path.write_bytes(path.read_bytes().replace(b'"x/../b.tif"', b'"./../b.tif"'))
    assert (tmp_path / "b.tif").is_file()
    with pytest.raises(InputError, match=r"it leads to '.*\.\./b\.tif', that is .*, and files in its own folder are allowed"):
        image(path)


def test_entities_in_the_description_of_an_image_are_refused(tmp_path: Path) -> None:
    text = '<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY a "ha">]><OME xmlns="http://www.openmicroscopy.org/x">&a;</OME>'
    tifffile.imwrite(tmp_path / "a.ome.tif", LABELS[0], description=text, metadata=None)
    with pytest.raises(InputError, match="its description declares the XML entity 'a'"):
        image(tmp_path / "a.ome.tif")


def test_an_image_that_is_cut_or_has_empty_strips_is_refused(tmp_path: Path) -> None:
    whole = tmp_path / "whole.tif"
    for options in ({}, {"compression": "zlib"}, {"contiguous": False}):
        with tifffile.TiffWriter(whole) as stream:
            for page in LABELS:
                stream.write(page, metadata=None, **options)
        assert np.array_equal(image(whole)[0], LABELS)
        for length in (-1, -20, -40, -60):
            (tmp_path / "cut.tif").write_bytes(whole.read_bytes()[:length])
            with pytest.raises(InputError, match=r"cut.tif' is not allowed: "):
                image(tmp_path / "cut.tif")
    with tifffile.TiffWriter(whole) as stream:
        for page in LABELS:
            stream.write(page, metadata=None, contiguous=False)
    with tifffile.TiffFile(whole) as file:
        tag = file.pages[2].tags["StripByteCounts"]
        place, size = tag.valueoffset, {3: 2, 4: 4}[int(tag.dtype)]
    data = bytearray(whole.read_bytes())
    data[place : place + size] = bytes(size)
    whole.write_bytes(bytes(data))
    with pytest.raises(InputError, match="page 3 of whole.tif is incomplete"):
        image(whole)


def test_pixels_that_unpack_to_more_than_the_image_has_are_refused(tmp_path: Path, little: int) -> None:
    path = tmp_path / "bomb.tif"
    packed = zlib.compress(bytes(100_000_000), 9)
    tifffile.imwrite(path, iter([packed]), shape=SHAPE[1:], dtype="uint8", compression="zlib", metadata=None)
    assert path.stat().st_size < 200_000

    def tried() -> None:
        with pytest.raises(InputError, match=r"bomb.tif' is not allowed: .* unpacks to more than the"):
            image(path)

    assert peak(tried) < 30_000_000


def test_an_image_that_would_not_fit_is_refused(tmp_path: Path, little: int) -> None:
    tifffile.imwrite(tmp_path / "large.tif", np.zeros((20, 1000, 1000), np.uint8), compression="zlib")
    with pytest.raises(MemoryShort, match="the image large.tif would need about"):
        image(tmp_path / "large.tif")


def test_archives_and_pickles_named_as_arrays_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "archive.npz", LABELS)
    (tmp_path / "archive.npz").rename(tmp_path / "archive.npy")
    np.save(tmp_path / "objects.npy", np.array([LABELS, None], dtype=object), allow_pickle=True)
    (tmp_path / "text.npy").write_bytes(
        b"\x93NUMPY\x01\x00\x76\x00{'descr': __import__('os').getcwd(), 'fortran_order': False}"
    )
    for name in ("archive", "objects", "text"):
        with pytest.raises(InputError, match=rf"{name}.npy' is not allowed: it cannot be read \("):
            image(tmp_path / f"{name}.npy")


def test_images_of_other_kinds_are_told_which_are_read(tmp_path: Path) -> None:
    for name in ("grains.jpg", "grains.GIF", "grains.mat", "grains.npz"):
        allowed = r"the path of an image \(.npy, .tif, .png, .h5, .vti, .zarr, a folder or pattern of pages, or raw numbers\)"
        with pytest.raises(InputError, match=f"image = '{name}' is not allowed: {allowed}"):
            image(Path(name))


@pytest.mark.parametrize("what", ["a PNG image", "a GIF image", "a MATLAB file", "an HDF5 file", "an archive", "a NumPy array"])
def test_other_containers_are_no_raw_volumes(tmp_path: Path, what: str) -> None:
    head = next(head for head, kind in CONTAINERS.items() if kind == what)
    (tmp_path / "grains.raw").write_bytes(head + bytes(LABELS.nbytes - len(head)))
    with pytest.raises(InputError, match=f"grains.raw' is not allowed: it is {what}, not a raw volume"):
        image(tmp_path / "grains.raw", shape=list(SHAPE), dtype="uint8")


def test_nothing_of_the_library_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = ome_set(tmp_path)
    path.write_bytes(path.read_bytes().replace(b'FirstZ="3"', b'FirstZ="9"'))
    with pytest.raises(InputError, match=r"a.ome.tif' is not allowed: it is not read whole \(.*OME series|pages are missing"):
        image(path)
    assert capfd.readouterr() == ("", "")
