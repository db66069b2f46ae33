"""verdict = holds, fails or not decided: what a claim of the paper is, and how the numbers of a backend decide it.

A number decides by its own uncertainty: it is above a bound if it stays there with its uncertainty taken off, below it if it
stays there with it added, and decides nothing in between. Both backends must say the same; otherwise nothing is decided.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from fem_constriction.errors import ConstrictionError
from validation.gate.run import BACKENDS
from validation.paper.claims.backend_view import Context, Side
from validation.paper.claims.measured import Measured, Undecided

Decision = Literal["holds", "fails", "not decided"]
HOLDS: Final = "holds"
FAILS: Final = "fails"
OPEN: Final = "not decided"
_GRAVITY: Final = {HOLDS: 0, OPEN: 1, FAILS: 2}


@dataclass(frozen=True)
class Finding:
    """What one backend shows: the number that decides, its uncertainty, and the evidence in words."""

    verdict: Decision
    number: float | None
    unit: str
    evidence: str
    uncertainty: float = 0.0

    def text(self) -> str:
        """The number as a table shows it: "0.213 %"."""
        if self.number is None:
            return "-"
        return f"{self.number:.4g} {self.unit}".strip()


def at_most(found: Measured, bound: float, unit: str, evidence: str) -> Finding:
    """Return whether a number is at most `bound`, with its uncertainty."""
    verdict: Decision = OPEN
    if found.value + found.uncertainty <= bound:
        verdict = HOLDS
    elif found.value - found.uncertainty > bound:
        verdict = FAILS
    return Finding(verdict, found.value, unit, evidence, found.uncertainty)


def at_least(found: Measured, bound: float, unit: str, evidence: str) -> Finding:
    """Return whether a number is at least `bound`, with its uncertainty."""
    mirrored = at_most(Measured(-found.value, found.uncertainty), -bound, unit, evidence)
    return Finding(mirrored.verdict, found.value, unit, evidence, found.uncertainty)


def above(found: Measured, bound: float, unit: str, evidence: str) -> Finding:
    """Return whether a number exceeds `bound`: equality fails."""
    return at_least(found, math.nextafter(bound, math.inf), unit, evidence)


def every(*findings: Finding) -> Finding:
    """Return the gravest of several findings, the first of equals, with the evidence of all."""
    gravest = max(findings, key=lambda each: _GRAVITY[each.verdict])
    evidence = "; ".join(each.evidence for each in findings)
    return Finding(gravest.verdict, gravest.number, gravest.unit, evidence, gravest.uncertainty)


def worst(findings: Iterable[Finding], excess: Callable[[Finding], float] = lambda each: each.number or 0.0) -> Finding:
    """Return the gravest finding of a series, the one with the largest `excess` of equals, with its own evidence alone."""
    return max(findings, key=lambda each: (_GRAVITY[each.verdict], excess(each)))


Check = Callable[[Side], Finding]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement of the paper as a check: what is observed, what is expected, how closely, and why so closely.

    number: of the list of claims; figure: where the paper makes it; needs: series it reads; check: Side -> Finding.
    """

    number: int
    figure: str
    title: str
    statement: str
    tolerance: str
    reason: str
    needs: tuple[str, ...]
    check: Check


@dataclass(frozen=True)
class DecidedClaim:
    """A claim, decided: what each backend shows, and what they show together."""

    claim: Claim
    findings: Mapping[str, Finding]

    @property
    def verdict(self) -> Decision:
        """What both backends say; "not decided" where they do not say the same."""
        verdicts = {finding.verdict for finding in self.findings.values()}
        return verdicts.pop() if len(verdicts) == 1 else OPEN

    @property
    def evidence(self) -> str:
        """The evidence, once if the backends' is the same in words."""
        texts = {name: finding.evidence for name, finding in self.findings.items()}
        if len(set(texts.values())) == 1:
            return next(iter(texts.values()))
        return "; ".join(f"{name}: {text}" for name, text in texts.items())


REGISTRY: Final[dict[int, Claim]] = {}


def claim(
    number: int, figure: str, title: str, *, statement: str, tolerance: str, reason: str, needs: tuple[str, ...] = ()
) -> Callable[[Check], Check]:
    """Register a check as the claim of that number; ValueError for a number that is taken."""

    def registered(check: Check) -> Check:
        if number in REGISTRY:
            raise ValueError(f"claim {number} is registered twice")
        REGISTRY[number] = Claim(
            number=number,
            figure=figure,
            title=title,
            statement=statement,
            tolerance=tolerance,
            reason=reason,
            needs=needs,
            check=check,
        )
        return check

    return registered


def decide(asked: Claim, context: Context) -> DecidedClaim:
    """Return what both backends say of a claim; data that are missing or not resolved decide nothing, and say why."""
    findings: dict[str, Finding] = {}
    for name in BACKENDS:
        try:
            findings[name] = asked.check(context.side(name))
        except Undecided as error:
            findings[name] = Finding(OPEN, None, "", str(error))
        except ConstrictionError as error:
            findings[name] = Finding(OPEN, None, "", f"a computation failed: {error}")
    return DecidedClaim(asked, findings)
