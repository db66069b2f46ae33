r"""A booktabs table per family of grids: errors and observed orders of every quantity, level by level.

The tables go into a document with \usepackage{booktabs}; `document` is one that compiles by itself.
"""

from __future__ import annotations

import math
import re
from typing import Final

from validation.convergence.families import Costs, Solved
from validation.convergence.findings import Findings
from validation.convergence.series import Series
from validation.convergence.tables import judged

_SPECIAL: Final = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "µ": "u", "±": r"$\pm$",
    "–": "--", "−": "--", "Ω": r"$\Omega$",
}  # fmt: skip
_NAMES: Final = {
    "Z": "$Z$", "R_DC": r"$R_\mathrm{DC}$", "R_Cstr": r"$R_\mathrm{Cstr}$", "C_Cstr": r"$C_\mathrm{Cstr}$",
    "tau": r"$\tau_\mathrm{Cstr}$",
}  # fmt: skip


def document(result: Findings) -> str:
    """Return all tables in a document that compiles by itself."""
    head = "\\documentclass{article}\n\\usepackage[a4paper,landscape,margin=20mm]{geometry}\n\\usepackage{booktabs}\n"
    tables = "\n".join(table(result, solved) for solved in result.families)
    return f"{head}\\begin{{document}}\n{tables}\\end{{document}}\n"


def table(result: Findings, solved: Solved | Costs) -> str:
    """Return one family's table: unknowns, step, error and order of every quantity, seconds, memory."""
    series = [each for each in judged(result) if each.solved.name == solved.name]
    groups = " & ".join(rf"\multicolumn{{2}}{{c}}{{{_NAMES[each.quantity]}}}" for each in series)
    rules = " ".join(rf"\cmidrule(lr){{{4 + 2 * n}-{5 + 2 * n}}}" for n in range(len(series)))
    heads = " & ".join(["level & unknowns & $h$ / m", *["error & order"] * len(series), "time / s & memory / MB"])
    rows = []
    for level, unknowns in enumerate(solved.unknowns):
        cells = [str(level), f"{unknowns}", _power(float(solved.step[level]))]
        for each in series:
            mark = r"$^{*}$" if each.below[level] else ""
            observed = each.order[level]
            cells += [_power(float(each.error[level])) + mark, "--" if not math.isfinite(observed) else f"{observed:.2f}"]
        cells += [f"{solved.seconds[level]:.2f}", f"{solved.memory[level] / 1e6:.0f}"]
        rows.append(" & ".join(cells) + r" \\")
    body = "\n".join(rows)
    columns = "rrr" + "rr" * len(series) + "rr"
    title = escaped(result.cell.title or "Cell")
    expected = " & ".join(rf"\multicolumn{{2}}{{c}}{{{_expected(each)}}}" for each in series)
    return (
        "\\begin{table}\n\\centering\\small\\setlength{\\tabcolsep}{4pt}\n"
        f"\\caption{{{title}: {escaped(solved.name)}. Errors relative to the limit of {escaped(result.reference)}; "
        f"$^{{*}}$ below its uncertainty. {_reasons(series)}}}\n"
        f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n & & & {groups} & & \\\\\n{rules}\n{heads} \\\\\n\\midrule\n{body}\n"
        f"\\midrule\n\\multicolumn{{3}}{{l}}{{expected order}} & {expected} & & \\\\\n"
        "\\bottomrule\n\\end{tabular}\n\\end{table}\n"
    )


def escaped(text: str) -> str:
    """Return a text with LaTeX's special characters escaped."""
    return "".join(_SPECIAL.get(letter, letter) for letter in text)


def _reasons(series: list[Series]) -> str:
    each = dict.fromkeys(re.sub(r";.*", "", item.expected.reason) for item in series)
    return " ".join(f"{escaped(reason[0].upper() + reason[1:])}." for reason in each)


def _expected(series: Series) -> str:
    return "exact" if series.expected.order is None else f"{series.expected.order:g}"


def _power(value: float) -> str:
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "--"
    mantissa, exponent = f"{value:.1e}".split("e")
    return rf"${mantissa}\times10^{{{int(exponent)}}}$"
