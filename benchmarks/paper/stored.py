"""TVM's searches as they did once: Ansor 0.19 and MetaSchedule 0.27, 128 trials each, on a two-core machine.

Kept in units of the FMA peak measured when they ran, so that another machine, or another clock, can put its
own peak in; for tasks bound by memory that is a guess.
"""

from __future__ import annotations

PEAK_GFLOPS = 500.0
"""Both cores, float32: it was 480 to 520 over the day."""

SEARCHES = ("ansor", "metaschedule")

MICROSECONDS: dict[str, tuple[float, float]] = {
    "c1d_3_b1": (135, 98),
    "c2d_3_b1": (615, 498),
    "gmm_2_b1": (42.5, 36.9),
    "gmm_3_b1": (721, 642),
    "dep_2_b1": (48.4, 29.1),
    "t2d_2_b1": (460, 263),
    "cap_2_b1": (247, 172),
    "nrm_3_b1": (39.6, 37.9),
    "cbr_2_b1": (281, 279),
    "tbg_1_b1": (115, 126),
}
"""Case to the latency of each of `SEARCHES`."""


def latencies(case: str, peak_gflops: float) -> dict[str, float]:
    """Microseconds at today's peak, by search; empty for a case that was not run."""
    scale = PEAK_GFLOPS / peak_gflops
    return {
        search: found * scale for search, found in zip(SEARCHES, MICROSECONDS.get(case, ()), strict=False)
    }
