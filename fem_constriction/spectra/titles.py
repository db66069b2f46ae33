"""Titles of columns, as instruments and other programs write them: "-Z'' / kOhm" is the imaginary part, times -1000 ohm.

A column that is ours is taken with its sign and its unit, or refused; a unit is never dropped.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from fem_constriction.errors import InputError, short
from fem_constriction.spectra.numerals import cleaned

_NAMES: Final = {  # of columns, in lower case and without unit, sign, blanks, points and underscores
    "f": ("f", "freq", "frequency", "frequencies", "frequenz", "fréquence", "frecuencia", "частота", "频率", "周波数"),
    "omega": ("omega", "ω", "w", "angularfrequency", "angularfreq", "kreisfrequenz"),
    "re": (
        *(
            "re",
            "re(z)",
            "re[z]",
            "rez",
            "real",
            "real(z)",
            "realz",
            "realpart",
            "z'",
            "zre",
            "zreal",
            "z(re)",
            "z(real)",
            "zr",
        ),
        *(
            "z(re)",
            "z(real)",
            "zr",
            "zprime",
            "zdash",
            "z1",
            "impedancereal",
            "realimpedance",
            "realteil",
            "partieréelle",
            "实部",
        ),
    ),
    "im": (
        *("im", "im(z)", "im[z]", "imz", "imag", "imagz", "imaginary", "imag(z)", "imaginary(z)", "imaginarypart", "z''", 'z"'),
        *("zim", "zimag", "zimg", "zimaginary", "z(im)", "z(imag)", "zi", "zj", "z2", "zdoubleprime", "zprimeprime", "zdprime"),
        *("zdashdash", "zdoubledash", "impedanceimaginary", "impedanceimag", "imaginaryimpedance"),
        *("imaginärteil", "partieimaginaire", "虚部"),
    ),
    "modulus": (
        *(
            "|z|",
            "z",
            "zmod",
            "zmodulus",
            "modulus",
            "module",
            "mod(z)",
            "zabs",
            "absz",
            "abs(z)",
            "mag",
            "magnitude",
            "mag(z)",
        ),
        *("zmag", "zmagnitude", "impedance", "|impedance|", "impedancemagnitude", "impedancemodulus", "betrag", "impedanz"),
    ),
    "phase": (
        *("phase", "phase(z)", "zphase", "phasez", "phz", "zphz", "phaseangle", "angle", "angle(z)", "arg", "arg(z)"),
        *("theta", "θ", "phi", "φ", "impedancephase", "phasenwinkel", "zangle", "ztheta", "thetaz"),
    ),
    "u": ("u(z)",),
}
_LESSER: Final[dict[str, str]] = dict.fromkeys(("r", "rs", "resistance", "re(zwece)", "zs'"), "re") | dict.fromkeys(
    ("x", "xs", "reactance", "im(zwece)", "zs''"), "im"
)  # where none is better; EC-Lab writes Re(Zwe-ce) where the counter electrode is the reference
_KINDS: Final = {name: kind for kind, names in _NAMES.items() for name in names}
_SIGNED: Final = ("re", "im", "phase")
#: SI unit of each kind of column, as messages call it.
UNITS: Final = {"f": "Hz", "omega": "rad/s", "re": "ohm", "im": "ohm", "modulus": "ohm", "phase": "deg", "u": "ohm"}

_KNOWN: Final = r"[pnuµμmkKMG]?(?:Hz|Ohms?|Ω|deg)|rad(?:/s)?"
_TITLE: Final = re.compile(
    rf"(-?)\s*(.*?)\s*(?:/\s*(.+)|\[(?!z\])([^\]]+)\]|\(((?!re\b|im|z\)|real|abs|mod)[^()]+(?:\([^()]*\)[^()]*)?)\)|[\s_,]+(?:in\s+)?({_KNOWN}))?",
    re.IGNORECASE,
)
_NEGATIVE: Final = re.compile(r"neg(?:ative)?\b[\s._]*(.+)|(zdash)neg", re.IGNORECASE)  # "neg. Phase", PSTrace's "Zdashneg"
_PREFIXED: Final = re.compile(r"([pnuµμmkKMGT]|)(hz|ohms?|ω|v/a)", re.IGNORECASE)  # of a capital ohm sign ω is the small letter
_PREFIXES: Final = {"": 0, "p": -12, "n": -9, "u": -6, "µ": -6, "μ": -6, "m": -3, "k": 3, "K": 3, "M": 6, "G": 9, "T": 12}
_PLAIN: Final[dict[str, dict[str, float]]] = {
    "f": dict.fromkeys(("1/s", "s-1", "s^-1"), 1.0)
    | dict.fromkeys(("rad/s", "rads-1", "rad*s-1", "rads^-1"), 1 / (2 * math.pi)),
    "omega": dict.fromkeys(("1/s", "s-1", "s^-1", "rad/s", "rads-1", "rad*s-1", "rads^-1"), 1 / (2 * math.pi)),
    "phase": {"mrad": 1e-3 * 180 / math.pi}
    | dict.fromkeys(("deg", "degs", "degree", "degrees", "°", "º", "o"), 1.0)
    | dict.fromkeys(("rad", "radian", "radians"), 180 / math.pi),
}


class Column(NamedTuple):
    """What a column is ("" if nothing of ours), the factor to Hz, ohm or degrees (negative: -Z''), whether it has a unit."""

    kind: str
    factor: float = 1.0
    unit: bool = False


def layout(titles: Sequence[str], where: str) -> list[Column] | None:
    """Return what the columns with these titles are, None if they are no spectrum's.

    A spectrum's have a frequency (or angular frequency), and Re(Z) with Im(Z) or |Z| with the phase, once each. Raises
    InputError, which begins with `where`, for a unit or a sign that is not allowed.
    """
    split = [_split(title) for title in titles]
    better = {"re", "im", "modulus"} & {kind for kind, _, _ in split}
    split = [(_LESSER[k[:-1]] * (not better) if k.endswith("?") else k, sign, unit) for k, sign, unit in split]
    kinds = [kind for kind, _, _ in split]
    wanted = {"f" if "f" in kinds else "omega"}
    wanted |= {"re", "im"} if {"re", "im"} <= set(kinds) else {"modulus", "phase"}
    if not wanted <= set(kinds):
        return None
    wanted.add("u")
    used = [kind for kind in kinds if kind in wanted]
    if len(used) != len(set(used)):
        return None
    found = []
    for title, (kind, sign, unit) in zip(titles, split, strict=True):
        if kind not in wanted:
            found.append(Column(""))
            continue
        if sign < 0 and kind not in _SIGNED:
            raise InputError(f"{short(title)} has a minus, which only the parts of Z and its phase may have", file=where)
        default = 1 / (2 * math.pi) if kind == "omega" else 1.0
        factor = default if not unit else scale(kind, unit)
        if factor is None:
            allowed = "deg or rad" if kind == "phase" else f"{UNITS[kind]} or a multiple"
            raise InputError(f"the unit of {short(title)} must be {allowed}", file=where)
        found.append(Column(kind, sign * factor, bool(unit)))
    return found


def scale(kind: str, unit: str) -> float | None:
    """Return the factor from a unit to Hz, ohm or degrees, None if it is none of theirs: "kHz" -> 1000, "rad/s" -> 1/(2 pi)."""
    plain = re.sub(r"[\s]", "", cleaned(unit)).replace("\N{MIDDLE DOT}", "*").replace("\N{DOT OPERATOR}", "*")
    if plain.lower() in _PLAIN.get(kind, {}):
        return _PLAIN[kind][plain.lower()]
    match = _PREFIXED.fullmatch(plain)
    if match is None or plain == "mhz" or kind == "phase":  # mhz: milli or mega
        return None
    prefix, name = match.groups()
    if (name.lower() == "hz") != (kind == "f") or kind == "omega":
        return None
    return float(f"1e{_PREFIXES[prefix if prefix in _PREFIXES else prefix.lower()]}")


def _split(title: str) -> tuple[str, float, str]:
    """Kind, sign and unit of a title."""
    plain = cleaned(title).replace("\N{RIGHT DOUBLE QUOTATION MARK}", '"').replace("\N{DOUBLE PRIME}", "''")
    match = _TITLE.fullmatch(plain)
    sign, name, *units = match.groups("") if match else ("", plain)
    if word := _NEGATIVE.fullmatch(name):
        sign, name = "-", word[1] or "Z''"
    name = re.sub(r"[\s_.-]", "", name).lower()
    kind = _KINDS.get(name, "") or f"{name}?" * (name in _LESSER)
    unit = "".join(units).strip("()[] ")
    if unit.lower() in ("a", "b") and kind in ("re", "im"):  # ZView writes Z'(a) and Z''(b)
        unit = ""
    return kind, -1.0 if sign else 1.0, unit
