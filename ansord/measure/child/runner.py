"""The runner: loads candidates, checks them, times them. Forked and ended by the keeper.

Its orders: check, burst, rest, race, peak. Whatever a candidate does to this process is the keeper's to
report; what a candidate computes is reported here.
"""

from __future__ import annotations

import math
import os
import socket
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from .frames import Gone, receive, send
from .native import Object, Unloadable, ffi, libc
from .sampling import Sampler, ThisProcess, undisturbed
from .task import FIRST, REST, WHOLE, Candidate, Kernel, Task

FINISHED = 70  # the exit status of a runner that ends by its own will
SPREAD_NS = 20_000_000
PULSE_S, PULSES = 0.3e-3, 3
HEALTHY = 0.8  # of the best pulse seen: clocks drift by a few hundredths, a shared core takes four tenths
KEPT = 64
LAST, LAST_S = 12, 0.3
COLD_BYTES = 1 << 30
MOST_SETS = 1 << 14  # of small ones: each is an array of its own
MOST_PACKED = 64  # sets of packed constants: laying them out takes time
TURN_S = 0.1  # of calls with all sets in turn: a sample is no shorter (25 ms by 64 made a race of minutes)

TRIES = 4
"""A disturbed sample of a block is taken again: all of its samples must be clean, and there may be many."""
Order = dict[str, Any]
Call = Callable[[int], float]
"""So many calls of a kernel; the seconds that they took."""


class Bench:
    """What one runner holds: the harness, the task at hand, the candidate that is being timed."""

    def __init__(self) -> None:
        self.counters = ThisProcess()
        self.harness: Any = None
        self.task: Task | None = None
        self.kernel: Kernel | None = None
        self.warm_call: Call | None = None
        """The kernel on operands that stay in the caches, laid out while nobody has to stand still."""
        self.sampler: Sampler | None = None
        self.pulse = 0.0
        self.threads = 1

    def settle(self, order: Order) -> None:
        """Load the harness once, and let every thread find a core of its own."""
        if self.harness is None:
            self.harness = Object(order["harness"]).lib
            self.threads = order["threads"]
            if self.threads > 1:
                self.harness.ansord_spread(self.threads, SPREAD_NS)
        self.pulse = order["pulse"]

    def healthy(self) -> bool:
        """Whether the machine computes as fast as it is known to. What the counters explain is no illness."""
        for _ in range(PULSES):
            before = self.counters.counters()
            found = float(self.harness.ansord_pulse(self.threads, PULSE_S))
            self.pulse = max(self.pulse, found)
            if found >= HEALTHY * self.pulse:
                return True
            if undisturbed(before, self.counters.counters(), PULSE_S):
                return False
        return True

    def the_task(self, directory: str) -> Task:
        if self.task is None or self.task.directory != Path(directory):
            self.kernel = self.warm_call = self.sampler = self.task = None  # free the old one's memory first
            self.task = Task(Path(directory))
        return self.task

    def check(self, order: Order) -> Order:
        """{"wrong": why, or empty, "took_s": the length of one call with cold caches, roughly}; not "whole":
        on normal inputs alone."""
        self.kernel = self.warm_call = self.sampler = None
        task = self.the_task(order["task"])
        start = time.monotonic()
        kernel = Kernel(Candidate(**order["candidate"]))
        wrong = task.check(kernel, self.harness, WHOLE if order["whole"] else FIRST)
        if not wrong:
            self.kernel, self.warm_call = kernel, self.calls(task, kernel, 1)
        return {"wrong": wrong, "took_s": time.monotonic() - start}

    def rest(self, order: Order) -> Order:
        """What is left of the check of the candidate that was checked last: {"wrong": why, or empty}."""
        task, kernel = self.checked()
        return {"wrong": task.check(kernel, self.harness, REST)}

    def checked(self) -> tuple[Task, Kernel]:
        if self.task is None or self.kernel is None:
            raise RuntimeError("no candidate was checked")
        return self.task, self.kernel

    def burst(self, order: Order) -> Order:
        """Go on timing the candidate that was checked last; {"done": bool, samples ...}."""
        task, kernel = self.checked()
        if self.sampler is None:
            self.sampler = self.start(task, kernel, order)
        sampler = self.sampler
        done = sampler.burst(order["burst_s"])
        if not done and not order["last"]:
            return {"done": False, "pulse": self.pulse}
        # The least of a few disturbed samples is near the truth; one or two may be ten times too long.
        end = time.monotonic() + LAST_S
        while len(sampler.accepted) < 2 and len(sampler.rejected) < LAST and time.monotonic() < end:
            sampler.burst(order["burst_s"], whatever=True)
        while not sampler.accepted and not sampler.rejected:
            sampler.sample()
        return {
            "done": True,
            "wrong": task.still_right(),
            "accepted": thin(sampler.accepted),
            "rejected": thin(sampler.rejected),
            "thrown": len(sampler.rejected),
            "enough": done,
            "pulse": self.pulse,
        }

    def start(self, task: Task, kernel: Kernel, order: Order) -> Sampler:
        sets = self.sets(task, kernel, order, self.warm_call or partial(self.called, task, kernel))
        warm = self.warm_call if sets == 1 else None
        sampler = self.sampler_of(warm or self.calls(task, kernel, sets), sets)
        sampler.best = order["best"] or math.inf
        return sampler

    @staticmethod
    def sets(task: Task, kernel: Kernel, order: Order, call: Call) -> int:
        """How many sets of operands take turns: one, or for cold ones so many that twice the last cache lies
        between two uses of one; at least two, within memory and time. `call`: with one set. What a kernel too
        slow for many sets reads from memory is little beside what it computes."""
        if not order["cold"]:
            return 1
        size = task.renewed(kernel.candidate)
        wanted = math.ceil(2 * int(order["cache_bytes"]) / size) + 1
        most = min(COLD_BYTES // size, MOST_PACKED if kernel.pack else MOST_SETS)
        if min(wanted, most) > 2:
            most = min(most, int(TURN_S / call(1)))
        return max(2, min(wanted, most))

    def calls(self, task: Task, kernel: Kernel, sets: int) -> Call:
        args, packed, scratch = task.operands(kernel, sets)

        def call(n: int) -> float:
            took = self.harness.ansord_time(kernel.run, args, packed, sets, scratch, n)
            if took < 0:
                raise Unloadable("ansord_run reported an error while it was timed")
            return max(1, int(took)) * 1e-9

        return call

    def called(self, task: Task, kernel: Kernel, n: int) -> float:
        """So many calls with one set of operands, laid out for them."""
        return self.calls(task, kernel, 1)(n)

    def sampler_of(self, call: Call, sets: int) -> Sampler:
        here = self.counters
        sampler = Sampler(call, here.counters, here.disturbance, time.monotonic, healthy=self.healthy)
        sampler.multiple = sets
        return sampler

    def race(self, order: Order) -> Order:
        """Blocks of kernels known to be right, each there and back (A B B A): {"logs": for each block the log
        of every kernel's time over the last one's, ...}."""
        task = self.the_task(order["task"])
        kernels = [Kernel(Candidate(**one)) for one in order["candidates"]]
        counts = [self.sets(task, one, order, partial(self.called, task, one)) for one in kernels]
        field = [
            self.sampler_of(self.calls(task, kernel, sets), sets)
            for kernel, sets in zip(kernels, counts, strict=True)
        ]
        end = time.monotonic() + order["seconds"]
        for sampler in field:
            while not sampler.warm:
                sampler.warm_up(end)
        logs: list[list[float]] = []
        disturbed: list[list[float]] = []
        while len(logs) < order["blocks"]:
            before = self.counters.disturbance()
            values, clean = [0.0] * len(field), True
            for place in (*range(len(field)), *reversed(range(len(field)))):
                if not order["cold"]:
                    field[place].call(1)  # what the others have driven from the caches comes back
                clean = field[place].sample_again(TRIES) and clean
                values[place] += 0.5 * math.log(field[place].latest)
            clean = clean and before == self.counters.disturbance() and self.healthy()
            (logs if clean else disturbed).append([value - values[-1] for value in values])
            if time.monotonic() > end:
                break
        wrong = task.still_right()
        return {"logs": logs, "disturbed": disturbed, "wrong": wrong, "pulse": self.pulse}

    def peak(self, order: Order) -> Order:
        """Run the cases of the peak object in turn, `rounds` times: {"best": the highest of each}."""
        lib = Object(order["object"]).lib
        names = [ffi.string(lib.ansord_peak_name(i)).decode() for i in range(lib.ansord_peak_cases())]
        best: list[float] = [0.0] * len(order["tries"])
        for _ in range(order["rounds"]):
            for i, (name, threads, size) in enumerate(order["tries"]):
                found = lib.ansord_peak(names.index(name), threads, size, order["seconds"])
                best[i] = max(best[i], float(found))
        return {"best": best, "names": names}


def thin(samples: list[float]) -> list[float]:
    """At most KEPT of them, spread evenly over the sorted ones: quantiles stay what they are."""
    if len(samples) <= KEPT:
        return samples
    ranked = sorted(samples)
    return [ranked[i * (len(ranked) - 1) // (KEPT - 1)] for i in range(KEPT)]


def serve(sock: socket.socket) -> None:
    """Obey until the keeper closes the socket."""
    bench = Bench()
    orders: dict[str, Callable[[Order], Order]] = {
        "check": bench.check,
        "burst": bench.burst,
        "rest": bench.rest,
        "race": bench.race,
        "peak": bench.peak,
    }
    me = os.getpid()
    while True:
        try:
            order = receive(sock)
        except Gone:
            return
        try:
            bench.settle(order)
            answer = orders[order["op"]](order)
        except Unloadable as error:
            answer = {"done": True, "wrong": str(error)}
        except Exception:
            answer = {"bug": traceback.format_exc()}
        if os.getpid() != me:
            os._exit(FINISHED)  # a kernel forked, and this is the copy
        libc.fflush(ffi.NULL)
        try:
            send(sock, {**answer, "nonce": order["nonce"]})
        except Gone:
            return
