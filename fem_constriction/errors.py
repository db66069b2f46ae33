"""What can go wrong, by exit status."""

from __future__ import annotations

from typing import ClassVar, Final

#: Characters of the longest message: whatever was typed, a terminal shows it in a few lines.
LONGEST: Final = 499


def cut(text: str) -> str:
    """Return a message of at most LONGEST characters: three parts of its beginning, two of its end, dots between.

    The beginning names file and key, the end says what is allowed. Control characters are written as escapes.
    """
    short = _ends(text)
    return _ends("".join(sign if sign.isprintable() or sign == "\n" else repr(sign)[1:-1] for sign in short))


def _ends(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    end = 2 * LONGEST // 5
    return f"{text[: LONGEST - end - 5]} ... {text[-end:]}"


class ConstrictionError(Exception):
    """Any failure this project reports; `exit_status` is what a command ends with."""

    exit_status: ClassVar[int] = 3

    def __init__(self, *args: object) -> None:
        super().__init__(*(cut(each) if isinstance(each, str) else each for each in args))


class InputError(ConstrictionError, ValueError):
    """The input is wrong: one sentence with file, key, value, unit and what is allowed."""

    exit_status = 2


class MemoryShort(InputError):
    """A grid would not fit in the memory that is free at the moment: it says nothing of the cell."""


class ComputationError(ConstrictionError):
    """A computation failed or is incomplete."""

    exit_status = 3


class NotExtracted(ComputationError):
    """Spectra stand, and no circuit was found for them: the message is the reason."""


class NotAgreed(ConstrictionError):
    """A check was made and did not pass; nothing is extracted."""

    exit_status = 1


class ResolutionWarning(UserWarning):
    """A result stands, but its grids are coarser than they should be; the message says by how much."""


class LeftOutWarning(UserWarning):
    """What was found is not used; the message says what, and why."""


class ImplausibleWarning(UserWarning):
    """A value is allowed, but nobody means it: a cell 50 m wide; the message has the key, the value and the usual range."""
