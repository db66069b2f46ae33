"""Fields in a file: the cell, which grid, and the potential of every unknown at V = 1, exactly. NumPy's .npz, without pickles.

What is not in it, the matrices, is assembled again when it is loaded, and nothing is solved.
"""

from __future__ import annotations

import json
import os
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Complex
from fem_constriction.errors import InputError

SUFFIX: Final = ".npz"


@dataclass(frozen=True, eq=False, kw_only=True)
class Stored:
    """What the file of one `Fields` holds.

    cell: as TOML; labels: the array that it names, if it names one; frequency: Hz; backend: its name; grid: "level" or "cells"
    -> number; potential: V, (unknowns,), V = 1 last; current: A; error: what the solver left; iterations.
    """

    cell: str
    frequency: float
    backend: str
    grid: Mapping[str, int]
    potential: Complex
    current: complex
    error: float
    iterations: int
    labels: NDArray[Any] | None = None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file, whole or not at all. Raises InputError."""
        target = Path(path)
        if target.suffix != SUFFIX:
            raise InputError(key="path", value=str(path), allowed=f"the name of a file that ends in {SUFFIX}")
        plain = {key: value for key, value in vars(self).items() if key not in ("potential", "current", "labels")}
        plain["current"] = [self.current.real, self.current.imag]
        temporary = target.parent / f".{uuid.uuid4().hex}.tmp"
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as stream:
                more: dict[str, Any] = {} if self.labels is None else {"labels": self.labels}
                np.savez_compressed(stream, record=np.array(json.dumps(plain)), potential=self.potential, **more)
            os.replace(temporary, target)
        except OSError as error:
            raise InputError(f"cannot be written ({(error.strerror or str(error)).lower()})", file=path) from None
        finally:
            temporary.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Stored:
        """Return what such a file holds. Raises InputError for any other file."""
        try:
            with np.load(path, allow_pickle=False) as file:
                plain: dict[str, Any] = json.loads(str(file["record"]))
                potential = np.asarray(file["potential"], dtype=np.complex128)
                labels = file.get("labels")
            return cls(**plain | {"potential": potential, "current": complex(*plain["current"]), "labels": labels})
        except OSError as error:
            raise InputError(f"cannot be read ({(error.strerror or str(error)).lower()})", file=path) from None
        except (ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile):
            raise InputError(
                "holds no Fields", file=path, remedy=f"Fields.load reads the {SUFFIX} that Fields.save wrote"
            ) from None
