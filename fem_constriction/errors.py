"""What can go wrong, by exit status, and the one place where a refused value is put into words."""

from __future__ import annotations

import os
from enum import Enum
from typing import Any, ClassVar, Final, Self

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


class Written(str):
    """A value that a message shows as it is written here, without quotes: "8 x 8 x 4", "0.25 at point 3"."""


class Absent(Enum):
    """What stands where there is no value to show."""

    UNSAID = "unsaid"
    MISSING = "missing"
    EMPTY = "empty"


def show(value: object) -> str:
    """A value as an error message shows it: one short line, without numpy's type names, whatever it is; paths whole."""
    if isinstance(value, Written):
        return str(value)
    if isinstance(value, os.PathLike):
        return f"'{value}'"
    if isinstance(value, (str, bytes)):
        return short(repr(value[:100]))
    try:
        return short(" ".join(repr(_plain(value)).split()))
    except Exception:  # nested too deep, a whole number of more digits than Python writes, or a repr that fails
        return f"a value of type {type(value).__name__}"


def _plain(value: Any) -> object:
    """The number in a scalar of numpy (which is not imported for it)."""
    return value.item() if type(value).__module__ == "numpy" and getattr(value, "shape", None) == () else value


def short(text: str) -> str:
    """Return a text cut to 60 characters."""
    return text if len(text) <= 60 else text[:57] + "..."


class ConstrictionError(Exception):
    """Any failure this project reports; `exit_status` is what a command ends with."""

    exit_status: ClassVar[int] = 3

    def __init__(self, *args: object) -> None:
        super().__init__(*(cut(each) if isinstance(each, str) else each for each in args))


class InputError(ConstrictionError, ValueError):
    """file: key = value unit is not allowed when: allowed; why; remedy (note). Exit status 2.

    Every field may be left out; `str(error)` is the sentence that the rest of them make, of at most LONGEST characters. Copies
    with other fields are made by `at`, `inside`, `renamed` and `vary`: nobody has to take a sentence apart.

    Parameters
    ----------
    sentence
        What is said of the key, instead of "is not allowed"; without a key and a value: the whole sentence.
    file
        The file that the input stands in, or that is wrong.
    key
        The key or argument, dotted where it stands in sections: "working_electrode.contact.fraction".
    value
        What was given; `Absent.MISSING` where a key is required and left out, `Absent.EMPTY` where a section has none of its
        keys. A text in `Written` is shown without quotes.
    unit
        SI unit of the value, shown behind it.
    when
        The circumstances under which the value is not allowed: "with electrolyte.microstructure".
    allowed
        What is allowed instead.
    why
        What is wrong with the value.
    remedy
        What to do about it.
    note
        What is said at the end, in brackets: how many faults there are besides, which point of a study it is.
    """

    exit_status = 2

    def __init__(
        self,
        sentence: str = "",
        *,
        file: str | os.PathLike[str] = "",
        key: str = "",
        value: object = Absent.UNSAID,
        unit: str = "",
        when: str = "",
        allowed: str = "",
        why: str = "",
        remedy: str = "",
        note: str = "",
    ) -> None:
        self.sentence, self.file, self.key, self.value, self.unit = sentence, str(file), key, value, unit
        self.when, self.allowed, self.why, self.remedy, self.note = when, allowed, why, remedy, note
        super().__init__(self._words())

    def _words(self) -> str:
        said, value = f"is not allowed {self.when}".rstrip(), ""
        if not isinstance(self.value, Absent):
            value = f"{show(self.value)} {self.unit}".rstrip()
        elif self.value is not Absent.UNSAID:
            said = f"is {self.value.value}"
        verdict = " ".join(filter(None, (" = ".join(filter(None, (self.key, value))), self.sentence or said)))
        reasons = "; ".join(filter(None, (self.allowed, self.why, self.remedy)))
        words = ": ".join(filter(None, (self.file, verdict, reasons)))
        return f"{words} ({self.note})" if self.note else words

    def vary(self, **changes: Any) -> Self:
        """Return a copy with other fields.

        Parameters
        ----------
        **changes
            Name of a field -> value.

        Returns
        -------
        InputError
            Of the same class.
        """
        fields = {name: value for name, value in vars(self).items() if name in _FIELDS}
        return type(self)(**{**fields, **changes})

    def at(self, file: str | os.PathLike[str]) -> Self:
        """Return a copy that begins with a file.

        Parameters
        ----------
        file
            The one that the input stands in, or that leads to the file that is wrong; "": none.

        Returns
        -------
        InputError
            Of the same class.
        """
        return self.vary(file=": ".join(filter(None, (str(file), self.file))))

    def inside(self, section: str) -> Self:
        """Return a copy whose key stands in a section; without a key of its own it is the section that is wrong.

        Parameters
        ----------
        section
            Dotted.

        Returns
        -------
        InputError
            Of the same class.
        """
        if self.sentence and not self.key:
            return self.vary(key=section, sentence="", why=self.sentence)
        return self.vary(key=".".join(filter(None, (section, self.key))))

    def renamed(self, key: str) -> Self:
        """Return a copy whose key has another name.

        Parameters
        ----------
        key
            That of an option, or of an argument.

        Returns
        -------
        InputError
            Of the same class.
        """
        return self.vary(key=key)

    def __reduce__(self) -> tuple[Any, ...]:
        """A value of any type goes from process to process as messages show it."""
        state = {**vars(self), "value": self.value if isinstance(self.value, Absent) else Written(show(self.value))}
        return type(self), self.args, state


#: The fields of an InputError.
_FIELDS: Final = ("sentence", "file", "key", "value", "unit", "when", "allowed", "why", "remedy", "note")


class MemoryShort(InputError):
    """A grid would not fit in the memory that is free at the moment: it says nothing of the cell."""


class ComputationError(ConstrictionError):
    """A computation failed or is incomplete."""

    exit_status = 3


class NotExtracted(ComputationError):
    """Spectra stand, and no circuit was found for them: `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"nothing is extracted: {reason}")
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.reason,)


class NotAgreed(ConstrictionError):
    """A check was made and did not pass; nothing is extracted."""

    exit_status = 1


class ResolutionWarning(UserWarning):
    """A result stands, but its grids are coarser than they should be; the message says by how much."""


class PicturedWarning(UserWarning):
    """A result stands for the voxels of an image, which differ from what they picture; the message says by how much."""


class LeftOutWarning(UserWarning):
    """What was found is not used; the message says what, and why."""


class ImplausibleWarning(UserWarning):
    """A value is allowed, but nobody means it: a cell 50 m wide; the message has the key, the value and the usual range."""
