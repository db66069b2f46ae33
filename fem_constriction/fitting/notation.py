"""R0-p(R1,C1)-p(R2,CPE2): the notation of circuits, elements in series and arcs p(...) of two in parallel."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from fem_constriction.errors import InputError, show

Kind = Literal["R", "C", "L", "CPE", "p(R,C)", "p(R,CPE)"]

#: Circuits with a name -> whether R_elec is there, and the number of RC arcs. Physical: with bulk, boundaries and interface.
NAMED: Final = {"1D-PM": (False, 3), "1D-PM-MODIFIED": (False, 4), "1D-FM": (True, 4), "1D-FM-EXTENDED": (True, 5)}
_ALLOWED = (
    "p(R1,C1) and p(R1,CPE1) in series, with R0, C0, CPE0 and L0 once each or without, as in R0-p(R1,C1)-p(R2,CPE2); 1D-PM "
    "(3 arcs), 1D-PM-modified (4 arcs), 1D-FM (R0 and 4 arcs) or 1D-FM-extended (R0 and 5 arcs)"
)
#: Arcs of a circuit at most: no spectrum determines more.
MOST: Final = 20
_ELEMENT = re.compile(r"(CPE|R|C|L)_?\w*")
_PARALLEL = re.compile(r"p\(([^(),]+),([^(),]+)\)")
_WORDS: dict[Kind, str] = {"R": "resistors", "C": "capacitors", "L": "inductances", "CPE": "constant-phase elements"}


@dataclass(frozen=True, kw_only=True)
class Part:
    """An element in series or an arc: its kind, and the labels of its elements, an arc's resistor first."""

    kind: Kind
    labels: tuple[str, ...]


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
        return sum({"p(R,CPE)": 3, "p(R,C)": 2, "CPE": 2}.get(part.kind, 1) for part in self.parts)


def parse(text: str) -> Topology:
    """Return what "R0-p(R1,C1)-p(R2,CPE2)", "1D-PM", "1D-PM-modified", "1D-FM" or "1D-FM-extended" stands for.

    Labels (R_0, R0, R), their order and blanks do not matter, but no label may occur twice. Raises InputError.
    """
    refused = InputError(key="circuit", value=text, allowed=_ALLOWED)
    plain = re.sub(r"\s+", "", text)
    if plain.upper() in NAMED:
        series, count = NAMED[plain.upper()]
        plain = "-".join(["R0"] * series + [f"p(R{n},C{n})" for n in range(1, count + 1)])
    parts = []
    for written in plain.split("-"):
        part = _part(written)
        if part is None:
            raise refused.vary(when=f"because {show(written)} is neither R, C, L, CPE nor p(R,C) or p(R,CPE)")
        parts.append(part)
    labels = [label.replace("_", "") for part in parts for label in part.labels]
    twice = sorted({label for label in labels if label not in get_args(Kind) and labels.count(label) > 1})
    if twice:
        raise refused.vary(when=f"because {twice[0]} occurs twice")
    arcs = [part for part in parts if len(part.labels) > 1]
    kinds = [part.kind for part in parts if len(part.labels) == 1]
    if len(arcs) > MOST:
        raise refused.vary(allowed=f"{MOST} arcs at most are", why=f"it has {len(arcs)}")
    if not arcs:
        raise refused.vary(when="because there is no arc")
    for kind in kinds:
        if kinds.count(kind) > 1:
            raise refused.vary(when=f"because there are two {_WORDS[kind]}")
    only = {"R", "p(R,C)"} >= {part.kind for part in parts}
    return Topology(arcs=len(arcs), series="R" in kinds, plain=only, parts=_labelled(parts))


def _part(written: str) -> Part | None:
    """The element or arc that a piece of text stands for, None if it is none."""
    inside = _PARALLEL.fullmatch(written)
    labels = inside.groups() if inside else (written,)
    found = [_ELEMENT.fullmatch(label) for label in labels]
    kinds = [match[1] for match in found if match]
    if inside and sorted(kinds) in (["C", "R"], ["CPE", "R"]):
        if kinds[1] == "R":
            kinds, labels = kinds[::-1], labels[::-1]
        return Part(kind="p(R,C)" if kinds[1] == "C" else "p(R,CPE)", labels=labels)
    if not inside and kinds in (["R"], ["C"], ["L"], ["CPE"]):
        return Part(kind=kinds[0], labels=labels)
    return None


def _labelled(parts: list[Part]) -> tuple[Part, ...]:
    """The parts, with a number for every label that has none: 0 in series, else that of the arc."""
    taken = {label for part in parts for label in part.labels}
    made, arc = [], 0
    for part in parts:
        arc += len(part.labels) > 1
        labels: list[str] = []
        for label in part.labels:
            number, bare = arc if len(part.labels) > 1 else 0, label in get_args(Kind)
            while bare and label in taken | set(labels):
                label = f"{label.rstrip('0123456789')}{number}"
                number += 1
            taken.add(label)
            labels.append(label)
        made.append(Part(kind=part.kind, labels=tuple(labels)))
    return tuple(made)
