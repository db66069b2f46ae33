"""Level(2) | PerEdge(50) | Accuracy(1e-3): the one value that says on which grids a cell is solved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from fem_constriction.cell.units import relative_to_z
from fem_constriction.errors import InputError
from fem_constriction.grids.grid import Grid
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import Backend
from fem_constriction.solving.capabilities import GRID, offers, require

#: The finest level of a family that is ever solved.
FINEST: Final = 5


@dataclass(frozen=True)
class Level:
    """One grid: the member of a backend's family with this number. 0 is the coarsest, each next one has half its steps.

    Parameters
    ----------
    number
        A whole number from 0 to FINEST.

    Raises
    ------
    InputError
        For any other number.
    """

    number: int

    #: What is appended to the name of a task (`capabilities.TASKS`) that is asked for such grids.
    option: ClassVar[str] = ""

    def __post_init__(self) -> None:
        if isinstance(self.number, bool) or not isinstance(self.number, int) or not 0 <= self.number <= FINEST:
            allowed = f"a whole number from 0, the coarsest grid, to {FINEST}"
            raise InputError(key="level", value=self.number, allowed=allowed)

    def grid(self, problem: Problem, backend: Backend) -> Grid:
        """Return the grid. Raises InputError where the backend has no such family."""
        return backend.grid(problem, self.number)


@dataclass(frozen=True)
class PerEdge:
    """One grid of equal cells: so many voxels or elements along each edge of the face.

    Parameters
    ----------
    cells
        A whole number; which are allowed is the backend's to say, whose lines sit on the contact's edges.
    """

    cells: int

    option: ClassVar[str] = " --resolution"

    def grid(self, problem: Problem, backend: Backend) -> Grid:
        """Return the grid. Raises InputError for numbers of cells that the backend does not take."""
        return backend.uniform(problem, self.cells)


@dataclass(frozen=True)
class Accuracy:
    """The limit of a family, refined until its uncertainty is at most this part of |Z| at every frequency.

    Parameters
    ----------
    relative
        Above 0 and below 1.

    Raises
    ------
    InputError
        For any other number.
    """

    relative: float

    option: ClassVar[str] = " --accuracy"

    def __post_init__(self) -> None:
        object.__setattr__(self, "relative", relative_to_z("accuracy", self.relative))


#: What is asked for where nobody says anything.
DEFAULT: Final = Accuracy(1e-3)


def one_of(
    *, level: int | None = None, resolution: int | None = None, accuracy: float | None = None, prefix: str = ""
) -> Level | PerEdge | Accuracy | None:
    """Return what is chosen by the one argument that is given, None where none is; two contradict each other.

    Parameters
    ----------
    level, resolution, accuracy
        As public functions and commands take them.
    prefix
        What stands before their names in messages: "--" for options.

    Raises
    ------
    InputError
        Where two are given, and for values that are not allowed.
    """
    named = {"level": level, "accuracy": accuracy, "resolution": resolution}
    given = [name for name, value in named.items() if value is not None]
    if len(given) > 1:
        why = "each asks for a grid of its own" if accuracy is None else "one asks for a limit, the other for a grid"
        raise InputError("are not allowed together", key=" and ".join(prefix + name for name in given), why=why)
    if level is not None:
        return Level(level)
    if resolution is not None:
        return PerEdge(resolution)
    return None if accuracy is None else Accuracy(accuracy)


def settled(
    task: str, problem: Problem, backend: Backend, choice: Level | PerEdge | Accuracy | None
) -> Level | PerEdge | Accuracy:
    """Return the choice for one cell and backend, which may have a grid of its own: that of a label image, or of a mesh file.

    A label image has no other grid, and no grid but its own may be asked for. A mesh from a file is solved as it is, unless an
    accuracy is asked for.

    Parameters
    ----------
    task
        The name of one of `capabilities.TASKS`, without the option.
    problem, backend
        What is to be solved, by whom.
    choice
        What is asked for; None: the cell's own grid where it brings one, else DEFAULT.

    Raises
    ------
    InputError
        Where the backend does not offer such grids of such a cell.
    """
    own = brings_grid(problem, backend)
    if own and isinstance(choice, PerEdge) and problem.body.resolution(choice.cells) is None:
        choice = None
    require(f"{task}{choice.option if choice is not None else ''}", problem, [backend])
    if choice is not None:
        return choice
    if own:
        return Level(0)
    told = getattr(backend, "usual", None)
    return DEFAULT if told is None else Accuracy(told(problem))


def brings_grid(problem: Problem, backend: Backend) -> bool:
    """Return whether a cell is solved on the grid that it brings with it, a label image or a mesh from a file, unless asked."""
    return GRID in offers(backend, problem.kind)
