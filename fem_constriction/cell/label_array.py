"""Labels that are held in memory, as a value of the cell: an array (z, x, y) that nobody changes, equal where its numbers are.

In a cell file it is the table { array = "name.npy", sha256 = "..." }: `Cell.save` writes the numbers beside the file, and
loading reads them back. `image` as a text is a file that is left where it is and read when it is needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from fem_constriction.errors import InputError, show

_KINDS: Final = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8")

#: What is held somewhere in this process, by digest: a text of a cell may name it.
_held: WeakValueDictionary[str, LabelArray] = WeakValueDictionary()


class LabelArray:
    """values: (n_z, n_x, n_y) whole numbers, read-only, of the smallest type that holds them; sha256: of all of it."""

    # No dataclass: pydantic would take one apart when a cell is copied.

    def __init__(self, values: NDArray[np.integer[Any]], sha256: str) -> None:
        self.values, self.sha256 = values, sha256

    @classmethod
    def of(cls, values: Any) -> Self:
        """Return a copy of an array of whole numbers, floats among them. Raises InputError for anything else."""
        array = np.asarray(values)
        if array.ndim != 3 or array.size == 0 or array.dtype.kind not in "biuf":
            raise InputError(
                f"it holds {array.dtype} of shape {array.shape}, allowed are whole numbers with three axes (z, x, y)"
            )
        array = whole(array)
        low, high = int(array.min()), int(array.max())
        kind = next(each for each in map(np.dtype, _KINDS) if np.iinfo(each).min <= low and high <= np.iinfo(each).max)
        copy = np.array(array, dtype=kind.newbyteorder("<"), order="C")
        copy.flags.writeable = False
        digest = hashlib.sha256(f"{kind.name} {copy.shape}".encode())
        digest.update(copy.data)
        found = cls(copy, digest.hexdigest())
        _held[found.sha256] = found
        return found

    @classmethod
    def in_table(cls, table: Mapping[str, Any]) -> LabelArray:
        """Return what the table of a cell file stands for. Raises InputError where it is not there, or another array."""
        if not set(table) <= {"array", "sha256"} or not all(isinstance(each, str) for each in table.values()):
            raise InputError(value=dict(table), allowed=ALLOWED)
        digest = table.get("sha256")
        if digest is not None and digest in _held:
            return _held[digest]
        if "array" not in table:
            raise InputError(value=dict(table), why="its numbers are nowhere: Cell.save writes them beside the cell file")
        path = Path(table["array"])
        try:
            found = cls.of(np.load(path, mmap_mode="r", allow_pickle=False))
        except (OSError, ValueError, EOFError) as error:
            raise InputError(
                value=path, why=str(error) if isinstance(error, (InputError, OSError)) else "it is damaged"
            ) from None
        if digest not in (None, found.sha256):
            raise InputError(value=path, why=f"its labels have the digest {found.sha256}, it is another image")
        return found

    def __eq__(self, other: object) -> bool:
        """Whether the other one has the same labels."""
        return isinstance(other, LabelArray) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        """A number that equal arrays share."""
        return hash(self.sha256)

    def __repr__(self) -> str:
        """In a few words."""
        return f"an array of {' x '.join(map(str, self.values.shape))} labels"

    def __deepcopy__(self, memo: Any) -> Self:
        """It never changes."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Its numbers: another process holds it as well."""
        return LabelArray.of, (self.values,)

    @property
    def table(self) -> dict[str, str]:
        """What names it in a text of its cell."""
        return {"sha256": self.sha256}


def whole(array: NDArray[Any]) -> NDArray[Any]:
    """Return labels as whole numbers. Raises InputError, with the first place, for floats that are none."""
    if array.dtype.kind in "biu":
        return array
    rounded: NDArray[Any] = np.rint(array)
    wrong = ~(np.abs(array) < 2.0**53) | (rounded != array)
    if np.any(wrong):
        at = tuple(int(each) for each in np.argwhere(wrong)[0])
        raise InputError(f"it holds {array.dtype} that are no whole numbers, {show(array[at])} at {at} for instance")
    found: NDArray[Any] = rounded.astype(np.int64)
    small = np.iinfo(np.int32)
    return found.astype(np.int32) if small.min <= found.min() and found.max() <= small.max else found


ALLOWED: Final = (
    "the path of an image (.npy, .tif, .png, .h5, .vti, .zarr, a folder or pattern of pages, or raw numbers), "
    "or an array of whole numbers (z, x, y)"
)


@dataclass(frozen=True)
class ImageField:
    """A pydantic field: the path of an image, or labels themselves."""

    allowed: str = ALLOWED

    def validate(self, value: object) -> str | LabelArray:
        """Return the path, or the array; raise InputError for anything else."""
        if isinstance(value, LabelArray) or (isinstance(value, str) and value):
            return value
        if isinstance(value, Path):
            return str(value)
        if isinstance(value, Mapping):
            return LabelArray.in_table(value)
        if hasattr(value, "__array__"):
            return LabelArray.of(value)
        raise InputError(value=value, allowed=self.allowed)

    @staticmethod
    def text(value: Any, info: Any) -> Any:
        """Return the table of an array in a text of the cell; all else, and the array elsewhere, as it is."""
        return value.table if isinstance(value, LabelArray) and info.mode == "json" else value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.plain_serializer_function_ser_schema(self.text, info_arg=True)
        return core_schema.no_info_plain_validator_function(self.validate, serialization=text)

    def __get_pydantic_json_schema__(self, core: CoreSchema, _: GetJsonSchemaHandler) -> JsonSchemaValue:
        table = {
            "type": "object",
            "properties": {"array": {"type": "string"}, "sha256": {"type": "string"}},
            "required": ["array"],
            "additionalProperties": False,
        }
        return {"anyOf": [{"type": "string", "minLength": 1}, table]}
