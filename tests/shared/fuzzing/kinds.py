"""The inputs of each kind: (random numbers, an empty folder) -> files in the folder, and what is typed at the command line."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mesh_files import box, write_abaqus, write_gmsh22, write_gmsh41, write_vtu, write_xdmf

from fuzzing.damage import NUMBERS, WORDS, Random, scaled, spoil, spoil_bytes, toml, value

Kind = Callable[[Random, Path], list[str]]

ROBIN = {
    "charge_transfer": {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"},
    "pore": {"capacitance": "8.85 uF/cm^2"},
}
BOUNDARIES = {"layers": 3, "thickness": "10 nm", "conductivity": "0.597 uS/cm", "relative_permittivity": 150}
SQUARE = {"shape": "square", "fraction": 0.25}
OUTLINES: Sequence[dict[str, Any]] = (
    {"shape": "disc", "fraction": 0.2},
    {"shape": "regions", "regions": [{"shape": "rectangle", "centre": ["25 um", "20 um"], "size": ["20 um", "10 um"]}]},
    {"shape": "regions", "regions": [{"shape": "disc", "centre": ["10 um", "12 um"], "radius": "5 um"},
                                     {"shape": "ellipse", "centre": ["33 um", "32 um"], "semi_axes": ["9 um", "4 um"],
                                     "angle": "30 deg"}]},
    {"shape": "regions", "regions": [{"shape": "polygon", "vertices": [["3 um", "36 um"], ["15 um", "33 um"], ["12 um",
        "46 um"]]}]},
)  # fmt: skip
ENERGIES = {"bulk": "0.35 eV", "grain_boundary": "40 kJ/mol"}


def cell(contact: dict[str, Any], **electrolyte: Any) -> dict[str, Any]:
    """The tree of a cell file of 50 um that solves in a moment."""
    return {
        "title": "A cell",
        "geometry": {"width": "50 um", "thickness": "50 um"},
        "electrolyte": {"conductivity": "0.46 mS/cm", "relative_permittivity": 150, **electrolyte},
        "working_electrode": {"contact": copy.deepcopy(contact), **copy.deepcopy(ROBIN)},
        "counter_electrode": {"charge_transfer": {"resistance": "1 ohm cm^2"}},
    }


def cells(rng: Random, folder: Path) -> list[str]:
    """Cell files: one to three places spoilt, or bytes of the text."""
    contact = SQUARE if rng.random() < 0.6 else rng.choice(OUTLINES)
    tree = cell(contact, **({"grain_boundaries": dict(BOUNDARIES)} if rng.random() < 0.7 else {}))
    if rng.random() < 0.2:
        tree["temperature"] = {"value": "60 degC", "reference": "25 degC", "activation_energy": dict(ENERGIES)}
    if rng.random() < 0.2:
        tree["working_electrode"]["pore"] = {"depth": "100 nm", "relative_permittivity": 10}
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        spoil(rng, tree)
    _write_toml(rng, folder / "cell.toml", tree)
    return _solved(rng)


def images(rng: Random, folder: Path) -> list[str]:
    """Cells of label images: .npy, .tif and raw volumes, or grains that are generated."""
    shape = rng.choice([(4, 4, 4), (4, 4, 4), (2, 4, 8), (1, 2, 2), (3, 1, 5), (5, 3, 3), (8, 8, 8)])
    labels = np.random.default_rng(rng.randrange(2**32)).integers(1, rng.choice([2, 3, 6]), shape)
    labels[:, 0, 0] = 7  # every inclusion is somewhere
    if rng.random() < 0.2:
        labels[rng.randrange(shape[0])] = 7
    structure: dict[str, Any] = {"voxel": "1 um", "boundary": {key: BOUNDARIES[key] for key in ("thickness", "conductivity")}}
    square = SQUARE if shape[1] == shape[2] and shape[1] % 4 == 0 else {"shape": "square", "fraction": 1}
    source = rng.choice(["npy", "npy", "tif", "raw", "voronoi", "cubic"])
    if source == "voronoi":
        structure |= {"generator": "voronoi", "grains": rng.choice([1, 3, 30]), "seed": 1}
    elif source == "cubic":
        structure |= {"generator": "cubic", "grain_size": "1 um"}
    else:
        structure |= _image(rng, folder, labels, source)
        conductivity = rng.choice([0, 0, "1 S/cm", "1e6 S/m", "1e-12 S/m", "0.46 mS/cm"])
        structure["inclusions"] = [{"label": 7, "conductivity": conductivity, "relative_permittivity": rng.choice([0, 10])}]
    tree = cell(OUTLINES[0] if rng.random() < 0.04 else square, microstructure=structure)
    nz, nx, ny = shape
    tree["geometry"] = {"width": [f"{nx} um", f"{ny} um"], "thickness": f"{nz} um"}
    for _ in range(rng.choice([0, 0, 0, 0, 0, 1, 1, 2])):
        spoil(rng, tree if rng.random() < 0.3 else structure)
    _write_toml(rng, folder / "cell.toml", tree)
    if rng.random() < 0.7:
        return ["spectrum", "cell.toml", "--backend", "network", "--frequencies", "1,1e4,1e8", "--out", "z.csv", *_look(rng)]
    return _solved(rng, ("spectrum", "show", "show", "bounds", "budget", "errors", "crosscheck", "converge", "fields"))


def _image(rng: Random, folder: Path, labels: np.ndarray, source: str) -> dict[str, Any]:
    """Write an image, often a damaged one; return the keys that name it."""
    kind = rng.choice(
        ["uint8", "uint8", "uint8", "int32", "int64", "int64", "float32", "float64", "bool", "complex128", ">i4", "uint16"]
    )
    data = labels.astype(kind)
    odd = rng.randrange(16)
    if odd == 0:
        data = data[0]
    elif odd == 1:
        data = data[None]
    elif odd == 2:
        data = data[:0]
    elif odd == 3 and data.dtype.kind == "f":
        data.flat[0] = rng.choice([np.nan, np.inf, 1.5, -1])
    path = folder / f"image.{source}"
    if source == "npy":
        np.save(path, np.array([{}, None], dtype=object) if odd == 4 else np.asfortranarray(data) if odd == 5 else data)
    elif source == "raw":
        path.write_bytes(data.tobytes())
    else:
        import tifffile

        sound = data if data.dtype.kind in "uif" and data.size else labels.astype("uint8")
        tifffile.imwrite(
            path, sound, **({"photometric": "minisblack"} if odd < 6 else {"photometric": "minisblack", "compression": "zlib"})
        )
    if rng.random() < 0.15:
        path.write_bytes(spoil_bytes(rng, path.read_bytes()))
    keys: dict[str, Any] = {"image": path.name}
    if source == "raw":
        keys |= {"shape": list(labels.shape), "dtype": kind if kind in ("uint8", "int32", "int64", "uint16") else "uint8"}
    if rng.random() < 0.1:
        keys["sha256"] = "0" * rng.choice([64, 63])
    return keys


def spectra(rng: Random, folder: Path) -> list[str]:
    """Spectra as instruments might have written them, for `fit`."""
    points = rng.choice([0, 1, 2, 3, 5, 12, 20, 31, 31, 61])
    f = np.geomspace(1e6, 1e-1, points)
    s = 2j * np.pi * f
    z = 10 + 100 / (1 + s * 1e-4) + rng.choice([0, 300]) / (1 + s * 1e-1) + rng.choice([0, 1e-4]) * s
    z = z * rng.choice([1, 1, 1, 1e-12, 1e12, -1, 1j])
    columns = [f, z.real, z.imag]
    if rng.random() < 0.3:
        columns.append(np.full(points, rng.choice([0, 1e-3, 1, 1e9])))
    rows = np.array(columns).T
    if rng.random() < 0.3:
        rows = np.concatenate([rows, rows[: rng.randint(0, points)]])
    if rng.random() < 0.2:
        rows = rows[np.random.default_rng(rng.randrange(2**32)).permutation(len(rows))]
    if rng.random() < 0.25 and rows.size:
        rows.flat[rng.randrange(rows.size)] = rng.choice([0, -1, np.nan, np.inf, 1e300, 1e-300, 1e12])
    headers = (
        *["freq/Hz,Re(Z)/Ohm,Im(Z)/Ohm,u(Z)/Ohm"] * 12, "freq/Hz,Re(Z)/Ohm,-Im(Z)/Ohm,u(Z)/Ohm", "f,re,im,u",
        "Frequency (Hz),Z' (kOhm),Z'' (kOhm),x",
        "f/rad,Z'/Ohm,Z''/Ohm,x", "index,f,re,im", "re,re,f,im", "🙂,é,x,y", "f [MHz],Z' [Ohm],-Z'' [Ohm],u(Z)",
        "freq/Hz,|Z|/Ohm,Phase(Z)/deg,x",
    )  # fmt: skip
    lines = [",".join(f"{number:.7g}" for number in row) for row in rows]
    if rng.random() < 0.8:
        lines.insert(0, ",".join(rng.choice(headers).split(",")[: len(columns)]))
    separator = rng.choice([",", ",", ",", ",", ",", ";", ";", "\t", " ", "|"])
    text = "\n".join(lines).replace(",", separator)
    if separator != "," and rng.random() < 0.3:
        text = text.replace(".", ",")
    data = (text + "\n").encode(rng.choice([*["utf-8"] * 9, "utf-8-sig", "utf-16"]))
    for _ in range(rng.choice([0, 0, 0, 1, 2])):
        data = spoil_bytes(rng, data)
    name = rng.choice(["z.csv", "z.csv", "z.txt", "z.DTA", "z.z", "z.mpt"])
    (folder / name).write_bytes(data)
    if rng.random() < 0.1:
        (folder / Path(name).with_suffix(".json")).write_bytes(
            spoil_bytes(rng, b'{"sha256": "0", "agreement": {"verdict": "agree"}}')
        )
    circuits = ["R0-p(R1,C1)", "R0-L0-p(R1,CPE1)-p(R2,C2)", "1D-FM", "R0", "R0-p(R1,C1", "p()", "R0-C0", "R0-W1", "()" * 50,
        "R0-" * 200 + "R1",
                "R0-R0", "R1e5-p(R1,C1)", *WORDS[:8]]  # fmt: skip
    return ["fit", name, *(["--circuit", rng.choice(circuits)] if rng.random() < 0.3 else []), *_look(rng)]


def meshes(rng: Random, folder: Path) -> list[str]:
    """Cells of mesh files of every format, damaged."""
    kind = rng.choice(["tetra", "hexahedron"])
    lines = np.linspace(0.0, 2.0, 3)
    inside = (lambda corners: np.all(np.abs(corners[2] - 1) < 1e-9, axis=0)) if rng.random() < 0.4 else None
    mesh = box(lines, lines, lines, kind, contact=lambda p: p[0] < 1, inside=inside)
    odd = rng.randrange(12)
    if odd == 0:
        mesh.cells = mesh.cells[1:]
    elif odd == 1:
        mesh.points = mesh.points * rng.choice([1, 1e-6, 1e6, -1, 0])
    elif odd == 2:
        mesh.points[rng.randrange(len(mesh.points))] = rng.choice([np.nan, np.inf, 1e30, 0.0])
    elif odd == 3:
        mesh.faces.pop(rng.choice(list(mesh.faces)))
    elif odd == 4:
        mesh.cells = mesh.cells[:, ::-1]
    elif odd == 5:
        mesh.faces["contact"] = mesh.faces["contact"][:1]
    elif odd == 6:
        mesh.faces["pore"] = mesh.faces["contact"]
    writer = rng.choice([write_vtu, write_xdmf, write_gmsh22, write_gmsh41, write_abaqus])
    section = {"unit": "um", **writer(mesh, folder)}
    section["file"] = Path(section["file"]).name
    if inside is not None:
        section["boundary"] = {key: BOUNDARIES[key] for key in ("thickness", "conductivity")}
    if rng.random() < 0.5:
        path = folder / section["file"]
        data = path.read_bytes()
        for _ in range(rng.choice([1, 1, 3])):
            data = spoil_bytes(rng, data)
        path.write_bytes(data)
    tree = cell({"shape": "mesh"})
    tree["geometry"] = {"width": "2 um", "thickness": "2 um"}
    tree["mesh"] = section
    for _ in range(rng.choice([0, 0, 1])):
        spoil(rng, tree if rng.random() < 0.3 else section)
    _write_toml(rng, folder / "cell.toml", tree)
    return _solved(rng, ("spectrum", "spectrum", "show", "show", "bounds", "crosscheck", "fields", "budget"))


def sweeps(rng: Random, folder: Path) -> list[str]:
    """Study files; what they ask for is little, so that a sound one ends soon."""
    (folder / "cell.toml").write_text(toml(cell(SQUARE, grain_boundaries=dict(BOUNDARIES))))
    tree: dict[str, Any] = {
        "cell": "cell.toml",
        "frequencies": "1:1e3:2",
        "backend": "network",
        "accuracy": 0.3,
        "axes": {
            "working_electrode.contact.fraction": [0.25, 0.36],
            "electrolyte.conductivity": {"start": "1 mS/cm", "stop": "2 mS/cm", "num": 2, "scale": "log"},
        },
    }
    if rng.random() < 0.3:
        tree["mode"] = rng.choice(["zip", "product", "latin-hypercube", "grid"])
        tree |= rng.choice([{}, {"samples": 2}, {"samples": 2, "seed": 7}])
    if rng.random() < 0.3:
        key = rng.choice(
            [
                "electrolyte",
                "geometry.thickness",
                "working_electrode.contact",
                "title",
                "mesh",
                "backend",
                "accuracy",
                *WORDS[8:14],
            ]
        )
        tree["axes"][key] = [value(rng) for _ in range(rng.randint(0, 3))]
    for _ in range(rng.choice([1, 1, 2])):
        spoil(rng, tree)
    for axis in tree["axes"].values() if isinstance(tree.get("axes"), dict) else ():
        if isinstance(axis, dict) and isinstance(num := axis.get("num"), int) and 5 < num <= 100_000:
            axis["num"] = 5  # thousands of points are a sound study, and hours
    _write_toml(rng, folder / "sweep.toml", tree)
    return ["sweep", "sweep.toml", "--out", "out", *_look(rng)]


#: Options of each command that take a value, on a cell that solves at once where the command solves one.
OPTIONS: dict[str, tuple[list[str], list[str]]] = {
    "spectrum": (["cell.toml", "--out", "z.csv", "--backend", "network", "--resolution", "4", "--frequencies", "1,1e3"],
                 ["--backend", "--frequencies", "--resolution", "--accuracy", "--out"]),
    "fields": (["cell.toml", "--level", "0", "--backend", "network"], ["--frequency", "--backend", "--level",
    "--resolution", "--part", "--plane", "--format", "--out"]),
    "budget": (["cell.toml", "--backends", "network"], ["--backends", "--fractions", "--out"]),
    "bounds": (["cell.toml", "--accuracy", "0.3"], ["--accuracy", "--rates", "--out"]),
    "errors": (["disc.toml", "--resolutions", "4,8"], ["--resolutions", "--frequencies", "--out"]),
    "fit": (["z.csv"], ["--circuit", "--out"]),
    "crosscheck": (["cell.toml", "--tolerance", "2"], ["--backends", "--frequencies", "--accuracy", "--out"]),
    "converge": (["cell.toml", "--levels", "2"], ["--backend", "--grids", "--quantity", "--frequencies", "--out"]),
    "benchmark": (["network", "cell.toml", "--sizes", "0"], ["--frequencies", "--limit", "--level", "--out"]),
    "conformance": (["--backend", "nobody"], ["--backend", "--check", "--out"]),
    "references": ([], ["--only", "--out"]),
    "figures": (["9"], ["--workers", "--out"]),
    "claims": (["99"], ["--workers", "--out"]),
    "sweep": (["cell.toml"], ["--workers", "--format", "--out"]),
    "show": (["cell.toml"], []),
    "backends": ([], []),
    "schema": ([], []),
}  # fmt: skip


def options(rng: Random, folder: Path) -> list[str]:
    """What is typed: options with values that they do not take, unknown ones, arguments that are missing or too many."""
    (folder / "cell.toml").write_text(toml(cell(SQUARE)))
    (folder / "disc.toml").write_text(toml(cell(OUTLINES[0])))
    (folder / "z.csv").write_text("".join(f"{10.0**k},{10 + 1 / (1 + 10.0 ** (k - 2))},-{0.1 * k * k}\n" for k in range(8)))
    command = rng.choice(list(OPTIONS))
    base, taken = OPTIONS[command]
    arguments = list(base)
    for _ in range(rng.choice([1, 1, 2])):
        if taken and rng.random() < 0.8:
            arguments += [rng.choice(taken), _typed(rng)]
        else:
            arguments.insert(
                rng.randint(0, len(arguments)),
                rng.choice([_typed(rng), "--nonsense", "--help", "-x", "--version", "--no-header", "--quick"]),
            )
    if rng.random() < 0.1:
        arguments = arguments[:-1]
    return [command, *arguments, *_look(rng)]


def _typed(rng: Random) -> str:
    """Something that may be typed after an option: no nul, which no shell passes on, and no path that leads out of the folder.

    Whatever is typed may come to stand behind --out, and a test run by an administrator would then write over the machine.
    """
    lists = ["1:2:0", "1:2:-1", "0:1:5", "1:2:2.5", "nan:1:3", "1:inf:3", "1:2:1e9", "1e300:1e308:3", "1,1,1", ",", "1,,2",
        "1e-300", "1 kHz", "1e999", "4,4", "8,4", "4,1e9", "100000",
             "network,network", "network,", "0.04,2", "z.csv/x", "a/b/c"]  # fmt: skip
    chosen = [
        lambda: rng.choice(lists),
        lambda: repr(rng.choice(NUMBERS)),
        lambda: rng.choice(WORDS),
        lambda: str(scaled(rng, "50 um")),
    ]
    typed = str(rng.choice(chosen)()).replace("\0", "?")
    return f"x{typed}" if typed.startswith(("/", "..", "~")) else typed


def _write_toml(rng: Random, path: Path, tree: dict[str, Any]) -> None:
    data = toml(tree).encode("utf-8", "replace")
    if rng.random() < 0.06:
        data = spoil_bytes(rng, data)
    path.write_bytes(data)


def _look(rng: Random) -> list[str]:
    return rng.choice([[], [], ["--json"], ["--quiet"]])


def _solved(
    rng: Random, commands: Sequence[str] = ("show", "show", "spectrum", "spectrum", "spectrum", "fields", "bounds", "budget")
) -> list[str]:
    """A command for the cell in cell.toml, as coarse as it can be asked."""
    command = rng.choice(commands)
    backend = rng.choice(["network", "network", "fem"])
    typed = {
        "show": [],
        "spectrum": ["--backend", backend, "--frequencies", "1,1e4", "--resolution", "4", "--out", "z.csv"],
        "fields": ["--backend", backend, "--resolution", "4", "--frequency", "0"],
        "bounds": ["--accuracy", "0.5"],
        "budget": ["--backends", "network"],
        "errors": ["--resolutions", "4,8"],
        "crosscheck": ["--frequencies", "1,1e4", "--tolerance", "0.5", "--no-discs"],
        "converge": ["--levels", "3", "--grids", "uniform", "--quantity", "R_DC"],
    }[command]
    return [command, "cell.toml", *typed, *_look(rng)]


#: How many of every hundred inputs are of a kind.
KINDS: dict[str, tuple[Kind, int]] = {
    "cells": (cells, 30),
    "images": (images, 16),
    "spectra": (spectra, 20),
    "meshes": (meshes, 12),
    "sweeps": (sweeps, 8),
    "options": (options, 14),
}
