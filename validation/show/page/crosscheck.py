"""crosscheck.html: verdict, constriction, spectra, agreement, grids, the cell, and how to make it again, of one cross-check."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from fem_constriction.api import provenance
from fem_constriction.fitting.values import Value
from fem_constriction.pictures.words import signed, written
from fem_constriction.spectra.frequencies import parse_frequencies
from validation.gate.result import Result
from validation.show.page.plotted import plot
from validation.show.page.sections import Code, Folded, Heading, Paragraph, Section, Table, Verdict
from validation.show.page.tables import from_terminal, numbers
from validation.show.pictures.agreement import agreement
from validation.show.pictures.grids import convergence, curves_of, work_precision
from validation.show.pictures.plane import bode, nyquist
from validation.show.report import crosscheck_report


def crosscheck_sections(result: Result, options: Sequence[str] = ()) -> list[Section]:
    """Return what the page of a cross-check shows; options: of the command line, beyond what the result knows itself."""
    tables = from_terminal(crosscheck_report(result))
    evidence = [each for each in tables if isinstance(each, Table) and each.caption == "Agreement"]
    grids = [each for each in tables if isinstance(each, Table) and each.caption.startswith("Grids")]
    extracted = [each for each in tables if each not in [*evidence, *grids]]
    if result.refusal is not None:
        extracted.insert(0, Paragraph(signed(result.refusal[0].upper() + result.refusal[1:] + ".")))
    return [
        _verdict(result),
        Heading("Constriction"),
        *extracted,
        Heading("Spectrum"),
        plot(nyquist(result)),
        plot(bode(result)),
        Heading("Agreement"),
        *evidence,
        plot(agreement(result)),
        Folded(summary=f"All {result.agreement.frequency.size} frequencies as numbers", sections=[numbers(result)]),
        Heading("Grids"),
        *grids,
        plot(convergence(result)),
        plot(work_precision(curves_of(result), "Z, the largest over frequency, to the limit of the family")),
        Heading("Cell"),
        Folded(summary="The cell file, in SI", sections=[Code(text=result.cell.dumps())]),
        Heading("How to make it again"),
        Code(text=command(result, options), caption="Save the cell file above as cell.toml, then:"),
        _versions(result),
    ]


def command(result: Result, options: Sequence[str] = ()) -> str:
    """Return the command line that computes this result again from `cell.toml`."""
    parts = ["fem-constriction crosscheck cell.toml"]
    parts.append(f"--backends {','.join(result.families)}")
    parts.append(f"--frequencies {_frequencies(result.agreement.frequency)}")
    parts.append(f"--tolerance {_short(result.agreement.tolerance)}")
    if result.agreement.discs is None and not any(option.startswith("--accuracy") for option in options):
        parts.append("--no-discs")
    return " ".join([*parts, *options])


def _frequencies(frequency: NDArray[np.float64]) -> str:
    values = frequency.tolist()
    short = f"{_short(values[0])}:{_short(values[-1])}:{len(values)}"
    if len(values) > 1 and np.array_equal(parse_frequencies(short), frequency):
        return short
    return ",".join(map(_short, values))


def _short(value: float) -> str:
    """The shortest text that is this number."""
    return min((f"{value:g}", repr(value)), key=lambda text: (float(text) != value, len(text)))


def _verdict(result: Result) -> Verdict:
    found = result.agreement
    sentence = f"{found.summary()}."
    state: str = found.verdict
    if result.refusal is not None and state == "agree":
        state, sentence = "unresolved", f"{sentence} But {result.refusal}."
    values = []
    constriction = None if result.extraction is None else result.extraction.constriction
    if constriction is not None and constriction.R.value:
        shown = {"R_Cstr, fitted": constriction.R, "C_Cstr, fitted": constriction.C, "tau_Cstr, fitted": constriction.tau}
        values += [(name, written(value.value, value.unit), _contributions(value)) for name, value in shown.items()]
    if result.geometric is not None and result.extraction is not None:
        known, less = written(result.geometric.uncertainty, "ohm", 1), f"R_DC({result.geometric.reference})"
        spread = f"\N{PLUS-MINUS SIGN} {known}, R_DC(3D) \N{MINUS SIGN} {less}"
        values.append(("R_Cstr, geometric", written(result.geometric.value, "ohm"), spread))
    return Verdict(state=state, sentence=signed(sentence[0].upper() + sentence[1:]), values=values)


def _contributions(value: Value) -> str:
    parts = {"discretisation": value.discretisation, "model": value.model, "nominal": value.nominal}
    size = abs(value.value or 1.0)
    return ", ".join(f"{name} {'unknown' if part is None else f'{100 * part / size:.2g} %'}" for name, part in parts.items())


def _versions(result: Result) -> Table:
    known = provenance(result.cell)["versions"] | {"python": platform.python_version()}
    known |= {name: version(name) for name in ("plotly",)}
    return Table(caption="Versions", columns=("package", "version"), rows=list(known.items()), left=2)
