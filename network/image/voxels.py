"""A(s) = sum over kinds k of y_k(s) L_k on a label image: links between neighbouring voxels, told apart by what they cross.

The unknowns are the potentials at the voxels' centres, ordered (z, x, y) with z = 0 at the WE, and the electrode potential V,
the last. What a link crosses (half voxels of one phase or two, a grain boundary, charge transfer, a pore) is in series, so the
nodes between are eliminated and every link has one of a few scalar admittances y_k(s) in S/m2: one real matrix per kind of
link, a graph Laplacian weighted by the areas of the voxels' faces. Nothing is stored but one byte per link;
matrices are applied as stencils, slab by slab.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_constriction.grids.boundary_area import BoundaryArea
from fem_constriction.grids.image_metal import pieces_of
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, PORE
from fem_constriction.processes.series_links import LinkKinds, boundary_kind, directions, face_kind, volume_kind
from network.image.clusters import Codes, joined
from network.image.metal import Metal
from network.links import GROUND, Links

Real = NDArray[Any]

#: No link: a wall, or a voxel that conducts nothing.
NONE = 0

#: Voxels of a slab that is worked on at once: 3 arrays of it stay in the second-level cache.
SLAB = 32768


@dataclass(frozen=True, eq=False)
class Voxels:
    """Codes of all links: 0 for none, k + 1 for the kind kinds[k].

    z: (nz - 1, nx, ny); x: (nz, nx - 1, ny); y: (nz, nx, ny), its last column 0; metal: links to V above the first layer,
    counter: to the counter electrode below the last, both (nx, ny); areas: of the faces across z, x and y, times the copies of
    the image that make the cell (m2); kept: which voxels are unknowns that count (None: all); the others have no links.
    phase: number of what each voxel is made of (None: all are grains); alike: the kind of links along z inside each phase;
    edges: of a voxel along z, x and y (m); series: what the kinds conduct; metal_of: what voxels of
    metal hang on, if there are any.
    """

    kinds: tuple[str, ...]
    z: Codes
    x: Codes
    y: Codes
    metal: Codes
    counter: Codes
    areas: tuple[float, float, float]
    kept: NDArray[np.bool_] | None = None
    phase: Codes | None = None
    alike: tuple[str, ...] = ()
    edges: tuple[float, float, float] = (1.0, 1.0, 1.0)
    series: LinkKinds | None = None
    metal_of: Metal | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along z, x and y."""
        nz, nx, ny = self.y.shape
        return nz, nx, ny

    @property
    def unknowns(self) -> int:
        """Number of voxels, and V."""
        return self.y.size + 1

    def slabs(self) -> list[slice]:
        """Return the layers in pieces that fit the cache."""
        nz, nx, ny = self.shape
        step = max(1, SLAB // (nx * ny))
        return [slice(start, min(start + step, nz)) for start in range(0, nz, step)]

    def weights(self, y: Mapping[str, float], kind: type[np.floating[Any]] = np.float64) -> Weights:
        """Return the siemens of every link for the admittances y_k (S/m2) at one real s."""
        values = np.array([0.0, *(float(y[name]) for name in self.kinds)])
        tables = {area: (area * values).astype(kind) for area in self.areas}
        z, x, y_ = self.areas
        places = ((self.z, z), (self.x, x), (self.y, y_), (self.metal, z), (self.counter, z))
        down, along_x, along_y, metal, counter = (_looked_up(tables[area], codes) for codes, area in places)
        return Weights(down, along_x, along_y, metal, counter, self.slabs(), self.metal_of)

    def only(self, name: str) -> Weights:
        """Return the weights of L_k alone: the areas of the links of one kind, 0 elsewhere."""
        return self.weights({other: float(other == name) for other in self.kinds})

    def links(self) -> dict[str, Links]:
        """Return the links of every kind as node pairs, as `network.distributed` takes them."""
        nz, nx, ny = self.shape
        number = np.arange(nz * nx * ny).reshape(self.shape)
        metal = np.full((nx, ny), number.size)
        ends = [
            (number[:-1], number[1:], self.z, self.areas[0]),
            (number[:, :-1], number[:, 1:], self.x, self.areas[1]),
            (number[:, :, :-1], number[:, :, 1:], self.y[:, :, :-1], self.areas[2]),
            (metal, number[0], self.metal, self.areas[0]),
            (number[-1], np.full((nx, ny), GROUND), self.counter, self.areas[0]),
        ]
        found = {}
        for code, name in enumerate(self.kinds, start=1):
            chosen = [(codes == code, a, b, area) for a, b, codes, area in ends]
            a, b, areas = (
                np.concatenate(each)
                for each in zip(*((a[on], b[on], np.full(on.sum(), area)) for on, a, b, area in chosen), strict=True)
            )
            found[name] = Links(a, b, areas)
        return found

    def counts(self) -> dict[str, int]:
        """Return how many links there are of every kind."""
        total = sum(
            np.bincount(c.ravel(), minlength=len(self.kinds) + 1) for c in (self.z, self.x, self.y, self.metal, self.counter)
        )
        return {name: int(np.asarray(total)[code]) for code, name in enumerate(self.kinds, start=1)}


@dataclass(frozen=True, eq=False)
class Weights:
    """The siemens of every link, arrays as in `Voxels`: the matrix A at one real s, without ever being one."""

    z: Real
    x: Real
    y: Real
    metal: Real
    counter: Real
    slabs: Sequence[slice]
    metal_of: Metal | None = None

    def apply(self, potential: Real, voltage: float, out: Real) -> float:
        """Write the current out of every voxel into out, and return that out of V: A (potential, voltage).

        potential, out: (nz, nx, ny); metal has its potential in all its voxels (`Metal`). Differences are taken first, so
        nothing of them is lost in rounding.
        """
        nz = len(potential)
        entering = self.metal * (potential[0] - voltage)
        out[0] = entering
        for piece in self.slabs:
            a, b = piece.start, min(piece.stop, nz - 1)
            here, image = potential[piece], out[piece]
            if b > a:
                drop = potential[a + 1 : b + 1] - potential[a:b]
                drop *= self.z[a:b]
                out[a + 1 : b + 1] = drop
                out[a:b] -= drop
            if here.shape[1] > 1:
                drop = here[:, 1:] - here[:, :-1]
                drop *= self.x[piece]
                image[:, 1:] += drop
                image[:, :-1] -= drop
            flat, line = here.reshape(len(here), -1), image.reshape(len(here), -1)
            drop = flat[:, 1:] - flat[:, :-1]
            drop *= self.y[piece].reshape(len(here), -1)[:, :-1]
            line[:, 1:] += drop
            line[:, :-1] -= drop
        out[-1] += self.counter * potential[-1]
        current = -float(np.sum(entering, dtype=np.float64))
        return current if self.metal_of is None else current + self.metal_of.gathered(out)

    def energy(self, potential: Real) -> float:
        """Return x' A x at V = 1, every link for itself: right where the current is lost in the rounding of what it crosses."""
        nz = len(potential)
        total = np.sum(self.metal * np.square(potential[0] - 1.0)) + np.sum(self.counter * np.square(potential[-1] * 1.0))
        for piece in self.slabs:
            a, b = piece.start, min(piece.stop, nz - 1)
            here = potential[a : b + 1].astype(np.float64)
            own = here[: piece.stop - a]
            total += np.sum(self.z[a:b] * np.square(np.diff(here, axis=0)))
            total += np.sum(self.x[piece] * np.square(np.diff(own, axis=1)))
            total += np.sum(self.y[piece, :, :-1] * np.square(np.diff(own, axis=2)))
        return float(total)


def _looked_up(table: Real, codes: Codes) -> Real:
    found, flat = np.empty(codes.shape, table.dtype), codes.reshape(-1)
    line = found.reshape(-1)
    for start in range(0, flat.size, SLAB):  # the indices are widened, a piece at a time
        line[start : start + SLAB] = table[flat[start : start + SLAB]]
    return found


def classified(
    labels: NDArray[Any],
    contact: NDArray[np.bool_],
    *,
    inclusions: Mapping[int, str],
    kinds: Sequence[str],
    edges: tuple[float, float, float],
    copies: int = 1,
    electrodes: Mapping[int, str] = MappingProxyType({}),
    area: BoundaryArea = BoundaryArea(),  # noqa: B008, frozen
) -> Voxels:
    """Return the links of a label image, labels (nz, nx, ny) with z = 0 at the WE.

    contact: where the metal touches, (nx, ny); inclusions: label -> phase; every other label is a grain of the phase "bulk";
    kinds: names of the kinds of links the cell has (`fem_constriction.processes.series_links`): one that is missing conducts
    nothing; edges: of a voxel along z, x and y (m); electrodes: label of metal -> the process where it meets the
    rest; area: what of y_gb each face has. Voxels that no path connects with the counter electrode are left out.
    """
    phases = [BULK, *inclusions.values()]
    phase = np.zeros(labels.shape, dtype=np.uint8)
    for number, label in enumerate(inclusions, start=1):
        phase[labels == label] = number
    solid = len(phases)
    films = dict(enumerate(electrodes.values(), start=solid))
    for number, label in enumerate(electrodes, start=solid):
        phase[labels == label] = number
    pieces = pieces_of(labels, electrodes, contact)
    names = tuple(kinds)

    def code(name: str) -> int:
        return names.index(name) + 1 if name in kinds else NONE

    def between(axis: int, first: tuple[slice, ...], second: tuple[slice, ...]) -> Codes:
        along = directions(edges)[axis]
        pairs = np.zeros((solid + len(films),) * 2, dtype=np.uint8)
        pairs[:solid, :solid] = [[code(volume_kind(a, b, along)) for b in phases] for a in phases]
        for number, film in films.items():
            pairs[number, :solid] = pairs[:solid, number] = [code(face_kind(film, each, along)) for each in phases]
        across = np.array([code(boundary_kind(along, share)) for share in area.shares], dtype=np.uint8)
        across = np.append(0, across).astype(np.uint8) if across.any() else np.full(1 + len(across), pairs[0, 0], np.uint8)
        found = np.empty(labels[first].shape, dtype=np.uint8)
        for layer in range(len(found)):
            one, other = phase[first][layer], phase[second][layer]
            found[layer] = pairs[one, other] if len(pairs) > 1 else pairs[0, 0]
            meet = (one == 0) & (other == 0) & (labels[first][layer] != labels[second][layer])
            found[layer][meet] = across[1] if area.codes is None else across[area.codes[axis][layer][meet]]
        return found

    every, head, tail = slice(None), slice(None, -1), slice(1, None)
    along = directions(edges)
    z = between(0, (head,), (tail,))
    x = between(1, (every, head), (every, tail))
    y = np.zeros(labels.shape, dtype=np.uint8)
    y[:, :, :-1] = between(2, (every, every, head), (every, every, tail))
    metal = np.zeros(contact.shape, dtype=np.uint8)
    counter = np.zeros(contact.shape, dtype=np.uint8)
    for number, name in enumerate(phases):
        first, last = phase[0] == number, phase[-1] == number
        metal[first & contact] = code(face_kind(CHARGE_TRANSFER, name))
        metal[first & ~contact] = code(face_kind(PORE, name))
        counter[last] = code(face_kind(COUNTER_ELECTRODE, name))
    for number in films:  # metal meets its collector without anything between, and another's nowhere
        metal[(phase[0] == number) & ~contact] = code(PORE)
    kept = None
    if pieces is not None or not all(volume_kind(each, each, along[0]) in kinds for each in phases):
        kept = joined(z, x, y, counter, np.arange(len(names) + 1) != NONE, pieces)
        for array, ends in ((z, kept[:-1] & kept[1:]), (x, kept[:, :-1] & kept[:, 1:])):
            array[~ends] = NONE
        y[:, :, :-1][~(kept[:, :, :-1] & kept[:, :, 1:])] = NONE
        metal[~kept[0]] = NONE
        counter[~kept[-1]] = NONE
    alike = tuple(volume_kind(each, each, along[0]) for each in phases)
    metal_of = None
    if pieces is not None and kept is not None:
        metal_of = Metal.of(pieces, kept)
        kept &= metal_of.free
    hz, hx, hy = edges
    areas = copies * hx * hy, copies * hz * hy, copies * hz * hx
    return Voxels(
        names,
        z,
        x,
        y,
        metal,
        counter,
        areas,
        kept,
        phase if len(phases) + len(films) > 1 else None,
        alike,
        edges,
        None,
        metal_of,
    )
