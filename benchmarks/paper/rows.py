"""From samples to rows: medians, ratios by turn, shares of the roofs, geometric means."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.paper.cases import Case
from benchmarks.paper.measure import Findings
from benchmarks.paper.stored import SEARCHES, latencies

Row = dict[str, Any]


def row(case: Case, found: Findings) -> Row:
    """Plain JSON. `*_us`: medians; `to_*`: the median over turns of a peer's time over ansord's, above 1
    where ansord is faster; `to_best`: over the faster of eager and onednn in each turn. `stored`: whose
    figures are those of `stored.py`."""
    flops, moved = case.subgraph.flops, case.moved
    peak, bandwidth = found.roofs["float32"], max(found.roofs["read"], found.roofs["copy"])
    least = {"compute": flops / peak, "memory": moved / bandwidth}
    bound = max(least, key=lambda kind: least[kind])
    medians = {peer: statistics.median(samples) for peer, samples in found.samples.items()}
    made: Row = {
        "case": case.name,
        "operator": case.operator,
        "number": case.number,
        "batch": case.batch,
        "shape": list(case.shape),
        "flops": flops,
        "bytes": moved,
        "level": found.level,
        "bound": bound,
        "bound_us": least[bound] * 1e6,
        "peak_gflops": peak / 1e9,
        "bandwidth_gbs": bandwidth / 1e9,
        "turns": max(map(len, found.samples.values()), default=0),
        "noisy": found.noisy,
        **{f"{peer}_us": seconds * 1e6 for peer, seconds in medians.items()},
        **{f"{peer}_bound_share": least[bound] / seconds for peer, seconds in medians.items()},
        "ways": found.way,
        "none": found.none,
        "stored": [search for search in SEARCHES if search not in medians],
    }
    rivals = [samples for peer, samples in found.samples.items() if peer in ("eager", "onednn")]
    best = [min(turn) for turn in zip(*rivals, strict=True)]
    if best:
        made["best_us"] = statistics.median(best) * 1e6
        made["best_bound_share"] = least[bound] * 1e6 / made["best_us"]
    if mine := found.samples.get("ansord"):
        made["peak_share"] = flops / medians["ansord"] / peak
        made["bound_share"] = made["ansord_bound_share"]
        for peer, samples in [*found.samples.items(), ("best", best)]:
            if samples and peer != "ansord":
                made[f"to_{peer}"] = statistics.median(
                    theirs / ours for theirs, ours in zip(samples, mine, strict=True)
                )
    for search, micro in latencies(case.name, peak / 1e9).items():
        made.setdefault(f"{search}_us", micro)
        if mine:
            made.setdefault(f"to_{search}", micro / made["ansord_us"])
    return made


def by_operator(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """In the order of the table, and last all of them as `all`."""
    found: dict[str, list[Row]] = {}
    for one in rows:
        found.setdefault(one["operator"], []).append(one)
    return {**found, "all": list(rows)}


def geometric(values: Iterable[float | None]) -> float | None:
    """The mean of those that there are."""
    found = [value for value in values if value is not None]
    return statistics.geometric_mean(found) if found else None
