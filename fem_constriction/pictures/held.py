"""What a user holds in hand: a few lines as its repr, a picture and a table in notebooks, `plot` on matplotlib's axes."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from fem_constriction.pictures.picture import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
        png(self.picture(), drawn, _DOTS)
        source = base64.b64encode(drawn.getvalue()).decode()
        table = "".join(_ROW.format(html.escape(name), html.escape(value)) for name, value in rows)
        words = html.escape(self.picture().description or title, quote=True)
        return (
            f'<div><strong>{html.escape(title)}</strong><table style="margin:0.3em 0">{table}</table>'
            f'<img alt="{words}" style="max-width:100%;background:white" src="data:image/png;base64,{source}"></div>'
        )
