"""What is written on a figure."""

from __future__ import annotations

from matplotlib.figure import Figure


def words(figure: Figure) -> str:
    """Every text of a figure, its legends' among them."""
    figure.draw_without_rendering()
    legends = [*figure.legends, *(legend for axes in figure.axes if (legend := axes.get_legend()) is not None)]
    texts = [text.get_text() for axes in figure.axes for text in [axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts]]
    return " ".join(texts + [text.get_text() for legend in legends for text in legend.get_texts()])
