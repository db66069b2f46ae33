"""Records -> xarray.Dataset: dimensions are the axes and frequency, every variable with its unit and what it is.

A product has a dimension per axis; zip and Latin hypercube have the dimension `point`, with the axes as coordinates on it.
Nothing in it depends on when, where or in which order points were computed. Points that failed are NaN.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fem_constriction import DISTRIBUTION
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.files import json_text
from validation.study import ensembles
from validation.study.axes import is_number, label
from validation.study.measured import CONTRIBUTIONS, FLAGS
from validation.study.plan import Study
from validation.study.points import TOLERANCE, Point
from validation.study.store import replace
from validation.study.work import Record

if TYPE_CHECKING:
    import xarray as xr

#: The names of the formats, and of what is written.
FORMATS: Final = {"netcdf": "results.nc", "zarr": "results.zarr"}

_F, _B = ("frequency",), ("backend", "frequency")
_SPECTRUM: Final = {
    "impedance_real": (_F, "ohm", "Real part of Z of the whole cell"),
    "impedance_imag": (_F, "ohm", "Imaginary part of Z of the whole cell"),
    "uncertainty": (_F, "ohm", "u with |Z - Z_true| <= u at 95 % confidence: discretisation and solver"),
}
_DIRECT: Final = {
    "resistance_dc": ((), "ohm", "Resistance of the whole cell to direct current; infinite where none flows"),
    "resistance_dc_uncertainty": ((), "ohm", "Uncertainty of resistance_dc, 95 % confidence"),
}
_PARTS: Final = {
    "discretisation": "uncertainty of {}: what the spectrum's uncertainty can do",
    "model": "uncertainty of {}: largest change over weightings and frequency windows, as the circuit does not fit exactly",
    "nominal": "uncertainty of {}: standard error of the fit",
}
_ARC: Final = {"R": ("ohm", "resistance"), "C": ("F", "capacitance"), "tau": ("s", "relaxation time")}
_CHECKED: Final = {
    "backend_impedance_real": (_B, "ohm", "Real part of Z, limit of each backend"),
    "backend_impedance_imag": (_B, "ohm", "Imaginary part of Z, limit of each backend"),
    "backend_uncertainty": (_B, "ohm", "Uncertainty of each backend's limit, 95 % confidence"),
    "verdict_by_frequency": (_F, "1", "Whether the backends agree at a frequency"),
    "disc_centre_real": (_F, "ohm", "Real part of the centre of the guaranteed disc around Z"),
    "disc_centre_imag": (_F, "ohm", "Imaginary part of the centre of the guaranteed disc around Z"),
    "disc_radius": (_F, "ohm", "Radius of the guaranteed disc around Z, nothing assumed about limits or orders"),
    "unknowns": (("backend",), "1", "Unknowns of each backend's finest grid"),
    "R_geometric": ((), "ohm", "R_DC(3D) - R_DC(1D-PM): what squeezing adds at direct current"),
    "R_geometric_uncertainty": ((), "ohm", "Uncertainty of R_geometric, 95 % confidence"),
    "R_geometric_lower": ((), "ohm", "Guaranteed lower bound of R_geometric"),
    "R_geometric_upper": ((), "ohm", "Guaranteed upper bound of R_geometric"),
    **{f"{letter}_Cstr": ((), unit, f"Constriction {what}, of the fitted arc") for letter, (unit, what) in _ARC.items()},
    **{
        f"{letter}_Cstr_{part}": ((), unit, _PARTS[part].format(f"{letter}_Cstr"))
        for letter, (unit, _) in _ARC.items()
        for part in CONTRIBUTIONS
    },
    "fit_residual": ((), "1", "Largest |Z_fit - Z|/|Z| of the fitted circuit"),
}
_STATUS: Final = {"status": "Whether the point is done or failed", "reason": "Why it failed, or why nothing was extracted"}
_TEXTS: Final = {
    "verdict": "What the backends say of each other: agree, unresolved or disagree",
    "notes": "What else the cross-check says",
    "constriction_note": "Why the constriction has no value, or is zero",
}


def build(study: Study, records: Sequence[Record]) -> xr.Dataset:
    """Return the data set of a study; records: in the order of its points."""
    import xarray as xr

    dims, shape = tuple(study.shape), tuple(study.shape.values())
    backends = study.chosen if study.crosschecked else ()
    sizes = {"frequency": len(study.frequencies), "backend": len(backends)}
    table = _SPECTRUM | _DIRECT | (_CHECKED if study.crosschecked else {"unknowns": ((), "1", "Unknowns of the finest grid")})
    variables: dict[str, Any] = {}
    for name, (inner, unit, meaning) in table.items():
        values = np.full((len(records), *(sizes[each] for each in inner)), np.nan)
        for number, record in enumerate(records):
            found = record.arrays.get(name, record.numbers.get(name))
            if found is not None:
                values[number] = _fitting(found, values.shape[1:], name, study.points[number])
        attributes = {"units": unit, "long_name": meaning}
        if name == "verdict_by_frequency":
            values = np.where(np.isnan(values), -1, values).astype(np.int8)
            flags: dict[str, Any] = {"flag_values": np.array([-1, *FLAGS.values()], dtype=np.int8)}
            attributes |= flags | {"flag_meanings": " ".join(["missing", *FLAGS])}
        variables[name] = ((*dims, *inner), values.reshape(*shape, *values.shape[1:]), attributes)
    variables |= _distributions(study, records)
    texts = {"status": [("done" if record.done else "failed") for record in records], "reason": [r.reason for r in records]}
    for name, meaning in (_STATUS | (_TEXTS if study.crosschecked else {})).items():
        words = texts.get(name) or [record.texts.get(name, "") for record in records]
        variables[name] = (dims, np.array(words, dtype=object).reshape(shape), {"units": "", "long_name": meaning})
    return xr.Dataset(variables, coords=_coordinates(study, backends), attrs=_attributes(study, records))


def _fitting(found: Any, shape: tuple[int, ...], name: str, point: Point) -> Any:
    """The value itself; a folder may be handed on with a record that was made for another study and renamed."""
    if np.shape(found) != shape:
        raise InputError(
            key=f"points/{point.digest}.json",
            allowed=f"its {name} has the shape {np.shape(found)}, and {shape} belongs to this study",
            remedy="without this file the point is computed again",
        )
    return found


_DISTRIBUTED: Final = {
    "mean": "mean of {} over the realisations",
    "median": "median of {} over the realisations",
    "low": "16 % of the realisations have a {} below this",
    "high": "84 % of the realisations have a {} below this",
    "spread": "standard deviation of {} between realisations, errors of the values taken out",
    "spread_error": "standard error of the spread of {}",
    "numerical": "root mean square of the standard errors of {}",
    "members": "realisations with a {}",
}


def _distributions(study: Study, records: Sequence[Record]) -> dict[str, Any]:
    """What realisations are like, over the axes that are no seeds; of a product, where every cell has as many."""
    drawn = ensembles.seeds(study)
    if not drawn or study.mode != "product":
        return {}
    dims = tuple(key for key in study.shape if key not in drawn)
    shape = tuple(study.shape[key] for key in dims)
    rows, found = ensembles.ensembles(study, records), {}
    for name, unit in ensembles.quantities(study).items():
        for part, meaning in _DISTRIBUTED.items():
            values = np.array([getattr(each[name], part) if name in each else np.nan for _, each in rows], dtype=float)
            attributes = {"units": "1" if part == "members" else unit, "long_name": meaning.format(name)}
            found[f"{name}_over_seeds_{part}"] = (dims, values.reshape(shape), attributes)
    return found


def _coordinates(study: Study, backends: Sequence[str]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "frequency": ("frequency", np.array(study.frequencies), {"units": "Hz", "long_name": "Frequency"}),
    }
    if backends:
        made["backend"] = ("backend", np.array(backends, dtype=object), {"units": "", "long_name": "Backend"})
    for key, axis in study.axes.items():
        along = study.mode == "product"
        values = list(axis.values or ()) if along else [point.values[key] for point in study.points]
        numeric = all(map(is_number, values))
        data = np.array(values, dtype=float) if numeric else np.array([label(value) for value in values], dtype=object)
        if numeric and axis.whole:
            data = data.astype(np.int64)
        attributes = {"units": axis.unit, "long_name": axis.meaning or key}
        made[key] = (key if along else "point", data, attributes)
    return made


def _attributes(study: Study, records: Sequence[Record]) -> dict[str, Any]:
    """Provenance: all that a reader needs to know, or to compute it again; the same whenever it was computed."""
    versions = sorted({json.dumps(dict(record.versions), sort_keys=True) for record in records if record.versions})
    settings = {
        "backends": list(study.chosen) or "axis",
        **({"tolerance": study.tolerance or TOLERANCE} if study.crosschecked else {"accuracy": study.accuracy or TOLERANCE}),
    }
    return {
        "title": study.name,
        "source": f"{DISTRIBUTION} {version(DISTRIBUTION)}",
        "references": "https://doi.org/10.1021/acsami.2c12991",
        "comment": "Z of the whole cell; NetCDF has no complex numbers: Z = impedance_real + 1j*impedance_imag.",
        "mode": study.mode,
        "cell": study.cell.dumps(),
        "study": study.dumps(),
        "study_sha256": study.digest,
        "settings": json_text({key: value for key, value in settings.items() if key not in study.axes}),
        "versions": "\n".join(versions),
    }


def _netcdf(found: xr.Dataset) -> bytes:
    """The file as bytes: HDF5 itself may crash on a full disk, and a Dask client must not be asked to lock a memory."""
    if find_spec("dask") is None:
        return bytes(found.to_netcdf(engine="h5netcdf"))
    import dask

    with dask.config.set(scheduler="synchronous"):
        return bytes(found.to_netcdf(engine="h5netcdf"))


def check_format(file_format: str) -> None:
    """Raise InputError for a format that is none, or that cannot be written here."""
    if file_format not in FORMATS:
        raise InputError(key="format", value=file_format, allowed=" or ".join(FORMATS))
    if file_format == "zarr" and find_spec("zarr") is None:
        raise InputError(key="format", value="zarr", when="here", allowed="install fem-constriction[zarr]")


def save(found: xr.Dataset, folder: Path, file_format: str = "netcdf") -> Path:
    """Write the data set whole or not at all, and return its path. Raises InputError, ComputationError."""
    check_format(file_format)
    path = folder / FORMATS[file_format]
    if file_format == "netcdf":
        replace(path, _netcdf(found))
        return path
    new, old = (folder / f".{uuid.uuid4().hex}.{kind}" for kind in ("new", "old"))
    try:
        found.to_zarr(new, zarr_format=2, consolidated=True)
        if path.exists():
            os.replace(path, old)
        os.replace(new, path)
    except OSError as error:
        raise ComputationError(f"{path}: cannot be written ({(error.strerror or str(error)).lower()})") from None
    finally:
        for each in (new, old):
            shutil.rmtree(each, ignore_errors=True)
    return path
