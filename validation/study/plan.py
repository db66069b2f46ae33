"""A study: a base cell, axes and settings, read from TOML; every point of it is validated before anything is computed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import tomli_w
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from fem_constriction import memory
from fem_constriction.cell.cell import Cell
from fem_constriction.cell.faults import fault, keys
from fem_constriction.cell.sections import Section
from fem_constriction.cell.units import RELATIVE, Number
from fem_constriction.errors import Absent, InputError, MemoryShort
from fem_constriction.files import parsed_toml, read_text
from fem_constriction.problem.problem import check_solvable
from fem_constriction.solving.backends import backend_named, unable
from fem_constriction.solving.capabilities import features, gap, kind_of
from fem_constriction.spectra.frequencies import frequencies_taken
from validation.gate.default_cell import cell_of
from validation.gate.run import BACKENDS, FREQUENCIES
from validation.study import axes as _axes
from validation.study.axes import COUNT, MOST, Axis, backend_name
from validation.study.points import TOLERANCE, Point, Settings, combinations, digest, text_of

#: Bytes per point and frequency: a dozen arrays of the data set, and the records that they are made of.
BYTES_PER_VALUE = 320


def _frequencies(value: object) -> Any:
    try:
        return tuple(frequencies_taken(value).tolist())
    except InputError as error:
        raise error.renamed("") from None


def _names(value: object) -> Any:
    names = [backend_name(each) for each in value] if isinstance(value, (list, tuple)) else []
    if len(names) < 2 or len(set(names)) < len(names):
        raise InputError(value=value, allowed="a list of two or more different backends", remedy='for one: backend = "fem"')
    return tuple(names)


def _parsed(value: object) -> Any:
    if not isinstance(value, Mapping) or not value:
        raise InputError(value=value, allowed=f"a table of keys, each with {_axes.VALUES}")
    return {key: _axes.parse(key, given) for key, given in _axes.flat(value)}


class Study(Section):
    """A base cell, axes and settings: frozen, and valid at every point.

    cell: a Cell, the path of a cell file, or a dictionary (left out: figure 2 of the paper at 25 % contact). axes: dotted key
    -> a list, or start, stop, num and scale. frequencies: Hz, "a:b:n" or a list. Two or more `backends` that must agree
    within `tolerance`, or one `backend` to an `accuracy`. Raises InputError with key, value and what is allowed.
    """

    title: str = Field("", description="What this study is, in words; left out: empty")
    cell: Cell = Field(description="The base cell")
    mode: Literal["product", "zip", "latin-hypercube"] = Field("product", description="How axes make points")
    frequencies: Annotated[tuple[float, ...], BeforeValidator(_frequencies)] = Field(
        tuple(FREQUENCIES.tolist()), description="In Hz; left out: 61 from 1 mHz to 1 GHz"
    )
    backends: Annotated[tuple[str, ...], BeforeValidator(_names)] | None = Field(
        None, description="Two or more that must agree"
    )
    backend: Annotated[str, BeforeValidator(backend_name)] | None = Field(None, description="One alone: spectra, no extraction")
    tolerance: Annotated[float, RELATIVE] | None = Field(None, description="Of the agreement; left out: 1e-3")
    accuracy: Annotated[float, RELATIVE] | None = Field(None, description="Asked of one backend; left out: 1e-3")
    samples: Annotated[int, COUNT] | None = Field(None, description="Points of a Latin hypercube")
    seed: Annotated[int, Number(allowed="a whole number from 0", whole=True)] | None = Field(
        None, description="Of a Latin hypercube; left out: 0"
    )
    axes: Annotated[dict[str, Any], BeforeValidator(_parsed)] = Field(description="Dotted keys and the values they take")

    def __init__(self, /, **data: Any) -> None:
        given = data.get("cell")
        if given is None:
            data["cell"] = cell_of(None)
        elif not isinstance(given, (Cell, Mapping, str, os.PathLike)):
            raise InputError(key="cell", value=given, allowed="the path of a cell file, or left out")
        elif not isinstance(given, Cell):
            try:
                data["cell"] = Cell.of(given)
            except InputError as error:
                raise (error.inside("cell") if isinstance(given, Mapping) else error) from None
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise fault(Study, error) from None
        self._check_taken()

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Study:
        """The study in a TOML file, its cell's path taken from there; InputError names the file and the key."""
        return cls.loads(read_text(path), source=os.fspath(path), folder=Path(path).parent)

    @classmethod
    def loads(cls, text: str, source: str = "", folder: Path = Path()) -> Study:
        """The study in a TOML text; `source` is what errors call it, `folder` is where the path of its cell begins."""
        data = parsed_toml(text, source)
        if isinstance(data.get("cell"), str):
            data["cell"] = folder / data["cell"]
        try:
            return cls(**data)
        except InputError as error:
            raise error.at(source) from None

    @classmethod
    def of(cls, study: Study | Mapping[str, Any] | str | os.PathLike[str]) -> Study:
        """The study itself, one made from a dictionary, or one read from a file."""
        if isinstance(study, Study):
            return study
        return cls(**study) if isinstance(study, Mapping) else cls.load(study)

    def dumps(self) -> str:
        """The study as TOML, values in SI, its cell in it; loading it gives the same points."""
        data = self.model_dump(mode="json", exclude_none=True, exclude_defaults=True, exclude={"axes", "cell"})
        axes = {key: axis.as_written() for key, axis in self.axes.items()}
        cell = self.cell.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        return tomli_w.dumps({**data, "frequencies": list(self.frequencies), "cell": cell, "axes": axes})

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the cell, the axes whatever their order, the settings and the version of this project."""
        record = self.model_dump(mode="json", exclude_none=True, exclude={"axes", "title"})
        return digest({**record, "axes": {key: axis.as_written() for key, axis in self.axes.items()}})

    @property
    def name(self) -> str:
        """What the study is called: its title, or that of its base cell."""
        return self.title or f"Parameter study{f' around: {self.cell.title}' if self.cell.title else ''}"

    @property
    def crosschecked(self) -> bool:
        """Whether backends are compared at every point."""
        return self.backend is None and "backend" not in self.axes

    @property
    def chosen(self) -> tuple[str, ...]:
        """The backends of every point; () where they are an axis."""
        if self.backend is not None:
            return (self.backend,)
        return () if "backend" in self.axes else self.backends or BACKENDS

    @property
    def shape(self) -> dict[str, int]:
        """The dimensions of the result, frequency apart: an axis each for a product, `point` otherwise."""
        if self.mode == "product":
            return {key: len(axis.values) for key, axis in self.axes.items()}
        return {"point": len(self.points)}

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """Every point, in order: the last axis fastest."""
        rows = combinations(self.mode, tuple(self.axes.values()), self.samples, self.seed or 0)
        return tuple(self._point(number, values) for number, values in enumerate(rows, 1))

    def _check_taken(self) -> None:
        """Raise InputError where a point's backends do not take the kind of its cell."""
        task = "sweep" if self.crosschecked else "sweep of one backend"
        made = {name: backend_named(name) for point in self.points for name in point.settings.backends}
        choosy = any(unable(backend) for backend in made.values())  # of what single cells have
        seen: set[tuple[str, frozenset[str], tuple[str, ...]]] = set()
        for number, point in enumerate(self.points, 1):
            names = point.settings.backends
            looked = kind_of(point.cell).name, frozenset(features(point.cell) if choosy else ()), names
            if looked not in seen:
                seen.add(looked)
                if found := gap(task, point.cell, [made[name] for name in names]):
                    raise found.vary(note=f"point {number}: {text_of(point.values)}")

    def _point(self, number: int, values: Mapping[str, Any]) -> Point:
        changes = {key: value for key, value in values.items() if key not in _axes.SETTINGS}
        try:
            cell = self.cell.vary(changes)
            check_solvable(cell)
        except InputError as error:
            if error.key in changes and error.key not in dict(keys(Cell)):
                error = error.vary(remedy=f"allowed are the keys of the cell and {', '.join(_axes.SETTINGS)}")
            point = error.inside("axes") if error.key in changes else error
            raise point.vary(note=f"point {number}: {text_of(values)}") if len(values) > 1 else point from None
        return Point(values, cell, self._settings(values))

    def _settings(self, values: Mapping[str, Any]) -> Settings:
        chosen = (str(values["backend"]),) if "backend" in values else self.chosen
        if self.crosschecked:
            tolerance = values.get("tolerance", TOLERANCE if self.tolerance is None else self.tolerance)
            return Settings(frequencies=self.frequencies, backends=chosen, tolerance=tolerance)
        accuracy = values.get("accuracy", TOLERANCE if self.accuracy is None else self.accuracy)
        return Settings(frequencies=self.frequencies, backends=chosen, accuracy=accuracy)

    @model_validator(mode="after")
    def _together(self) -> Self:
        for key in ("backend", "tolerance", "accuracy"):
            if key in self.axes and getattr(self, key) is not None:
                raise InputError(key=key, value=getattr(self, key), when=f"together with axes.{key}", allowed="one of them")
        if not self.crosschecked and self.backends is not None:
            raise InputError(key="backends", value=list(self.backends), when="together with one backend", allowed="one of them")
        wrong, why = (
            ("accuracy", "only with one backend") if self.crosschecked else ("tolerance", "only with two that must agree")
        )
        if wrong in self.axes:
            raise InputError(key=f"axes.{wrong}", when="here", why=why)
        if getattr(self, wrong) is not None:
            raise InputError(key=wrong, value=getattr(self, wrong), when="here", why=why)
        self._check_mode()
        return self

    def _check_mode(self) -> None:
        hypercube = self.mode == "latin-hypercube"
        for key in ("samples", "seed"):
            if getattr(self, key) is not None and not hypercube:
                raise InputError(key=key, value=getattr(self, key), allowed="only with mode = 'latin-hypercube'")
        if hypercube and self.samples is None:
            raise InputError(
                key="samples", value=Absent.MISSING, allowed="required with mode = 'latin-hypercube' is a whole number from 1"
            )
        for key, axis in self.axes.items():
            self._check_axis(f"axes.{key}", axis, hypercube)
        lengths = {key: len(axis.values or ()) for key, axis in self.axes.items()}
        if self.mode == "zip" and len(set(lengths.values())) > 1:
            counts = ", ".join(f"{key} has {count}" for key, count in lengths.items())
            raise InputError("must be of equal length with mode = 'zip'", key="axes", why=counts)
        total = {"product": prod(lengths.values()), "zip": max(lengths.values())}.get(self.mode, self.samples or 0)
        if total > MOST:
            raise InputError(f"make {total} points", key="axes", allowed=f"allowed are {MOST}")
        values = total * len(self.frequencies)
        try:
            memory.require(BYTES_PER_VALUE * values, f"results at {values:.3g} frequencies", "fewer points or frequencies")
        except MemoryShort as error:
            raise InputError(f"make {total} points", key="axes", why=str(error)) from None

    def _check_axis(self, key: str, axis: Axis, hypercube: bool) -> None:
        if hypercube and axis.start is None:
            raise InputError(
                key=key, value=list(axis.values or ()), when="with mode = 'latin-hypercube'", allowed="start and stop"
            )
        if hypercube and axis.values is not None:
            raise InputError(
                key=f"{key}.num", value=len(axis.values), when="with mode = 'latin-hypercube'", allowed="samples says how many"
            )
        if not hypercube and axis.values is None:
            raise InputError(key=f"{key}.num", value=Absent.MISSING, allowed="required is a whole number from 1")
        seen = Counter(map(_axes.label, axis.values or ()))
        if self.mode == "product" and max(seen.values()) > 1:
            twice = max(seen, key=lambda value: seen[value])
            allowed = "allowed is each value once with mode = 'product'"
            raise InputError(f"has {twice} {seen[twice]} times", key=key, allowed=allowed)
