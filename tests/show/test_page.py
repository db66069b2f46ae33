"""The page says what the result says, to anyone, and asks nothing of the network."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import html5lib
import numpy as np
import pytest
from plotly.offline import get_plotlyjs
from rich.progress import Progress
from rich.table import Table as Terminal

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.files import json_text
from fem_constriction.spectra.spectrum import Spectrum
from validation import crosscheck
from validation.gate.agreement import compare
from validation.gate.result import Result
from validation.show.page import (
    Code,
    Folded,
    Heading,
    Paragraph,
    Plot,
    Table,
    Verdict,
    converge_sections,
    crosscheck_sections,
    from_terminal,
    page_text,
    write_page,
)
from validation.show.page.crosscheck import command

VOID = {"meta", "link", "br", "hr", "img", "input", "col", "base", "source"}
HOSTILE = "</title><script>document.title='run'</script> & \"quotes\" <b>$x$</b>"


class Reader(HTMLParser):
    """Tags that do not balance, attributes that load something, text of the tables, scripts with their type."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.loads: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[str | None, str]] = []
        self.tables: list[list[list[str]]] = []
        self.styles = ""
        self.words = ""
        self.feed(text)
        self.wrong += self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.attributes.append((tag, found))
        for key in ("src", "href", "srcset", "action", "poster", "data"):
            if found.get(key) and not str(found[key]).startswith("#"):
                self.loads.append(f"{tag} {key}={found[key]}")
        if tag == "script":
            self.scripts.append((found.get("type"), ""))
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        inside = self.open[-1] if self.open else ""
        if inside == "script":
            kind, text = self.scripts[-1]
            self.scripts[-1] = kind, text + data
        elif inside == "style":
            self.styles += data
        else:
            self.words += data
            if inside in ("td", "th"):
                self.tables[-1][-1][-1] += data

    @property
    def plots(self) -> list[dict[str, Any]]:
        return [json.loads(text) for kind, text in self.scripts if kind == "application/json"]


@pytest.fixture(scope="module")
def agreeing(small: fc.Cell) -> Result:
    return crosscheck(small, np.geomspace(1e-2, 1e8, 31), discs=False)


@pytest.fixture(scope="module")
def disagreeing(small: fc.Cell, agreeing: Result) -> Result:
    """One backend is 1 % off."""
    limits = dict(agreeing.agreement.limits)
    fem = limits["fem"]
    limits["fem"] = Spectrum(fem.frequency, 1.01 * fem.impedance, fem.uncertainty)
    found = compare(limits, 1e-3)
    refusal = f"nothing is extracted: {found.summary()}"
    return replace(agreeing, agreement=found, extraction=None, by_backend={}, guaranteed=None, refusal=refusal)


@pytest.fixture(scope="module")
def whole(agreeing: Result) -> str:
    return page_text("Cell", crosscheck_sections(agreeing))


def own(page: str) -> str:
    """Without plotly's script, which holds code points that no HTML should, as browsers do not mind."""
    assert get_plotlyjs() in page or "Plotly" not in page
    return page.replace(get_plotlyjs(), "")


@pytest.fixture(scope="module")
def page(whole: str) -> str:
    return own(whole)


def test_the_page_is_valid_html(page: str) -> None:
    html5lib.HTMLParser(strict=True).parse(page)
    assert Reader(page).wrong == []


def test_a_tag_left_open_is_seen() -> None:
    assert Reader("<p><b>text</p>").wrong
    with pytest.raises(html5lib.html5parser.ParseError):
        html5lib.HTMLParser(strict=True).parse("<!DOCTYPE html><title>x</title><p><b>text</p>")


def test_nothing_is_loaded_from_anywhere(page: str) -> None:
    reader = Reader(page)
    assert reader.loads == []
    assert "url(" not in reader.styles
    assert "@import" not in reader.styles
    (policy,) = [found["content"] for tag, found in reader.attributes if found.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert "unsafe-eval" not in policy


def test_a_picture_from_elsewhere_is_seen() -> None:
    assert Reader('<p><img src="https://example.org/a.png"></p>').loads


def test_it_is_nearly_all_plotly_and_fits_in_an_e_mail(whole: str, page: str) -> None:
    # plotly.min.js is 4.8 MB (version 7.1), and a result adds text and some thousand numbers of up to 20 characters.
    assert len(whole.encode()) < 6e6
    assert len(page.encode()) < 3e5
    assert len(page_text("Words", [Paragraph("none")]).encode()) < 2e4  # without a plot, without its script


def test_it_can_be_read_by_all(page: str) -> None:
    reader = Reader(page)
    tags = [tag for tag, _ in reader.attributes]
    assert ("html", {"lang": "en"}) in reader.attributes
    assert tags.count("h1") == 1
    assert tags.count("table") == tags.count("caption")
    plots = [found for tag, found in reader.attributes if tag == "div" and found.get("class") == "plot"]
    assert len(plots) == len(reader.plots) == 5
    assert all(found["aria-label"] for found in plots)
    anchors = {found["href"] for tag, found in reader.attributes if tag == "a"}
    assert anchors == {f"#{found['id']}" for tag, found in reader.attributes if tag == "h2"}


def test_the_numbers_are_those_of_the_json_file(agreeing: Result, page: str) -> None:
    record = json.loads(json_text(agreeing.as_dict()))  # what crosscheck.json holds
    reader = Reader(page)
    found = record["agreement"]
    (rows,) = [rows for rows in reader.tables if rows[0][0] == "f / Hz"]
    numbers = np.array([[float(cell) for cell in row[:-1]] for row in rows[1:]])
    for place, name in enumerate(found["limits"]):
        for part, key in enumerate(("real_ohm", "imag_ohm", "uncertainty_ohm")):
            # ten digits are shown, three of an uncertainty
            np.testing.assert_allclose(
                numbers[:, 1 + 3 * place + part], found["limits"][name][key], rtol=5e-10 if part < 2 else 6e-3
            )
    assert [row[-1] for row in rows[1:]] == found["verdicts"]
    nyquist = reader.plots[0]
    for name, limit in found["limits"].items():
        (trace,) = [trace for trace in nyquist["data"] if trace.get("name") == name]
        unit = {"kΩ": 1e3, "MΩ": 1e6}[nyquist["layout"]["xaxis"]["title"]["text"].split()[-1]]
        np.testing.assert_allclose(np.array(trace["x"]) * unit, limit["real_ohm"], rtol=1e-14)
        np.testing.assert_allclose(-np.array(trace["y"]) * unit, limit["imag_ohm"], rtol=1e-14)
    convergence = reader.plots[3]
    for name, grids in record["grids"].items():
        (trace,) = [t for t in convergence["data"] if t.get("name", "").startswith(f"largest over frequency: {name},")]
        assert trace["y"] == pytest.approx([row["distance"] for row in grids], rel=1e-12)
    fitted = record["extraction"]["constriction"]["R"]["value"]
    (rows,) = [rows for rows in reader.tables if rows[0][:2] == ["arc", ""]]
    (shown,) = [row[2] for row in rows if row[0] == "constriction"]
    value, unit_name = shown.split()
    ohm = {"kΩ": 1e3, "MΩ": 1e6}[unit_name]
    half = 0.5 * 10.0 ** -len(value.partition(".")[2]) * ohm  # of the last digit that is shown: as many as are known
    assert float(value) * ohm == pytest.approx(fitted, rel=0, abs=half * (1 + 1e-9))
    assert len(value.replace(".", "")) >= 5


def test_a_disagreement_is_shown_and_nothing_extracted(disagreeing: Result) -> None:
    page = own(page_text("Cell", crosscheck_sections(disagreeing)))
    reader = Reader(page)
    assert 'class="verdict bad"' in page
    assert "disagree" in reader.words
    assert "nothing is extracted" in reader.words.lower()
    assert "R_Cstr, fitted" not in reader.words
    assert not [rows for rows in reader.tables if rows[0][:2] == ["arc", ""]]
    names = {trace.get("name") for plot in reader.plots for trace in plot["data"]}
    assert "fit" not in names
    assert "difference: disagree" in names


def test_an_agreement_without_a_geometric_resistance_is_not_green(agreeing: Result) -> None:
    refused = replace(agreeing, extraction=None, by_backend={}, refusal="nothing is extracted: not known well enough")
    (verdict, *_) = crosscheck_sections(refused)
    assert isinstance(verdict, Verdict)
    assert (verdict.state, verdict.sign) == ("unresolved", "?")
    assert "not known well enough" in verdict.sentence


def test_titles_are_text_whatever_is_in_them(agreeing: Result) -> None:
    hostile = replace(agreeing, cell=agreeing.cell.vary({"title": HOSTILE}))
    folded = Folded(summary=HOSTILE, sections=[Code(text=HOSTILE)])
    page = own(page_text(HOSTILE, [*crosscheck_sections(hostile), Heading(HOSTILE), folded]))
    reader = Reader(page)
    html5lib.HTMLParser(strict=True).parse(page)
    assert "<script>document" not in page
    assert reader.words.count(HOSTILE) >= 4  # title, heading of first rank, heading, contents, cell
    assert [tag for tag, _ in reader.attributes].count("b") == 0
    executable = [kind for kind, _ in reader.scripts if kind != "application/json"]
    assert executable == [None, None]


def test_names_in_a_plot_stay_inside_it() -> None:
    figure = {"data": [{"name": "</script><script>alert(1)</script>"}], "layout": {}}
    page = own(page_text("x", [Plot(caption="c", description="d", figure=figure)]))
    assert "<script>alert" not in page
    assert Reader(page).plots == [figure]


def test_the_command_makes_it_again(agreeing: Result) -> None:
    assert command(agreeing) == (
        "fem-constriction crosscheck cell.toml --backends network,fem --frequencies 0.01:1e+08:31 --tolerance 0.001 --no-discs"
    )
    assert (
        fc.Cell.loads(next(each.text for each in _all(crosscheck_sections(agreeing)) if isinstance(each, Code)))
        == agreeing.cell
    )


def _all(sections: Any) -> list[Any]:
    return [inner for each in sections for inner in ([each, *_all(each.sections)] if isinstance(each, Folded) else [each])]


def test_what_the_terminal_shows_becomes_sections() -> None:
    shown = Terminal(title="Values")
    shown.add_column("name")
    shown.add_column("R / ohm", justify="right")
    shown.add_row("R", "1.5 kohm")
    assert from_terminal([shown, "a note of 3 us"]) == [
        Table(caption="Values", columns=["name", "R / Ω"], rows=[("R", "1.5 kΩ")], left=1),
        Paragraph("a note of 3 µs"),
    ]
    with pytest.raises(TypeError, match="Progress"):
        from_terminal(Progress())


def test_wrong_sections_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="state = 'good' is not allowed: one of agree"):
        Verdict(state="good", sentence="")
    with pytest.raises(InputError, match="a row of 1 cells is not allowed: there are 2 columns"):
        Table(caption="t", columns=("a", "b"), rows=[("x",)])
    with pytest.raises(InputError, match="heading 'Grids' is not allowed twice"):
        page_text("x", [Heading("Grids"), Heading("grids")])
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_page(tmp_path / "file" / "x.html", "x", [])


FAMILY: dict[str, Any] = {
    "backend": "network",
    "grids": "uniform",
    "quantity": "R_DC",
    "frequency_Hz": None,
    "h": [4e-6, 2e-6, 1e-6],
    "unknowns": [100, 800, 6400],
    "seconds": [0.1, 0.2, 0.9],
    "memory_MB": [1.0, 3.0, 20.0],
    "value": [1.1, 1.05, 1.025],
    "error": [0.1, 0.05, 0.025],
    "observed_order": [None, 1.0, 1.0],
    "expected_order": 1.0,
    "reason": "ideal edge",
}


def test_a_convergence_study_has_a_page_of_the_same_kind() -> None:
    at = FAMILY | {"backend": "fem", "quantity": "Z", "frequency_Hz": 1e3, "expected_order": None, "error": [0.0, 0.0, 0.0]}
    sections = converge_sections({"families": [FAMILY, at]}, cell="[geometry]", command="fem-constriction converge")
    page = own(page_text("Study", sections))
    html5lib.HTMLParser(strict=True).parse(page)
    reader = Reader(page)
    assert 'class="verdict good"' in page
    assert len(reader.plots) == 3  # error over the step and over the costs; at one frequency over the step alone
    points, slope = reader.plots[0]["data"]
    assert (points["x"], points["y"]) == (FAMILY["h"], FAMILY["error"])
    assert np.polyfit(np.log(slope["x"]), np.log(slope["y"]), 1)[0] == pytest.approx(1.0)
    assert "Z at 1000 Hz" in reader.words
    failures = ("R_DC: order 0.5, expected 1", "Z: order 0.7, expected 2")
    failed = own(page_text("Study", converge_sections({"families": [FAMILY]}, failures)))
    assert 'class="verdict bad"' in failed
    assert all(failure in Reader(failed).words for failure in failures)
