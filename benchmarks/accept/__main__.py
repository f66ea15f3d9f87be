"""The runner: `python -m benchmarks.accept [NAME ...] [--fresh]`. One line per claim; 1 if any falls short.

An interrupted run goes on where it was, unless the sources changed; a finished one starts anew."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from benchmarks.accept.claim import REPO, Claim, Notes, Verdict, judge, sources
from benchmarks.accept.table import CLAIMS

HOME = REPO / ".accept"


def tell(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


def run(claim: Claim[Path], digest: str, fresh: bool) -> Verdict | None:
    """One claim; None where a step raised: what was done until then is kept for the next run."""
    folder, notes_path = HOME / claim.name, HOME / f"{claim.name}.json"
    if fresh:
        notes_path.unlink(missing_ok=True)
    notes = Notes(notes_path, digest)
    if not notes.values:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return judge(claim, folder, notes, tell)
    except Exception:
        traceback.print_exc()
        return None


def line(name: str, verdict: Verdict | None, seconds: float) -> str:
    took = f"{seconds:.0f} s"
    if verdict is None:
        return f"{name:10} short  {took:>6}  it failed; its words are above"
    word = "ok" if verdict.ok else "short"
    return f"{name:10} {word:5}  {took:>6}  {verdict.figure}; wanted: {verdict.wanted}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accept", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(CLAIMS)} (all)")
    parser.add_argument("--fresh", action="store_true", help="forget what an interrupted run has done")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in CLAIMS]:
        parser.error(f"no such claim: {', '.join(unknown)}; there are {', '.join(CLAIMS)}")
    HOME.mkdir(exist_ok=True)
    with open(HOME / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            parser.error(f"another run is at work in {HOME}")
        os.set_inheritable(lock.fileno(), False)
        try:
            verdicts = go(options.names or list(CLAIMS), options.fresh)
        except KeyboardInterrupt:
            tell("interrupted; the same command goes on from here")
            return 130
    return 0 if all(verdict is not None and verdict.ok for verdict in verdicts) else 1


def go(names: Sequence[str], fresh: bool) -> list[Verdict | None]:
    digest = sources()
    verdicts: dict[str, Verdict | None] = {}
    for name in names:
        started = time.monotonic()
        verdicts[name] = run(CLAIMS[name], digest, fresh)
        print(line(name, verdicts[name], time.monotonic() - started), flush=True)
    for name, verdict in verdicts.items():
        if verdict is not None:
            (HOME / f"{name}.json").unlink(missing_ok=True)
    return list(verdicts.values())


if __name__ == "__main__":
    sys.exit(main())
