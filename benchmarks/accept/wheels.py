"""Both distributions as their users install them: one tunes, the other, without a compiler, calls."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.accept.claim import Claim, Values, Verdict, bare
from benchmarks.accept.daemon import REPO, environment


def installed(folder: Path) -> dict[str, Any]:
    """The script's exit status and its last line; it works in this very folder."""
    del folder
    variables = environment() | {"PYTHON": os.environ.get("PYTHON", sys.executable)}
    done = subprocess.run(
        ["sh", str(REPO / ".ci/wheels")],
        capture_output=True,
        text=True,
        env=variables,
        check=False,
    )
    words = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines() or ["no word"]
    return {"status": done.returncode, "says": words[-1]}


def verdict(values: Values) -> Verdict:
    found = values["installed"]
    return Verdict(found["says"], "tuned by one wheel, called by the other", found["status"] == 0)


FULL = Claim("wheels", {"installed": installed}, verdict, bare)
