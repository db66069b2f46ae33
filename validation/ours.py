"""The `network` that python finds is ours, or nothing here can be imported: a sentence, no ImportError from somewhere below.

Imported before anything else of this package.
"""

import sys

from fem_constriction.distribution import check, check_or_leave

if sys.argv[:1] == ["-m"]:  # `python -m validation` imports the package before there is a command to say it
    check_or_leave(("network",))
else:
    check(("network",))
