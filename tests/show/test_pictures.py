"""One description, two drawings: every mark is in the file and on the page, with the same words, colours and axes."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from fem_constriction.pictures import picture as described
from fem_constriction.pictures import printed
from fem_constriction.pictures.picture import (
    Area,
    Axis,
    Circles,
    Mark,
    Note,
    Panel,
    Picture,
    Rule,
    Series,
    Span,
    few_ticks,
    plain,
)
from validation.show.page import plotted

X = np.array([1.0, 10.0, 100.0])
EVERY: dict[type, Mark] = {
    Series: Series(x=X, y=X, label="points", colour="#0072b2", marker="o", told=["one\nf = 1 Hz", "two", "three"]),
    Area: Area(x=X, low=X, high=2 * X, label="area"),
    Span: Span(low=1.0, high=2.0, label="span"),
    Rule: Rule(at=3.0, label="rule"),
    Note: Note(text="here", x=10.0, y=10.0),
    Circles: Circles(x=X, y=X, radius=X / 10, label="circles"),
}
LOG = Axis(label="*Z*_{h} / \N{GREEK CAPITAL LETTER OMEGA}", scale="log")


def one(*marks: Mark) -> Picture:
    return Picture(name="test", rows=[[Panel(marks=marks, x=LOG, y=LOG)]], title="$5 ^ _ * title")


def test_every_kind_of_mark_is_drawn_by_both() -> None:
    assert set(EVERY) == set(get_args(Mark))
    whole = one(*EVERY.values())
    labels = {label for mark in EVERY.values() if (label := getattr(mark, "label", ""))}
    figure = printed.figure(whole)
    assert {text.get_text() for text in figure.legends[0].get_texts()} == labels
    assert "here" in [text.get_text() for text in figure.axes[0].texts]
    page = plotted.figure(whole)
    assert {trace.name for trace in page.data if trace.name} == labels
    assert [note.text for note in page.layout.annotations] == ["here"]


def test_a_mark_that_nobody_draws_is_refused_by_both() -> None:
    wrong = one("no mark")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="no way to draw a str"):
        printed.figure(wrong)
    with pytest.raises(TypeError, match="no way to draw a str"):
        plotted.figure(wrong)


def test_both_have_the_same_points_colours_and_axes() -> None:
    series = EVERY[Series]
    (axes,) = printed.figure(one(series)).axes
    page = plotted.figure(one(series))
    (line,), (trace,) = axes.get_lines(), page.data
    assert list(trace.x) == list(line.get_xdata()) == X.tolist()
    assert trace.line.color == line.get_color() == "#0072b2"
    assert 10 ** np.array(page.layout.xaxis.range) == pytest.approx(axes.get_xlim())
    assert trace.text[0] == "<b>one</b><br>f = 1 Hz"


def test_marked_words_are_set_and_any_other_words_mean_themselves() -> None:
    assert printed.mathtext("|*Z*| of R_{Cstr}, n^{1/3}") == r"|$Z$| of R$_\mathrm{Cstr}$, n$^{1/3}$"
    assert plotted.html("|*Z*| of R_{Cstr}, n^{1/3}") == "|<i>Z</i>| of R<sub>Cstr</sub>, n<sup>1/3</sup>"
    hostile = "*$5* _{x} ^{y} \\ <b>"
    assert printed.mathtext(plain(hostile)) == hostile.replace("$", r"\$")
    assert plotted.html(plain(hostile)) == hostile.replace("<", "&lt;").replace(">", "&gt;")
    assert list(described.marked(plain(hostile))) and "".join(words for _, words in described.marked(plain(hostile))) == hostile


def test_panels_whose_axes_are_one_have_one_range() -> None:
    panels = [Panel(marks=[Series(x=X, y=scale * X)], x=LOG, y=LOG) for scale in (1.0, 1e3)]
    row = Picture(name="row", rows=[panels], together="y")
    assert row.extent(panels[0], "y") == row.extent(panels[1], "y")
    assert row.extent(panels[0], "y")[1] > 1e5
    left, right = printed.figure(row).axes
    assert left.get_ylim() == right.get_ylim()
    page = plotted.figure(row).layout
    assert page.yaxis.range == page.yaxis2.range and page.yaxis2.matches == "y"


def test_an_entry_of_several_panels_is_one_of_the_legend() -> None:
    panels = [Panel(marks=[Series(x=X, y=X, label="same")], x=LOG, y=LOG) for _ in range(2)]
    twice = Picture(name="twice", rows=[panels])
    assert [text.get_text() for text in printed.figure(twice).legends[0].get_texts()] == ["same"]
    assert [trace.showlegend for trace in plotted.figure(twice).data] == [True, False]


def test_zero_is_on_a_logarithmic_axis_and_few_decades_have_ticks_between() -> None:
    assert described.shown([0.0, 1.0]).tolist() == [described.FLOOR, 1.0]
    assert few_ticks(0.9, 6.0) == pytest.approx([1.0, 2.0, 5.0])
    assert few_ticks(1.0, 1e4) == pytest.approx([1.0, 10.0, 100.0, 1e3, 1e4])
