"""bulk | boundary | bulk | ...: what a uniform current along z crosses between the electrodes, layer by layer, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fem_constriction.processes.names import BULK, GRAIN_BOUNDARY


@dataclass(frozen=True)
class Course:
    """The places that layers and what lies between them are, from the working electrode down.

    Parameters
    ----------
    bulks
        What each layer is made of; the first is `bulk`.
    boundaries
        What lies below each layer but the last: a place, or None where two materials touch without resistance.
    """

    bulks: tuple[str, ...]
    boundaries: tuple[str | None, ...]

    @classmethod
    def alike(cls, layers: int) -> Course:
        """Return that of so many layers of one material, with boundaries of one kind between them."""
        return cls((BULK,) * layers, (GRAIN_BOUNDARY,) * (layers - 1))

    @classmethod
    def of(cls, course: Course | None, layers: Sequence[object]) -> Course:
        """Return what is given, or that of layers alike."""
        return cls.alike(len(layers)) if course is None else course

    @property
    def materials(self) -> tuple[str, ...]:
        """Each material once."""
        return tuple(dict.fromkeys(self.bulks))

    @property
    def kinds(self) -> tuple[str, ...]:
        """Each kind of boundary once."""
        return tuple(dict.fromkeys(name for name in self.boundaries if name is not None))

    def layers_of(self, material: str) -> tuple[int, ...]:
        """Return the numbers of the layers of a material."""
        return tuple(number for number, name in enumerate(self.bulks) if name == material)

    def below(self, boundary: str) -> tuple[int, ...]:
        """Return the numbers of the layers that have this kind of boundary below them."""
        return tuple(number for number, name in enumerate(self.boundaries) if name == boundary)
