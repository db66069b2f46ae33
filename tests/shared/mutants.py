"""One operator changed at random, and the tests of its room run: which changes do they see?

    python tests/shared/mutants.py MODULE.py COUNT SEED tests/ROOM/test_a.py [-k ...]

prints a line per change, `killed`, `survived`, `timeout` or `not planted`, with its line before and after, and the score. A
survivor is either equivalent (it changes nothing that is stated) or physics that no test states. Tests are collected once; each
change runs them in a process of its own, forked from there, in which the code of the function is exchanged where it lives, so
that a change costs what the tests cost. Numbers of a module are exchanged wherever they were imported to; defaults of arguments
and fields are not planted. Nothing is written. POSIX alone.
"""

from __future__ import annotations

import ast
import gc
import importlib
import os
import random
import resource
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
COMPARISON = {ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
NAMES = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "argmax": "argmin", "any": "all", "all": "any"}

#: Processor time of the tests of one change, s.
SECONDS = 120

#: How the process of a change ends.
OUTCOMES = {0: "survived", 1: "killed", 2: "not planted"}


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


def codes(tree: ast.Module, path: Path) -> dict[str, CodeType]:
    """Every function of a module by its qualified name, as it is compiled."""

    def inside(code: CodeType) -> Iterator[CodeType]:
        for each in code.co_consts:
            if isinstance(each, CodeType):
                yield each
                yield from inside(each)

    return {each.co_qualname: each for each in inside(compile(tree, str(path), "exec"))}


def functions(held: Any, module: str) -> Iterator[FunctionType]:
    """The functions of a module, of its classes, and behind what wraps them."""
    if isinstance(held, FunctionType):
        yield held
    if isinstance(held, type) and held.__module__ == module:
        for each in vars(held).values():
            yield from functions(each, module)
    elif isinstance(held, property):
        yield from functions(held.fget, module)
    elif isinstance(held, cached_property):
        yield from functions(held.func, module)
    elif (inner := getattr(held, "__wrapped__", getattr(held, "__func__", None))) is not None and not isinstance(held, type):
        yield from functions(inner, module)


def planted(module: ModuleType, tree: ast.Module, path: Path) -> bool:
    """Exchange what a changed tree changes, in the module as it lives in this process; whether anything was."""
    plain = ast.parse(path.read_text())
    before, after = codes(plain, path), codes(tree, path)
    changes = {name for name, code in after.items() if code != before.get(name)}
    found = False
    for held in list(vars(module).values()):
        for function in functions(held, module.__name__):
            if function.__qualname__ in changes and function.__code__.co_filename == str(path):
                function.__code__ = after[function.__qualname__]
                found = True
    for old, new in zip(plain.body, tree.body, strict=True):
        if isinstance(new, (ast.Assign, ast.AnnAssign)) and ast.dump(old) != ast.dump(new):
            values = dict(vars(module))
            exec(compile(ast.Module([new], []), str(path), "exec"), values)
            for name in {node.id for node in ast.walk(new) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}:
                held = vars(module)[name]
                for each in list(sys.modules.values()):
                    if getattr(each, "__dict__", {}).get(name) is held:
                        setattr(each, name, values[name])
                        found = True
    return found


class Changes:
    """A plug-in that runs the collected tests once for each change, instead of once."""

    def __init__(self, path: Path, chosen: list[int]) -> None:
        self.path, self.chosen, self.score = path, chosen, Counter[str]()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        module = importlib.import_module(".".join(self.path.relative_to(Path.cwd()).with_suffix("").parts))
        gc.collect()
        gc.freeze()
        for number in self.chosen:
            tree = ast.parse(self.path.read_text())
            node, how = list(places(tree))[number]
            before = ast.unparse(node)
            changed(node, how)
            sys.stdout.flush()
            child = os.fork()
            if child == 0:
                os._exit(self.judged(session.items, module, ast.fix_missing_locations(tree)))
            _, status = os.waitpid(child, 0)
            outcome = "timeout" if os.WIFSIGNALED(status) else OUTCOMES[os.WEXITSTATUS(status)]
            self.score[outcome] += 1
            line = self.path.read_text().splitlines()[node.lineno - 1].strip()
            print(f"{outcome} {self.path.name}:{node.lineno}: {before}  ->  {ast.unparse(node)}   [{line}]", flush=True)
        print(*(f"{count} {outcome}" for outcome, count in self.score.most_common()), sep=", ")
        return True

    def judged(self, items: list[pytest.Item], module: ModuleType, tree: ast.Module) -> int:
        """Run the tests in this process until one fails; a key of `OUTCOMES`."""
        used = int(resource.getrusage(resource.RUSAGE_SELF).ru_utime)
        resource.setrlimit(resource.RLIMIT_CPU, (used + SECONDS, used + SECONDS))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        if not planted(module, tree, self.path):
            return 2
        for item, after in zip(items, [*items[1:], None], strict=True):
            if any(report.failed for report in runtestprotocol(item, log=False, nextitem=after)):
                return 1
        return 0


def main() -> None:
    module, count, seed, *tests = sys.argv[1:]
    path = Path(module).absolute()
    total = len(list(places(ast.parse(path.read_text()))))
    chosen = random.Random(int(seed)).sample(range(total), min(int(count), total))
    options = ["-q", "-n0", "--tb=no", "--capture=no", "-p", "no:cacheprovider", "-p", "no:faulthandler", "-m", "not long"]
    pytest.main([*options, *tests], plugins=[Changes(path, chosen)])


if __name__ == "__main__":
    main()
