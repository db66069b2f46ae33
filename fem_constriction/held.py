"""What a user holds in hand: a few lines as its repr, a picture and a table in notebooks, `plot`; files that give it back."""

from __future__ import annotations

import base64
import html
import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, cast

from fem_constriction import records
from fem_constriction.files import jsonable, write_text
from fem_constriction.pictures.picture import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DOTS: Final = 110  # per inch, in a notebook
_ROW: Final = '<tr><td style="text-align:left">{}</td><td style="text-align:left">{}</td></tr>'


class Held:
    """A result with a title, facts in a line each, and a picture: the rest follows from them."""

    def facts(self) -> tuple[str, Iterable[tuple[str, str]]]:
        """Return what it is, and what is to be known of it at a glance: (name, value in words) each."""
        raise NotImplementedError

    def picture(self) -> Picture:
        """Return its picture, described: `fem_constriction.pictures.printed` draws it."""
        raise NotImplementedError

    def figure(self) -> Figure:
        """Return its picture as a figure of matplotlib: what a notebook shows."""
        from fem_constriction.pictures.printed import figure

        return figure(self.picture())

    def plot(self, ax: Axes | Any = None) -> Any:
        """Draw the picture, and return the axes that it was drawn on.

        Parameters
        ----------
        ax
            Axes of matplotlib, one for each panel of the picture; left out: those of a new figure of `pyplot`, in the
            style of this project.

        Returns
        -------
        matplotlib.axes.Axes
            One, or a list of them where the picture has several panels.

        Raises
        ------
        InputError
            For another number of axes than panels.
        """
        from fem_constriction.pictures.printed import draw

        return draw(self.picture(), ax)

    def __repr__(self) -> str:
        title, rows = self.facts()
        lines = [(name, value) for name, value in rows]
        width = max((len(name) for name, _ in lines), default=0)
        return "\n".join([title, *(f"  {name:<{width}}  {value}" for name, value in lines)])

    def _repr_html_(self) -> str:
        from fem_constriction.pictures.printed import png

        title, rows = self.facts()
        drawn = io.BytesIO()
        png(self.figure, drawn, _DOTS)
        source = base64.b64encode(drawn.getvalue()).decode()
        table = "".join(_ROW.format(html.escape(name), html.escape(value)) for name, value in rows)
        words = html.escape(self.words() or title, quote=True)
        return (
            f'<div><strong>{html.escape(title)}</strong><table style="margin:0.3em 0">{table}</table>'
            f'<img alt="{words}" style="max-width:100%;background:white" src="data:image/png;base64,{source}"></div>'
        )

    def words(self) -> str:
        """Return what its picture shows, for who cannot see it."""
        return self.picture().description


class Recorded(Held):
    """A result that a JSON file gives back, equal to what was written: everything to be read by anyone, and the exact record.

    The first is `as_dict()`, which `json.load` is enough for; the record, under the key "record", is what `load` takes.
    """

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it, in plain words and SI units."""
        raise NotImplementedError

    def kept(self) -> Self:
        """Return what of it a file can hold: the same without what was solved on grids."""
        return self

    def written(self, beside: Mapping[str, Any] | None = None) -> str:
        """Return the text of its file.

        Parameters
        ----------
        beside
            What else stands in it, such as the name of the file that was fitted.

        Returns
        -------
        str
            JSON.
        """
        return records.text(jsonable({**(beside or {}), **self.as_dict()}), self.kept())

    def save(self, path: str | os.PathLike[str]) -> Any:
        """Write it as JSON, every number exactly; loading it gives an equal result.

        What was solved on grids is left out: the loaded result knows everything at its frequencies, and nothing at others.

        Parameters
        ----------
        path
            Of the file.

        Raises
        ------
        InputError
            Where it cannot be written.
        """
        write_text(path, self.written())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return the result in a file that `save`, or a command, wrote.

        Parameters
        ----------
        path
            Of the file.

        Raises
        ------
        InputError
            Where it holds none, with what it holds instead.
        """
        return cast(Self, records.load(Path(path), cls))

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return bool(records.record(self.kept()) == records.record(other.kept()))

    def __hash__(self) -> int:
        title, rows = self.facts()
        return hash((title, *rows))
