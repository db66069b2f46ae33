"""What goes wrong with inputs: values of the wrong size, unit, type or language, keys and lines lost or doubled, bytes lost."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any


class Random(random.Random):
    """Random numbers of an input of some kind, the same whenever it is made."""

    def __init__(self, kind: str, seed: int, number: int) -> None:
        super().__init__(f"{kind}/{seed}/{number}")
        self.number = number


# fmt: off
NUMBERS = (
    0, -1, 1, 2, 0.5, -0.0, 50, 1e-9, 1e-300, 5e-324, 1e300, 1.7e308, math.inf, -math.inf, math.nan, 10**30, 2**63,
    -(2**63), 10**400, 0.1 + 0.2, 1e5, 1e7, 1000000000,
)
UNITS = (
    "m", "um", "µm", "μm", "nm", "pm", "km", "inch", "furlong", "S/m", "mS/cm", "ohm cm^2", "Ω·cm²", "ohm m2", "F/m^2",
    "uF/cm2", "Hz", "rad/s", "deg", "rad", "K", "degC", "eV", "J/mol", "kg", "percent", "s", "", "um um", "m^1000",
    "m**(2**1000000)", "ohm^0.5", "dB", "pixel", "n", "Å", "%", "1/0", "m + m", "None", "delta_degC", "micron",
)
WORDS = (
    "", " ", "\t", "nan", "inf", "true", "none", "0x10", "1_0", "1,5", "1.000,5", "1e", "--", "🙂", "é", "\u0000",
    "\u202e", "\ud7ff", "５０", "x" * 3000, "../../cell.toml", "cell.toml", "/dev/null", "/dev/full", "/", ".", "~",
    "network", "fem", "square", "disc", "regions", "mesh", "polygon", "ellipse", "voronoi", "cubic", "[bold]x[/bold]",
    "{x}", "%s", "\x1b[31m", "9**9**9**9 m", "9^9^9^9", "1 m + 1 m", "1/0 m", "1:2:3", "1e-3:1e9:61",
    "__import__('os')", "-1 um", "50 um\n50 um", "$HOME", "*", "a:b:n", "C:\\cell.toml", "file:///cell.toml",
)
FACTORS = (
    -1, 0, 1e-15, 1e-9, 1e-6, 1e-6, 1e-3, 1e-3, 0.1, 0.5, 0.5, 0.9, 0.999999, 1.000001, 1.1, 2, 2, 10, 1e3, 1e3, 1e6,
    1e6, 1e9, 1e15,
)
# fmt: on


def value(rng: Random) -> Any:
    """A value that nobody asked for."""
    kind = rng.randrange(8)
    if kind < 2:
        return rng.choice(NUMBERS)
    if kind < 4:
        return f"{rng.choice(NUMBERS)!r} {rng.choice(UNITS)}"
    if kind < 6:
        return rng.choice(WORDS)
    if kind == 6:
        return rng.choice([True, False, [], {}, [[]], [None], [1, 2, 3], ["1 um", "2 um"], {"value": 1}, [1, "a"], {"": {}}])
    return f"{rng.uniform(0, 100):.3g} {rng.choice(UNITS)}"


def scaled(rng: Random, given: Any) -> Any:
    """The same value larger or smaller, its unit kept; or with another unit."""
    factor = rng.choice(FACTORS)
    if isinstance(given, bool) or not isinstance(given, (int, float, str)):
        return value(rng)
    if isinstance(given, str):
        number, _, unit = given.partition(" ")
        try:
            size = float(number)
        except ValueError:
            return value(rng)
        return f"{number} {rng.choice(UNITS)}" if rng.random() < 0.2 else f"{size * factor!r} {unit}"
    if isinstance(given, int) and abs(given) > 2**1000:  # damaged before: no float holds it
        return -given
    found = given * factor
    return int(found) if isinstance(given, int) and math.isfinite(found) else found


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a tree of tables and lists."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, each in items:
        yield (*path, key)
        yield from places(each, (*path, key))


def spoil(rng: Random, tree: dict[str, Any]) -> None:
    """Change one place of a tree."""
    all_places = list(places(tree))
    if not all_places:
        tree[rng.choice(WORDS) or "key"] = value(rng)
        return
    *above, last = rng.choice(all_places)
    parent: Any = tree
    for key in above:
        parent = parent[key]
    kind = rng.randrange(-12, 12)
    if kind < 5 and not isinstance(parent[last], (dict, list)):
        parent[last] = scaled(rng, parent[last])
    elif kind < 8:
        parent[last] = value(rng)
    elif kind == 8:
        del parent[last]
    elif kind == 9 and isinstance(parent, dict):
        parent[rng.choice([*WORDS[7:20], f"{last}s", f"{last}".upper(), "layers", "image", "depth"])] = value(rng)
    elif kind == 10 and isinstance(parent, list):
        parent.insert(last, parent[last])
    elif kind == 11:
        parent[last] = [parent[last]] * rng.choice([1, 2, 3, 8])
    else:
        parent[last] = {str(last): parent[last]}


# fmt: off
GARBAGE = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r\n", b"\r", b"\n\n", b"[", b"]", b'"', b"=", b"[[", b"#", b"\xc3\x28",
    b"e", b"-", b".", b",", b";", b"\t", b"nan", b"NaN", b"inf", b"1e999", b"\x1a", "é".encode(), "−1".encode(),
    b"9" * 400,
)
# fmt: on


def spoil_bytes(rng: Random, data: bytes) -> bytes:
    """Damage bytes: cut, flipped, lost, doubled, or garbage in between."""
    if not data:
        return rng.choice(GARBAGE)
    at, kind = rng.randrange(len(data)), rng.randrange(7)
    if kind == 0:
        return data[:at]
    if kind == 1:
        return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
    if kind == 2:
        return data[:at] + data[at + rng.randint(1, 20) :]
    if kind == 3:
        return data[:at] + rng.choice(GARBAGE) + data[at:]
    lines = data.splitlines(keepends=True)
    line = rng.randrange(len(lines))
    if kind == 4:
        return b"".join(lines[:line] + lines[line + 1 :])
    if kind == 5:
        return b"".join([*lines[: line + 1], *lines[line:]])
    other = rng.randrange(len(lines))
    lines[line], lines[other] = lines[other], lines[line]
    return b"".join(lines)


def toml(tree: dict[str, Any]) -> str:
    """The tree as TOML, whatever its values are: what tomli_w cannot write stands there as text."""
    return "\n".join(f"{_key(key)} = {_toml(each)}" for key, each in tree.items()) + "\n"


def _toml(each: Any) -> str:
    if isinstance(each, bool):
        return str(each).lower()
    if isinstance(each, (int, float)):
        return repr(each)
    if isinstance(each, dict):
        return "{" + ", ".join(f"{_key(key)} = {_toml(inner)}" for key, inner in each.items()) + "}"
    if isinstance(each, (list, tuple)):
        return "[" + ", ".join(_toml(inner) for inner in each) + "]"
    return _quoted(str(each))


def _key(key: Any) -> str:
    return _quoted(str(key))


def _quoted(text: str) -> str:
    escaped = "".join(f"\\u{ord(c):04x}" if ord(c) < 32 or c in '"\\\x7f' else c for c in text)
    return f'"{escaped}"'
