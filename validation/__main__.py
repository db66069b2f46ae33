"""`python -m validation`: the command line."""

import sys

from fem_constriction.distribution import run

if __name__ == "__main__":
    sys.exit(run())
