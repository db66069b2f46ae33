"""One operator changed at random, and the tests of its room run: which changes do they see?

    python tests/shared/mutants.py MODULE.py COUNT SEED tests/ROOM/test_a.py [-k ...]

prints a line per change, `killed`, `survived` or `timeout`, with its line before and after. A survivor is either equivalent (it
changes nothing that is stated) or physics that no test states. Each change runs in a process of its own, forked after numpy,
scipy and pytest were imported; nothing is written. POSIX alone.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.abc
import importlib.util
import os
import random
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
COMPARISON = {ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
NAMES = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "argmax": "argmin", "any": "all", "all": "any"}
SECONDS = 240


def places(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Nodes that can be changed, and how: not in annotations, docstrings or words."""
    words = {id(each) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for each in ast.walk(node)}
    notes = [
        each for node in ast.walk(tree) for each in (getattr(node, "annotation", None), getattr(node, "returns", None)) if each
    ]
    words |= {id(each) for note in notes for each in ast.walk(note)}
    for node in ast.walk(tree):
        if id(node) in words:
            continue
        if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
            yield node, "operator"
        elif isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARISON:
            yield node, "comparison"
        elif isinstance(node, ast.BoolOp):
            yield node, "and or"
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not, ast.Invert)):
            yield node, "sign"
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            yield node, "number"
        elif isinstance(node, ast.Name) and node.id in NAMES:
            yield node, "name"
        elif isinstance(node, ast.Attribute) and node.attr in NAMES:
            yield node, "attribute"


def changed(node: Any, how: str) -> None:
    """Change one node in place."""
    if how == "operator":
        node.op = ARITHMETIC[type(node.op)]()
    elif how == "comparison":
        node.ops = [COMPARISON[type(node.ops[0])]()]
    elif how == "and or":
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif how == "sign":
        node.op = ast.UAdd() if isinstance(node.op, ast.USub) else ast.Not()
        if isinstance(node.op, ast.Not):
            node.operand = ast.UnaryOp(ast.Not(), node.operand)
    elif how == "number":
        node.value = 1.1 * node.value if isinstance(node.value, float) and node.value else node.value + 1
    elif how == "name":
        node.id = NAMES[node.id]
    else:
        node.attr = NAMES[node.attr]


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """Gives one module from another source."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self.name, self.path, self.tree = name, path, tree

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        return importlib.util.spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def get_filename(self, name: str) -> str:
        return str(self.path)

    def get_data(self, path: Any) -> bytes:
        return ast.unparse(self.tree).encode()

    def path_stats(self, path: Any) -> Any:
        raise OSError  # no byte code is kept


def run(module: Path, number: int, tests: list[str]) -> tuple[str, str]:
    """The outcome of change `number` of a module, and its line before and after."""
    tree = ast.parse(module.read_text())
    node, how = list(places(tree))[number]
    lines = module.read_text().splitlines()
    before = lines[node.lineno - 1].strip()
    statement = ast.unparse(node)
    changed(node, how)
    after = ast.unparse(node)
    child = os.fork()
    if child == 0:
        import pytest

        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        name = ".".join(module.with_suffix("").parts)
        sys.meta_path.insert(0, Mutated(name, module.absolute(), tree))
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            os._exit(int(pytest.main(["-x", "-q", "-n0", "-p", "no:cacheprovider", "-m", "not long", *tests])))
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        outcome = "timeout" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else "killed"
    else:
        outcome = "survived" if os.WEXITSTATUS(status) == 0 else "killed"
    return outcome, f"{module}:{node.lineno}: {statement}  ->  {after}   [{before}]"


def main() -> None:
    module, count, seed, *tests = sys.argv[1:]
    import lmfit  # noqa: F401
    import pytest  # noqa: F401
    import scipy.sparse.linalg  # noqa: F401
    import skfem  # noqa: F401

    total = len(list(places(ast.parse(Path(module).read_text()))))
    chosen = random.Random(int(seed)).sample(range(total), min(int(count), total))
    for number in chosen:
        print(*run(Path(module), number, tests), flush=True)


if __name__ == "__main__":
    main()
