"""Are the packages that python imports those of this distribution? Two of them bear common words as names."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from fem_constriction.errors import InputError

#: The name that is installed, and the packages in it whose names anybody may have used.
DISTRIBUTION: Final = "fem-constriction"
PACKAGES: Final = ("network", "validation")


def check(packages: Sequence[str] = PACKAGES) -> None:
    """Raise InputError, with the path of the wrong one and the remedy, unless all packages are this distribution's.

    A stranger's module or package of the same name may be met first where python looks for modules, in PYTHONPATH or in the
    working directory, for instance; or another distribution has put its own in the place of ours.
    """
    for name in packages:
        try:
            module = importlib.import_module(name)
        except (Exception, SystemExit) as error:
            place = _place(name)
            failure = f"cannot be imported: python finds {place or 'none'}, which fails with {type(error).__name__}: {error}"
            raise InputError(f"the package '{name}' of {DISTRIBUTION} {failure}; {_remedy(name, place)}") from None
        if getattr(module, "DISTRIBUTION", None) != DISTRIBUTION:
            place = _place(name, module)
            raise InputError(
                f"the package '{name}' that python finds, {place or 'it somewhere'}, is not that of {DISTRIBUTION}; "
                f"{_remedy(name, place)}"
            )


def load(point: metadata.EntryPoint) -> Any:
    """Return what an entry point stands for. Raises InputError where it cannot be loaded, and for a stranger of our names."""
    package = point.value.partition(":")[0].partition(".")[0]
    owner = DISTRIBUTION if point.dist is None else point.dist.name
    if package in PACKAGES and owner == DISTRIBUTION:
        check((package,))
    try:
        return point.load()
    except Exception as error:
        raise InputError(
            key="backend",
            value=point.name,
            why=f"{point.value}, of the distribution {owner}, cannot be loaded ({type(error).__name__}: {error})",
            remedy="allowed is one that can, see `backends`",
        ) from None


def check_or_leave(packages: Sequence[str] = PACKAGES) -> None:
    """End the process with exit status 2 and one sentence where `check` would raise."""
    try:
        check(packages)
    except InputError as error:
        print(f"{DISTRIBUTION}: {error}", file=sys.stderr)
        sys.exit(error.exit_status)


def _remedy(name: str, place: str) -> str:
    """What to do about a stranger: what lies among installed distributions is not the user's to rename."""
    others = [each for each in metadata.packages_distributions().get(name, []) if each != DISTRIBUTION]
    if others and any(_installed(each, place) for each in others):
        return f"the distribution {others[0]} brings it: uninstall {others[0]} and reinstall {DISTRIBUTION}"
    if _installed(DISTRIBUTION, place):
        return f"it lies where ours was, overwritten: reinstall {DISTRIBUTION}"
    return "rename it, or take its folder out of PYTHONPATH and out of the working directory"


def _installed(distribution: str, place: str) -> bool:
    """Whether a file is one of those that a distribution was installed with."""
    try:
        files = metadata.files(distribution) or []
    except metadata.PackageNotFoundError:
        return False
    return bool(place) and any(Path(str(each.locate())).resolve() == Path(place).resolve() for each in files)


def _place(name: str, module: ModuleType | None = None) -> str:
    """Where a module was found, "" if nobody knows; a folder without __init__.py has no file."""
    spec = getattr(module, "__spec__", None) or PathFinder.find_spec(name)
    if spec is None:
        return getattr(module, "__file__", None) or ""
    return spec.origin or ", ".join(spec.submodule_search_locations or ())
