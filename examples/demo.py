"""What `make demo` shows: a daemon, eight drops, what came out, and a call whose answer is checked.

It uses ansord as anybody would: command line, files in a directory, client. All it writes is in .demo/.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.table import Table

import ansord_client as client
from ansord.daemon import read_status
from ansord_client.compare import inputs

REPO = Path(__file__).resolve().parent.parent
HOME = REPO / ".demo"
PLACES = {name: HOME / name for name in ("inbox", "cache", "state")}
EXAMPLES = (
    "resnet50_residual",
    "mobilenetv2_depthwise",
    "bert_ffn",
    "paper/c1d_3",
    "paper/t2d_2",
    "paper/cap_2",
    "paper/tbg_1",
    "paper/nrm_3",
)
TUNING = {"trials": 96, "seconds": 10}
"""For the example of each file: enough to see the search at work, short enough to watch."""


def ansord(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ansord", *arguments]


@contextlib.contextmanager
def daemon() -> Iterator[subprocess.Popen[bytes]]:
    """A daemon on fresh directories; one that an interrupted demo left behind is ended first."""
    old = status()
    if old is not None:
        os.kill(int(old["pid"]), signal.SIGTERM)
        while status() is not None:
            time.sleep(0.1)
    for path in PLACES.values():
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    with open(HOME / "daemon.log", "wb") as log:
        flags = [word for name, path in PLACES.items() for word in (f"--{name}", str(path))]
        process = subprocess.Popen(ansord("serve", *flags), stderr=log, stdout=log, start_new_session=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def status() -> dict[str, Any] | None:
    """What `ansord status --json` prints; None while no daemon lives."""
    return read_status(PLACES["state"])


def subgraphs() -> dict[str, client.Subgraph]:
    """The examples by the name that they are dropped under, with the demo's budget."""
    found = {}
    for name in EXAMPLES:
        text = json.loads((REPO / "examples" / f"{name}.json").read_text())
        found[Path(name).name] = client.Subgraph.from_dict({**text, "tuning": TUNING})
    return found


def drop_all(tasks: dict[str, client.Subgraph]) -> None:
    """As any program would: a file appears in the inbox whole."""
    for name, sg in tasks.items():
        temporary = PLACES["inbox"] / f".{name}.tmp"
        temporary.write_text(json.dumps(sg.to_dict()))
        temporary.rename(PLACES["inbox"] / f"{name}.json")


def results(tasks: dict[str, client.Subgraph]) -> dict[str, dict[str, Any]]:
    """What the daemon has settled so far. Ends the demo if it failed one."""
    found = {}
    for name in tasks:
        error, result = (
            PLACES["inbox"] / folder / f"{name}.{kind}.json"
            for folder, kind in (("failed", "error"), ("done", "result"))
        )
        if error.exists():
            sys.exit(f"demo: {name} failed: {error.read_text()}")
        if result.exists():
            found[name] = json.loads(result.read_text())
    return found


def watch(
    tasks: dict[str, client.Subgraph], process: subprocess.Popen[bytes], console: Console
) -> dict[str, Any]:
    """Shows the daemon's progress until every drop has its result."""
    told: dict[str, str] = {}
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while len(done := results(tasks)) < len(tasks):
            if process.poll() is not None:
                sys.exit(f"demo: the daemon ended; its words are in {HOME / 'daemon.log'}")
            now = {task["name"]: task for task in (status() or {"tasks": []})["tasks"]}
            if console.is_terminal:
                live.update(progress(tasks, now, done), refresh=True)
            else:
                tell(tasks, now, done, told, console)
            time.sleep(0.5)
    tell(tasks, {}, done, told, console)
    return done


def state_of(sg: client.Subgraph, now: dict[str, Any], result: dict[str, Any] | None) -> tuple[str, str]:
    if result:
        return f"{result['trials']}", f"{result['latency_us']:.1f} µs, done"
    task = now.get(sg.name)
    if not task or not task["trials"]:
        return "", "waiting"
    return f"{task['trials']}", f"{task['latency_us']:.1f} µs" if task["latency_us"] else "searching"


def progress(tasks: dict[str, client.Subgraph], now: dict[str, Any], done: dict[str, Any]) -> Table:
    table = Table("task", "trials", "best so far", box=None, pad_edge=False)
    for name, sg in tasks.items():
        table.add_row(name, *state_of(sg, now, done.get(name)))
    return table


def tell(
    tasks: dict[str, client.Subgraph], now: Any, done: Any, told: dict[str, str], console: Console
) -> None:
    """Without a terminal: a line where something ended."""
    for name, sg in tasks.items():
        trials, says = state_of(sg, now, done.get(name))
        if says.endswith("done") and told.get(name) != says:
            console.print(f"  {name}: {says} after {trials} trials")
            told[name] = says


def best_of(call: Any, repeats: int = 3) -> float:
    """Seconds of the fastest of a few calls."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return min(times)


def final_table(tasks: dict[str, client.Subgraph], done: dict[str, Any], console: Console) -> None:
    table = Table("task", box=None, pad_edge=False)
    for head in ("latency", "GFLOP/s", "share of", "", "NumPy", "times faster"):
        table.add_column(head, justify="left" if head == "" else "right")
    for name, sg in tasks.items():
        result, arrays = done[name], inputs(sg, 0, "normal")
        numpy_us = best_of(lambda sg=sg, arrays=arrays: client.reference(sg, *arrays)) * 1e6
        of = "bandwidth" if result["bound"] == "memory" else "peak"
        table.add_row(
            name,
            f"{result['latency_us']:.1f} µs",
            f"{result['gflops']:.1f}",
            f"{result['share_of_bound'] * 100:.0f}%",
            of,
            f"{numpy_us:.0f} µs",
            f"{numpy_us / result['latency_us']:.1f}",
        )
    console.print(table)


def checked_call(sg: client.Subgraph, console: Console) -> None:
    """A program that runs a model would do just this."""
    kernel = client.Client(cache=PLACES["cache"]).get_kernel(sg)
    arrays = inputs(sg, 1, "normal")
    got, wanted = kernel(*arrays), client.reference(sg, *arrays)
    error = float(np.max(np.abs(got - wanted)) / np.max(np.abs(wanted)))
    console.print(f"client: {sg.name} called, largest error against NumPy {error:.1e} of the largest value")
    if not error < 1e-4:
        sys.exit("demo: the kernel's answer differs from NumPy's")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--started", type=float, default=time.time())
    options = parser.parse_args()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    tasks = subgraphs()
    console.print(f"{len(tasks)} subgraphs, at most {TUNING['seconds']} s of search each")
    try:
        with daemon() as process:
            drop_all(tasks)
            done = watch(tasks, process, console)
            console.print()
            final_table(tasks, done, console)
            console.print()
            checked_call(tasks["resnet50_residual"], console)
    except KeyboardInterrupt:
        sys.exit("demo: interrupted; the daemon has been told to stop")
    seconds = time.time() - options.started
    console.print(
        f"\nAll in {seconds:.0f} s. The kernels are in .demo/cache, what was said in .demo/daemon.log."
    )
    console.print("Look inside one: .demo/venv/bin/ansord show examples/bert_ffn.json")
    console.print("Tune your own:   .demo/venv/bin/ansord tune yours.json --cache .demo/cache")


if __name__ == "__main__":
    main()
