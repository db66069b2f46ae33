"""A page is a list of sections: verdict, heading, paragraph, table, plot, code, and what is folded away until asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from fem_constriction.errors import InputError
from fem_constriction.files import jsonable

#: What a verdict may be: a sign and a tone of the page's style sheet each; the word and the sign say it without colour.
STATES: Final = {
    "agree": ("\N{CHECK MARK}", "good"),
    "passed": ("\N{CHECK MARK}", "good"),
    "unresolved": ("?", "open"),
    "disagree": ("\N{MULTIPLICATION X}", "bad"),
    "failed": ("\N{MULTIPLICATION X}", "bad"),
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was found, on top of the page: one of `STATES`, a sentence, and the key values (name, value, remark).

    Raises InputError for a state that is none.
    """

    kind: ClassVar[str] = "verdict"
    state: str
    sentence: str
    values: Sequence[tuple[str, str, str]] = ()

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise InputError(key="state", value=self.state, allowed=f"one of {', '.join(STATES)}")

    @property
    def sign(self) -> str:
        """A sign that tells the states apart without colour."""
        return STATES[self.state][0]

    @property
    def tone(self) -> str:
        """Class of the style sheet: good, open or bad."""
        return STATES[self.state][1]


@dataclass(frozen=True)
class Heading:
    """A heading of second rank; the page's table of contents lists them."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    kind: ClassVar[str] = "paragraph"
    text: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table with a caption; all columns but the first `left` hold numbers. Raises InputError for a row of another length."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise InputError(
                    f"table '{self.caption}': a row of {len(row)} cells is not allowed: there are {len(self.columns)} columns"
                )


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A plotly figure: caption, what it shows for who cannot see it, `figure` as `go.Figure` or as its dictionary."""

    kind: ClassVar[str] = "plot"
    caption: str
    description: str
    figure: Any
    name: str = ""

    def data(self) -> Mapping[str, Any]:
        """Return the figure as JSON can hold it, numbers JSON does not know as null."""
        plain = self.figure if isinstance(self.figure, Mapping) else self.figure.to_plotly_json()
        found: Mapping[str, Any] = jsonable(plain)
        return found


@dataclass(frozen=True, kw_only=True)
class Code:
    """Text set as it is: a cell file, a command."""

    kind: ClassVar[str] = "code"
    text: str
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Folded:
    """Sections behind a line that opens them; printed open."""

    kind: ClassVar[str] = "folded"
    summary: str
    sections: Sequence[Section]


Section = Verdict | Heading | Paragraph | Table | Plot | Code | Folded
