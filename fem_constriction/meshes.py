"""[mesh]: a three-dimensional mesh from a file as the electrolyte, with named regions, as a section of the cell file.

The finite elements solve it as it is, or refined uniformly (`fem.unstructured`); what the file must hold is said and checked in
`meshfile`. Lengths along x, y and z of the mesh are those of `geometry`.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from fem_constriction.errors import InputError
from fem_constriction.faults import FaultError, show
from fem_constriction.grid import Grid
from fem_constriction.meshfile import Measure, measured
from fem_constriction.microstructure import Boundary
from fem_constriction.section import Section
from fem_constriction.units import parse

if TYPE_CHECKING:
    from fem_constriction.cell import Cell

#: How far the box of a mesh may be from `geometry`, relatively: coordinates are often written with seven digits.
ROUNDING = 1e-6

Name = str | int


@dataclass(frozen=True)
class _Names:
    """A pydantic field: a name, a whole number or a list of them, kept as a tuple."""

    allowed: str = "the name of a region in the file, its whole number in the array mesh.data, or a list of these"

    def validate(self, value: object) -> tuple[Name, ...]:
        """Return the names; raise InputError for anything else."""
        names = tuple(value) if isinstance(value, (list, tuple)) else (value,)
        for name in names:
            if isinstance(name, bool) or not isinstance(name, (str, int)) or name == "":
                raise InputError(f"{show(value)} is not allowed: {self.allowed}")
        return names

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.validate)

    def __get_pydantic_json_schema__(self, core: CoreSchema, _: GetJsonSchemaHandler) -> JsonSchemaValue:
        one: list[dict[str, Any]] = [{"type": "string", "minLength": 1}, {"type": "integer"}]
        return {"anyOf": [*one, {"type": "array", "items": {"anyOf": one}}]}


@dataclass(frozen=True)
class _Unit:
    """A pydantic field: a unit of length, kept as it is written."""

    allowed: str = "a unit of length such as 'um'"

    def validate(self, value: object) -> str:
        """Return the unit; raise InputError for what is none."""
        try:
            if isinstance(value, str):
                parse(f"1 {value}", "m")
                return value
        except InputError:
            pass
        raise InputError(f"{show(value)} is not allowed: {self.allowed}")

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.validate)

    def __get_pydantic_json_schema__(self, core: CoreSchema, _: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "minLength": 1, "examples": ["um"]}


Names = Annotated[tuple[Name, ...] | None, _Names()]


class Regions(Section):
    """Which cells and faces of the file are what; a key left out is the name itself."""

    electrolyte: Names = Field(None, description="Cells of the electrolyte; left out: 'electrolyte'")
    grain_boundaries: Names = Field(None, description="Faces inside it with a jump; left out: 'grain_boundaries', if any")
    contact: Names = Field(None, description="Faces that the metal touches; left out: 'contact'; []: none")
    pore: Names = Field(None, description="Faces below the pores; left out: 'pore', if any; []: none")
    counter_electrode: Names = Field(None, description="Faces of the counter electrode; left out: 'counter_electrode'")


class Mesh(Section):
    """A mesh of tetrahedra or hexahedra, with named regions."""

    file: str = Field(min_length=1, description="Mesh file, any format that meshio reads, seen from the cell file's folder")
    unit: Annotated[str, _Unit()] = Field(description="Unit of length of its coordinates, such as 'um'")
    data: str | None = Field(
        None, min_length=1, description="Array of whole numbers that name regions; left out: gmsh:physical"
    )
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="Digest the file must have; left out: any")
    regions: Regions = Field(default=Regions(), description="Names of the regions in the file; left out: the keys themselves")
    boundary: Boundary | None = Field(None, description="What its grain boundaries conduct; left out: no resistance")

    @property
    def metre(self) -> float:
        """Metres per unit of the file's coordinates."""
        return parse(f"1 {self.unit}", "m")


@dataclass(frozen=True, eq=False)
class MeshGrid(Grid):
    """A mesh as the grid of its cell: lines are those of its box, areas those of its faces.

    level: how many times every cell is cut in eight; measure: of the mesh as the file has it.
    """

    level: int = 0
    measure: Measure | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of cells, times 1 times 1: a mesh has no directions."""
        return (0 if self.measure is None else self.measure.cells) << 3 * self.level, 1, 1

    @property
    def fits(self) -> bool:
        """Whether its Z may bound the continuum's: the polyhedra of the mesh are the cell, if integrals over them are exact."""
        return self.measure is not None and self.measure.affine

    @cached_property
    def contact_area(self) -> float:
        """A_c in m2, of the mesh's faces."""
        return 0.0 if self.measure is None else self.measure.contact

    @property
    def area(self) -> float:
        """A = A_c + A_pore in m2, of the mesh's faces."""
        return 0.0 if self.measure is None else self.measure.electrode


def mesh_grid(cell: Cell, level: int, order: float) -> MeshGrid:
    """Return the mesh of a cell, `level` times refined uniformly; order: of convergence of that family."""
    measure = measure_of(cell)
    x, y, z = (np.array([0.0, length]) for length in cell.geometry.lengths)
    name = "mesh" if not level else f"mesh, refined {level} time{'s' * (level > 1)}"
    grid = MeshGrid(x=x, y=y, layers=(z,), contact=np.ones((1, 1), dtype=bool), copies=1, name=name, level=level)
    return replace(grid, measure=measure, order=order)


def measure_of(cell: Cell) -> Measure:
    """Return the areas and the volume of a cell's mesh. Raises InputError for a cell without one."""
    if cell.mesh is None:
        raise InputError("mesh is missing: only a mesh from a file has faces of its own")
    return measured(cell.mesh)


def check_mesh(cell: Cell) -> None:
    """Raise FaultError where the mesh cannot be read or is not that of the cell."""
    if (cell.working_electrode.contact.shape == "mesh") != (cell.mesh is not None):
        what = "needs the section mesh" if cell.mesh is None else "must be 'mesh' where the section mesh is given"
        shape = show(cell.working_electrode.contact.shape)
        raise FaultError("working_electrode.contact.shape", f" = {shape} is not allowed: it {what}")
    if cell.mesh is None:
        return
    for key in ("grain_boundaries", "microstructure"):
        if getattr(cell.electrolyte, key) is not None:
            raise FaultError(
                f"electrolyte.{key}",
                " is not allowed together with mesh: a mesh has its own boundaries (mesh.boundary, faces mesh.regions)",
            )
    try:
        measure = measured(cell.mesh)
    except InputError as error:
        raise FaultError("", str(error)) from None
    x, y, z = cell.geometry.lengths
    for key, along, has, should in (
        ("width", "x", measure.box[0], x),
        ("width", "y", measure.box[1], y),
        ("thickness", "z", measure.box[2], z),
    ):
        if abs(has - should) > ROUNDING * should:
            raise FaultError(
                f"geometry.{key}",
                f" = {should:.9g} m is not allowed: the electrolyte of {cell.mesh.file} is {has:.9g} m long along {along} "
                f"(with unit = '{cell.mesh.unit}')",
            )
    if cell.working_electrode.pore is not None and not measure.pore and cell.mesh.regions.pore != ():
        raise FaultError(
            "working_electrode.pore",
            f" is not allowed: no faces of {cell.mesh.file} are pores (mesh.regions.pore; [] says that none are)",
        )


def mesh_beside(data: Any, folder: Path) -> Any:
    """Return the data of a cell file with the path of its mesh seen from the file's folder."""
    with contextlib.suppress(KeyError, TypeError):  # no mesh, or no text: validation says what is wrong
        data["mesh"]["file"] = str((folder / data["mesh"]["file"]).absolute())
    return data
