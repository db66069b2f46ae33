"""Build the source distribution, and from it the wheel; fail for a warning, for what is missing and for what is too much.

Both are compared with the files under version control: the source distribution has all of them, the wheel has those of the
packages and nothing else.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("fem_constriction/", "network/", "validation/")
#: Files under version control that no distribution needs, and what a source distribution has besides.
NEEDLESS = {".gitignore", ".gitattributes"}
MADE = re.compile(r"^(PKG-INFO|setup\.cfg|[a-z_]+\.egg-info/.*)$")
_WARNING = re.compile(r"warning|deprecat|absent from|would be ignored", re.IGNORECASE)
#: Said where the environment forbids compiled files, which wheels do not hold anyway.
_HARMLESS = re.compile(r"byte-compiling is disabled")


def warnings(output: str) -> list[str]:
    """Return the lines of a build that warn."""
    return [line for line in output.splitlines() if _WARNING.search(line) and not _HARMLESS.search(line)]


def faults(tracked: Iterable[str], source: Iterable[str], wheel: Iterable[str]) -> list[str]:
    """Return what is missing or too much in the source distribution and the wheel, beside files under version control."""
    known, packed = set(tracked) - NEEDLESS, set(source)
    installed = {name for name in wheel if ".dist-info/" not in name}
    wanted = {name for name in known if name.startswith(PACKAGES)}
    return [
        *(f"missing in the source distribution: {name}" for name in sorted(known - packed)),
        *(f"too much in the source distribution: {name}" for name in sorted(packed - known) if not MADE.match(name)),
        *(f"missing in the wheel: {name}" for name in sorted(wanted - installed)),
        *(f"too much in the wheel: {name}" for name in sorted(installed - wanted)),
    ]


def main(folder: Path) -> int:
    """Build into the folder, unpack the source distribution there, and return how many faults there are."""
    command = [sys.executable, "-W", "default", "-m", "build", "--sdist", "--wheel", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout + done.stderr)
        return 1
    (source,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    with tarfile.open(source) as archive:
        packed = [member.name.partition("/")[2] for member in archive if member.isfile()]
        archive.extractall(folder, filter="data")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    wrong = warnings(done.stdout + done.stderr) + faults(listed, packed, zipfile.ZipFile(wheel).namelist())
    print("\n".join(wrong) or f"{source.name} and {wheel.name}: complete, built without a warning")
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])) > 0)
