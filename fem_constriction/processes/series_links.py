"""1/y_k(s) = sum over what a link crosses of 1/(c_i y_i(s)): what the kinds of links of a label image conduct.

A link between two voxels, or a voxel and an electrode, is the series of what it crosses; how many kinds of links there are
depends on the materials alone. Their names say what is crossed, in its order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from fem_constriction.processes.elements import Admittance
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE


def volume_kind(first: str, second: str, along: str = "") -> str:
    """Return the name of the links between voxels of two phases, of one grain where both are bulk; along: see `directions`."""
    return " - ".join(sorted((first, second), key=lambda phase: (phase != BULK, phase))) + along


#: Edges of a voxel that differ by no more are equal, relatively: they come from lengths of the cell and numbers of voxels.
ROUNDING: Final = 1e-9

#: Links between voxels of two different grains.
BOUNDARY_KIND: Final = f"{BULK} - {GRAIN_BOUNDARY} - {BULK}"


def boundary_kind(along: str, share: float = 1.0) -> str:
    """Return the name of the links across a boundary that conduct this share of it; along: see `directions`."""
    return (BOUNDARY_KIND if share == 1 else f"{BULK} - {share:.6g} {GRAIN_BOUNDARY} - {BULK}") + along


def directions(edges: tuple[float, float, float]) -> tuple[str, str, str]:
    """Return what names of links along z, x and y end with: links in cubic voxels are the same along all axes."""
    return ("", "", "") if max(edges) - min(edges) <= ROUNDING * max(edges) else (" along z", " along x", " along y")


def face_kind(process: str, phase: str, along: str = "") -> str:
    """Return the name of the links between an electrode and the voxels of a phase beside it, none for links along z."""
    return f"{process} - {phase}" + along.replace(" along z", "")


@dataclass(frozen=True)
class LinkKinds:
    """{place: y(s)} of a label image -> {kind of link: y_k(s)}, in S/m2: kinds that never conduct have no entry.

    Parameters
    ----------
    phases
        What voxels are made of, `bulk` first; one that is no place is a hole.
    edges
        Of a voxel along z, x and y in m, as the network has it: of a subdivided image less than the image's own.
    contact
        Whether metal touches the electrolyte at all.
    shares
        What y_gb of a face is multiplied by: the boundary's area over that of the faces that picture it.
    voids
        Phases that metal meets without charge transfer.
    buried
        Whether voxels are metal themselves.
    stands_for
        Process on the face -> the area that conducts there over that of the voxels' faces, where that is another one.
    """

    phases: Sequence[str]
    edges: tuple[float, float, float]
    contact: bool
    shares: tuple[float, ...] = (1.0,)
    voids: Sequence[str] = ()
    buried: bool = False
    stands_for: Mapping[str, float] = field(default_factory=dict)

    def __call__(self, places: Mapping[str, Admittance]) -> dict[str, Admittance]:
        """Return what each kind of link conducts where places conduct like this."""
        inside = {phase: places[phase] for phase in self.phases if phase in places}
        found: dict[str, Admittance] = {}
        for along, edge in dict(zip(directions(self.edges), self.edges, strict=True)).items():
            half = 2 / edge
            for number, (one, y) in enumerate(inside.items()):
                found[volume_kind(one, one, along)] = y.times(half / 2)
                for other in list(inside)[number + 1 :]:
                    found[volume_kind(one, other, along)] = Admittance.series(y.times(half), inside[other].times(half))
                if one == BULK and GRAIN_BOUNDARY in places:
                    for share in self.shares:
                        across = places[GRAIN_BOUNDARY] if share == 1 else places[GRAIN_BOUNDARY].times(share)
                        found[boundary_kind(along, share)] = Admittance.series(y.times(half / 2), across)
        faces = dict(zip(directions(self.edges), self.edges, strict=True)) if self.buried else {"": self.edges[0]}
        thin = {CHARGE_TRANSFER: self.contact, PORE: PORE in places, COUNTER_ELECTRODE: True}
        for one, y in inside.items():
            for process in (name for name, there in thin.items() if there):
                bare = process not in places or (process != PORE and one in self.voids)
                film = [] if bare else [places[process].times(self.stands_for.get(process, 1.0))]
                for along, edge in faces.items():
                    found[face_kind(process, one, along)] = Admittance.series(*film, y.times(2 / edge))
        if self.buried and PORE in places:
            found[PORE] = places[PORE]
        return {name: y for name, y in found.items() if conducts(y)}


def conducts(y: Admittance) -> bool:
    """Whether a place conducts anything, at direct current or at any frequency."""
    return any(bool(y(s) > 0) for s in (0.0, 1.0))
