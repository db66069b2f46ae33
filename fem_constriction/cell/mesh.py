"""[mesh]: a three-dimensional mesh from a file as the electrolyte, with named regions, as a section of the cell file.

The finite elements solve it as it is, or refined uniformly (`fem.unstructured`); what the file must hold is said and checked in
`meshfile`. Lengths along x, y and z of the mesh are those of `geometry`.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from fem_constriction.cell.microstructure import Boundary
from fem_constriction.cell.section import Section
from fem_constriction.cell.units import parse
from fem_constriction.errors import InputError

if TYPE_CHECKING:
    pass


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
                raise InputError(value=value, allowed=self.allowed)
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
        raise InputError(value=value, allowed=self.allowed)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.validate)

    def __get_pydantic_json_schema__(self, core: CoreSchema, _: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "minLength": 1, "examples": ["um"]}


Names = Annotated[tuple[Name, ...] | None, _Names()]


class Regions(Section):
    """Which cells and faces of the file are what; a key left out is the name itself."""

    electrolyte: Names = Field(None, description="Cells of the electrolyte; left out: 'electrolyte'")
    grain_boundaries: Names = Field(None, description="Faces inside it with a jump; left out: 'grain_boundaries', if any")
    contact: Names = Field(None, description="Faces that the metal touches, or 'z min'; left out: 'contact'; []: none")
    pore: Names = Field(None, description="Faces below the pores; left out: 'pore', if any; []: none")
    counter_electrode: Names = Field(
        None, description="Faces of the counter electrode, or 'z max'; left out: 'counter_electrode'"
    )


class Mesh(Section):
    """A mesh of tetrahedra or hexahedra, with named regions."""

    file: str = Field(min_length=1, description="Mesh file, any format that meshio reads, seen from the cell file's folder")
    unit: Annotated[str, _Unit()] = Field(description="Unit of length of its coordinates, such as 'um'")
    data: str | None = Field(
        None, min_length=1, description="Array of whole numbers that name regions; left out: gmsh:physical"
    )
    grains: str | None = Field(
        None,
        min_length=1,
        description="Array of whole numbers that tells grains apart, such as gmsh:geometrical, or 'groups': every named group "
        "of cells is one; boundaries are then found between them; left out: they are named faces",
    )
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="Digest the file must have; left out: any")
    regions: Regions = Field(default=Regions(), description="Names of the regions in the file; left out: the keys themselves")
    boundary: Boundary | None = Field(None, description="What its grain boundaries conduct; left out: no resistance")

    @property
    def metre(self) -> float:
        """Metres per unit of the file's coordinates."""
        return parse(f"1 {self.unit}", "m")


def mesh_beside(data: Any, folder: Path) -> Any:
    """Return the data of a cell file with the path of its mesh seen from the file's folder."""
    with contextlib.suppress(KeyError, TypeError):  # no mesh, or no text: validation says what is wrong
        data["mesh"]["file"] = str((folder / data["mesh"]["file"]).absolute())
    return data
