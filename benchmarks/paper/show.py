"""The rows as text: a line a case, then the geometric means of each operator and of all."""

from __future__ import annotations

from collections.abc import Sequence

from ansord.cli import talk
from benchmarks.paper.rows import Row, by_operator, geometric

TIMES = ("ansord", "eager", "onednn")
RATIOS = ("eager", "onednn", "best", "ansor", "metaschedule")
HEAD = ("CASE", "SHAPE", *(f"{who.upper()} µs" for who in TIMES), *(f"TO {who.upper()}" for who in RATIOS))
SHARES = ("OF PEAK", "OF BOUND", "BOUND", "BEST PEER'S")


def table(rows: Sequence[Row]) -> str:
    """Both tables. BOUND is the roof that is the lower one, a level of memory or the multiply-adds; OF
    BOUND is ansord's share of it, and the better peer's stands last."""
    means = [
        (name, len(some), *(geometric(row.get(f"to_{who}") for row in some) for who in RATIOS))
        for name, some in by_operator(rows).items()
    ]
    whole = talk.table((*HEAD, *SHARES), [cells(row) for row in rows])
    return f"{whole}\n\n{talk.table(('MEAN OF', 'CASES', *HEAD[-len(RATIOS) :]), means)}\n\n{roofs(rows)}"


def cells(row: Row) -> tuple[object, ...]:
    return (
        row["case"],
        "×".join(map(str, row["shape"])),
        *(row.get(f"{who}_us") for who in TIMES),
        *(row.get(f"to_{who}") for who in RATIOS),
        talk.percent(row.get("peak_share")),
        talk.percent(row.get("bound_share")),
        "peak" if row["bound"] == "compute" else row["level"],
        talk.percent(row.get("best_bound_share")),
    )


def roofs(rows: Sequence[Row]) -> str:
    """The measured ones, one line."""
    levels = {row["level"]: row["bandwidth_gbs"] for row in rows}
    words = [f"{name} {rate:.0f} GB/s" for name, rate in levels.items()]
    peak = max((row["peak_gflops"] for row in rows), default=0.0)
    return f"measured in this run: {', '.join([f'peak {peak:.0f} GFLOP/s', *words])}"


def line(row: Row) -> str:
    """One row while the bench goes on."""
    times = ", ".join(f"{who} {row[f'{who}_us']:.1f} µs" for who in row["ways"])
    why = "".join(f"; {who}: {word}" for who, word in row["none"].items())
    return f"{row['case']}: {times}, {row['turns']} turns{why}"
