"""What lies between the electrodes: a stack of layers, a label image, or a mesh from a file.

All bodies have the same members, so that whoever solves or draws a cell need not ask which it is. Grids take from a body what
only that kind has: the ends of a stack's layers, the voxels of an image, the file and the areas of a mesh.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell
from fem_constriction.cell.description import measure_of
from fem_constriction.cell.image_check import contact_mask, counts
from fem_constriction.cell.mesh import Mesh as MeshSection
from fem_constriction.cell.meshfile import Measure
from fem_constriction.cell.microstructure import DOUBLES_PER_VOXEL, Microstructure
from fem_constriction.errors import Absent, InputError
from fem_constriction.problem.faces import Face
from fem_constriction.problem.kinds import IMAGE, MESH, OUTLINES, PIXELS, RECTANGLES, Kind
from fem_constriction.processes.course import Course
from fem_constriction.processes.layering import layering
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY

Lengths = tuple[float, float, float]


class Body(Protocol):
    """What lies between the electrodes.

    lengths: (L_x, L_y, L_z) of its box in m; layers: how many lie one below the other with boundaries between them; ends: of
    these, z from the working to the counter electrode, (layers + 1,), m; crossings: how many boundaries a uniform current along
    z meets; doubles: that are alive at once per unknown while it is solved; uniform: whether a current that enters evenly stays
    so, and its 1D-PM is the cell at full contact; torn: whether the potential may jump between any two cells of its grids.
    """

    doubles: ClassVar[int]
    torn: ClassVar[bool]

    @property
    def uniform(self) -> bool:
        """Whether a current that enters evenly stays so."""
        ...

    @property
    def electrodes(self) -> Mapping[int, str]:
        """Label of metal inside it -> the process where that meets the electrolyte."""
        ...

    @property
    def kind(self) -> Kind:
        """What backends call it in their declarations."""
        ...

    @property
    def lengths(self) -> Lengths:
        """(L_x, L_y, L_z) of its box in m."""
        ...

    @property
    def layers(self) -> int:
        """How many layers lie one below the other."""
        ...

    @property
    def ends(self) -> Array:
        """Where they end, (layers + 1,), m."""
        ...

    @property
    def crossings(self) -> float:
        """How many boundaries a uniform current along z meets."""
        ...

    @property
    def across(self) -> Mapping[str, float]:
        """What a uniform current along z crosses: material -> m, boundary -> how many."""
        ...

    @property
    def course(self) -> Course:
        """What its layers are, and what lies between them."""
        ...

    @property
    def described(self) -> Mapping[str, Any]:
        """What its grids depend on, materials left out, as JSON can hold it."""
        ...

    def finer(self, cells: int, times: int) -> str:
        """Return what has steps so many times smaller than a grid of so many cells along z, in words."""
        ...

    def resolution(self, asked: int | None) -> int | None:
        """Return the cells per edge that are asked for; None for the body's own. Raises InputError where it has others."""
        ...


@dataclass(frozen=True, eq=False)
class Stack:
    """0 = z_0 < z_1 < ... < z_n = L_z: n layers, laterally uniform, with a boundary between two of them, or none.

    ends: z, (n + 1,), m; course: of what they are; kind: that of the faces, between which all is laterally uniform; face: what
    its grids depend on, and no section says.
    """

    #: The basis (up to 40 solutions), blocks of 8 columns in the solver and the factorised stack. Measured peaks were 110 to
    #: 180 doubles per unknown (network and finite elements, 0.1 to 1.6 million).
    doubles: ClassVar[int] = 200
    uniform: ClassVar[bool] = True
    torn: ClassVar[bool] = False
    electrodes: ClassVar[Mapping[int, str]] = MappingProxyType({})

    lengths: Lengths
    ends: Array
    course: Course
    kind: Kind
    face: Mapping[str, Any] = field(default_factory=dict)

    @property
    def layers(self) -> int:
        """How many there are."""
        return len(self.course.bulks)

    @property
    def crossings(self) -> float:
        """How many boundaries there are."""
        return float(sum(name is not None for name in self.course.boundaries))

    @property
    def across(self) -> Mapping[str, float]:
        """Thickness of each material, and number of boundaries of each kind."""
        found: dict[str, float] = {}
        for name, height in zip(self.course.bulks, np.diff(self.ends).tolist(), strict=True):
            found[name] = found.get(name, 0.0) + height
        if len(self.course.materials) == 1:
            found[BULK] = self.lengths[2]
        return found | {name: float(len(self.course.below(name))) for name in self.course.kinds}

    @property
    def described(self) -> Mapping[str, Any]:
        """Its layers, and of its face what the section of the contact does not say."""
        if self.course == Course.alike(self.layers) and np.array_equal(self.ends, _even(self.lengths[2], self.layers)):
            return {"layers": self.layers, **self.face}
        course = {"bulks": list(self.course.bulks), "boundaries": list(self.course.boundaries)}
        return {"layers": self.layers, "ends": self.ends.tolist(), **course, **self.face}

    def finer(self, cells: int, times: int) -> str:
        """Return what has steps so many times smaller than a grid of so many cells along z, in words."""
        return f"steps {times} times smaller"

    def resolution(self, asked: int | None) -> int | None:
        """Return what is asked for: a stack has any grid."""
        return asked


@dataclass(frozen=True, eq=False)
class Image:
    """label(z, x, y): voxels of grains and of inclusions, all of them of one edge.

    structure: where the labels come from, and of what materials they are; shape: numbers of voxels along z, x and y;
    touched: makes `contact`.
    """

    doubles: ClassVar[int] = DOUBLES_PER_VOXEL
    uniform: ClassVar[bool] = False
    torn: ClassVar[bool] = True
    kind: ClassVar[Kind] = IMAGE
    layers: ClassVar[int] = 1
    crossings: ClassVar[float] = 0.0

    lengths: Lengths
    structure: Microstructure
    shape: tuple[int, int, int]
    touched: Callable[[], NDArray[np.bool_]]

    @cached_property
    def contact(self) -> NDArray[np.bool_]:
        """Which voxels of the first layer the contact covers, (n_x, n_y)."""
        return self.touched()

    @classmethod
    def of(cls, body: Body) -> Image:
        """Return the body as what it is. Raises InputError for another kind."""
        if not isinstance(body, cls):
            raise InputError(
                key="electrolyte.microstructure", value=Absent.MISSING, allowed="only a label image has voxels of its own"
            )
        return body

    @property
    def ends(self) -> Array:
        """The electrodes."""
        return np.array([0.0, self.lengths[2]])

    @property
    def course(self) -> Course:
        """One layer."""
        return Course.alike(1)

    @property
    def across(self) -> Mapping[str, float]:
        """Its thickness: what lies inside is in nobody's way, or everybody's."""
        return {BULK: self.lengths[2]}

    @property
    def inclusions(self) -> Mapping[int, str]:
        """Label -> phase of everything that is neither a grain nor metal."""
        return {each.label: each.phase for each in self.structure.materials}

    @property
    def voids(self) -> tuple[str, ...]:
        """Phases that metal meets without charge transfer."""
        return tuple(each.phase for each in self.structure.materials if each.kind == "hole")

    @property
    def electrodes(self) -> Mapping[int, str]:
        """Label of metal -> the process where it meets the electrolyte."""
        sides = {"working": CHARGE_TRANSFER, "counter": COUNTER_ELECTRODE}
        return {label: sides[side] for label, side in self.structure.electrodes.items()}

    @property
    def described(self) -> Mapping[str, Any]:
        """Where its labels come from, and its phases: their voxels and links."""
        return {"microstructure": self.structure.model_dump(mode="json")}

    def finer(self, cells: int, times: int) -> str:
        """Return what has steps so many times smaller than a grid of so many cells along z, in words."""
        return f"each voxel cut into {cells // self.shape[0] * times} along every edge"

    def resolution(self, asked: int | None) -> int | None:
        """Return None, which stands for the image's own: it has no other grid."""
        if asked is not None and asked not in self.shape:
            raise InputError(
                key="resolution",
                value=asked,
                when="with electrolyte.microstructure",
                why=f"the image has {' x '.join(map(str, self.shape))} voxels and no other grid",
                remedy="allowed is to leave it out",
            )
        return None


@dataclass(frozen=True, eq=False)
class Mesh:
    """Tetrahedra or hexahedra from a file, with named faces; source: the file; measure: its areas, volume and numbers."""

    #: Matrices are assembled and factorised as they are: measured 900 at 7e4 unknowns.
    doubles: ClassVar[int] = 1200
    torn: ClassVar[bool] = True
    electrodes: ClassVar[Mapping[int, str]] = MappingProxyType({})
    kind: ClassVar[Kind] = MESH
    layers: ClassVar[int] = 1

    lengths: Lengths
    source: MeshSection
    measure: Measure

    @property
    def uniform(self) -> bool:
        """Whether the mesh fills its box and its boundaries are planes across the current."""
        return self.measure.even

    @classmethod
    def of(cls, body: Body) -> Mesh:
        """Return the body as what it is. Raises InputError for another kind."""
        if not isinstance(body, cls):
            raise InputError(key="mesh", value=Absent.MISSING, allowed="only a mesh from a file has cells and faces of its own")
        return body

    @property
    def ends(self) -> Array:
        """The electrodes."""
        return np.array([0.0, self.lengths[2]])

    @property
    def crossings(self) -> float:
        """The area of its boundaries across the current, over that of its working electrode."""
        return self.measure.crossings

    @property
    def course(self) -> Course:
        """One layer."""
        return Course.alike(1)

    @property
    def across(self) -> Mapping[str, float]:
        """Its thickness, and its boundaries across the current."""
        return {BULK: self.lengths[2], GRAIN_BOUNDARY: self.crossings}

    @property
    def described(self) -> Mapping[str, Any]:
        """The file and its regions."""
        return {"mesh": self.source.model_dump(mode="json", exclude={"boundary"})}

    def finer(self, cells: int, times: int) -> str:
        """Return what has steps so many times smaller than a grid of so many cells along z, in words."""
        return f"cells {times} times smaller"

    def resolution(self, asked: int | None) -> int | None:
        """Return what is asked for: whoever takes no mesh apart into equal cells says so."""
        return asked


def body_of(cell: Cell, faces: Callable[[], tuple[Face, Face]]) -> Body:
    """Return the body of a cell; faces: makes those of the working and the counter electrode, asked of a stack alone."""
    lengths = cell.geometry.lengths
    if cell.mesh is not None:
        return Mesh(lengths, cell.mesh, measure_of(cell))
    if cell.electrolyte.microstructure is not None:
        return Image(lengths, cell.electrolyte.microstructure, counts(cell), partial(contact_mask, cell))
    ends, course = layering(cell)
    on_top = faces()
    kinds = {face.kind for face in on_top}
    kind = next((each for each in (RECTANGLES, PIXELS) if kinds <= {RECTANGLES, each}), OUTLINES)
    described = [face.described for face in on_top]
    return Stack(lengths, np.array(ends), course, kind, {"faces": described} if any(described) else {})


def _even(length: float, layers: int) -> Array:
    return np.linspace(0.0, length, layers + 1)
