"""Is the mesh of a file that of its cell? Its box, its areas, its regions."""

from __future__ import annotations

from fem_constriction.cell.description import Description
from fem_constriction.cell.meshfile import measured
from fem_constriction.errors import InputError, Written

#: How far the box of a mesh may be from `geometry`, relatively: coordinates are often written with seven digits.
BOX_TOLERANCE = 1e-6


def check_mesh(cell: Description) -> None:
    """Raise InputError where the mesh cannot be read or is not that of the cell."""
    if (cell.working_electrode.contact.shape == "mesh") != (cell.mesh is not None):
        what = "needs the section mesh" if cell.mesh is None else "must be 'mesh' where the section mesh is given"
        shape = cell.working_electrode.contact.shape
        raise InputError(key="working_electrode.contact.shape", value=shape, why=f"it {what}")
    if cell.mesh is None:
        return
    for key in ("grain_boundaries", "microstructure"):
        if getattr(cell.electrolyte, key) is not None:
            raise InputError(
                key=f"electrolyte.{key}",
                when="together with mesh",
                why="a mesh has its own boundaries (mesh.boundary, faces mesh.regions)",
            )
    measure = measured(cell.mesh)
    x, y, z = cell.geometry.lengths
    for key, along, has, should in (
        ("width", "x", measure.box[0], x),
        ("width", "y", measure.box[1], y),
        ("thickness", "z", measure.box[2], z),
    ):
        if abs(has - should) > BOX_TOLERANCE * should:
            raise InputError(
                key=f"geometry.{key}",
                value=Written(f"{should:.9g}"),
                unit="m",
                why=f"the electrolyte of {cell.mesh.file} is {has:.9g} m long along {along} (with unit = '{cell.mesh.unit}')",
            )
    if cell.working_electrode.pore is not None and not measure.pore and cell.mesh.regions.pore != ():
        raise InputError(
            key="working_electrode.pore",
            allowed=f"no faces of {cell.mesh.file} are pores (mesh.regions.pore",
            remedy="[] says that none are)",
        )
