"""A label image as `show` has it: phases, grains, boundaries and paths in tables, and the picture of its sections."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from fem_constriction.cell.cell import Cell
from fem_constriction.cell.labels import Labels
from fem_constriction.errors import Absent, InputError, Written
from fem_constriction.grids.image_facts import MOST, ImageFacts, facts_of
from fem_constriction.problem.bodies import Image
from fem_constriction.problem.kinds import IMAGE
from fem_constriction.problem.problem import Problem
from validation.show.report import table


@dataclass(frozen=True, eq=False)
class Seen:
    """An image, and what it is like."""

    body: Image
    facts: ImageFacts
    labels: Labels


def seen(cell: Cell) -> Seen | None:
    """Return what is to be shown of a cell's image; None for other cells, and for more than MOST voxels."""
    problem = Problem.of(cell)
    if problem.kind != IMAGE or prod(Image.of(problem.body).shape) > MOST:
        return None
    facts, labels = facts_of(problem)
    return Seen(Image.of(problem.body), facts, labels)


def record(facts: ImageFacts) -> dict[str, Any]:
    """Return the facts as JSON has them."""
    return asdict(facts)


def tables(shown: Seen | None) -> list[RenderableType]:
    """Return the tables of an image; none without one."""
    if shown is None:
        return []
    facts = shown.facts
    rows = [
        (each.name, f"{each.fraction:.2%}", str(each.pieces), _yes(each.percolates)) for each in facts.phases if each.fraction
    ]
    more = [
        ("voxels (z, x, y)", " x ".join(map(str, shown.body.shape))),
        ("grains", str(facts.grains)),
        ("path between the electrodes", _yes(facts.path)),
    ]
    if facts.faces:
        more.append(("area of faces between grains", f"{facts.faces:.4g} m^2"))
        more.append(
            (
                "area of the boundaries they picture",
                f"about {facts.smooth:.4g} m^2 ({facts.faces / facts.smooth:.3g} times less)",
            )
        )
    return [
        table("Image", ("", ""), more, left=2),
        table("Phases", ("phase", "of the volume", "pieces", "from face to face"), rows),
    ]


def write(cell: Cell, shown: Seen | None, folder: Path) -> list[Path]:
    """Write the sections of an image and return their files. Raises InputError for a cell without one."""
    if shown is None:
        if Problem.of(cell).kind == IMAGE:
            raise InputError(key="--out", value=folder, why=f"images of more than {MOST:.0e} voxels are not drawn")
        why = "only a label image has sections to be drawn"
        raise InputError(key="electrolyte.microstructure", value=Absent.MISSING, when=str(Written("with --out")), why=why)
    # Imported here: drawing takes a second that `show` without a picture need not.
    from fem_constriction.pictures.printed import save
    from validation.show.pictures.microstructure import sections

    folder.mkdir(parents=True, exist_ok=True)
    return save(partial(sections, shown.body, shown.labels), folder, "sections")


def _yes(value: bool) -> str:
    return "yes" if value else "no"
