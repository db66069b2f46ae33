"""value(x, y): an image of a face, from a file (.png, .npy, .tif) or from the text that stands for an array in a cell file.

Axes: first index x, second y, index 0 at x = y = 0, no flip: the rows of a picture run along x. An array that was given from
Python is written into the cell file as what it is, a data URI (RFC 2397): a picture of one bit for a mask, an archive of NumPy
for numbers. So a cell is whole without a file beside it.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fem_constriction import memory
from fem_constriction.errors import InputError, MemoryShort, Written
from fem_constriction.sources.contents import Contents, contents
from fem_constriction.sources.tiff import SUFFIXES, leads_of_image, read_tiff

#: What an image may be, in words.
ALLOWED: Final = "allowed are .png, .npy and .tif"

_PICTURE, _NUMBERS = "data:image/png;base64,", "data:application/zip;base64,"
_INLINE: Final = "data:"

#: Largest picture that is opened, in pixels: of more no face is solved, whatever it unpacks to.
_MOST: Final = 1 << 28


def is_inline(image: str) -> bool:
    """Return whether an image is written out in the text, instead of the path of a file."""
    return image.startswith(_INLINE)


def inline(values: NDArray[Any]) -> str:
    """Return the text that stands for an array: a picture of one bit where all are booleans."""
    stream = io.BytesIO()
    if values.dtype == bool:
        from PIL import Image

        Image.fromarray(values.astype(np.uint8) * 255).convert("1").save(stream, format="PNG", optimize=True)
        return _PICTURE + base64.b64encode(stream.getvalue()).decode()
    np.savez_compressed(stream, values=values)
    return _NUMBERS + base64.b64encode(stream.getvalue()).decode()


def named(image: str) -> Written | Path:
    """Return what messages call an image: its path, or that it is written out."""
    return Written("an image that is written out") if is_inline(image) else Path(image)


def contents_of(image: str) -> Contents | None:
    """Return what is read with the file of an image, and its digest; None for one that is written out. Raises InputError."""
    if is_inline(image):
        return None
    path = Path(image)
    if path.suffix.lower() not in (".png", ".npy", *SUFFIXES):
        raise InputError(value=path, allowed=ALLOWED)
    if not path.is_file():
        raise InputError(value=path, why="it is a folder, not a file" if path.is_dir() else "there is no such file")
    try:
        return contents(path, leads_of_image)
    except MemoryShort:
        raise
    except (InputError, OSError) as error:
        raise InputError(value=path, why=str(error)) from None


def values_of(image: str) -> NDArray[Any]:
    """Return the values of an image, (x, y). Raises InputError, without a key, for what is no image of one value per pixel."""
    try:
        found = _of_text(image) if is_inline(image) else _of_file(Path(image))
    except (MemoryShort, MemoryError):
        raise
    except Exception as error:  # of whichever library reads it
        said = str(error) if isinstance(error, InputError) else f"it cannot be read ({type(error).__name__}: {error})"
        raise InputError(value=named(image), why=said) from None
    return checked(found, named(image))


def as_text(section: Any, turned: Callable[[NDArray[Any], Mapping[str, Any]], NDArray[Any]]) -> Any:
    """Return a section of the cell file with the text that stands for the array it has as its `image`; another one as it is.

    turned: what is written of the checked array, given the section. Raises InputError for what is no image of a face.
    """
    image = section.get("image") if isinstance(section, Mapping) else None
    if not (hasattr(image, "__array__") or isinstance(image, list)):
        return section
    try:
        array = np.asarray(image)
        values = checked(array, Written(f"an array of {' x '.join(map(str, array.shape))} values"))
        return {**section, "image": inline(turned(values, section))}
    except InputError as error:
        raise (error if error.key else error.renamed("image")) from None
    except (TypeError, ValueError):
        raise InputError(key="image", value=image, allowed="an array of numbers, first index x, second y") from None


def checked(values: Any, what: object) -> NDArray[Any]:
    """Return an array as an image of a face. Raises InputError for other dimensions, and for what is no real number."""
    found = np.squeeze(np.asarray(values)) if np.ndim(values) == 3 else np.asarray(values)
    if found.ndim != 2 or not found.size:
        shape = " x ".join(map(str, found.shape)) or "one value"
        raise InputError(value=what, why=f"it has {shape}, and an image of a face has two directions, x and y")
    if found.dtype.kind not in "biuf":
        raise InputError(value=what, why=f"its values are of type {found.dtype}, and real numbers are allowed")
    if found.dtype.kind == "f" and not np.all(np.isfinite(found)):
        raise InputError(value=what, why="it has values that are not finite")
    return found


def _of_text(image: str) -> NDArray[Any]:
    for start, read in ((_PICTURE, _picture), (_NUMBERS, _archive)):
        if image.startswith(start):
            try:
                data = base64.b64decode(image.removeprefix(start), validate=True)
            except binascii.Error as error:
                raise InputError(f"its text is damaged ({error})") from None
            return read(io.BytesIO(data))
    raise InputError(f"it begins with '{image[:30]}', and allowed are {_PICTURE} and {_NUMBERS}")


def _of_file(path: Path) -> NDArray[Any]:
    contents_of(str(path))
    if path.suffix.lower() in SUFFIXES:
        return np.asarray(read_tiff(path))
    if path.suffix.lower() == ".npy":
        found = np.load(path, mmap_mode="r", allow_pickle=False)
        memory.require(2.0 * found.nbytes, f"the image {path.name}", "a smaller image")
        return np.asarray(found)
    return _picture(path)


def _archive(stream: io.BytesIO) -> NDArray[Any]:
    with np.load(stream, allow_pickle=False) as found:
        return np.asarray(found["values"])


def _picture(source: Path | io.BytesIO) -> NDArray[Any]:
    """The one value of each pixel of a picture: colours that are all grey are grey."""
    from PIL import Image

    with Image.open(source, formats=["PNG"]) as picture:
        if picture.width * picture.height > _MOST:
            raise InputError(f"it has {picture.width} x {picture.height} pixels, at most {_MOST:.0e} are read")
        flat = picture.convert("RGBA") if picture.mode == "P" else picture
        found = np.asarray(flat)
    if found.ndim == 2:
        return found
    colours, alpha = (found[..., :-1], found[..., -1]) if found.shape[2] in (2, 4) else (found, None)
    if alpha is not None and np.any(alpha != 255):
        raise InputError("it is transparent somewhere, and an image of opaque grey pixels is allowed")
    if np.any(colours != colours[..., :1]):
        raise InputError("it has colours, and an image of one grey value per pixel is allowed")
    return np.asarray(colours[..., 0])
