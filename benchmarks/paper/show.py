"""The rows as text."""

from __future__ import annotations

from collections.abc import Sequence

from ansord.cli import talk
from benchmarks.paper.rows import Row, geometric

HEAD = (
    "CASE",
    "ANSORD",
    "EAGER",
    "ONEDNN",
    "TO EAGER",
    "TO ONEDNN",
    "TO BEST",
    "OF PEAK",
    "OF BOUND",
    "BOUND",
    "PEERS'",
)


def table(rows: Sequence[Row]) -> str:
    """A line a case; of the roof named by BOUND, ansord has OF BOUND, the better peer the last."""
    body = [cells(row) for row in rows]
    body.append(
        (
            "all",
            None,
            None,
            None,
            *(geometric(row.get(f"to_{who}") for row in rows) for who in ("eager", "onednn", "best")),
        )
    )
    return talk.table(HEAD, [[*line, *[None] * (len(HEAD) - len(line))] for line in body])


def cells(row: Row) -> tuple[object, ...]:
    return (
        row["case"],
        *(row.get(f"{who}_us") for who in ("ansord", "eager", "onednn")),
        *(row.get(f"to_{who}") for who in ("eager", "onednn", "best")),
        talk.percent(row.get("peak_share")),
        talk.percent(row.get("bound_share")),
        row["bound"] if row["bound"] == "compute" else row["level"],
        talk.percent(row.get("best_bound_share")),
    )


def line(row: Row) -> str:
    """One row while the bench goes on."""
    times = ", ".join(
        f"{who} {row[f'{who}_us']:.1f} µs" for who in ("ansord", "eager", "onednn") if f"{who}_us" in row
    )
    why = "".join(f"; {who}: {word}" for who, word in row["none"].items())
    return f"{row['case']}: {times}, {row['turns']} turns{why}"
