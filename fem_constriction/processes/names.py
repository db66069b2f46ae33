"""What the processes of a cell are called, in the order of current flow from the bulk outwards."""

from typing import Final

BULK: Final = "bulk"
GRAIN_BOUNDARY: Final = "grain_boundary"
CHARGE_TRANSFER: Final = "charge_transfer"
PORE: Final = "pore"
COUNTER_ELECTRODE: Final = "counter_electrode"
COUNTER_PORE: Final = "counter_pore"
