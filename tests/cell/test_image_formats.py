"""The same labels, however they are written: every format, cut out and made coarser, as arrays, in oblong voxels."""

from __future__ import annotations

import base64
import pickle
import struct
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
import zarr
from images import BOUNDARY, image_cell, literal_network
from PIL import Image

import fem_constriction as fc
from fem_constriction import memory
from fem_constriction.cell.image_check import contact_voxels
from fem_constriction.cell.labels import read
from fem_constriction.errors import InputError, MemoryShort
from fem_constriction.geometry.grains import voronoi
from fem_constriction.grids.image_labels import labels_of

SHAPE = (5, 6, 8)
LABELS = voronoi(SHAPE, 9, 2).astype(np.int32)
LABELS[1, 2, 3] = 300  # more than a byte


def cell_of(**microstructure: Any) -> fc.Cell:
    return image_cell(SHAPE, 1 / 3, microstructure)


def png_folder(folder: Path) -> dict[str, Any]:
    pages = folder / "pages"
    pages.mkdir()
    for number, page in enumerate(LABELS, start=8):  # "page 10" comes after "page 9"
        Image.fromarray(page.astype(np.uint16)).save(pages / f"page {number}.png")
    (pages / "notes.txt").write_text("not a page")
    return {"image": str(pages)}


def png_pattern(folder: Path) -> dict[str, Any]:
    return {"image": png_folder(folder)["image"] + "/page*.png"}


def tiff_pages(folder: Path) -> dict[str, Any]:
    for number, page in enumerate(LABELS, start=8):
        tifffile.imwrite(folder / f"z{number}.tif", page)
    return {"image": str(folder / "z*.tif")}


def tiff_page_by_page(folder: Path) -> dict[str, Any]:
    with tifffile.TiffWriter(folder / "grains.tif") as file:
        for page in LABELS:
            file.write(page, compression="zlib")
    return {"image": str(folder / "grains.tif")}


def tiff_of_pillow(folder: Path) -> dict[str, Any]:
    first, *others = (Image.fromarray(page.astype(np.uint16)) for page in LABELS)
    first.save(folder / "grains.tiff", save_all=True, append_images=others)
    return {"image": str(folder / "grains.tiff")}


def hdf5(folder: Path) -> dict[str, Any]:
    with h5py.File(folder / "scan.h5", "w") as file:
        file.create_dataset("segmentation/labels", data=LABELS, chunks=(2, 3, 4), compression="gzip")
        file.create_dataset("segmentation/grey", data=LABELS + 1)
    return {"image": str(folder / "scan.h5"), "dataset": "segmentation/labels"}


def hdf5_alone(folder: Path) -> dict[str, Any]:
    with h5py.File(folder / "scan.hdf5", "w") as file:
        file["labels"], file["voxel"] = LABELS, [1.0, 1.0, 1.0]
    return {"image": str(folder / "scan.hdf5")}


def zarr_group(folder: Path) -> dict[str, Any]:
    group = zarr.open(str(folder / "scan.zarr"), mode="w")
    array = group.create_array("a/labels", shape=SHAPE, chunks=(2, 3, 4), dtype="int32")
    array[:] = LABELS
    return {"image": str(folder / "scan.zarr"), "dataset": "a/labels"}


def raw_fortran(folder: Path) -> dict[str, Any]:
    (folder / "grains.raw").write_bytes(LABELS.astype(">i2").tobytes(order="F"))
    return {"image": str(folder / "grains.raw"), "shape": SHAPE, "dtype": "int16", "endian": "big", "order": "F"}


def raw_floats(folder: Path) -> dict[str, Any]:
    (folder / "grains.bin").write_bytes(LABELS.astype("<f4").tobytes())
    return {"image": str(folder / "grains.bin"), "shape": SHAPE, "dtype": "float32"}


def npy_floats(folder: Path) -> dict[str, Any]:
    np.save(folder / "grains.npy", LABELS.astype(float))
    return {"image": str(folder / "grains.npy")}


def array(folder: Path) -> dict[str, Any]:
    return {"image": LABELS.copy()}


def vti(encode: Callable[[bytes], tuple[str, str]], head: str = "", where: str = "CellData", kind: str = "Int32"):  # type: ignore[no-untyped-def]
    """A writer of .vti after VTK's description of its file formats: x runs fastest, then y, then z."""

    def write(folder: Path) -> dict[str, Any]:
        nz, nx, ny = (n - (where == "PointData") for n in SHAPE)
        numbers = LABELS.transpose(0, 2, 1).astype("<f8" if kind == "Float64" else "<i4")
        attributes, text = encode(numbers.tobytes())
        inline, appended = ("", text) if "appended" in attributes else (text, "")
        file = (
            f'<?xml version="1.0"?>\n<VTKFile type="ImageData" version="1.0" byte_order="LittleEndian" {head}>'
            f'<ImageData WholeExtent="0 {nx} 0 {ny} 0 {nz}" Origin="0 0 0" Spacing="1 1 1">'
            f'<Piece Extent="0 {nx} 0 {ny} 0 {nz}">'
            f'<{where}><DataArray type="{kind}" Name="grain" {attributes}>{inline}</DataArray></{where}></Piece></ImageData>'
        )
        (folder / "grains.vti").write_bytes(file.encode() + appended.encode("latin-1") + b"</VTKFile>")
        return {"image": str(folder / "grains.vti")}

    return write


def as_text(data: bytes) -> tuple[str, str]:
    return 'format="ascii"', " ".join(map(str, np.frombuffer(data, "<i4")))


def in_base64(data: bytes) -> tuple[str, str]:
    return 'format="binary"', base64.b64encode(struct.pack("<I", len(data)) + data).decode()


def head_apart(data: bytes) -> tuple[str, str]:
    return 'format="binary"', base64.b64encode(struct.pack("<Q", len(data))).decode() + base64.b64encode(data).decode()


def packed(data: bytes) -> tuple[str, str]:
    pieces = [zlib.compress(data[k : k + 400]) for k in range(0, len(data), 400)]
    head = struct.pack(f"<{3 + len(pieces)}I", len(pieces), 400, len(data) % 400, *map(len, pieces))
    return 'format="binary"', base64.b64encode(head).decode() + base64.b64encode(b"".join(pieces)).decode()


def appended_raw(data: bytes) -> tuple[str, str]:
    text = (b"\x00\x00<_" + struct.pack("<Q", len(data)) + data).decode("latin-1")
    return 'format="appended" offset="4"', f'<AppendedData encoding="raw">\n _{text}\n</AppendedData>'


LONG, ZLIB = 'header_type="UInt64"', 'compressor="vtkZLibDataCompressor"'
WRITERS = {
    **{each.__name__: each for each in (png_folder, png_pattern, tiff_pages, tiff_page_by_page, tiff_of_pillow)},
    **{each.__name__: each for each in (hdf5, hdf5_alone, zarr_group, raw_fortran, raw_floats, npy_floats, array)},
    "vti, text": vti(as_text),
    "vti, base64": vti(in_base64),
    "vti, base64 with its head apart": vti(head_apart, LONG),
    "vti, zlib": vti(packed, ZLIB),
    "vti, appended, at points, floats": vti(appended_raw, LONG, "PointData", "Float64"),
}


@pytest.fixture(params=WRITERS)
def image(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    return WRITERS[request.param](tmp_path)


def test_labels_are_the_same_however_they_are_written(image: dict[str, Any]) -> None:
    cell = cell_of(**image)
    found, made = labels_of(cell)
    assert np.array_equal(found, LABELS)
    assert found.dtype.kind in "iu"
    assert len(made["sha256"]) == 64
    again = fc.Cell.loads(cell.dumps())
    assert again == cell and hash(again) == hash(cell)


def majority(labels: np.ndarray, steps: tuple[int, int, int]) -> np.ndarray:
    found = np.empty([n // k for n, k in zip(labels.shape, steps, strict=True)], labels.dtype)
    for place in np.ndindex(found.shape):
        block = labels[tuple(slice(k * at, k * (at + 1)) for at, k in zip(place, steps, strict=True))]
        counted = Counter(block.ravel().tolist())
        found[place] = min(label for label, count in counted.items() if count == max(counted.values()))
    return found


def test_a_part_is_cut_out_before_it_is_made_coarser(image: dict[str, Any]) -> None:
    part = {"voxel": "1 um", "crop": [[1, 5], [0, 6], [2, 8]], "coarsen": [2, 3, 3]}
    cell = image_cell((2, 2, 2), 0, {**image, **part}, edges=(2, 3, 3))
    assert cell.electrolyte.microstructure.edges == pytest.approx((2e-6, 3e-6, 3e-6), rel=1e-12)
    assert np.array_equal(labels_of(cell)[0], majority(LABELS[1:5, 0:6, 2:8], (2, 3, 3)))
    assert fc.Cell.loads(cell.dumps()) == cell


def test_a_part_and_a_coarsening_fit_the_image_and_the_cell() -> None:
    part = [[0, 4], [0, 6], [0, 8]]
    coarse = image_cell((2, 3, 4), 0, {"image": LABELS, "coarsen": 2, "voxel": "1 um"}, edges=(2, 2, 2))
    with pytest.raises(InputError, match=r"coarsen = 2 is not allowed with 5 x 6 x 8 voxels .* crop makes it one"):
        read(coarse.electrolyte.microstructure)
    with pytest.raises(
        InputError, match=r"crop = .* it makes 4 x 6 x 8 voxels .* geometry with voxel and coarsen makes 5 x 6 x 8"
    ):
        cell_of(image=LABELS, crop=part)
    with pytest.raises(InputError, match=r"crop = .* the image has 5 x 6 x 8 voxels"):
        labels_of(cell_of(image=LABELS, crop=[[1, 6], [0, 6], [0, 8]]))
    for wrong in ([[0, 4], [0, 6]], [[4, 0], [0, 6], [0, 8]], "all", [[0, 4.5], [0, 6], [0, 8]], [[-1, 4], [0, 6], [0, 8]]):
        with pytest.raises(InputError, match=r"crop = .* is not allowed: \[\[z0, z1\], \[x0, x1\], \[y0, y1\]\]"):
            cell_of(image=LABELS, crop=wrong)
    for wrong in (0, [2, 2], 1.5, [1, 1, 0], True):
        with pytest.raises(InputError, match=r"coarsen = .* a whole number from 1, or three"):
            cell_of(image=LABELS, coarsen=wrong)


def test_only_the_part_of_a_large_image_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tifffile.TiffWriter(tmp_path / "large.tif") as file:
        for _ in range(60):
            file.write(np.ones((512, 512), np.uint8), compression="zlib")  # 16 MB
    monkeypatch.setattr(memory, "free", lambda: 1.2e7)
    monkeypatch.setattr(memory, "_least", lambda: (1.2e7, ""))
    monkeypatch.setattr("fem_constriction.cell.labels._PIECE", 1 << 20)
    structure = image_cell((2, 8, 8), 0.25, {"image": str(tmp_path / "large.tif"), "crop": [[58, 60], [0, 8], [0, 8]]})
    assert np.array_equal(labels_of(structure)[0], np.ones((2, 8, 8)))
    monkeypatch.setattr(memory, "_least", lambda: (1e6, ""))
    with pytest.raises(MemoryShort, match=r"large.tif would need"):
        labels_of(structure)


def test_an_array_is_a_value_of_its_cell(tmp_path: Path) -> None:
    held = LABELS.copy()
    cell = cell_of(image=held, inclusions=[{"label": 300, "conductivity": 0}])
    held[:] = 0  # of somebody else
    assert np.array_equal(labels_of(cell)[0], LABELS)
    same = cell_of(image=LABELS.astype(np.uint64), inclusions=[{"label": 300, "conductivity": 0}])
    other = cell_of(image=np.where(LABELS == 0, 77, LABELS), inclusions=[{"label": 300, "conductivity": 0}])
    assert cell == same and hash(cell) == hash(same) and cell != other
    assert pickle.loads(pickle.dumps(cell)) == cell
    assert cell.vary({"title": "x"}).electrolyte == cell.electrolyte
    assert cell.vary({"electrolyte.microstructure.image": np.where(LABELS == 0, 77, LABELS)}) == other
    cell.save(tmp_path / "cell.toml")
    assert np.array_equal(np.load(tmp_path / "cell-labels.npy"), LABELS)
    moved = tmp_path / "moved"
    moved.mkdir()
    for each in tmp_path.glob("cell*"):
        each.rename(moved / each.name)
    assert fc.Cell.load(moved / "cell.toml") == cell
    assert "array of 5 x 6 x 8 labels" in repr(cell.electrolyte.microstructure)


def test_a_saved_array_is_read_by_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = cell_of(image=LABELS)
    cell.save(tmp_path / "cell.toml")
    monkeypatch.setattr("fem_constriction.cell.label_array._held", {})  # as a process has it that has just begun
    again = fc.Cell.load(tmp_path / "cell.toml")
    assert again == cell
    assert np.array_equal(labels_of(again)[0], LABELS)
    monkeypatch.setattr("fem_constriction.cell.label_array._held", {})
    with pytest.raises(InputError, match=r"microstructure.image = .*: its numbers are nowhere: Cell.save writes them"):
        fc.Cell.loads(cell.dumps())
    np.save(tmp_path / "cell-labels.npy", LABELS + 1)
    with pytest.raises(InputError, match=r"cell.toml: .*cell-labels.npy' is not allowed: .* it is another image"):
        fc.Cell.load(tmp_path / "cell.toml")
    (tmp_path / "cell-labels.npy").unlink()
    with pytest.raises(InputError, match=r"cell-labels.npy' is not allowed: .*No such file"):
        fc.Cell.load(tmp_path / "cell.toml")


def without_pages(folder: Path) -> dict[str, Any]:
    (folder / "nothing").mkdir()
    return {"image": str(folder / "nothing")}


def pages_of_two_sizes(folder: Path) -> dict[str, Any]:
    found = png_folder(folder)
    Image.fromarray(np.zeros((6, 7), np.uint16)).save(folder / "pages" / "page 9.png")
    return found


def pages_of_two_kinds(folder: Path) -> dict[str, Any]:
    found = png_folder(folder)
    tifffile.imwrite(folder / "pages" / "page 13.tif", LABELS[0])
    return found


def colours(folder: Path) -> dict[str, Any]:
    Image.fromarray(np.zeros((6, 8, 3), np.uint8)).save(folder / "a.png")
    return {"image": str(folder / "a.png")}


def cut_page(folder: Path) -> dict[str, Any]:
    found = png_folder(folder)
    whole = (folder / "pages" / "page 9.png").read_bytes()
    (folder / "pages" / "page 9.png").write_bytes(whole[: len(whole) // 2])
    return found


def unnamed(folder: Path) -> dict[str, Any]:
    return {"image": hdf5(folder)["image"]}


def misnamed(folder: Path) -> dict[str, Any]:
    return {**hdf5(folder), "dataset": "labels"}


def elsewhere(folder: Path) -> dict[str, Any]:
    hdf5(folder)
    with h5py.File(folder / "link.h5", "w") as file:
        file["labels"] = h5py.ExternalLink("scan.h5", "segmentation/labels")
    return {"image": str(folder / "link.h5"), "dataset": "labels"}


def unwritten(folder: Path) -> dict[str, Any]:
    group = zarr.open(str(folder / "scan.zarr"), mode="w")
    group.create_array("labels", shape=SHAPE, chunks=(1, 6, 8), dtype="int32")[:2] = LABELS[:2] + 1
    return {"image": str(folder / "scan.zarr")}


def short_vti(folder: Path) -> dict[str, Any]:
    return vti(lambda data: in_base64(data[:-4]))(folder)


WRONG = {
    without_pages: "no .png or .tif is there",
    pages_of_two_sizes: r"page 9.png holds uint16 of 6 x 7, and page 8.png uint16 of 6 x 8",
    pages_of_two_kinds: "pages of .png and .tif lie there, and one kind is allowed",
    colours: "a.png is a picture of RGB: allowed is one number for every pixel",
    cut_page: "it cannot be read",
    unnamed: "dataset says which array is meant: it has segmentation/grey, segmentation/labels",
    misnamed: "it has no dataset 'labels', but segmentation/grey, segmentation/labels",
    elsewhere: "'labels' in link.h5 is a link to 'scan.h5', and data in the file itself are allowed",
    unwritten: "a part of it was never written, and would be read as zeros",
    short_vti: "'grain' has 239 numbers, and its extent makes 240",
}


@pytest.mark.parametrize("write", WRONG, ids=lambda each: each.__name__)
def test_what_is_wrong_with_a_file_is_said_in_one_sentence(write: Callable[[Path], dict[str, Any]], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=WRONG[write]) as refused:
        labels_of(cell_of(**write(tmp_path)))
    assert refused.value.key == "electrolyte.microstructure.image"
    assert "\n" not in str(refused.value)


def test_a_page_more_is_another_image(tmp_path: Path) -> None:
    image = png_folder(tmp_path)
    digest = labels_of(cell_of(**image))[1]["sha256"]
    assert np.array_equal(labels_of(cell_of(**image, sha256=digest))[0], LABELS)
    Image.fromarray(np.zeros((6, 8), np.uint16)).save(tmp_path / "pages" / "page 99.png")
    with pytest.raises(InputError, match="it is another image"):
        labels_of(cell_of(**image, sha256=digest))


@pytest.mark.parametrize("edges", [(2.5, 1, 1), (0.5, 2, 1), (1, 0.25, 0.5)])
def test_oblong_voxels_are_the_literal_network(edges: tuple[float, float, float]) -> None:
    labels = voronoi(SHAPE, 9, 2, edges)
    labels[2, 1:3, 2], labels[3, 4, 4:6] = 50, 60
    inclusions = [{"label": 50, "conductivity": "20 mS/cm"}, {"label": 60, "conductivity": 0}]
    counter = {"charge_transfer": {"resistance": "2 ohm cm^2", "capacitance": "10 uF/cm^2"}}
    fraction = {(2.5, 1, 1): 1 / 3, (0.5, 2, 1): 2 * 4 / 48, (1, 0.25, 0.5): 4 * 2 / 48}[edges]
    structure = {"image": labels, "boundary": BOUNDARY, "inclusions": inclusions}
    cell = image_cell(SHAPE, fraction, structure, edges=edges, counter=counter)
    assert fc.Cell.loads(cell.dumps()) == cell
    contact = np.zeros(SHAPE[1:], dtype=bool)
    contact[contact_voxels(cell)] = True
    assert contact.mean() == pytest.approx(fraction, rel=1e-12)
    frequencies = np.array([1e-3, 1.0, 1e3, 1e6, 1e9])
    expected = [literal_network(cell, labels, contact, 2j * np.pi * f) for f in frequencies]
    assert np.abs(fc.solve(cell, frequencies).impedance / expected - 1).max() < 1e-6  # what the model is made for


def test_a_homogeneous_cell_is_the_same_in_any_voxels() -> None:
    """L/(kappa A), whatever the voxels: full contact, no boundaries."""
    found = []
    for shape, edges in (((6, 6, 6), (1, 1, 1)), ((3, 12, 6), (2, 0.5, 1)), ((12, 2, 3), (0.5, 3, 2))):
        cell = image_cell(shape, 1, {"generator": "voronoi", "grains": 5}, edges=edges, electrode={})
        found.append(fc.resistance(cell))
    assert found == pytest.approx([6e-6 / (0.046 * 36e-12)] * 3, rel=1e-9)


def test_the_squares_that_fit_oblong_voxels_are_named() -> None:
    structure = {"generator": "cubic", "grain_size": "2 um"}
    with pytest.raises(InputError, match=r"on 6 x 8 voxels: .* nearest are 0 and 0.166666666667"):
        image_cell(SHAPE, 0.3, structure, edges=(1, 2, 1))
    with pytest.raises(InputError, match=r"voxel = .* an edge|one length or three, in the image's order z, x, y"):
        cell_of(image=LABELS, voxel=["1 um", "2 um"])


def test_contacts_of_pixels_and_rectangles_lie_on_the_voxels() -> None:
    """A mask, regions and the square are one contact where they cover the same voxels; each is the literal network."""
    structure = {"image": LABELS % 5, "boundary": BOUNDARY}
    square = image_cell(SHAPE, 1 / 3, structure)
    mask = np.zeros((3, 4), dtype=bool)  # pixels of two voxels
    mask[1, 1:3] = mask[2, 0] = True
    rectangles = {"shape": "regions", "regions": [{"shape": "rectangle", "centre": ["3 um", "4 um"], "size": ["4 um", "4 um"]}]}
    frequencies = [1.0, 1e6]
    by_regions = square.vary({"working_electrode.contact": rectangles})
    assert fc.solve(by_regions, frequencies).impedance == pytest.approx(fc.solve(square, frequencies).impedance, rel=1e-12)
    by_mask = square.vary({"working_electrode.contact": {"shape": "mask", "image": mask}})
    fine = mask.repeat(2, 0).repeat(2, 1)
    expected = [literal_network(by_mask, LABELS % 5, fine, 2j * np.pi * f) for f in frequencies]
    assert np.abs(fc.solve(by_mask, frequencies).impedance / expected - 1).max() < 1e-6
    assert fc.Cell.loads(by_mask.dumps()) == by_mask
    with pytest.raises(InputError, match=r"of 4 x 4 pixels on 6 x 8 voxels: the edges of a pixel must lie between voxels"):
        square.vary({"working_electrode.contact": {"shape": "mask", "image": np.eye(4, dtype=bool)}})
    with pytest.raises(InputError, match=r"contact.shape = 'disc' is not allowed on voxels of 1e-06 m x 1e-06 m"):
        square.vary({"working_electrode.contact": {"shape": "disc", "fraction": 0.25}})
