"""Outcomes -> a table in the terminal, a record for JSON, a page of Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from validation.gate.run import BACKENDS
from validation.paper.claims.base import FAILS, HOLDS, OPEN, DecidedClaim, Finding
from validation.paper.claims.notes import Note
from validation.show.tables import table

_VERDICTS: Final = (HOLDS, FAILS, OPEN)
_STYLES: Final = {HOLDS: "green", FAILS: "bold red", OPEN: "yellow"}


def counts(outcomes: Sequence[DecidedClaim]) -> dict[str, int]:
    """Return how many claims hold, fail and are not decided."""
    return {verdict: sum(outcome.verdict == verdict for outcome in outcomes) for verdict in _VERDICTS}


def record(outcomes: Sequence[DecidedClaim], notes: Sequence[Note], *, quick: bool) -> dict[str, Any]:
    """Return everything as JSON can hold it."""
    return {
        "quick": quick,
        "counts": counts(outcomes),
        "claims": [_claim(outcome) for outcome in outcomes],
        "notes": [
            {"label": note.label, "statement": note.statement, "evidence": note.evidence, "claims": list(note.claims)}
            for note in notes
        ],
    }


def _claim(outcome: DecidedClaim) -> dict[str, Any]:
    claim = outcome.claim
    return {
        "number": claim.number,
        "figure": claim.figure,
        "title": claim.title,
        "statement": claim.statement,
        "tolerance": claim.tolerance,
        "reason": claim.reason,
        "result": outcome.verdict,
        "backends": {
            name: {
                "result": found.verdict,
                "number": found.number,
                "uncertainty": found.uncertainty,
                "unit": found.unit,
                "evidence": found.evidence,
            }
            for name, found in outcome.findings.items()
        },
    }


def overview(outcomes: Sequence[DecidedClaim], notes: Sequence[Note]) -> Group:
    """Return a line per claim with both backends' numbers, the evidence of what does not hold, and the notes."""
    rows = [
        (
            str(outcome.claim.number),
            outcome.claim.figure,
            outcome.claim.title,
            *(outcome.findings[name].text() for name in BACKENDS),
            outcome.verdict,
        )
        for outcome in outcomes
    ]
    made = table("Claims of Eckhardt et al. 2022", ("", "figure", "claim", *BACKENDS, "result"), rows, left=3)
    parts: list[RenderableType] = [made, Text(_counted(outcomes), style="bold")]
    for outcome in outcomes:
        if outcome.verdict != HOLDS:
            text = f"{outcome.claim.number}, {outcome.verdict}: {outcome.claim.statement} {outcome.evidence}"
            parts.append(Text(text, style=_STYLES[outcome.verdict]))
    if notes:
        labels = [(note.label, f"{_joined(note)}.") for note in notes]
        parts.append(table("What looks inconsistent in the paper", ("", ""), labels, left=2))
    return Group(*parts)


def _counted(outcomes: Sequence[DecidedClaim]) -> str:
    return ", ".join(f"{count} {verdict if count == 1 else _many(verdict)}" for verdict, count in counts(outcomes).items())


def _many(verdict: str) -> str:
    return {HOLDS: "hold", FAILS: "fail"}.get(verdict, verdict)


def page(outcomes: Sequence[DecidedClaim], notes: Sequence[Note], command: str) -> str:
    """Return the claims as Markdown: what was found, the table, each claim's tolerance and evidence, the notes.

    command: what wrote it.
    """
    lines = [
        "# The paper's claims, checked",
        "",
        f"Written by `{command}`. Each claim of Eckhardt et al. 2022 (doi 10.1021/acsami.2c12991) is checked on what",
        f"each backend says by itself; it holds or fails where both say so: {_counted(outcomes)}. Numbers carry their",
        "discretisation uncertainty where it shows; R_Cstr, C_Cstr and tau_Cstr are the fitted ones unless called geometric.",
        "",
        f"| | figure | claim | {' | '.join(BACKENDS)} | result |",
        f"| --- | --- | --- | {'--- | ' * len(BACKENDS)}--- |",
    ]
    for outcome in outcomes:
        claim = outcome.claim
        numbers = " | ".join(_cell(outcome.findings[name]) for name in BACKENDS)
        result = outcome.verdict if outcome.verdict == HOLDS else f"**{outcome.verdict}**"
        lines.append(f"| {claim.number} | {claim.figure} | {_plain(claim.title)} | {numbers} | {result} |")
    lines += ["", "## Each claim", ""]
    for outcome in outcomes:
        claim = outcome.claim
        lines += [
            f"**{claim.number}. {claim.title}** ({outcome.verdict}). {claim.statement}",
            f"Tolerance: {claim.tolerance}. {claim.reason}",
            f"Found: {outcome.evidence}.",
            "",
        ]
    lines += ["## What looks inconsistent in the paper", ""]
    lines += [f"- {note.label}. {_joined(note)}.{_bearing(note)}" for note in notes]
    return "\n".join(lines) + "\n"


def _cell(found: Finding) -> str:
    if found.number is None or not found.uncertainty:
        return _plain(found.text())
    return _plain(f"{found.number:.4g} ± {found.uncertainty:.1g} {found.unit}")


def _plain(text: str) -> str:
    return text.strip().replace("|", "\\|")


def _joined(note: Note) -> str:
    return f"{note.statement.rstrip('.')}: {note.evidence}"


def _bearing(note: Note) -> str:
    return f" (Claims {', '.join(map(str, note.claims))}.)" if note.claims else ""
