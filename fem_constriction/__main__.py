"""`python -m fem_constriction`, and what the command `fem-constriction` starts with: the door to the command line."""

from __future__ import annotations

import importlib
import sys

from fem_constriction.distribution import check_or_leave


def run() -> int:
    """Check the packages, then run the command line, and return its exit status.

    The check comes first because a stranger's `validation` has no command line to start.
    """
    check_or_leave()
    return int(importlib.import_module("validation.cli.app").main())


if __name__ == "__main__":
    sys.exit(run())
