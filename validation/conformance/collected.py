"""One test per check, collected by pytest where `BackendConformance` is imported and a fixture `backend` is there."""

from __future__ import annotations

import warnings
from typing import ClassVar

import pytest

from fem_constriction.solving.backends import Backend, SpectrumBackend
from validation.conformance.outcome import Check
from validation.conformance.subject import Subject
from validation.conformance.suite import CHECKS, check_declarations, judge


class DeclaredWarning(UserWarning):
    """A check that the backend declares as beyond it: shown at the end of every run of pytest."""


_SUBJECTS: dict[int, Subject] = {}


def _subject(backend: Backend | SpectrumBackend) -> Subject:
    """The subject of a backend, kept as long as pytest runs: a fixture that returns one object has every cell solved once."""
    known = _SUBJECTS.get(id(backend))
    if known is None or known.backend is not backend:
        known = _SUBJECTS[id(backend)] = Subject(backend)
    return known


class BackendConformance:
    """Every check as a test. The fixture `backend` gives the backend: one object for all tests, or each solves anew."""

    __test__: ClassVar[bool] = True

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
    def test_conforms(self, check: Check, backend: Backend | SpectrumBackend) -> None:
        """The check passes, or it is declared, with a warning, or it does not apply."""
        outcome = judge(check, _subject(backend))
        if outcome.status == "failed":
            told = f": {outcome.measured}, allowed {outcome.allowed} ({check.reason})" if outcome.measured else ""
            pytest.fail(f"{check.name}, {check.statement}{told}; {outcome.detail}", pytrace=False)
        if outcome.status == "declared":
            note = f" ({outcome.note})" if outcome.note else ""
            warnings.warn(DeclaredWarning(f"{check.name} is declared as unable: {outcome.detail}{note}"), stacklevel=1)
        if outcome.status != "passed":
            pytest.skip(f"{outcome.status}: {outcome.detail}")

    def test_every_declaration_names_something(self, backend: Backend | SpectrumBackend) -> None:
        """A declaration that names nothing hides nothing."""
        check_declarations(_subject(backend))
