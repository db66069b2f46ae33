"""What voxels are made of, and what the potential does on every face between two of them: nothing, be one, or jump.

A face is crossed by no current (`NONE`), joins what lies beside it perfectly (`JOINED`), or carries a place: then phi jumps
there, and the place conducts y_p [phi] over the face's area times its weight. The electrodes are a layer of metal above the
first voxels and one below the last: contact, pores and counter electrode are faces like all others. Metal has one potential:
it is tied to V, to 0, or floats; an image whose voxels are metal themselves is described in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from fem_constriction.arrays import Array
from fem_constriction.grids.boundary_area import BoundaryArea
from fem_constriction.grids.image_metal import GROUNDED, NO_METAL, TIED, pieces_of
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE
from fem_constriction.space.voxels import VoxelFaces

Codes = NDArray[np.int8]
Integers = NDArray[np.int64]

#: Faces: no current crosses, or both sides are one; from 0 on the number of a place.
NONE, JOINED = -2, -1

#: Voxels: nothing, or metal; from 0 on the number of a phase.
NOTHING, METAL = -2, -1


@dataclass(frozen=True, eq=False)
class Medium:
    """Voxels, two layers of metal included, and their faces.

    Parameters
    ----------
    edges
        Of a voxel along z, x and y, m.
    phases, places
        Names of what voxels are made of, and of what faces may carry.
    voxels
        NOTHING, METAL or the number of a phase, (nz + 2, nx, ny): the first and the last layer are the electrodes' metal.
    faces
        Codes of the faces between neighbours along z, x and y: (nz + 1, nx, ny), (nz, nx - 1, ny) and (nz, nx, ny - 1); those
        along x and y are of the voxels between the electrodes.
    weights
        Axis -> what the area of each of its faces is multiplied by where it carries a place; left out: 1.
    bare
        Numbers of phases that metal meets without charge transfer: voids.
    metal
        Of voxels of metal: TIED, GROUNDED or the number of a floating piece (`grids.image_metal`), (nz + 2, nx, ny); None: the
        electrodes alone.
    """

    edges: tuple[float, float, float]
    phases: Sequence[str]
    places: Sequence[str]
    voxels: Codes
    faces: tuple[Codes, Codes, Codes]
    weights: Mapping[int, Array] = field(default_factory=dict)
    metal: NDArray[np.int32] | None = None
    bare: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels between the electrodes, along z, x and y."""
        nz, nx, ny = self.voxels.shape
        return nz - 2, nx, ny

    @property
    def floating(self) -> int:
        """How many pieces of metal are tied to nothing."""
        return 0 if self.metal is None else int(self.metal.max(initial=-1)) + 1

    @property
    def inside(self) -> Codes:
        """The voxels between the electrodes."""
        return self.voxels[1:-1]

    @property
    def described(self) -> VoxelFaces:
        """Voxels and faces, for whoever adds over them."""
        return VoxelFaces(self.edges, tuple(self.phases), tuple(self.places), self.inside, self.faces, self.weights)

    def tied(self) -> NDArray[np.int32]:
        """Return what every voxel of metal is tied to; of others 0."""
        if self.metal is not None:
            return self.metal
        found = np.zeros(self.voxels.shape, dtype=np.int32)
        found[0], found[-1] = TIED, GROUNDED
        return found

    def area(self, axis: int) -> float:
        """Return the area of a face across an axis, m2."""
        return float(np.prod([edge for number, edge in enumerate(self.edges) if number != axis]))

    def between(self, axis: int) -> tuple[Codes, Codes, Codes]:
        """Return the voxels on both sides of each face across an axis, and the face's code."""
        voxels = self.voxels if axis == 0 else self.inside
        moved = np.moveaxis(voxels, axis, 0)
        return np.moveaxis(moved[:-1], 0, axis), np.moveaxis(moved[1:], 0, axis), self.faces[axis]

    def grounded(self, phases: NDArray[np.bool_], places: NDArray[np.bool_], *, tied: bool = False) -> NDArray[np.bool_]:
        """Return which voxels a path leads from to the counter electrode, (nz + 2, nx, ny).

        phases, places: which of them conduct; tied: whether the working electrode's metal will do as well.
        """
        goes = np.append(places, [False, True])  # the last two are NONE and JOINED
        solid = (self.voxels == METAL) | ((self.voxels >= 0) & np.append(phases, [False, False])[self.voxels])
        number = np.arange(self.voxels.size).reshape(self.voxels.shape)
        metal, size = self.tied(), self.voxels.size
        ends: list[tuple[NDArray[Any], NDArray[Any]]] = []
        for axis in range(3):
            codes = self.faces[axis]
            own = number if axis == 0 else number[1:-1]
            inside = solid if axis == 0 else solid[1:-1]
            first, second, a, b = (
                np.moveaxis(np.moveaxis(each, axis, 0)[part], 0, axis)
                for each in (own, inside)
                for part in (slice(None, -1), slice(1, None))
            )
            first, second, a, b = first, second, a, b
            on = (codes != NONE) & goes[codes] & a & b
            ends.append((first[on], second[on]))
        pieces = metal[self.voxels == METAL].astype(np.int64)
        hubs = np.where(pieces == TIED, size + 1, np.where(pieces == GROUNDED, size, size + 2 + pieces))
        ends.append((number[self.voxels == METAL], hubs))
        one, other = (np.concatenate(each) for each in zip(*ends, strict=True))
        total = size + 2 + self.floating
        graph = sparse.coo_array((np.ones(one.size, dtype=np.int8), (one, other)), shape=(total, total))
        _, part = connected_components(graph, directed=False)
        wanted = part[:size] == part[size]
        if tied:
            wanted |= part[:size] == part[size + 1]
        return np.asarray(wanted.reshape(self.voxels.shape) & solid)

    def without(self, islands: NDArray[np.bool_]) -> Medium:
        """Return the medium with some voxels turned into nothing."""
        if not islands.any():
            return self
        voxels = np.where(islands, np.int8(NOTHING), self.voxels)
        metal = self.metal
        if metal is not None:
            metal = np.where(islands, np.int32(NO_METAL), metal)
            floating = metal >= 0
            metal[floating] = np.unique(metal[floating], return_inverse=True)[1]
        lighter = replace(self, voxels=voxels, metal=metal)
        faces = []
        for axis in range(3):
            a, b, codes = lighter.between(axis)
            faces.append(np.where((a == NOTHING) | (b == NOTHING), np.int8(NONE), codes))
        return replace(lighter, faces=(faces[0], faces[1], faces[2]))


def medium_of(
    labels: NDArray[Any],
    contact: NDArray[np.bool_],
    *,
    edges: tuple[float, float, float],
    inclusions: Mapping[int, str],
    places: Sequence[str],
    electrodes: Mapping[int, str] = MappingProxyType({}),
    voids: Sequence[str] = (),
    area: BoundaryArea = BoundaryArea(),  # noqa: B008, frozen
) -> Medium:
    """Return the medium of a label image, labels (nz, nx, ny) with z = 0 at the working electrode.

    Parameters
    ----------
    labels
        Every label that is no inclusion is a grain of the phase `bulk`.
    contact
        Where the metal touches, (nx, ny).
    edges
        Of a voxel along z, x and y, m.
    inclusions
        Label -> phase.
    places
        Where the cell conducts: a phase that is none is a hole, pores that are none insulate, a contact or a counter electrode
        that is none is ideal, boundaries that are none join grains perfectly.
    electrodes
        Label of metal -> the place where it meets the electrolyte.
    voids
        Phases that metal meets without charge transfer.
    area
        What of y_gb each face between grains has.
    """
    phases = [name for name in (BULK, *inclusions.values()) if name in places]
    thin = [name for name in (GRAIN_BOUNDARY, CHARGE_TRANSFER, PORE, COUNTER_ELECTRODE) if name in places]

    def code(name: str, otherwise: int) -> int:
        return thin.index(name) if name in thin else otherwise

    nz, nx, ny = labels.shape
    voxels = np.full((nz + 2, nx, ny), METAL, dtype=np.int8)
    voxels[1:-1] = phases.index(BULK)
    for label, phase in inclusions.items():
        voxels[1:-1][labels == label] = phases.index(phase) if phase in phases else NOTHING
    inside, across = voxels[1:-1], code(GRAIN_BOUNDARY, JOINED)
    pieces, films, bare = pieces_of(labels, electrodes, contact), np.full(labels.shape, JOINED, dtype=np.int8), [NOTHING]
    if pieces is not None:
        inside[pieces != NO_METAL] = METAL
        for label, place in electrodes.items():
            films[labels == label] = code(place, JOINED)
    bare += [number for number, phase in enumerate(phases) if phase in voids]

    def faces(axis: int) -> Codes:
        one, other, first, second, film, layer = (
            np.moveaxis(each, axis, 0)[part] for each in (inside, labels, films) for part in (slice(None, -1), slice(1, None))
        )
        found = np.full(one.shape, JOINED, dtype=np.int8)
        found[(one == 0) & (other == 0) & (first != second)] = across
        for metal, beside, coating in ((one, other, film), (other, one, layer)):
            np.copyto(found, coating, where=(metal == METAL) & (beside != METAL) & ~np.isin(beside, bare))
        found[(one == NOTHING) | (other == NOTHING)] = NONE
        return np.moveaxis(found, 0, axis)

    top = np.where(contact, np.int8(code(CHARGE_TRANSFER, JOINED)), np.int8(code(PORE, NONE)))
    bottom = np.full(contact.shape, code(COUNTER_ELECTRODE, JOINED), dtype=np.int8)
    for face, layer, touched in ((top, inside[0], contact), (bottom, inside[-1], np.ones_like(contact))):
        face[touched & ((layer == METAL) | np.isin(layer, bare))] = JOINED  # a collector and metal, or a void, with no film
        face[layer == NOTHING] = NONE
    along_z = np.concatenate([top[None], faces(0), bottom[None]])
    weights: dict[int, Array] = {}
    if area.codes is not None:
        shares = np.array([1.0, *area.shares])
        weights = {axis: shares[codes] for axis, codes in enumerate(area.codes)}
        weights[0] = np.pad(weights[0], ((1, 1), (0, 0), (0, 0)), constant_values=1.0)  # contact and counter electrode
    whole = None
    if pieces is not None:
        ends = (np.full((1, nx, ny), each, dtype=np.int32) for each in (TIED, GROUNDED))
        first, last = ends
        whole = np.concatenate([first, pieces, last])
    return Medium(edges, tuple(phases), tuple(thin), voxels, (along_z, faces(1), faces(2)), weights, whole, tuple(bare[1:]))
