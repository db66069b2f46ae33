"""Are the packages that python imports those of this distribution? Two of them bear common words as names."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import PathFinder
from types import ModuleType

from fem_constriction import DISTRIBUTION
from fem_constriction.errors import InputError

#: The packages of this distribution whose names anybody may have used.
PACKAGES = ("network", "validation")


def check(packages: Sequence[str] = PACKAGES) -> None:
    """Raise InputError, with the path of the wrong one, unless all packages are this distribution's.

    A stranger's module or package of the same name may be met first where python looks for modules, in PYTHONPATH or in the
    working directory, for instance.
    """
    for name in packages:
        try:
            module = importlib.import_module(name)
        except Exception as error:
            raise InputError(
                f"the package '{name}' of {DISTRIBUTION} cannot be imported: python finds {_place(name)}, which fails with "
                f"{type(error).__name__}: {error}"
            ) from None
        if getattr(module, "DISTRIBUTION", None) != DISTRIBUTION:
            raise InputError(
                f"the package '{name}' that python finds, {_place(name, module)}, is not that of {DISTRIBUTION}: rename it, or "
                "take its folder out of PYTHONPATH and out of the working directory"
            )


def run() -> int:
    """Check the packages, then run the command line, and return its exit status: what the command starts with.

    The check comes first because a stranger's `validation` has no command line to start.
    """
    try:
        check()
    except InputError as error:
        print(f"fem-constriction: {error}", file=sys.stderr)
        return error.exit_status
    return int(importlib.import_module("validation.cli").main())


def _place(name: str, module: ModuleType | None = None) -> str:
    """Where a module was found; a folder without __init__.py has no file."""
    spec = getattr(module, "__spec__", None) or PathFinder.find_spec(name)
    if spec is None:
        return "none"
    return spec.origin or ", ".join(spec.submodule_search_locations or ()) or "it somewhere"
