"""The kernels in the cache, of every host that published there."""

from __future__ import annotations

import argparse
import time

from ansord.cli.exits import OK
from ansord.cli.places import add_json, add_places, settings_of
from ansord.cli.talk import duration, latency, percent, say, show, show_json, table


def arguments(parser: argparse.ArgumentParser) -> None:
    add_places(parser, "cache")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    from ansord_client.lookup import Cache

    settings = settings_of(options)
    faults: list[str] = []
    entries = list(Cache(settings.cache, settings.user).entries(faults))
    for fault in faults:
        say(f"ansord: {fault}")
    if options.json:
        names = [str(entry.provenance.get("name", "")) for entry in entries]
        summaries = [entry.summary(name) for entry, name in zip(entries, names, strict=True)]
        show_json({"cache": str(settings.cache), "entries": summaries, "faults": faults})
        return OK
    now = time.time()
    show(
        table(
            (
                "KEY",
                "NAME",
                "HOST",
                "LATENCY",
                "GFLOP/S",
                "OF BOUND",
                "BOUND",
                "TRIALS",
                "FAILED",
                "AGE",
                "NOTE",
            ),
            [
                (
                    entry.key[:12],
                    entry.provenance.get("name", ""),
                    entry.host_key,
                    latency(entry.latency_us),
                    entry.gflops,
                    percent(entry.share_of_bound),
                    entry.bound,
                    entry.trials,
                    entry.failed_trials,
                    duration(max(0.0, now - entry.finished)),
                    " ".join(word for word in ("noisy", "relaxed") if getattr(entry, word)),
                )
                for entry in entries
            ],
        )
    )
    return OK
