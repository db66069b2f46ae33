"""`python -m validation`: the command line."""

import sys

from fem_constriction.__main__ import run

if __name__ == "__main__":
    sys.exit(run())
