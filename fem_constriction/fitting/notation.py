"""R0-p(R1,C1)-p(R2-Wo2,CPE2): the notation of circuits, impedance.py's and pyimpspec's, as trees of elements.

impedance.py writes what is in series with a minus and what is in parallel as p(..., ...); pyimpspec (Boukamp's circuit
description code) writes R(RC)([RW]Q): one symbol after the other in series, round brackets around what is in parallel, square
ones around what is in series within it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from fem_constriction.errors import InputError, show
from fem_constriction.fitting.elements import KINDS

#: Circuits with a name -> whether R_elec is there, and the number of RC arcs. Physical: with bulk, boundaries and interface.
NAMED: Final = {"1D-PM": (False, 3), "1D-PM-MODIFIED": (False, 4), "1D-FM": (True, 4), "1D-FM-EXTENDED": (True, 5)}
#: Arcs of a circuit at most: no spectrum determines more.
MOST: Final = 20
#: A part that is neither an element alone nor an arc p(R,C) or p(R,CPE).
BLOCK: Final = "block"
_DEEPEST: Final = 20
_ALLOWED = (
    "R, C, L, CPE, La, W, Wo, Ws, G, K and Zarc, in series (-) and in parallel (p(..., ...)) to any depth, as in "
    "R0-p(R1,C1)-p(R2-W2,CPE2), or pyimpspec's R(RC)([RW]Q); 1D-PM (3 arcs), 1D-PM-modified (4 arcs), 1D-FM (R0 and 4 arcs) or "
    "1D-FM-extended (R0 and 5 arcs)"
)
_SYMBOLS: Final = sorted((*KINDS, "Q"), key=len, reverse=True)
_ELEMENT: Final = re.compile(rf"({'|'.join(_SYMBOLS)})_?\w*")
_SINGLE: Final = rf"(?:{'|'.join(_SYMBOLS)})\d*"
_CODE: Final = re.compile(rf"({'|'.join(_SYMBOLS)})(\d*)(?:\{{([^{{}}]*)\}})?")
_ALONE = ("R", "C", "L", "W", "CPE", "La")  # kinds of which a second one in series cannot be told from the first


@dataclass(frozen=True)
class Element:
    """An element: its kind, one of `elements.KINDS`, and its label."""

    kind: str
    label: str


@dataclass(frozen=True)
class Series:
    """Z = sum of the impedances of the parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Parallel:
    """1/Z = sum of the admittances of the parts."""

    parts: tuple[Node, ...]


Node = Element | Series | Parallel


def elements(node: Node) -> Iterator[Element]:
    """Yield the elements of a tree, from left to right."""
    if isinstance(node, Element):
        yield node
    else:
        for part in node.parts:
            yield from elements(part)


def text_of(node: Node) -> str:
    """The tree in impedance.py's notation."""
    if isinstance(node, Element):
        return node.label
    if isinstance(node, Series):
        return "-".join(map(text_of, node.parts))
    return f"p({','.join(map(text_of, node.parts))})"


def code_of(node: Node, inside: bool = False) -> str:
    """The tree in pyimpspec's notation, labels in braces; inside: whether it stands in round brackets."""
    if isinstance(node, Element):
        return f"{'Q' if node.kind == 'CPE' else node.kind}{{:{node.label}}}"
    if isinstance(node, Series):
        code = "".join(code_of(part) for part in node.parts)
        return f"[{code}]" if inside else code
    return f"({''.join(code_of(part, True) for part in node.parts)})"


@dataclass(frozen=True, kw_only=True)
class Part:
    """An element in series, an arc or any other block: its kind, and the labels of its elements, an arc's resistor first."""

    kind: str
    labels: tuple[str, ...]
    node: Node = field(default_factory=lambda: Series(()), compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Topology:
    """So many arcs and R_elec (if series), all in series.

    plain: nothing but resistors and RC elements; parts: in the order they were written, each element with a label of its own.
    """

    arcs: int
    series: bool
    plain: bool = True
    parts: tuple[Part, ...] = field(default=(), compare=False)

    @property
    def parameters(self) -> int:
        """How many numbers the circuit has."""
        if not self.parts:
            return 2 * self.arcs + self.series
        return sum(len(KINDS[element.kind].suffixes) for part in self.parts for element in elements(part.node))

    @property
    def text(self) -> str:
        """The circuit in impedance.py's notation."""
        return "-".join(text_of(part.node) for part in self.parts)

    @property
    def code(self) -> str:
        """The circuit in pyimpspec's notation."""
        return "".join(code_of(part.node) for part in self.parts)

    def of(self, parts: tuple[Part, ...]) -> Topology:
        """The circuit of some of its parts."""
        return _topology(parts)


def parse(text: str) -> Topology:
    """Return what "R0-p(R1,C1)-p(R2,CPE2)", "R(RC)(RQ)", "1D-PM", "1D-PM-modified", "1D-FM" or "1D-FM-extended" stands for.

    Labels (R_0, R0, R), their order and blanks do not matter, but no label may occur twice. Raises InputError.
    """
    refused = InputError(key="circuit", value=text, allowed=_ALLOWED)
    plain = re.sub(r"\s+", "", text)
    if plain.upper() in NAMED:
        series, count = NAMED[plain.upper()]
        plain = "-".join(["R0"] * series + [f"p(R{n},C{n})" for n in range(1, count + 1)])
    try:
        tree = _Reader(plain).code() if _is_code(plain) else _Reader(plain).series(0, "")
    except _Wrong as wrong:
        raise refused.vary(when=f"because {wrong}") from None
    nodes = tree.parts if isinstance(tree, Series) else (tree,)
    labels = [element.label.replace("_", "") for element in elements(tree)]
    twice = sorted({label for label in labels if label not in KINDS and labels.count(label) > 1})
    if twice:
        raise refused.vary(when=f"because {twice[0]} occurs twice")
    parts = _labelled([part_of(node) for node in nodes])
    kinds = [part.kind for part in parts]
    if (count := sum(kind.startswith("p(") or kind == BLOCK for kind in kinds)) > MOST:
        raise refused.vary(allowed=f"it has {count} arcs: {MOST} at most are")
    for kind in kinds:
        if kind in _ALONE and kinds.count(kind) > 1:
            raise refused.vary(when=f"because there are two {KINDS[kind].words} in series")
    return _topology(parts)


def _topology(parts: tuple[Part, ...]) -> Topology:
    kinds = [part.kind for part in parts]
    arcs = sum(kind.startswith("p(") for kind in kinds)
    return Topology(arcs=arcs, series="R" in kinds, plain={"R", "p(R,C)"} >= set(kinds) and arcs > 0, parts=parts)


class _Wrong(Exception):
    """What is wrong with a text."""


def _is_code(text: str) -> bool:
    """Whether a text is pyimpspec's: no minus outside braces, no p( of a parallel block, and more than one element."""
    bare = re.sub(r"\{[^{}]*\}", "", text)
    several = re.fullmatch(rf"(?:(?:{'|'.join(_SYMBOLS)})\d*){{2,}}", bare) is not None and not re.fullmatch(_SINGLE, bare)
    return "-" not in bare and "p(" not in bare and (several or bool(re.search(r"[()\[\]{]", text)))


class _Reader:
    """A text, and the place that is read next."""

    def __init__(self, text: str) -> None:
        self.text, self.place = text, 0

    def series(self, depth: int, end: str) -> Node:
        """Items with a minus between, up to one of the characters of `end`, or the end of the text."""
        if depth > _DEEPEST:
            raise _Wrong(f"it is nested deeper than {_DEEPEST}")
        parts = [self._item(depth)]
        while self.place < len(self.text) and self.text[self.place] == "-":
            self.place += 1
            parts.append(self._item(depth))
        if self.place < len(self.text) and self.text[self.place] not in end:
            raise _Wrong(f"{show(self.text[self.place])} stands where '-' is expected")
        flat = [part for each in parts for part in (each.parts if isinstance(each, Series) else (each,))]
        return flat[0] if len(flat) == 1 else Series(tuple(flat))

    def _item(self, depth: int) -> Node:
        if self.text.startswith("p(", self.place):
            begin, self.place = self.place, self.place + 2
            parts = [self.series(depth + 1, ",)")]
            while self.place < len(self.text) and self.text[self.place] == ",":
                self.place += 1
                parts.append(self.series(depth + 1, ",)"))
            if self.place >= len(self.text):
                raise _Wrong(f"{show(self.text[begin:])} has no ')' at its end")
            self.place += 1
            return _parallel(parts, self.text[begin : self.place])
        word = re.compile(r"[^-,()]*").match(self.text, self.place)
        written = word[0] if word else ""
        match = _ELEMENT.fullmatch(written)
        if match is None:
            raise _Wrong(f"{show(written)} is neither {', '.join(KINDS)} nor p(..., ...)")
        self.place += len(written)
        return Element("CPE" if match[1] == "Q" else match[1], written)

    def code(self, depth: int = 0, end: str = "") -> Node:
        """Symbols one after the other, in brackets or not."""
        if depth > _DEEPEST:
            raise _Wrong(f"it is nested deeper than {_DEEPEST}")
        parts: list[Node] = []
        begin = self.place
        while self.place < len(self.text) and self.text[self.place] != end:
            mark = self.text[self.place]
            if mark in "([":
                self.place += 1
                inner = self.code(depth + 1, ")" if mark == "(" else "]")
                self.place += 1
                beside: list[Node] = list(inner.parts) if isinstance(inner, Series) else [inner]
                parts.append(_parallel(beside, self.text[begin : self.place]) if mark == "(" else Series(tuple(beside)))
                continue
            match = _CODE.match(self.text, self.place)
            if match is None:
                raise _Wrong(f"{show(self.text[self.place :])} is neither {', '.join(KINDS)}, Q nor a bracket")
            kind, number, braces = match.groups()
            kind, label = ("CPE" if kind == "Q" else kind), (braces or "").rpartition(":")[2] if ":" in (braces or "") else ""
            label = re.sub(r"\W", "_", label) or number
            parts.append(Element(kind, label if label.startswith(kind) else f"{kind}{'_' * (label[:1].isalpha())}{label}"))
            self.place = match.end()
        if end and self.place >= len(self.text):
            raise _Wrong(f"{show(end)} is missing")
        if not parts:
            raise _Wrong("there is nothing between brackets")
        return parts[0] if len(parts) == 1 and end != ")" else Series(tuple(parts))


def _parallel(parts: list[Node], written: str) -> Node:
    """Parts beside each other; of one kind alone they would be one element."""
    if len(parts) < 2:
        raise _Wrong(f"in {show(written)} there is nothing in parallel")
    kinds = [part.kind for part in parts if isinstance(part, Element)]
    for kind in kinds:
        if kind in _ALONE and kinds.count(kind) > 1:
            raise _Wrong(f"in {show(written)} two {KINDS[kind].words} in parallel are neither told apart nor two elements")
    return Parallel(tuple(parts))


def part_of(node: Node) -> Part:
    """What a node of the outermost series is: an element, an arc with its resistor first, or another block."""
    if isinstance(node, Element):
        return Part(kind=node.kind, labels=(node.label,), node=node)
    if isinstance(node, Parallel) and all(isinstance(each, Element) for each in node.parts):
        pair = sorted((each for each in node.parts if isinstance(each, Element)), key=lambda each: each.kind != "R")
        kinds = [each.kind for each in pair]
        if kinds in (["R", "C"], ["R", "CPE"]):
            return Part(kind=f"p(R,{kinds[1]})", labels=tuple(each.label for each in pair), node=Parallel(tuple(pair)))
    return Part(kind=BLOCK, labels=tuple(each.label for each in elements(node)), node=node)


def _labelled(parts: list[Part]) -> tuple[Part, ...]:
    """The parts, with a number for every label that has none: 0 in series, else that of the arc or block."""
    taken = {label for part in parts for label in part.labels}
    made, arc = [], 0
    for part in parts:
        arc += len(part.labels) > 1
        labels: list[str] = []
        for label in part.labels:
            number, bare = arc if len(part.labels) > 1 else 0, label in KINDS
            while bare and label in taken | set(labels):
                label = f"{label.rstrip('0123456789')}{number}"
                number += 1
            taken.add(label)
            labels.append(label)
        made.append(Part(kind=part.kind, labels=tuple(labels), node=_renamed(part.node, iter(labels))))
    return tuple(made)


def _renamed(node: Node, labels: Iterator[str]) -> Node:
    """The tree with these labels, from left to right."""
    if isinstance(node, Element):
        return Element(node.kind, next(labels))
    return type(node)(tuple(_renamed(part, labels) for part in node.parts))
