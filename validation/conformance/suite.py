"""Every check, one after another, on one backend: passed, failed, declared as beyond it, or not for its kind.

The order is from cheap to dear. A check that a backend declares itself unable of is run all the same where that is done by the
check's own name: if it passes, the declaration is noted as needless.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fem_constriction.errors import InputError
from fem_constriction.solving.backends import Backend, NoData, SpectrumBackend, any_backend
from fem_constriction.solving.capabilities import KINDS
from validation.conformance import comparisons, contract, families, laws, limits, matrices
from validation.conformance.cells import CELLS, FEATURES
from validation.conformance.exceptions import BrokenContractError, DoesNotApplyError
from validation.conformance.outcome import Check, Outcome, Status
from validation.conformance.subject import Subject

CHECKS: tuple[Check, ...] = (
    *contract.CHECKS[:2],
    *matrices.CHECKS,
    *contract.CHECKS[2:],
    *laws.CHECKS,
    *limits.CHECKS,
    *families.CHECKS,
    *comparisons.CHECKS,
)


@dataclass(frozen=True)
class ConformanceVerdict:
    """What the suite says of one backend. It passed if no check failed and at least one passed.

    Parameters
    ----------
    backend
        Its name.
    bound
        Whether its Z at real s > 0 is a "lower" or "upper" bound, None if neither.
    outcomes
        Of the checks, in their order.
    """

    backend: str
    bound: str | None
    outcomes: tuple[Outcome, ...]

    @property
    def passed(self) -> bool:
        """Whether no check failed, and something was checked."""
        return not self.of("failed") and bool(self.of("passed"))

    def of(self, status: Status) -> list[Outcome]:
        """Return the outcomes of one status.

        Parameters
        ----------
        status
            Of `Outcome`.

        Returns
        -------
        list of Outcome
            In the order of the checks.
        """
        return [outcome for outcome in self.outcomes if outcome.status == status]

    def summary(self) -> str:
        """Return the whole in one sentence."""
        kinds: tuple[Status, ...] = ("passed", "failed", "declared", "does not apply")
        counts = ", ".join(f"{len(self.of(kind))} {kind}" for kind in kinds if self.of(kind))
        side = "bounds from neither side" if self.bound is None else f"bounds from the {self.bound} side"
        return f"{self.backend} ({side}): {'conforms' if self.passed else 'does not conform'} ({counts})"

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            "backend": self.backend,
            "bound": self.bound,
            "passed": self.passed,
            "summary": self.summary(),
            "checks": [outcome.as_dict() for outcome in self.outcomes],
        }


def chosen(quick: bool = False, only: Sequence[str] = ()) -> list[Check]:
    """Return the checks of the quick or of the full suite, or those of some names. Raises InputError for an unknown name."""
    known = {check.name: check for check in CHECKS}
    for name in only:
        if name not in known:
            raise InputError(key="check", value=name, allowed=f"the checks are {', '.join(known)}")
    return [known[name] for name in only] or [check for check in CHECKS if check.quick or not quick]


def check_declarations(subject: Subject) -> None:
    """Raise InputError for a declaration that names no check, no cell and no feature of cells."""
    allowed = {*(check.name for check in CHECKS), *CELLS, *FEATURES, *(kind.name for kind in KINDS)}
    for what in subject.unable:
        if what not in allowed:
            raise InputError(
                file=subject.name,
                key="unable",
                value=what,
                allowed="the name of a check, of a cell of the suite, of a kind of cell, or one of "
                f"{', '.join(sorted(FEATURES))}",
            )


def judge(check: Check, subject: Subject) -> Outcome:
    """Return the outcome of one check; whatever the backend raises is a failure, but `NoData`."""
    start = time.perf_counter()
    if check.needs == "matrices" and subject.assembling is None:
        return Outcome(check, "does not apply", detail="it hands over no grids and no matrices")
    if check.needs == "bound" and subject.backend.bound is None:
        return Outcome(check, "does not apply", detail="it bounds from neither side")
    for cell in check.cells:
        if reason := subject.refusal(cell):
            return Outcome(check, "declared", detail=reason)
    outcome = _run(check, subject)
    if check.name in subject.unable:
        note = "passes all the same" if outcome.status == "passed" else outcome.detail
        outcome = Outcome(check, "declared", outcome.measured, outcome.allowed, subject.unable[check.name], note)
    return replace(outcome, seconds=time.perf_counter() - start)


def _run(check: Check, subject: Subject) -> Outcome:
    try:
        found = check.run(subject)
    except NoData as error:
        return Outcome(check, "declared", detail=str(error))
    except DoesNotApplyError as error:
        return Outcome(check, "does not apply", detail=str(error))
    except BrokenContractError as error:
        return Outcome(check, "failed", detail=str(error))
    except Exception as error:  # anyone's code
        return Outcome(check, "failed", detail=f"raised {type(error).__name__}: {error}")
    return Outcome(check, "passed" if found.passed else "failed", found.measured, found.allowed, found.detail)


def outcomes(
    backend: str | Backend | SpectrumBackend | Subject, *, quick: bool = False, only: Sequence[str] = ()
) -> Iterator[Outcome]:
    """Yield the outcomes one by one, cheap checks first.

    Parameters
    ----------
    backend
        The name of an installed one, or the backend itself.
    quick
        Cheap checks alone.
    only
        Names of checks; left out: all.

    Yields
    ------
    Outcome
        Of each check.

    Raises
    ------
    InputError
        For unknown names.
    """
    subject = backend if isinstance(backend, Subject) else Subject(any_backend(backend))
    check_declarations(subject)
    for check in chosen(quick, only):
        yield judge(check, subject)


def conform(
    backend: str | Backend | SpectrumBackend | Subject,
    *,
    quick: bool = False,
    only: Sequence[str] = (),
    progress: Callable[[int], None] | None = None,
) -> ConformanceVerdict:
    """Return what the suite says of a backend, or what some checks of it do.

    Parameters
    ----------
    backend
        The name of an installed one, or the backend itself.
    quick
        Cheap checks alone.
    only
        Names of checks; left out: all.
    progress
        Called with how many checks are done, after each.

    Returns
    -------
    ConformanceVerdict
        Passed or not, with the outcome of every check.

    Raises
    ------
    InputError
        For unknown names.
    """
    subject = backend if isinstance(backend, Subject) else Subject(any_backend(backend))
    found = []
    for outcome in outcomes(subject, quick=quick, only=only):
        found.append(outcome)
        if progress is not None:
            progress(len(found))
    return ConformanceVerdict(subject.name, subject.backend.bound, tuple(found))
