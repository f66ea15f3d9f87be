"""What the commands that take an ONNX model share: its options, its plan, and what the cache knows of it."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansord.cli.exits import Usage
from ansord.cli.talk import latency, percent, table
from ansord_client.host import host
from ansord_client.lookup import Cache, find
from ansord_client.models import Plan, Survey, load_plan, survey

if TYPE_CHECKING:
    from ansord.daemon import Settings


def add_dim(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dim", action="append", default=[], metavar="NAME=N", help="a number for a model's named dimension"
    )


def dims_of(options: argparse.Namespace) -> dict[str, int]:
    """Raises Usage for what is no NAME=N."""
    dims = {}
    for text in options.dim:
        name, _, number = text.rpartition("=")
        if not name or not number.isdecimal() or int(number) < 1:
            raise Usage(f"--dim {text}: wanted NAME=N with N from 1, as in --dim batch=1")
        dims[name] = int(number)
    return dims


def plan_of(path: Path, options: argparse.Namespace) -> Plan:
    """The plan of a model, which is not trusted. Raises BadModel, OSError."""
    return load_plan(path, dims_of(options))


def surveyed(plan: Plan, settings: Settings) -> Survey:
    """With the latencies of the kernels that the cache has now; those of other hosts cover nothing."""
    cache, here = Cache(settings.cache, settings.user), host().with_threads(settings.threads)
    latencies, degraded = {}, set()
    for task in plan.tasks:
        hit = find([cache], task.subgraph.key, here).hit
        if hit is not None:
            latencies[task.subgraph.key] = hit.entry.latency_us
            if hit.degraded:
                degraded.add(task.subgraph.key)
    return survey(plan, latencies, degraded)


def summary(plan: Plan, found: Survey) -> dict[str, Any]:
    """For --json."""
    return {
        "model": plan.name,
        "latency_us": found.latency_us,
        "coverage": found.coverage,
        "flops": found.flops,
        "tasks": [
            {
                "name": one.name,
                "key": None if isinstance(one.what, str) else one.what.subgraph.key,
                "count": one.count,
                "flops": one.flops,
                "share_of_flops": one.flops / max(found.flops, 1),
                "latency_us": one.latency_us,
                "share_of_latency": one.latency_us / found.latency_us,
                "state": one.state,
            }
            for one in found.shares
        ],
    }


def coverage_table(plan: Plan, found: Survey) -> str:
    """The same for people, the longest first."""
    rows = summary(plan, found)["tasks"]
    ordered: Iterable[dict[str, Any]] = sorted(rows, key=lambda row: -row["latency_us"])
    return table(
        ("TASK", "KEY", "RUNS", "LATENCY", "OF TIME", "OF FLOPS", "STATE"),
        [
            (
                row["name"],
                (row["key"] or "-")[:12],
                row["count"],
                latency(row["latency_us"]),
                percent(row["share_of_latency"]),
                percent(row["share_of_flops"]),
                row["state"],
            )
            for row in ordered
        ],
    )


def headline(plan: Plan, found: Survey) -> str:
    """One line."""
    tuned = sum(one.tuned for one in found.shares)
    return (
        f"{plan.name}: {latency(found.latency_us)} estimated, {percent(found.coverage)} of it covered, "
        f"{tuned} of {len(plan.tasks)} tasks have kernels"
    )
