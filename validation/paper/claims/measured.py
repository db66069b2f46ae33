"""value +- uncertainty: what a backend shows of a claim, or why it shows nothing."""

from __future__ import annotations

from typing import NamedTuple


class Undecided(Exception):
    """The data cannot decide; the message says why."""


class Measured(NamedTuple):
    """A number and its uncertainty, in the same unit."""

    value: float
    uncertainty: float = 0.0
