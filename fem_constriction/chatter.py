"""What libraries say while they work, in logs and warnings, is not for a user: `fem_constriction.errors` has what is.

For the processes of commands and their workers. A library that imports this one keeps its own logging and its own filters.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from fem_constriction import errors

#: The warnings that are for users.
OURS: Final = tuple(each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Warning))


@contextmanager
def ours_alone(say: Callable[[str], None]) -> Iterator[None]:
    """Hand our own warnings to `say`, each once; nothing else is said, neither as a warning nor in a log."""
    said: set[str] = set()

    def show(message: Warning | str, *rest: Any, **more: Any) -> None:
        if isinstance(message, OURS) and str(message) not in said:  # a library may undo the filters
            said.add(str(message))
            say(str(message))

    handler = logging.NullHandler()  # without any, warnings of loggers are printed
    logging.getLogger().addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for each in OURS:
                warnings.simplefilter("always", each)
            warnings.showwarning = show
            yield
    finally:
        logging.getLogger().removeHandler(handler)


def silence() -> None:
    """In a worker, whose driver has said it all: neither warnings nor logs."""
    logging.getLogger().addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
