"""The cell: one frozen, validated description of geometry and materials, read from and written to TOML."""

from __future__ import annotations

import copy
import math
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, Self, Union

import tomli_w
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError, model_validator
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from fem_constriction.cell.contact_check import check_touches
from fem_constriction.cell.description import Description
from fem_constriction.cell.faults import dotted, fault, keys, unknown_key
from fem_constriction.cell.image_check import check_fits
from fem_constriction.cell.label_array import LabelArray
from fem_constriction.cell.layers_check import check_layers, check_reference
from fem_constriction.cell.mesh import mesh_beside
from fem_constriction.cell.mesh_check import check_mesh
from fem_constriction.cell.microstructure import beside
from fem_constriction.cell.patterns import images_beside
from fem_constriction.cell.plausible import implausible
from fem_constriction.cell.portrait import face, facts
from fem_constriction.errors import ImplausibleWarning, InputError, cut
from fem_constriction.files import parsed_toml, read_text, write_array, write_text
from fem_constriction.held import Held
from fem_constriction.pictures.picture import Picture
from fem_constriction.records import reader

#: Bytes of the longest cell file: 100,000 corners of polygons have 6 MB, and TOML of 16 MB is read in five seconds.
LONGEST: Final = 16_000_000

#: What stands for a cell wherever one is taken: itself, a dictionary with the keys of a cell file, or the path of one.
CellLike = Union["Cell", Mapping[str, Any], str, os.PathLike[str]]


class Cell(Held, Description):
    """div(kappa grad phi) = 0 in a box with thin layers inside and at its faces: geometry, materials, in SI.

    Sections may be dictionaries with the keys of the cell file, quantities numbers in SI or strings with a unit. Cells are
    frozen, hashable, and equal where their values are. InputError says key, value and what is allowed.

    Parameters
    ----------
    title
        What the cell is, in words.
    geometry
        Width and thickness, m.
    electrolyte
        Conductivity (S/m) and permittivity of the bulk, and its boundaries: planes, or those of a label image.
    working_electrode
        The contact, its charge transfer, and the pores beside it.
    counter_electrode
        The same; its contact left out: the whole face, its charge transfer left out: ideal.
    temperature
        T and the activation energies that conductances follow; left out: the values hold as they are.
    mesh
        A mesh from a file as the electrolyte; left out: the box.
    reference
        The plane of a reference electrode, m from the working electrode; left out: none.
    """

    #: What other rooms take, and nobody needs at a prompt: `dir` and `help` leave it out.
    _behind: ClassVar[frozenset[str]] = frozenset(
        (
            "facts",
            "picture",
            "figure",
            "words",
            "working_touch",
            "counter_touch",
            "working_pores",
            "counter_pores",
            "arrays",
            "loads_with",
        )
    )

    def __init__(self, /, **data: Any) -> None:
        self._fill(data)
        _warn("", implausible(self))

    __repr__ = __str__ = Held.__repr__

    def facts(self) -> tuple[str, list[tuple[str, str]]]:
        """Return its title, its box, its contact and its sections."""
        return f"Cell: {self.title or 'without a title'}", facts(self)

    def picture(self) -> Picture:
        """Return the face of the working electrode with the contact."""
        return face(self)

    def _fill(self, data: Mapping[str, Any]) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise fault(Cell, error, data) from None

    @classmethod
    def _without_a_word(cls, data: Mapping[str, Any]) -> Self:
        """A validated cell; what is implausible in it is left to the caller to say."""
        cell = cls.__new__(cls)
        cell._fill(data)
        return cell

    @classmethod
    def of(cls, what: CellLike) -> Cell:
        """Return the cell itself, one made from a dictionary, or the one in a file.

        Parameters
        ----------
        what
            A Cell, a dictionary with the keys of a cell file, or the path of one.
        """
        if isinstance(what, Cell):
            return what
        if isinstance(what, Mapping):
            return cls(**{str(key): value for key, value in what.items()})
        if isinstance(what, (str, os.PathLike)):
            return cls.load(what)
        raise InputError(key="cell", value=what, allowed="a Cell, the path of a cell file, or a dictionary with its keys")

    @model_validator(mode="after")
    def _contact_fits(self) -> Self:
        x, y, _ = self.geometry.lengths
        if not 0 < x * y < math.inf:
            raise InputError(key="geometry.width", value=[x, y], unit="m", why=f"the area of the face is {x * y} m^2")
        check_mesh(self)
        check_touches(self)
        check_layers(self)
        check_reference(self)
        return self

    @model_validator(mode="after")
    def _voxels_fit(self) -> Self:
        if self.electrolyte.microstructure is not None:
            check_fits(self)
        return self

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Cell:
        """Return the cell in a TOML file. Raises InputError with the file, the key, its value and what is allowed.

        Parameters
        ----------
        path
            Of the file; paths in it are seen from its folder.
        """
        try:
            return cls.loads(read_text(path, LONGEST), source=os.fspath(path), folder=Path(path).parent)
        except InputError as error:
            raise error.vary(remedy=other) if (other := reader(path, "Cell")) else error from None

    @classmethod
    def loads(cls, text: str, source: str = "", folder: Path | None = None) -> Cell:
        """Return the cell in a TOML text. Raises InputError as `load` does.

        Parameters
        ----------
        text
            What a cell file holds.
        source
            What errors call it.
        folder
            What a relative path in it is seen from.
        """
        data = parsed_toml(text, source)
        try:
            cell = cls._without_a_word(
                data if folder is None else mesh_beside(images_beside(beside(data, folder), folder), folder)
            )
        except InputError as error:
            raise error.at(source) from None
        _warn(f"{source}: " if source else "", implausible(cell))
        return cell

    def arrays(self) -> list[NDArray[Any]]:
        """Return the labels that are held as an array, which the text of the cell names and does not hold; none of others."""
        structure = self.electrolyte.microstructure
        return [structure.image.values] if structure is not None and isinstance(structure.image, LabelArray) else []

    @classmethod
    def loads_with(cls, text: str, arrays: Sequence[NDArray[Any]]) -> Cell:
        """Return the cell in a TOML text that names arrays.

        Parameters
        ----------
        text
            What `dumps` returned.
        arrays
            What `arrays` returned.
        """
        held = [LabelArray.of(each) for each in arrays]  # as long as they are here, a text may name them
        cell = cls.loads(text)
        del held
        return cell

    def dumps(self) -> str:
        """The cell as TOML, quantities as strings with their SI unit, what is left out left out."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True, exclude_defaults=True))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the cell file, and labels that are held as an array beside it; loading it gives an equal cell.

        Parameters
        ----------
        path
            Of the file. Raises InputError where it cannot be written.
        """
        data = self.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        for array in self.arrays():
            labels = Path(path).with_name(f"{Path(path).stem}-labels.npy")
            write_array(labels, array)
            data["electrolyte"]["microstructure"]["image"] |= {"array": labels.name}
        write_text(path, tomli_w.dumps(data))

    def vary(self, changes: Mapping[str, Any]) -> Cell:
        """Return a validated copy with other values: {"working_electrode.contact.fraction": 0.16}.

        Warns of what is implausible in the copy and not in this cell. Raises InputError, for unknown keys as well.

        Parameters
        ----------
        changes
            Dotted key -> value. None leaves a key or a section out; a key in a section left out makes the section.

        Returns
        -------
        Cell
            The copy.
        """
        data = self.model_dump()
        known = {key for key, _ in keys(Cell)}
        for key, value in ((str(key), value) for key, value in changes.items()):
            if key not in known:
                parts = tuple(key.split("."))
                raise InputError(key=dotted(parts), value=value, why=unknown_key(Cell, parts)[0])
            *sections, name = key.split(".")
            place: Any = data
            for section in sections:
                if place.get(section) in (None, ()) and value is not None:
                    place[section] = {}
                place = place.get(section)
                if isinstance(place, (list, tuple)) and len(place) == 1:
                    place = place[0]  # the one section that a list of them has
                if isinstance(place, (list, tuple)):
                    raise InputError(key=key, value=value, allowed=f"{section} is a list, give all of it")
                if not isinstance(place, dict):
                    break  # nothing to leave out, or no section, which validation reports
            else:
                place[name] = _copied(key, value)
        cell = Cell._without_a_word(data)
        said = set(implausible(self))
        _warn("", [text for text in implausible(cell) if text not in said])
        return cell

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON schema of the cell file, for editors: every key with its meaning, unit and default."""
        schema = cls.model_json_schema(schema_generator=_FileSchema, mode="validation")
        return {"$schema": GenerateJsonSchema.schema_dialect, **schema}


def _copied(key: str, value: Any) -> Any:
    try:
        return value.model_dump() if isinstance(value, BaseModel) else copy.deepcopy(value)
    except Exception as error:  # nested too deep, or an object of the caller's that has no copy
        raise InputError(key=key, value=value, why=f"it cannot be copied ({type(error).__name__})") from None


def _warn(name: str, texts: Sequence[str]) -> None:
    for text in texts:
        warnings.warn(cut(name + text), ImplausibleWarning, stacklevel=3)


class _FileSchema(GenerateJsonSchema):
    """TOML knows no null: an optional key is one that may be left out."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if isinstance(schema.get("default"), (str, float)):
            return super().default_schema(schema)
        return self.generate_inner(schema["schema"])
