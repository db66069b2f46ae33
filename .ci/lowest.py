"""Print name==version of the lowest versions that pyproject.toml allows: of the core, and of the extras named as arguments.

Requirements of an extra on the project's own extras are followed; what has no lower bound is left out. With these pinned, pip
chooses freely what they need themselves.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(\[[^\]]*\])?\s*>=\s*([0-9][0-9A-Za-z.]*)")


def lowest(requirements: list[str]) -> Iterator[str]:
    """Yield each requirement at its lower bound."""
    for requirement in requirements:
        if found := _PINNED.match(requirement):
            name, extras, version = found.groups()
            yield f"{name}{extras or ''}=={version}"


def main(extras: list[str]) -> None:
    """Print the pinned requirements, one a line."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    print("\n".join(lowest(project["dependencies"])))
    for extra in extras:
        print("\n".join(lowest(project["optional-dependencies"][extra])))


if __name__ == "__main__":
    main(sys.argv[1:])
