"""Results as JSON text and back, every float exactly: what `save` and `load` of results write and read.

A record holds numbers, texts and names of classes of this project; reading it runs none of the code that a pickle might hold.
In a file it stands in a line of its own, under "record", below what anybody reads in plain words, and with a digest of that:
of a file that was edited nobody is told one thing by the text and another by the record.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Final, Protocol

import numpy as np

from fem_constriction.errors import InputError
from fem_constriction.files import read_text

#: Bytes of the longest file of a result: a million frequencies of three spectra.
LONGEST: Final = 256_000_000
_KIND: Final = "$"  # the key by which what JSON does not know is told from a plain object
#: The key of a record in a file that says more.
RECORD: Final = "record"
#: What a class of results is imported as, where that is not its name.
_READERS: Final = {
    "Cell": "fem_constriction.Cell",
    "Result": "validation.Result",
    "Convergence": "validation.Convergence",
    "Extraction": "fem_constriction.Extraction",
    "CellFit": "fem_constriction.CellFit",
    "Spectrum": "fem_constriction.Spectrum",
    "Fields": "fem_constriction.fields.Fields",
}
_ARRAYS: Final = ("f8", "c16", "i8", "b1", "U")


class Text(Protocol):
    """What is written as a text of its own, and arrays of whole numbers that it names: a cell."""

    def dumps(self) -> str:
        """Return the text."""


def record(value: Any) -> Any:
    """Return a tree of results as JSON can hold it; `restored` makes it again.

    Parameters
    ----------
    value
        Data classes of this project, arrays, mappings with texts as keys, sequences, numbers, texts, None.

    Returns
    -------
    object
        Of what JSON knows.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else {_KIND: "float", "value": repr(float(value))}
    if isinstance(value, (complex, np.complexfloating)):
        return {_KIND: "complex", "value": [record(value.real), record(value.imag)]}
    if isinstance(value, np.ndarray):
        plain = np.ascontiguousarray(value).view(float).reshape(*value.shape, 2) if np.iscomplexobj(value) else value
        kind = value.dtype.str[1:] if value.dtype.kind != "U" else "U"
        return {
            _KIND: "array",
            "type": kind,
            "shape": list(value.shape),
            "value": [record(each) for each in plain.ravel().tolist()],
        }
    if isinstance(value, Mapping):
        return {str(key): record(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return {_KIND: "tuple", "value": [record(each) for each in value]}
    if isinstance(value, Sequence):
        return [record(each) for each in value]
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    if is_dataclass(value):
        parts = {each.name: record(getattr(value, each.name)) for each in fields(value) if each.init}
        return {_KIND: "object", "class": name, "value": parts}
    if hasattr(value, "dumps"):
        beside = [record(each.astype(np.int64)) for each in value.arrays()] if hasattr(value, "arrays") else []
        return {_KIND: "text", "class": name, "value": value.dumps(), **({"arrays": beside} if beside else {})}
    raise TypeError(f"a {name} is not written")


def restored(data: Any) -> Any:
    """Return what `record` was given.

    Parameters
    ----------
    data
        Of what JSON knows.

    Raises
    ------
    ValueError
        For a class that is none of this project's, or has other fields.
    """
    if isinstance(data, list):
        return [restored(each) for each in data]
    if not isinstance(data, dict):
        return data
    kind = data.get(_KIND)
    if kind is None:
        return {key: restored(each) for key, each in data.items()}
    value = data["value"]
    if kind == "float":
        return float(value)
    if kind == "complex":
        return complex(*restored(value))
    if kind == "tuple":
        return tuple(restored(value))
    if kind == "array":
        return _array(data["type"], data["shape"], restored(value))
    found: Any = _class(str(data["class"]))
    if kind == "text" and "arrays" in data and hasattr(found, "loads_with"):
        return found.loads_with(value, restored(data["arrays"]))
    if kind == "text" and hasattr(found, "loads"):
        return found.loads(value)
    if kind == "object" and hasattr(found, "__dataclass_fields__"):
        return found(**{key: restored(each) for key, each in value.items()})
    raise ValueError(f"{kind} is no kind of record")


def text(plain: Mapping[str, Any], value: Any) -> str:
    """Return the text of a file that says `plain` to anybody, and gives `value` back to `load`.

    Parameters
    ----------
    plain
        What JSON can hold.
    value
        What `record` takes.

    Returns
    -------
    str
        JSON, the record in a line of its own.
    """
    said = json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False)
    kept = {"sha256": _digest(plain), "value": record(value)}
    return f'{said[:-2]},\n "{RECORD}": {json.dumps(kept, ensure_ascii=False, allow_nan=False)}\n}}\n'


def load(path: str | os.PathLike[str], wanted: type[Any]) -> Any:
    """Return the result in a file.

    Parameters
    ----------
    path
        Of the file, which holds what `text` returned, or what `record` did.
    wanted
        Its class.

    Raises
    ------
    InputError
        With the file, where it holds no such result: what it holds, and what reads it.
    """
    refused = InputError(f"holds no {wanted.__name__}", file=path)
    try:
        data = json.loads(read_text(path, LONGEST))
        if isinstance(data, dict) and isinstance(kept := data.pop(RECORD, None), dict):
            if kept["sha256"] != _digest(data):
                raise refused.vary(why="it was edited after it was written: its text and its record differ")
            data = kept["value"]
        other = _named(data)
        if other and other != wanted.__name__:
            raise refused.vary(why=f"it holds a {other}", remedy=reader(path))
        found = restored(data)
    except InputError as error:
        raise error.vary(remedy=error.remedy or reader(path, wanted.__name__)) from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise refused.vary(why=str(error) or type(error).__name__, remedy=reader(path, wanted.__name__)) from None
    if not isinstance(found, wanted):
        raise refused.vary(remedy=reader(path, wanted.__name__) or "json.load reads what it holds")
    return found


def _digest(plain: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _named(data: Any) -> str:
    """The class of a record, without its module; "" of anything else."""
    return str(data.get("class", "")).rpartition(".")[2] if isinstance(data, dict) and data.get(_KIND) == "object" else ""


def reader(path: str | os.PathLike[str], wanted: str = "") -> str:
    """Return what reads a file, in words, by its ending and what it holds; "" where nothing but `wanted` would.

    Parameters
    ----------
    path
        Of the file.
    wanted
        The class that could not read it.

    Returns
    -------
    str
        Such as "fem_constriction.Spectrum.load reads it".
    """
    ending = os.path.splitext(path)[1].lower()
    found = {".toml": "Cell", ".csv": "Spectrum", ".npz": "Fields"}.get(ending, "")
    if ending == ".json":
        try:
            data = json.loads(read_text(path, LONGEST))
        except (ValueError, RecursionError):  # InputError, of a file that is not there, among them
            return ""
        if isinstance(data, dict) and "spectrum" in data and "provenance" in data:
            return f"{data['spectrum']} is what it belongs to, and fem_constriction.Spectrum.load reads that"
        kept = data.get(RECORD) if isinstance(data, dict) else None
        found = _named(kept.get("value") if isinstance(kept, dict) else data)
    return f"{_READERS.get(found, found)}.load reads it" if found and found != wanted else ""


def _array(kind: Any, shape: Any, values: Any) -> Any:
    if kind not in _ARRAYS or not isinstance(values, list):
        raise ValueError(f"{kind} is no type of an array")
    if kind == "c16":
        return np.array(values, dtype=float).view(complex).reshape(shape)
    return np.array(values, dtype=np.str_ if kind == "U" else kind).reshape(shape)


def _class(name: str) -> Any:
    """A class of this project by its name, of a module that is loaded: nothing is imported because a file says so."""
    module, _, rest = name.rpartition(".")
    found = getattr(sys.modules.get(module), rest, None) if module.partition(".")[0] in _OURS else None
    if not isinstance(found, type):
        raise ValueError(f"{name} is no class of a result")
    return found


#: Packages whose classes results are made of: this one, and whatever stands on it in this distribution.
_OURS: Final = (__name__.partition(".")[0], "validation")
