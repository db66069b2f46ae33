"""What a cell file says, section by section, and the areas and outlines that follow: what checks of a cell take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field

from fem_constriction.cell.contact import Contact
from fem_constriction.cell.mesh import Mesh
from fem_constriction.cell.meshfile import Measure, measured
from fem_constriction.cell.patterns import pattern_of, square_sides
from fem_constriction.cell.reference import Reference
from fem_constriction.cell.sections import Electrode, Electrolyte, Geometry, Section, WorkingElectrode
from fem_constriction.cell.temperature import Temperature
from fem_constriction.cell.thickness import Thickness, thickness_of
from fem_constriction.errors import Absent, InputError
from fem_constriction.geometry.outlines import Outline
from fem_constriction.geometry.pixels import Pixels, extent
from fem_constriction.sources.face_images import inline


class Description(Section):
    """Geometry, materials and electrodes in SI, each section validated by itself; see `Cell`, which they make together."""

    title: str = Field("", description="What this cell is, in words; left out: empty")
    geometry: Geometry = Field(description="The box of electrolyte")
    electrolyte: Electrolyte = Field(description="The solid electrolyte")
    working_electrode: WorkingElectrode = Field(description="The porous metal electrode")
    counter_electrode: Electrode = Field(
        default=Electrode(), description="The counter electrode; left out: ideal, phi = 0 on its whole face"
    )
    temperature: Temperature | None = Field(None, description="Temperature; left out: conductances hold as they are given")
    mesh: Mesh | None = Field(None, description="A mesh from a file, with named regions; left out: the box itself")
    reference: Reference | None = Field(
        None, description="A reference electrode, whose plane divides Z into two spectra; left out: none"
    )

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
        return self.working_touch.fraction

    @property
    def contact_area(self) -> float:
        """A_c = fraction A in m2."""
        return self.contact_fraction * self.area

    @property
    def contact_sides(self) -> tuple[float, float]:
        """(s_x, s_y) in m, the extent of the contact; of a square sqrt(A_c), (L_x, L_y) at fraction 1, (0, 0) at 0."""
        return measure_of(self).sides if self.mesh is not None else self.working_touch.sides

    @property
    def outlines(self) -> tuple[Outline, ...]:
        """The outlines of the contact on the face, the origin in its corner; none at fraction 0."""
        return self.working_touch.outlines

    @property
    def working_touch(self) -> Touch:
        """Where the working electrode touches the face of the box."""
        return Touch(self.working_electrode.contact, self.geometry.lengths[:2])

    @property
    def working_pores(self) -> Thickness:
        """What the depths of the working electrode's pores come to."""
        return self._pores(self.working_electrode, self.working_touch)

    @property
    def counter_pores(self) -> Thickness:
        """What the depths of the counter electrode's pores come to."""
        return self._pores(self.counter_electrode, self.counter_touch)

    @staticmethod
    def _pores(electrode: Electrode, touch: Touch) -> Thickness:
        return thickness_of(electrode.pore, touch.contact, touch.width)

    @property
    def counter_touch(self) -> Touch:
        """Where the counter electrode touches its face, seen along z as the other one is; all of it where nothing is said."""
        return Touch(self.counter_electrode.contact or WHOLE, self.geometry.lengths[:2])


@dataclass(frozen=True)
class Touch:
    """Where an electrode touches a face 0 <= x <= width[0], 0 <= y <= width[1] (m): outlines, and the areas that follow."""

    contact: Contact
    width: tuple[float, float]

    @property
    def face(self) -> float:
        """Area of the face in m2."""
        return self.width[0] * self.width[1]

    @property
    def fraction(self) -> float:
        """What is touched over the face, from 0 to 1."""
        if self.contact.shape in ("square", "disc"):
            return float(self.contact.fraction or 0.0)
        if (pixels := self.pixels) is not None:
            return int(np.count_nonzero(pixels)) / pixels.size
        return min(sum(outline.area for outline in self.outlines) / self.face, 1.0)

    @property
    def area(self) -> float:
        """What is touched in m2."""
        return self.fraction * self.face

    @property
    def sides(self) -> tuple[float, float]:
        """(s_x, s_y) in m, the extent of the contact; of a square sqrt(A_c), (L_x, L_y) at fraction 1, (0, 0) at 0."""
        if self.contact.shape == "square" and not self.contact.several:
            return square_sides(self.fraction, self.width) if self.fraction else (0.0, 0.0)
        if (pixels := self.pixels) is not None:
            return extent(pixels, (self.width[0] / pixels.shape[0], self.width[1] / pixels.shape[1]))
        boxes = np.array([outline.shape.bounds for outline in self.outlines]).reshape(-1, 4)
        low, high = (boxes[:, :2].min(0), boxes[:, 2:].max(0)) if len(boxes) else (np.zeros(2), np.zeros(2))
        return float(high[0] - low[0]), float(high[1] - low[1])

    @property
    def pixels(self) -> Pixels | None:
        """Where the face is metal, (x, y), of a contact that is an image; None of others."""
        return pattern_of(self.contact, self.width).pixels if self.contact.pixelated else None

    @property
    def realised(self) -> dict[str, Any] | None:
        """What chance made of spots and rough surfaces, as JSON can hold it: discs (x, y, radius) in m, or the image of a mask
        that is the same contact; None of contacts that are said outright.
        """
        if self.contact.shape not in ("spots", "rough"):
            return None
        if (pixels := self.pixels) is not None:
            return {"fraction": self.fraction, "image": inline(np.ascontiguousarray(pixels))}
        return {"fraction": self.fraction, "discs_m": [[*each.centre, each.semi_axes[0]] for each in self.outlines]}

    @property
    def outlines(self) -> tuple[Outline, ...]:
        """The outlines of the contact on the face, the origin in its corner; none at fraction 0, none of an image."""
        return pattern_of(self.contact, self.width).outlines


#: The contact of an electrode that touches its whole face.
WHOLE = Contact(shape="square", fraction=1.0)


def measure_of(cell: Description) -> Measure:
    """Return the areas and the volume of a cell's mesh. Raises InputError for a cell without one."""
    if cell.mesh is None:
        raise InputError(key="mesh", value=Absent.MISSING, allowed="only a mesh from a file has faces of its own")
    return measured(cell.mesh)
