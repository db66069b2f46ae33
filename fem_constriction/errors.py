"""What can go wrong, by exit status."""

from __future__ import annotations

from typing import ClassVar


class ConstrictionError(Exception):
    """Any failure this project reports; `exit_status` is what a command ends with."""

    exit_status: ClassVar[int] = 3


class InputError(ConstrictionError, ValueError):
    """The input is wrong: one sentence with file, key, value, unit and what is allowed."""

    exit_status = 2


class MemoryShort(InputError):
    """A grid would not fit in the memory that is free at the moment: it says nothing of the cell."""


class ComputationError(ConstrictionError):
    """A computation failed or is incomplete."""

    exit_status = 3


class NotAgreed(ConstrictionError):
    """A check was made and did not pass; nothing is extracted."""

    exit_status = 1


class ResolutionWarning(UserWarning):
    """A result stands, but its grids are coarser than they should be; the message says by how much."""
