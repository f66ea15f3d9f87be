"""`python -m ansord`: the command line, for an interpreter that has no `ansord` script beside it."""

from __future__ import annotations

import sys

from ansord.cli import main

if __name__ == "__main__":
    sys.exit(main())
