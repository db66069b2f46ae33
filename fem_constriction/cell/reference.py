"""A reference electrode inside the electrolyte: an observer, which changes nothing of the cell."""

from __future__ import annotations

from pydantic import Field

from fem_constriction.cell.section import Section
from fem_constriction.cell.units import Length


class Reference(Section):
    """V_ref = mean of phi over the plane z = depth: Z = (V - V_ref)/I + V_ref/I, of the working and the counter electrode."""

    depth: Length = Field(description="Distance of the plane from the working electrode in m; its mean potential divides Z")
