"""XML from somebody else: no entities, and what its elements lead to.

An entity is a text that stands for another: a few hundred bytes of them stand for gigabytes, or for a file of this machine.
They are declared before the first element; a document type without them, as XDMF files have it, is harmless.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

from fem_constriction.errors import InputError

#: Bytes looked at for the first element at a time.
_PIECE = 1 << 16


class _FirstElement(Exception):
    """Nothing can be declared any more."""


def check_entities(text: bytes | Path, name: str = "it") -> None:
    """Raise InputError for XML that declares entities. What is no XML is left to whoever reads it."""
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def declared(entity: str, *_: Any) -> None:
        raise InputError(f"{name} declares the XML entity '{entity[:40]}', and XML without entities is allowed")

    def begun(*_: Any) -> None:
        raise _FirstElement

    parser.EntityDeclHandler = declared
    parser.StartElementHandler = begun
    try:
        for piece in _pieces(text):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (_FirstElement, expat.ExpatError):
        pass


def _pieces(text: bytes | Path) -> Iterator[bytes]:
    if isinstance(text, bytes):
        yield text
        return
    with text.open("rb") as stream:
        while piece := stream.read(_PIECE):
            yield piece


def elements(path: Path, tag: str) -> Iterator[ElementTree.Element]:
    """Every element of a name, as it is read; InputError for entities, also in a text that is read as XML once more."""
    check_entities(path)
    try:
        for _, element in ElementTree.iterparse(path):
            if element.text and "<!" in element.text:
                check_entities(element.text.strip().encode(), "a text in it")
            if element.tag == tag:
                yield element
            if len(element.text or "") > _PIECE:
                element.text = ""  # numbers, which nobody looks at here
    except ElementTree.ParseError:
        return  # whoever reads it says why
