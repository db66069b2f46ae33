"""The pictures: they hold what they should, for every kind of result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from coarse import CoarseElements, CoarseNetwork
from figures import words

from fem_constriction import Cell, InputError, Spectrum
from fem_constriction.fitting.extraction import Extraction, fit_spectrum
from fem_constriction.pictures.picture import Picture
from fem_constriction.pictures.plane import impedance_plane
from fem_constriction.pictures.printed import figure as printed
from fem_constriction.pictures.printed import write
from validation import Result, crosscheck
from validation.discs.certificate import Discs
from validation.show.pictures.agreement import agreement
from validation.show.pictures.discs import discs
from validation.show.pictures.grids import convergence
from validation.show.pictures.plane import bode, nyquist

if TYPE_CHECKING:
    from collections.abc import Callable

CELLS = Path(__file__).parents[1] / "data" / "cells"


@pytest.fixture(scope="module")
def partial_contact() -> Result:
    cell = Cell.load(CELLS / "homogeneous-25.toml")
    return crosscheck(cell, backends=[CoarseNetwork(), CoarseElements()], tolerance=0.05)


@pytest.fixture(scope="module")
def no_contact() -> Result:
    cell = Cell.load(CELLS / "figure-2-25.toml").vary({"working_electrode.contact.fraction": 0.0})
    result = crosscheck(cell)
    found = replace(result.agreement, enclosures=())
    nothing = Extraction(arcs={}, removed={}, residual=None)
    return replace(result, agreement=found, extraction=nothing, refusal=None)


def test_nyquist_shows_both_backends_the_fit_and_its_arcs_on_equal_axes(partial_contact: Result) -> None:
    figure = printed(nyquist(partial_contact))
    seen = words(figure)
    for word in ("network", "fem", "fit", "1D-PM", "bulk", "constriction", "charge transfer", "agree", "10 MHz", "kΩ"):
        assert word in seen
    (axes,) = figure.axes
    assert axes.get_aspect() == 1
    points = {line.get_label(): line for line in axes.lines}
    assert len(np.asarray(points["network"].get_xdata())) == 61
    end = partial_contact.extraction.circuit().resistance if partial_contact.extraction else 0
    assert axes.get_xlim()[1] > end / 1e3


def test_no_frequency_label_covers_another(partial_contact: Result) -> None:
    figure = printed(nyquist(partial_contact))
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) >= 4
    assert not any(a.overlaps(b) for number, a in enumerate(boxes) for b in boxes[:number])


def test_agreement_shows_the_difference_its_allowance_and_the_tolerance(partial_contact: Result) -> None:
    figure = printed(agreement(partial_contact))
    seen = words(figure)
    for word in ("tolerance 0.05", "allowed difference", "of network", "of fem", "difference: agree", "frequency / Hz"):
        assert word in seen
    assert figure.axes[0].get_yscale() == "log"


def test_a_difference_of_zero_is_drawn(partial_contact: Result) -> None:
    found = partial_contact.agreement
    same = replace(found, limits={"one": found.limits["fem"], "two": found.limits["fem"]})
    figure = printed(agreement(replace(partial_contact, agreement=same)))
    assert "0 is drawn at 1e-16" in words(figure)
    assert figure.axes[0].get_ylim()[0] > 0


def test_disagreement_is_in_the_title_and_each_verdict_has_its_marker(partial_contact: Result) -> None:
    verdicts = np.array(["agree", "unresolved", "disagree"])[np.arange(61) % 3]
    found = replace(partial_contact.agreement, verdicts=verdicts)
    result = replace(partial_contact, agreement=found, extraction=None, refusal="nothing is extracted")
    seen = words(printed(agreement(result)))
    assert all(f"difference: {verdict}" in seen for verdict in ("agree", "unresolved", "disagree"))
    seen = words(printed(nyquist(result)))
    assert "network and fem disagree" in seen
    assert "constriction" not in seen


def test_convergence_names_expected_and_observed_orders(partial_contact: Result) -> None:
    figure = printed(convergence(partial_contact))
    assert len(figure.axes) == 2
    seen = words(figure)
    for word in ("network, order 2, observed", "fem, order 4, observed", "direct current", "largest over frequency"):
        assert word in seen
    own = next(line for line in figure.axes[1].lines if str(line.get_label()).startswith("network"))
    distances = np.asarray(own.get_ydata(), dtype=float)
    assert distances[0] > 3 * distances[1] > 9 * distances[2]


def test_a_blocking_cell_has_no_direct_current_panel_and_a_plane_of_its_width(no_contact: Result) -> None:
    assert len(printed(convergence(no_contact)).axes) == 1
    figure = printed(nyquist(no_contact))
    assert "nothing to extract" in words(figure)
    low, high = figure.axes[0].get_ylim()
    assert high - low < np.diff(figure.axes[0].get_xlim())[0]


def test_a_title_may_be_long_and_hold_dollar_signs(no_contact: Result) -> None:
    titled = replace(no_contact, cell=no_contact.cell.vary({"title": "$5 ^ _ and $6 " * 20}))
    for draw in (nyquist, agreement, convergence):
        figure = printed(draw(titled))
        figure.draw_without_rendering()
        for text in [figure.axes[0].title, *figure.texts]:
            assert text.get_window_extent().width < figure.bbox.width


def test_a_measured_spectrum_and_its_fit() -> None:
    frequency = np.geomspace(1, 1e6, 31)
    spectrum = Spectrum(frequency, np.asarray(50 + 1e4 / (1 + 2j * np.pi * frequency * 1e-4), dtype=np.complex128))
    seen = words(printed(impedance_plane({"measured": spectrum}, fit_spectrum(spectrum), title="measured")))
    assert "arc 1" in seen


@pytest.mark.parametrize("draw", [nyquist, bode, agreement, convergence])
def test_each_is_written_as_png_and_pdf(no_contact: Result, tmp_path: Path, draw: Callable[[Result], Picture]) -> None:
    png, pdf = write(draw(no_contact), tmp_path)
    assert png.read_bytes().startswith(b"\x89PNG")
    assert pdf.read_bytes().startswith(b"%PDF")
    with pytest.raises(InputError, match="cannot be written"):
        write(draw(no_contact), tmp_path / "nowhere")


def test_discs_are_drawn_to_a_scale_that_is_stated() -> None:
    frequency = np.geomspace(1e-3, 1e9, 25)
    z = 1e5 + 1e6 / (1 + 2j * np.pi * frequency * 1e-4)
    found = Discs(frequency, z, 1e-4 * np.linspace(1, 2, 25) * np.abs(z), np.full(25, np.pi / 4), None, ("fem", "network"), 0.0)
    figure = printed(discs(found, truth=z * (1 + 2e-5)))
    plane, sizes = figure.axes
    circles = plane.collections[0]
    legend = [text.get_text() for text in plane.get_legend().get_texts()]
    factor = float(legend[1].rpartition("× ")[2])
    assert plane.get_aspect() == 1
    assert circles.get_widths() == pytest.approx(2 * factor * found.radius)
    assert circles.get_offsets() == pytest.approx(np.column_stack([z.real, -z.imag]))
    radius, off = (line.get_ydata() for line in sizes.get_lines())
    assert radius == pytest.approx(1e-4 * np.linspace(1, 2, 25))
    assert off == pytest.approx(2e-5)
    assert len(printed(discs(found)).axes[1].get_lines()) == 1  # no truth, no error
