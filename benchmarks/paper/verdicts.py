"""The rows against what is promised: who is behind and why, and the worst shares and ratios."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from benchmarks.paper.rows import Row
from benchmarks.paper.stored import SEARCHES

LEAST, LEAST_AT_PEAK, AT_PEAK = 0.95, 0.85, 0.95
"""The least ratio to the better peer; and that where the peer is above so much of the measured peak."""


def verdicts(rows: Sequence[Row]) -> str:
    """A line for each case behind the better of eager and onednn, the furthest first; then the shares."""
    behind = [row for row in rows if row.get("to_best", 1.0) < 1]
    behind.sort(key=lambda row: float(row["to_best"]))
    lines = [f"behind: {row['case']} {row['to_best']:.2f}, {_reason(row)}" for row in behind]
    lines.append(f"behind in {len(behind)} of {len(rows)}, too far in {sum(map(_too_far, behind))}")
    shares = sorted(row["peak_share"] for row in rows if row["bound"] == "compute" and "peak_share" in row)
    if shares:
        tenth = shares[len(shares) // 10]
        middle = statistics.median(shares)
        lines.append(f"of the peak, compute-bound: median {middle:.0%}, worst tenth {tenth:.0%}")
    memory = [row for row in rows if row["bound"] == "memory"]
    least = _least(memory, "bound_share", ".0%")
    lines += [f"of the bandwidth, memory-bound: least {line}" for line in least]
    for search in SEARCHES:
        lines += [f"to {search}: least {line}" for line in _least(rows, f"to_{search}", ".2f")]
    return "\n".join(lines)


def _reason(row: Row) -> str:
    """What the peer leaves: the nearer it is to the roof, the less there was to gain."""
    roof = "peak" if row["bound"] == "compute" else f"bandwidth of {row['level']}"
    too_far = " (too far)" if _too_far(row) else ""
    return f"the peer at {row['best_bound_share']:.0%} of the {roof}{too_far}"


def _too_far(row: Row) -> bool:
    at_peak = row["bound"] == "compute" and row["best_bound_share"] > AT_PEAK
    return bool(row["to_best"] < (LEAST_AT_PEAK if at_peak else LEAST))


def _least(rows: Sequence[Row], field: str, form: str) -> Iterator[str]:
    """The case with the least, if any has the field."""
    found = [(row[field], row["case"]) for row in rows if field in row]
    if found:
        value, case = min(found)
        yield f"{value:{form}} ({case})"
