"""What a cell file says, section by section, and the areas and outlines that follow: what checks of a cell take."""

from __future__ import annotations

import math

import numpy as np
from pydantic import Field

from fem_constriction.cell.mesh import Mesh
from fem_constriction.cell.meshfile import Measure, measured
from fem_constriction.cell.sections import CounterElectrode, Electrolyte, Geometry, Section, WorkingElectrode
from fem_constriction.cell.temperature import Temperature
from fem_constriction.errors import Absent, InputError
from fem_constriction.geometry.outlines import Outline


class Description(Section):
    """Geometry, materials and electrodes in SI, each section validated by itself; see `Cell`, which they make together."""

    title: str = Field("", description="What this cell is, in words; left out: empty")
    geometry: Geometry = Field(description="The box of electrolyte")
    electrolyte: Electrolyte = Field(description="The solid electrolyte")
    working_electrode: WorkingElectrode = Field(description="The porous metal electrode")
    counter_electrode: CounterElectrode = Field(
        default=CounterElectrode(charge_transfer=None),
        description="The counter electrode; left out: ideal, phi = 0",
    )
    temperature: Temperature | None = Field(None, description="Temperature; left out: conductances hold as they are given")
    mesh: Mesh | None = Field(None, description="A mesh from a file, with named regions; left out: the box itself")

    @property
    def area(self) -> float:
        """A = L_x L_y in m2; of a mesh that of its working electrode, A_c + A_pore."""
        if self.mesh is not None:
            return measure_of(self).electrode
        x, y, _ = self.geometry.lengths
        return x * y

    @property
    def contact_fraction(self) -> float:
        """A_c/A, from 0 to 1."""
        if self.mesh is not None:
            return measure_of(self).contact / self.area
        contact = self.working_electrode.contact
        if contact.fraction is not None:
            return contact.fraction
        return min(sum(outline.area for outline in self.outlines) / self.area, 1.0)

    @property
    def contact_area(self) -> float:
        """A_c = fraction A in m2."""
        return self.contact_fraction * self.area

    @property
    def contact_sides(self) -> tuple[float, float]:
        """(s_x, s_y) in m, the extent of the contact; of a square sqrt(A_c), (L_x, L_y) at fraction 1, (0, 0) at 0."""
        if self.mesh is not None:
            return measure_of(self).sides
        x, y, _ = self.geometry.lengths
        if self.working_electrode.contact.shape != "square":
            boxes = np.array([outline.shape.bounds for outline in self.outlines]).reshape(-1, 4)
            low, high = (boxes[:, :2].min(0), boxes[:, 2:].max(0)) if len(boxes) else (np.zeros(2), np.zeros(2))
            return float(high[0] - low[0]), float(high[1] - low[1])
        if self.contact_fraction == 1:
            return x, y
        side = float(min(math.sqrt(self.contact_area), x, y))
        return side, side

    @property
    def outlines(self) -> tuple[Outline, ...]:
        """The outlines of the contact on the face, the origin in its corner; none at fraction 0."""
        contact = self.working_electrode.contact
        if contact.shape == "regions":
            return tuple(region.outline for region in contact.regions)
        if not contact.fraction:
            return ()
        x, y, _ = self.geometry.lengths
        if contact.shape == "disc":
            return (Outline.disc((x / 2, y / 2), min(radius_of(math.sqrt(self.contact_area)), x / 2, y / 2)),)
        half_x, half_y = (side / 2 for side in self.contact_sides)
        signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        return (Outline.polygon([(x / 2 + a * half_x, y / 2 + b * half_y) for a, b in signs]),)


def measure_of(cell: Description) -> Measure:
    """Return the areas and the volume of a cell's mesh. Raises InputError for a cell without one."""
    if cell.mesh is None:
        raise InputError(key="mesh", value=Absent.MISSING, allowed="only a mesh from a file has faces of its own")
    return measured(cell.mesh)


def radius_of(side: float) -> float:
    """The radius of a disc with the area of a square."""
    return side / math.sqrt(math.pi)
