"""The data set: what a reader finds in it with xarray alone."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from study_fakes import CONDUCTIVITY, FRACTION, Fake, here, study_of

from fem_constriction import Cell, ComputationError, InputError
from validation import crosscheck
from validation.study import Study
from validation.study import store as _store
from validation.study.dataset import build, save
from validation.study.measured import of_result
from validation.study.work import Record, Spectra

CELLS = Path(__file__).parents[1] / "data" / "cells"
READER = """
import sys, xarray
found = xarray.open_dataset(sys.argv[1])
assert not {"fem_constriction", "validation"} & set(sys.modules)
point = found.sel({"working_electrode.contact.fraction": 0.81, "electrolyte.conductivity": 1.0}).isel(frequency=0)
print(float(point.impedance_real), point.impedance_real.attrs["units"], found["electrolyte.conductivity"].attrs["units"])
print(str(point.status.item()), found.attrs["study_sha256"])
"""


def made(tmp_path: Path, study: Study, work: Fake | None = None) -> xr.Dataset:
    return build(study, here(study, tmp_path, work or Fake()))


def test_a_product_has_its_axes_as_dimensions_and_frequency(tmp_path: Path) -> None:
    study = study_of(3, 2)
    found = made(tmp_path, study)
    assert found["impedance_real"].dims == (FRACTION, CONDUCTIVITY, "frequency")
    assert found["backend_impedance_real"].dims == (FRACTION, CONDUCTIVITY, "backend", "frequency")
    assert found["R_Cstr"].shape == (3, 2)
    for number, point in enumerate(study.points):
        own = found.sel(dict(point.values))
        assert own["resistance_dc"].item() == here(study, tmp_path, Fake())[number].numbers["resistance_dc"]


def test_zip_and_hypercube_have_points_with_the_axes_as_coordinates(tmp_path: Path) -> None:
    study = Study(mode="zip", axes={FRACTION: [0.1, 0.2], "geometry.width": [[1e-5, 2e-5], 3e-5]}, frequencies=[1.0])
    found = made(tmp_path, study)
    assert found["impedance_real"].dims == ("point", "frequency")
    assert found[FRACTION].dims == ("point",)
    assert found["geometry.width"].values.tolist() == ["[1e-05, 2e-05]", "3e-05"]


def test_every_variable_has_a_unit_and_says_what_it_is(tmp_path: Path) -> None:
    units = {"impedance_imag": "ohm", "C_Cstr": "F", "tau_Cstr_model": "s", "R_geometric_uncertainty": "ohm", FRACTION: "1"}
    for study in (study_of(2, 2), Study(backend="fem", axes={FRACTION: [0.1]}, frequencies=[1.0])):
        found = made(tmp_path / study.digest, study)
        for name, variable in found.variables.items():
            assert variable.attrs["long_name"], name
            assert variable.attrs["units"] == units.get(str(name), variable.attrs["units"])
    found = made(tmp_path / "again", study_of(2, 2))
    assert set(units) <= set(found.variables)
    assert (found["frequency"].attrs["units"], found[CONDUCTIVITY].attrs["units"]) == ("Hz", "S/m")


def test_one_backend_says_nothing_of_agreement_and_may_be_an_axis(tmp_path: Path) -> None:
    found = made(tmp_path, Study(axes={"backend": ["fem", "network"], FRACTION: [0.1]}, frequencies=[1.0]))
    assert found["impedance_real"].dims == ("backend", FRACTION, "frequency")
    assert found["backend"].values.tolist() == ["fem", "network"]
    assert not {"verdict", "R_Cstr", "backend_impedance_real"} & set(found.variables)


def test_whole_numbers_stay_whole(tmp_path: Path) -> None:
    found = made(tmp_path, Study(axes={"electrolyte.grain_boundaries.layers": [5, 10]}, frequencies=[1.0]))
    assert found["electrolyte.grain_boundaries.layers"].dtype == np.int64


def test_failed_points_are_nan_with_status_and_reason(tmp_path: Path) -> None:
    study = study_of(2, 1)
    found = made(tmp_path, study, Fake(fails=(0.04,), refuses=(0.81,)))
    assert found["status"].values.ravel().tolist() == ["failed", "done"]
    assert "solver failed at 0.04" in found["reason"].values[0, 0]
    assert "disagree" in found["reason"].values[1, 0]
    assert np.isnan(found["impedance_real"].values[0]).all()
    assert np.isnan(found["R_Cstr"].values).all()
    assert found["verdict_by_frequency"].values[0].tolist() == [[-1, -1, -1]]


def test_xarray_alone_reads_it(tmp_path: Path) -> None:
    study = study_of(3, 2)
    path = save(made(tmp_path, study), tmp_path)
    ran = subprocess.run([sys.executable, "-c", READER, str(path)], capture_output=True, text=True, cwd=tmp_path, check=True)
    first, second = ran.stdout.splitlines()
    assert first.endswith("ohm S/m")
    assert second == f"done {study.digest}"


def test_what_was_written_is_read_back_the_same(tmp_path: Path) -> None:
    found = made(tmp_path, study_of(3, 2), Fake(fails=(0.04,)))
    with xr.open_dataset(save(found, tmp_path)) as read:
        xr.testing.assert_identical(read.load(), found)


def test_zarr_is_read_back_the_same(tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    found = made(tmp_path, study_of(3, 2), Fake(fails=(0.04,)))
    for _ in range(2):  # the second one takes the place of the first
        path = save(found, tmp_path, "zarr")
        with xr.open_zarr(path) as read:
            xr.testing.assert_equal(read.load(), found)
            assert read["R_Cstr"].attrs == found["R_Cstr"].attrs
            assert read.attrs == found.attrs
    assert not [each for each in tmp_path.iterdir() if each.suffix in (".new", ".old", ".tmp")]


def test_it_holds_all_that_is_needed_to_compute_it_again(tmp_path: Path) -> None:
    study = study_of(2, 2)
    found = made(tmp_path, study)
    assert Cell.loads(found.attrs["cell"]) == study.cell
    assert Study.loads(found.attrs["study"]).digest == study.digest == found.attrs["study_sha256"]
    assert json.loads(found.attrs["settings"]) == {"backends": ["network", "fem"], "tolerance": 1e-3}
    assert json.loads(found.attrs["versions"]) == {"fake": "1"}
    assert found.attrs["source"].startswith("fem-constriction ")
    assert tomllib.loads(found.attrs["study"])["frequencies"] == [1.0, 1e3, 1e6]


def test_nothing_in_it_tells_when_it_was_made(tmp_path: Path) -> None:
    paths = []
    for name in ("one", "two"):
        paths.append(save(made(tmp_path / name, study_of(2, 2)), tmp_path / name))
        time.sleep(1.1)  # HDF5 counts in seconds
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_failed_write_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = made(tmp_path, study_of(2, 1))
    path = save(found, tmp_path)
    before = path.read_bytes()

    def fail(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_store.os, "replace", fail)
    with pytest.raises(ComputationError, match=r"results.nc: cannot be written \(no space left on device\); what was finished"):
        save(found, tmp_path)
    assert path.read_bytes() == before
    with pytest.raises(InputError, match="format = 'csv' is not allowed: netcdf or zarr"):
        save(found, tmp_path, "csv")


# Real spectra


@pytest.mark.long
def test_a_point_is_what_the_main_job_says_of_its_cell(tmp_path: Path) -> None:
    cell = Cell.load(CELLS / "homogeneous-25.toml")
    result = crosscheck(cell, [1.0, 1e3, 1e6])
    study = Study(cell=cell, axes={FRACTION: [0.25]}, frequencies=[1.0, 1e3, 1e6])
    point = study.points[0]
    record = Spectra().evaluate(point.cell, point.settings, None)
    found = build(study, [record]).squeeze()
    assert found["verdict"].item() == "agree"
    assert found["R_Cstr"].item() == result.constriction.R.value
    assert found["C_Cstr_model"].item() == result.constriction.C.model
    assert found["tau_Cstr_discretisation"].item() == result.constriction.tau.discretisation
    assert found["R_geometric"].item() == result.constriction.R_geometric.value
    reach = found["R_geometric_uncertainty"]
    assert found["R_geometric_lower"] - reach <= found["R_geometric"] <= found["R_geometric_upper"] + reach
    assert found["resistance_dc"].item() == result.geometric.direct
    assert np.array_equal(found["impedance_real"] + 1j * found["impedance_imag"], result.spectrum.impedance)
    assert np.array_equal(found["backend_uncertainty"][1], result.agreement.limits["fem"].uncertainty)
    assert np.array_equal(found["disc_radius"], result.agreement.discs.radius)
    assert (found["verdict_by_frequency"] == 0).all()
    assert (found["unknowns"] > 1000).all()
    # Full contact, and none: there is nothing to extract, and the reason says so
    for fraction, words, direct in ((1.0, "full contact", True), (0.0, "no contact", False)):
        numbers, texts, _ = of_result(crosscheck(cell.vary({FRACTION: fraction}), [1.0, 1e2, 1e4, 1e6]))
        assert words in texts["constriction_note"]
        assert np.isfinite(numbers["resistance_dc"]) == direct
        assert Record("", "", numbers, texts).done
