"""What of an HDF5 file lies elsewhere or was never written, and how much of it is read: from its headers alone.

HDF5 follows links into other files, takes data from files of any name and fills what was never written with zeros, all without
a word, and a kilobyte of headers may promise a terabyte.
"""

from __future__ import annotations

from collections.abc import Collection
from math import prod
from pathlib import Path
from typing import Any

from fem_constriction import memory
from fem_constriction.errors import InputError


def check_hdf5(path: Path, wanted: Collection[str] | None = None, held: bool = True) -> None:
    """Raise InputError for a file that leads elsewhere or lacks data, MemoryShort for more data than fit.

    wanted: the datasets that are read (None: all); held: all at once, and not a few layers at a time.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            links: list[tuple[str, Any]] = []
            file.visititems_links(lambda name, link: links.append((name, link)))
            for name, link in links:
                if not isinstance(link, (h5py.HardLink, h5py.SoftLink)):
                    where = getattr(link, "filename", "elsewhere")
                    raise InputError(f"'{name}' in {path.name} is a link to '{where}', and data in the file itself are allowed")
            total = 0
            for name, link in links:
                data = file[name] if isinstance(link, h5py.HardLink) else None
                if isinstance(data, h5py.Dataset):
                    _check(path, name, data)
                    if wanted is None:
                        _whole(path, name, data)
                        total += data.nbytes
            for name in wanted or ():
                data = file.get(name)
                if isinstance(data, h5py.Dataset):
                    _whole(path, name, data)
                    total += data.nbytes
    except InputError:
        raise
    except Exception as error:  # of the library: a file that is cut, damaged or none
        raise InputError(f"{path.name} cannot be read ({' '.join(str(error).split())})") from None
    if held:
        memory.require(2.0 * total, f"the data in {path.name}", "a smaller file")


def _check(path: Path, name: str, data: Any) -> None:
    """Refuse data that lie in another file."""
    if data.is_virtual or data.external:
        where = data.virtual_sources()[0].file_name if data.is_virtual else data.external[0][0]
        raise InputError(f"'{name}' in {path.name} has its data in '{where}', and data in the file itself are allowed")


def _whole(path: Path, name: str, data: Any) -> None:
    """Refuse numbers that were never written: HDF5 gives zeros for them."""
    if data.size in (None, 0) or data.dtype.kind not in "iuf":
        return
    if data.chunks is None:
        missing = data.id.get_storage_size() < data.nbytes
    else:
        expected = prod(-(-length // step) for length, step in zip(data.shape, data.chunks, strict=True))
        missing = data.id.get_num_chunks() < expected
    if missing:
        raise InputError(f"'{name}' in {path.name} is incomplete: a part of it was never written, and would be read as zeros")
