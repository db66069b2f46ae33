"""A picture per axis: it holds every point that has a value, says which line is which, and hides none of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from figures import words
from matplotlib.figure import Figure
from study_fakes import CONDUCTIVITY, FRACTION, Fake, here, study_of

from validation.study import Study, pictures

LAYERS = "electrolyte.grain_boundaries.layers"


def drawn(tmp_path: Path, study: Study, key: str = FRACTION, work: Fake | None = None) -> Figure:
    return pictures.summary(study, here(study, tmp_path, work or Fake()), key)


def points_in(axes: Any, filled: bool = True) -> int:
    lines = [line for line in axes.get_lines() if line.get_marker() in pictures.MARKERS]
    lines = [line for line in lines if (line.get_markerfacecolor() != "white") is filled]
    return sum(int(np.isfinite(np.asarray(line.get_ydata(), dtype=float)).sum()) for line in lines)


def test_r_c_and_tau_over_an_axis_with_bars_and_the_geometric_resistance(tmp_path: Path) -> None:
    figure = drawn(tmp_path, study_of(4, 2))
    assert [points_in(axes) for axes in figure.axes] == [8, 8, 8]
    assert points_in(figure.axes[0], filled=False) == 8
    assert all(axes.containers for axes in figure.axes)
    seen = words(figure) + " ".join(text.get_text() for legend in figure.legends for text in legend.get_texts())
    for word in (
        "Cstr",
        "Omega",
        "working_electrode.contact.fraction",
        "conductivity 10 mS/m",
        "geometric",
        "bars: largest of",
    ):
        assert word in seen


def test_points_without_a_value_are_counted(tmp_path: Path) -> None:
    figure = drawn(tmp_path, study_of(4, 2), work=Fake(fails=(0.04,)))
    assert points_in(figure.axes[0]) == 6
    assert "2 of 8 points without a value" in figure.get_suptitle()


def test_logarithmic_axes_are_drawn_so(tmp_path: Path) -> None:
    study = Study(axes={CONDUCTIVITY: {"start": 0.01, "stop": 0.1, "num": 3, "scale": "log"}}, frequencies=[1.0])
    figure = drawn(tmp_path, study, CONDUCTIVITY)
    assert {axes.get_xscale() for axes in figure.axes} == {"log"}
    assert "electrolyte.conductivity / (S/m)" in words(figure)
    assert drawn(tmp_path / "b", Study(axes={FRACTION: [0.1, 0.2]}, frequencies=[1.0])).axes[0].get_xscale() == "linear"


def test_many_values_beside_are_a_scale_of_colours_and_few_are_named(tmp_path: Path) -> None:
    assert len(drawn(tmp_path / "many", study_of(3, 9)).axes) == 4
    figure = drawn(
        tmp_path / "three", Study(axes={FRACTION: [0.1, 0.2], CONDUCTIVITY: [1, 2], LAYERS: [5, 6]}, frequencies=[1.0])
    )
    assert len(figure.axes) == 3
    seen = " ".join(text.get_text() for text in figure.legends[0].get_texts())
    for word in ("conductivity 1 S/m", "layers 5", "layers 6"):
        assert word in seen


def test_points_of_a_hypercube_are_not_joined(tmp_path: Path) -> None:
    ranges = {FRACTION: {"start": 0.1, "stop": 0.5}, CONDUCTIVITY: {"start": 0.01, "stop": 1}}
    figure = drawn(tmp_path, Study(mode="latin-hypercube", samples=7, axes=ranges, frequencies=[1.0]))
    lines = [line for line in figure.axes[1].get_lines() if line.get_marker() in pictures.MARKERS]
    assert [len(np.asarray(line.get_xdata())) for line in lines] == [1] * 7


def test_one_backend_has_its_direct_current_resistance(tmp_path: Path) -> None:
    figure = drawn(tmp_path, Study(backend="fem", axes={FRACTION: [0.1, 0.2]}, frequencies=[1.0]))
    assert len(figure.axes) == 1
    assert "DC" in figure.axes[0].get_ylabel()


@pytest.mark.parametrize("work", [Fake(fails=(0.04, 0.81)), Fake(refuses=(0.04, 0.81))])
def test_a_study_without_a_single_value_has_a_picture_too(tmp_path: Path, work: Fake) -> None:
    study = study_of(2, 1)
    png, pdf = pictures.write(study, here(study, tmp_path, work), tmp_path)
    assert png.read_bytes().startswith(b"\x89PNG")
    assert pdf.name == "over-working_electrode-contact-fraction.pdf"


def test_only_numbers_that_vary_have_a_picture(tmp_path: Path) -> None:
    study = Study(axes={"backend": ["fem", "network"], FRACTION: [0.1]}, frequencies=[1.0])
    assert pictures.write(study, here(study, tmp_path, Fake()), tmp_path) == []


def test_no_label_is_cut_and_no_legend_covers_data(tmp_path: Path) -> None:
    figure = drawn(tmp_path, study_of(4, 4))
    figure.draw_without_rendering()
    legend = figure.legends[0].get_window_extent()
    assert not any(legend.overlaps(axes.get_window_extent()) for axes in figure.axes)
    for axes in figure.axes:
        assert axes.yaxis.label.get_window_extent().x0 >= 0
