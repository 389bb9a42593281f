"""`python -m tests.attacks table`: the list of attacks for the documentation."""

import sys

from tests.attacks.catalog import table

if sys.argv[1:] != ["table"]:
    sys.exit("Usage: python -m tests.attacks table")
print(table())
