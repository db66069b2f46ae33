"""Every command on every kind of cell and every backend: done where the table says so, else one sentence with a remedy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import images
import mesh_files
import numpy as np
import outline_cells
import pytest
from masks import random_mask

import fem_constriction as fc
import network.backend
from fem_constriction.errors import InputError
from fem_constriction.grids.grid import Grading, Grid, family_member, uniform
from fem_constriction.problem import faces
from fem_constriction.solving import capabilities
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.capabilities import FAMILY, KINDS, TASKS, Kind, choices, gap, kind_of, offers
from validation.benchmarks import harness, precision
from validation.gate import result
from validation.study.plan import Study

Run = Callable[..., tuple[int, str, str]]

BUILT_IN = [backend_named(name) for name in ("network", "fem")]
BAND = "0.01:1e8:11"

#: What each task is called with, beside the cell and the backends.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "spectrum": ("spectrum", "--out", "z.csv"),
    "spectrum --accuracy": ("spectrum", "--accuracy", "0.5", "--out", "z.csv"),
    "spectrum --resolution": ("spectrum", "--resolution", "9", "--out", "z.csv"),
    "spectrum --guaranteed": ("spectrum", "--guaranteed", "--accuracy", "0.3", "--out", "z.csv"),
    "crosscheck": ("crosscheck", "--no-discs", "--tolerance", "0.5"),
    "crosscheck --accuracy": ("crosscheck", "--accuracy", "0.3", "--tolerance", "0.5"),
    "sweep": ("sweep", "--workers", "1", "--out", "sweep"),
    "sweep of one backend": ("sweep", "--workers", "1", "--out", "sweep"),
    "converge": ("converge", "--levels", "3", "--quantity", "R_DC"),
    "converge --grids graded": ("converge", "--levels", "3", "--quantity", "R_DC", "--grids", "graded"),
    "converge --grids uniform": ("converge", "--levels", "3", "--quantity", "R_DC", "--grids", "uniform"),
    "budget": ("budget",),
    "fields": ("fields", "--level", "0"),
    "fields --resolution": ("fields", "--resolution", "9"),
    "errors": ("errors", "--resolutions", "8"),
    "bounds": ("bounds", "--accuracy", "0.1"),
    "benchmark NAME --level": ("benchmark", "--level", "0"),
    "benchmark network": ("benchmark", "network", "--sizes", "8"),
    "benchmark fem": ("benchmark", "fem", "--levels", "1", "--no-peers"),
    "benchmark planes": ("benchmark", "planes", "--levels", "1"),
}

#: Commands that take no time with an image as a contact: one backend, or a refusal.
QUICK = ("spectrum", "bounds", "spectrum --guaranteed", "benchmark planes")

#: Seconds rather than tenths of them, even on the coarsest grids.
SLOW = {
    ("crosscheck", "rectangles"),
    ("crosscheck --accuracy", "rectangles"),
    ("sweep", "rectangles"),
    ("sweep of one backend", "rectangles"),
    ("sweep of one backend", "outlines"),
    ("benchmark network", "rectangles"),
    ("benchmark network", "outlines"),
    ("converge --grids graded", "outlines"),
    ("benchmark NAME --level", "outlines"),
    ("spectrum --accuracy", "outlines"),
    ("converge", "rectangles"),
    ("crosscheck", "outlines"),
    ("sweep", "outlines"),
    ("converge", "outlines"),
    ("benchmark fem", "rectangles"),
    ("benchmark fem", "outlines"),
    ("spectrum --accuracy", "mesh"),
    ("sweep of one backend", "mesh"),
    ("converge", "mesh"),
    ("errors", "rectangles"),
    ("errors", "outlines"),
    ("crosscheck --accuracy", "image"),
    *((task, "pixels") for task in TASKS if task not in QUICK),
}

#: Minutes of commands that take whatever family of grids there is; masks and two electrodes are solved by others of these rows.
LEFT_OUT = {
    ("sweep", "mesh"),  # minutes: its workers refine a mesh for R_Cstr, and `crosscheck` shows the same
    *((task, "pixels") for task in TASKS if task.startswith(("benchmark n", "benchmark f", "benchmark N", "sweep"))),
    *((task, "two_rectangles") for task in TASKS if task.startswith(("benchmark n", "benchmark f"))),
    ("converge", "pixels"),
    ("converge --grids graded", "pixels"),
    *((task, "two_pixels") for task in TASKS if task not in QUICK),
}


@pytest.fixture(autouse=True)
def few_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """An image of four pixels per edge has more edges than grids are graded towards, as one of 600 has."""
    monkeypatch.setattr(faces, "FEW", 2)


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """R_Cstr of coarse grids is known well enough: no grid is refined for it."""
    monkeypatch.setattr(result, "GEOMETRIC", 0.5)


@pytest.fixture(autouse=True)
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a benchmark nobody looks at the times, nor at errors: nothing is repeated, and references are coarse."""
    monkeypatch.setattr(harness, "SHORT", 0.0)
    monkeypatch.setattr(precision, "FIRST_LEVELS", (-1, 0, 1))
    monkeypatch.setattr(precision, "ORDERS", (7,))


@pytest.fixture(scope="session")
def cells(tmp_path_factory: pytest.TempPathFactory) -> dict[str, fc.Cell]:
    """One small cell of each kind."""
    folder = tmp_path_factory.mktemp("kinds")
    np.save(folder / "image.npy", np.ones((4, 6, 6), dtype=np.uint8))
    lines = np.array([0, 12, 38, 50])
    box = mesh_files.box(lines, lines, lines, "hexahedron", contact=lambda p: np.all(np.abs(p[:2] - 25) < 13, axis=0))
    square = {"shape": "square", "fraction": 0.25}
    patterned = {"counter_electrode": {"contact": square, "charge_transfer": {"resistance": "1 ohm cm^2"}}}
    found = {
        "rectangles": outline_cells.cell(square),
        "outlines": outline_cells.cell(outline_cells.DISC),
        "pixels": random_mask(4),
        "image": images.image_cell((4, 6, 6), 4 / 36, {"image": str(folder / "image.npy")}),
        "mesh": mesh_files.mesh_cell(mesh_files.write_vtu(box, folder), (50, 50, 50)),
    }
    two = {"two_rectangles": "rectangles", "two_outlines": "outlines", "two_pixels": "pixels", "two_mesh": "mesh"}
    return found | {name: found[one].vary(patterned) for name, one in two.items()}


def arguments(task: str, cell: fc.Cell, names: tuple[str, ...], folder: Path) -> list[str]:
    """The command line of a task for a cell and backends."""
    command, *options = ARGUMENTS[task]
    file = folder / "cell.toml"
    cell.save(file)
    if command == "sweep":
        chosen = f"backends = {json.dumps(names)}" if len(names) > 1 else f'backend = "{names[0]}"\naccuracy = 0.5'
        text = f'cell = "cell.toml"\nfrequencies = "{BAND}"\n{chosen}\n[axes]\n"electrolyte.conductivity" = ["0.4 mS/cm"]\n'
        (folder / "sweep.toml").write_text(text)
        return [command, str(folder / "sweep.toml"), *options]
    if command == "benchmark" and options[0] == "--level":
        options.insert(0, names[0])
    if command == "benchmark":
        return [command, options[0], str(file), *options[1:], "--frequencies", BAND]
    if TASKS[task].fixed or "--guaranteed" in options:
        chosen = []
    elif command in ("crosscheck", "budget"):
        chosen = ["--backends", ",".join(names)]
    else:
        chosen = ["--backend", names[0]]
    asked = [] if command in ("fields", "budget", "bounds", "errors") else ["--frequencies", BAND]
    return [command, str(file), *options, *chosen, *asked]


CASES = [
    pytest.param(
        task,
        kind,
        tuple(each.name for each in chosen),
        id=f"{task}, {kind.name}, {' + '.join(each.name for each in chosen)}",
        marks=[pytest.mark.long] if (task, kind.name) in SLOW else [],
    )
    for task in TASKS
    for kind in KINDS
    for chosen in choices(TASKS[task], BUILT_IN)
    if (task, kind.name) not in LEFT_OUT
]


@pytest.mark.filterwarnings("ignore::fem_constriction.errors.ResolutionWarning")
@pytest.mark.parametrize(("task", "kind", "names"), CASES)
def test_a_command_does_what_the_table_says(
    task: str, kind: Kind, names: tuple[str, ...], cells: dict[str, fc.Cell], coarse: None, run: Run, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    cell = cells[kind.name]
    said = gap(task, cell, [backend_named(name) for name in names])
    status, out, err = run(*arguments(task, cell, names, tmp_path))
    assert "Traceback" not in out + err
    if said is None:
        assert status in (0, 1), err
        assert out
    else:
        assert status == 2, err
        assert not out
        assert len(err) < 500
        assert kind.key in err
        assert "allowed " in err.partition("is not allowed")[2], err


def test_every_task_is_called_in_this_test() -> None:
    assert set(ARGUMENTS) == set(TASKS)


def test_the_kind_of_a_cell_follows_from_its_keys(cells: dict[str, fc.Cell]) -> None:
    assert {name: kind_of(cell).name for name, cell in cells.items()} == {name: name for name in cells}
    one = {"shape": "rectangle", "centre": ["20 um", "20 um"], "size": ["9 um", "7 um"]}
    assert kind_of(outline_cells.cell(outline_cells.regions(one))).name == "rectangles"
    assert kind_of(outline_cells.cell(outline_cells.regions({**one, "angle": "20 deg"}))).name == "outlines"
    assert kind_of(outline_cells.cell({"shape": "disc", "fraction": 0.0})).name == "rectangles"


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda cell: fc.solve(cell, [1e3], backend="fem", resolution=8), "mesh", "mesh is not allowed for `spectrum --resolu"),
        (lambda cell: backend_named("network").uniform(cell, 8), "mesh", "mesh is not allowed for backend 'network'"),
        (lambda cell: backend_named("network").sides(cell), "image", "microstructure is not allowed for backend 'network'"),
        (lambda cell: backend_named("fem").uniform(cell, 8), "mesh", "mesh is not allowed for backend 'fem'"),
    ],
)  # fmt: skip
def test_the_library_asks_the_same_table(call: Any, kind: str, words: str, cells: dict[str, fc.Cell]) -> None:
    with pytest.raises(InputError, match=words):
        call(cells[kind])


def test_a_study_with_a_gap_at_one_point_is_refused_before_the_first(
    cells: dict[str, fc.Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    backends = {"backend": ["network", "fem"]}
    Study(cell=cells["rectangles"], axes=backends)
    monkeypatch.setattr(network.backend.Network, "offers", {"rectangles": (FAMILY,)})
    with pytest.raises(InputError, match=r"^mesh is not allowed for `sweep of one backend` with backend 'network'"):
        Study(cell=cells["mesh"], axes=backends)
    # The axis changes the kind of cell on the way.
    with pytest.raises(InputError, match=r"^working_electrode.contact is not allowed for `sweep`.*'network'.*point 2"):
        Study(cell=cells["rectangles"], axes={"working_electrode.contact.shape": ["square", "disc"]})


class Plain:
    """A third-party backend that declares nothing."""

    name, bound, order = "plain", None, 2.0

    def grid(self, cell: fc.Cell, level: int) -> Grid:
        return family_member(cell, Grading(exponent=2.5, steps=2), level)

    def uniform(self, cell: fc.Cell, resolution: int) -> Grid:
        return uniform(cell, resolution)

    def unknowns(self, cell: fc.Cell, grid: Grid) -> int:
        return 1

    def assemble(self, cell: fc.Cell, grid: Grid) -> Any:
        raise AssertionError("nothing is computed before the table was asked")


class Choosy(Plain):
    unable = {"oblong face": "it is axisymmetric", "outlines": "it knows squares alone"}  # noqa: RUF012
    offers = {"rectangles": (FAMILY,)}  # noqa: RUF012


class Told:
    """A backend that gives spectra alone."""

    name, bound = "told", None

    def impedance(self, cell: fc.Cell, frequencies: Any) -> Any: ...

    def resistance(self, cell: fc.Cell) -> Any: ...


def test_a_backend_that_declares_nothing_takes_stacks(cells: dict[str, fc.Cell]) -> None:
    assert gap("spectrum", cells["rectangles"], [Plain()]) is None
    for kind in ("image", "mesh"):
        with pytest.raises(InputError, match="is not allowed for `spectrum` with backend 'plain'"):
            fc.solve(cells[kind], [1e3], backend=Plain())


def test_what_a_backend_is_unable_of_is_said_in_its_words(cells: dict[str, fc.Cell]) -> None:
    oblong = cells["rectangles"].vary({"geometry.width": ["60 um", "50 um"]})
    with pytest.raises(InputError, match=r"geometry.width is not allowed.*oblong face, it is axisymmetric"):
        fc.solve(oblong, [1e3], backend=Choosy())
    assert "it knows squares alone" in str(gap("spectrum", cells["outlines"], [Choosy()]))
    assert gap("spectrum", cells["rectangles"], [Choosy()]) is None


def test_spectra_alone_are_compared_with_what_has_grids(cells: dict[str, fc.Cell]) -> None:
    for kind, backend in (("mesh", "fem"), ("rectangles", "network"), ("image", "network")):
        assert gap("crosscheck", cells[kind], [backend_named(backend), Told()]) is None
    assert "none of them offers" in str(gap("crosscheck", cells["mesh"], [Told(), Told()]))
    assert "it does not offer" in str(gap("crosscheck", cells["two_mesh"], [backend_named("network"), Told()]))


@pytest.mark.parametrize("wrong", [{"squares": (FAMILY,)}, {"rectangles": ("everything",)}])
def test_a_declaration_that_stands_for_nothing_is_an_error(wrong: dict[str, Any]) -> None:
    backend = Plain()
    backend.offers = wrong  # type: ignore[attr-defined]
    with pytest.raises(InputError, match=r"plain: offers.* is not allowed"):
        offers(backend, capabilities.RECTANGLES)


def test_backends_shows_the_table(run: Run, cells: dict[str, fc.Cell], tmp_path: Path) -> None:
    status, out, _ = run("backends")
    assert status == 0
    for task in TASKS:
        assert task in out
    cells["image"].save(tmp_path / "cell.toml")
    status, out, _ = run("backends", tmp_path / "cell.toml")
    assert (status, "label image" in out) == (0, True)
    status, out, _ = run("backends", tmp_path / "cell.toml", "--json")
    found = {each["command"]: each for each in json.loads(out)["commands"]}
    assert found["spectrum"] == {"command": "spectrum", "backends": [["fem"], ["network"]], "reason": None}
    assert found["bounds"]["backends"] == [["fem", "network"]]
    assert found["errors"]["backends"] == [["fem", "network"]]
    assert found["spectrum --resolution"]["backends"] == []
    assert "electrolyte.microstructure" in found["spectrum --resolution"]["reason"]
    status, out, _ = run("backends", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert rows["fem"]["takes"]["mesh"][:2] == ["spectrum", "spectrum --accuracy"]
