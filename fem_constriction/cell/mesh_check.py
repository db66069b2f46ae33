"""Is the mesh of a file that of its cell? Its box, its areas, its regions."""

from __future__ import annotations

from fem_constriction.cell.description import Description
from fem_constriction.cell.faults import FaultError, show
from fem_constriction.cell.meshfile import measured
from fem_constriction.errors import InputError

#: How far the box of a mesh may be from `geometry`, relatively: coordinates are often written with seven digits.
ROUNDING = 1e-6


def check_mesh(cell: Description) -> None:
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
