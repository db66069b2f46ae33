"""The page in a real browser: Chromium, headless, with every request recorded and refused."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fem_constriction as fc
from fem_constriction.pictures.words import amount
from validation import crosscheck
from validation.gate.result import Result
from validation.show.page import Folded, Plot, crosscheck_sections, write_page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install '.[test]'")
pytestmark = [
    pytest.mark.long,  # a browser takes seconds to start and to lay out each page
    pytest.mark.skipif(
        BROWSER is None, reason=f"no browser: none of {', '.join(NAMES)} is on the path, and CHROMIUM does not name one"
    ),
]
TITLE = "5 layers <script>document.title = 'run'</script>"


@dataclass
class Seen:
    """A page, and all that it asked for or complained of."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def result(small: fc.Cell) -> Result:
    cell = small.vary({"title": TITLE})
    return crosscheck(cell, np.geomspace(1e-2, 1e8, 31), discs=False)


@pytest.fixture(scope="module")
def file(result: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "crosscheck.html"
    write_page(path, result.cell.title, crosscheck_sections(result), "Cross-check of network and fem")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as tool:
        # A container's root has no sandbox of its own; what is opened was written here.
        made = tool.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield made
        made.close()


def opened(browser: Any, file: Path, wait: str = "html[data-ready]", **how: Any) -> Seen:
    """The page of a file in a window of its own; other requests than for that file are recorded and refused."""
    context = browser.new_context(**how)
    seen = Seen(context.new_page())

    def route(route: Any) -> None:
        if route.request.url == file.as_uri():
            route.continue_()
        else:
            seen.requests.append(route.request.url)
            route.abort()

    context.route("**/*", route)
    seen.page.on("console", lambda message: seen.complaints.append(f"{message.type}: {message.text}"))
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.goto(file.as_uri())
    seen.page.wait_for_selector(wait, timeout=60_000, state="attached")
    return seen


@pytest.fixture(scope="module")
def wide(browser: Any, file: Path) -> Seen:
    return opened(browser, file, viewport={"width": 1280, "height": 900})


def test_the_page_opens_without_a_request_and_without_a_complaint(wide: Seen) -> None:
    assert wide.requests == []
    assert wide.complaints == []


def test_a_request_and_a_complaint_would_be_seen(browser: Any, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.html"
    wrong.write_text("<!DOCTYPE html><title>x</title><img src='http://localhost/a.png'><script>nothing.at.all</script>")
    seen = opened(browser, wrong, wait="img")
    assert seen.requests == ["http://localhost/a.png"]
    assert any("nothing is not defined" in complaint for complaint in seen.complaints)


def test_the_policy_stops_what_escaping_would_have_missed(browser: Any, file: Path, tmp_path: Path) -> None:
    injected = tmp_path / "injected.html"
    text = file.read_text().replace(
        "<main>", "<main><script>document.title = 'run'</script><img src='http://localhost/a.png'>", 1
    )
    injected.write_text(text)
    seen = opened(browser, injected)
    assert seen.page.title() != "run"
    assert seen.requests == []
    assert sum("Content Security Policy" in complaint for complaint in seen.complaints) >= 2


def test_title_and_verdict_are_what_was_found(wide: Seen, result: Result) -> None:
    assert wide.page.title() == TITLE
    assert wide.page.inner_text("h1") == TITLE
    verdict = wide.page.inner_text(".verdict")
    assert "AGREE" in verdict
    assert result.agreement.summary()[1:] in verdict


def test_all_plots_are_drawn_and_fill_the_page(wide: Seen) -> None:
    plots = wide.page.locator(".plot")
    assert plots.count() == 5
    for number in range(5):
        box = plots.nth(number).locator(".main-svg").first.bounding_box()
        assert box["width"] > 900
        assert box["height"] > 200
    # bulk, boundaries, constriction, charge transfer; fit; 1D-PM; two backends
    assert wide.page.locator("[data-name=nyquist] .scatterlayer .trace").count() == 8


def test_the_impedance_plane_has_equal_axes(wide: Seen) -> None:
    lengths = wide.page.eval_on_selector(
        "[data-name=nyquist]",
        "e => ['xaxis', 'yaxis'].map(a => e._fullLayout[a]._length / (e._fullLayout[a].range[1] - e._fullLayout[a].range[0]))",
    )
    assert lengths[0] == pytest.approx(lengths[1], rel=1e-3)


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_a_point_of_the_impedance_plane_shows_its_frequency(wide: Seen, result: Result, rank: int) -> None:
    limit = result.agreement.limits["fem"]
    apart = np.abs(limit.impedance[:, None] - limit.impedance[None, :]) + np.diag(np.full(len(limit), np.inf))
    number = int(np.argsort(-apart.min(1))[rank])  # one that has no other beside it
    place = wide.page.locator("[data-name=nyquist]")
    x, y = place.evaluate(
        """(e, point) => {
            const axes = e._fullLayout, trace = e.data.find((t) => t.name === "fem");
            e.scrollIntoView({ block: "center" });
            const box = e.getBoundingClientRect();
            return [
                box.left + axes.xaxis._offset + axes.xaxis.d2p(trace.x[point]),
                box.top + axes.yaxis._offset + axes.yaxis.d2p(trace.y[point]),
            ];
        }""",
        number,
    )
    wide.page.mouse.move(x - 3, y)
    wide.page.mouse.move(x, y, steps=3)
    label = place.locator(".hovertext", has_text=f"f = {amount(float(limit.frequency[number]), 'Hz')}")
    label.wait_for(timeout=10_000)
    assert "agree" in label.text_content()


def test_numbers_unfold(wide: Seen, result: Result) -> None:
    rows = wide.page.locator("details table tbody tr")
    assert not rows.first.is_visible()
    wide.page.locator("summary", has_text="frequencies as numbers").click()
    assert rows.first.is_visible()
    assert rows.count() == len(result.agreement.frequency)


def test_a_plot_that_was_folded_away_fills_the_page_when_it_is_opened(browser: Any, tmp_path: Path) -> None:
    figure = {"data": [{"x": [1, 2], "y": [3, 4], "name": "line"}], "layout": {"height": 300}}
    plot = Plot(caption="A line", description="a line from 3 to 4", figure=figure)
    write_page(tmp_path / "folded.html", "Folded", [Folded(summary="More", sections=[plot])])
    seen = opened(browser, tmp_path / "folded.html", viewport={"width": 1280, "height": 900})
    seen.page.locator("summary").click()
    seen.page.wait_for_function("document.querySelector('.main-svg').getBoundingClientRect().width > 900", timeout=10_000)
    assert seen.complaints == []


def test_no_button_sends_data_away(wide: Seen) -> None:
    titles = wide.page.eval_on_selector_all(".modebar-btn", "all => all.map(each => each.dataset.title.toLowerCase())")
    assert titles
    assert not [title for title in titles if "share" in title or "cloud" in title or "edit" in title]


@pytest.mark.parametrize("how", [{"viewport": {"width": 380, "height": 800}}, {"color_scheme": "dark"}], ids=["narrow", "dark"])
def test_it_fits_a_telephone_and_a_dark_screen(browser: Any, file: Path, how: dict[str, Any], tmp_path: Path) -> None:
    seen = opened(browser, file, **how)
    assert seen.complaints == []
    width = seen.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]  # nothing hangs over the edge: rows of all frequencies scroll by themselves
    sizes = seen.page.eval_on_selector_all(".table:not(.wide)", "all => all.map(each => [each.scrollWidth, each.clientWidth])")
    assert sizes
    assert all(inside <= room for inside, room in sizes)  # no other table scrolls
    ink, paper = (
        seen.page.evaluate(f"getComputedStyle(document.body).{name}.match(/[0-9]+/g).slice(0, 3).map(Number)")
        for name in ("color", "backgroundColor")
    )
    assert contrast(ink, paper) >= 7  # WCAG 2.1, 1.4.6
    seen.page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert (tmp_path / "page.png").stat().st_size > 50_000


def contrast(one: list[int], other: list[int]) -> float:
    """Ratio of relative luminances, WCAG 2.1."""

    def luminance(colour: list[int]) -> float:
        linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_on_paper_everything_is_unfolded_and_nothing_cut_off(browser: Any, file: Path, tmp_path: Path) -> None:
    seen = opened(browser, file, viewport={"width": 1280, "height": 900})
    seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    seen.page.emulate_media(media="print")
    assert seen.page.eval_on_selector_all("details", "all => all.every(each => each.open)")
    widths = seen.page.eval_on_selector_all(".plot .main-svg", "all => all.map(each => each.getBoundingClientRect().width)")
    assert max(widths) <= 680  # A4 less the margins is 688 pixels wide
    seen.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert not seen.page.eval_on_selector_all("details", "all => all.some(each => each.open)")
    seen.page.pdf(path=tmp_path / "page.pdf", format="A4")
    printed = (tmp_path / "page.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) <= 4  # two sheets, on both sides
