"""What the processes of a cell are called, in the order of current flow from the bulk outwards."""

import re
from typing import Final

BULK: Final = "bulk"
GRAIN_BOUNDARY: Final = "grain_boundary"
CHARGE_TRANSFER: Final = "charge_transfer"
PORE: Final = "pore"
#: A film between electrolyte and metal; several in a row are numbered: interphase_1, interphase_2.
INTERPHASE: Final = "interphase"
COUNTER_INTERPHASE: Final = "counter_interphase"
COUNTER_ELECTRODE: Final = "counter_electrode"
COUNTER_PORE: Final = "counter_pore"

#: From the bulk outwards; interphases lie between electrolyte and charge transfer.
ORDER: Final = (BULK, GRAIN_BOUNDARY, INTERPHASE, CHARGE_TRANSFER, PORE, COUNTER_INTERPHASE, COUNTER_ELECTRODE, COUNTER_PORE)


def numbered(name: str, count: int) -> list[str]:
    """Return what so many of a kind are called: the name itself, or numbered from 1."""
    return [name] if count == 1 else [f"{name}_{number}" for number in range(1, count + 1)]


def kind_of(name: str) -> str:
    """Return what a process is one of: interphase of interphase_2, else the name itself."""
    return re.sub(r"_\d+$", "", name)


def number_of(name: str) -> int:
    """Return which of its kind a process is, from 1; 0 where there is one alone."""
    return int(name.rpartition("_")[2]) if kind_of(name) != name else 0


def in_order(names: set[str]) -> list[str]:
    """Return processes in the order of current flow, others last."""
    place = {name: number for number, name in enumerate(ORDER)}
    return sorted(names, key=lambda name: (place.get(kind_of(name), len(ORDER)), number_of(name), name))
