"""Taking time: warm up, choose how many calls make a sample, keep the samples that nothing disturbed.

Runs in the runner; clock and counters are arguments, so that the rules are tested without a machine.
A sample is `calls` calls between two reads of the clock in C; its value is seconds per call.
"""

from __future__ import annotations

import math
import os
import resource
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

SAMPLE_S = 1e-3  # one sample lasts 0.5 to 2 ms: long against the clock, short against the scheduler
SHORTEST_S, LONGEST_S = 0.5e-3, 2e-3
WARM_S, WARM_MOST_S = 3e-3, 100e-3
WANTED, FEWEST = 8, 3
LONG_S = 20e-3  # a call as long as this needs no warming
SPENT_S = 0.25  # a kernel so slow that WANTED samples would take longer gets fewer, down to FEWEST
# How many are enough once so much time went into rejected samples: more waiting buys little.
ENOUGH = ((0.15, WANTED), (0.5, WANTED // 2), (math.inf, 2))
HOPELESS = ((2, 2.0), (3, 1.3))  # after so many samples, a kernel so many times slower than the best is done,
LONG_HOPELESS = ((1, 2.0), (2, 1.3))  # and where each lasts LONG_S
DELAY_SHARE = 0.01  # of a sample that its threads may have waited for a core
SWITCH_S = 0.01  # a sample as long as this may lose a core once: whether that cost anything the delay tells
DELAY_S = 5e-6


@dataclass(frozen=True, slots=True)
class Counters:
    """What grows when somebody else used the machine; cheap enough to read around every sample."""

    switches: int = 0
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Disturbance:
    """The same for a whole burst: stolen time and throttling come in units of 10 ms and more."""

    stolen: int = 0
    throttled: int = 0


@dataclass(slots=True)
class Sampler:
    """The samples of one kernel. `call(n)`: seconds that n calls take; `best`: of the best kernel known."""

    call: Callable[[int], float]
    counters: Callable[[], Counters]
    disturbance: Callable[[], Disturbance]
    clock: Callable[[], float]
    best: float = math.inf
    healthy: Callable[[], bool] = lambda: True
    multiple: int = 1
    accepted: list[float] = field(default_factory=list)
    rejected: list[float] = field(default_factory=list)
    calls: int = 0
    latest: float = math.inf
    warm: bool = False
    warmed_s: float = 0.0
    wasted_s: float = 0.0
    hopeless: bool = False
    spent_s: float = 0.0

    def burst(self, limit_s: float, whatever: bool = False) -> bool:
        """Go on for at most about `limit_s`; whether this kernel is finished. `whatever`: take samples even
        where the machine is not itself, so that there are some."""
        start = self.clock()
        if not self.healthy() and not whatever:
            self.spent_s += self.clock() - start
            return False
        before = self.disturbance()
        first = len(self.accepted)
        while not self.finished and (self.clock() - start < limit_s or not self.calls):
            if self.warm:
                self.sample()
            else:
                self.warm_up(start + limit_s)
        if self.disturbance() != before or not self.healthy():
            self.rejected += self.accepted[first:]
            del self.accepted[first:]
            self.hopeless = False
        self.spent_s += self.clock() - start
        return self.finished

    @property
    def finished(self) -> bool:
        return self.hopeless or len(self.accepted) >= self.target

    @property
    def target(self) -> int:
        """How many accepted samples are enough for a kernel of this speed."""
        if not self.accepted:
            return WANTED
        each = self.accepted[-1] * self.calls
        enough = next(count for until, count in ENOUGH if self.wasted_s < until)
        return min(enough, max(FEWEST, int(SPENT_S / each)))

    def warm_up(self, until: float) -> None:
        """Run for WARM_S and until a stretch is undisturbed; `calls` is chosen on the way.

        The first runs of a fresh process find both threads on one core (8 ms instead of 50 µs): the counters
        see it, and it is waited for, but not for ever.
        """
        count = self.calls or self.multiple
        while True:
            before = self.counters()
            took = self.call(count)
            clean = undisturbed(before, self.counters(), took)
            self.warmed_s += took
            self.choose(took / count)
            slow = took > SHORTEST_S and took / count > 10 * self.best  # then two samples will tell
            if clean and took >= LONG_S:
                self.accepted.append(took / count)
                self.warm = True
                self.judge()
                return
            if slow or self.warmed_s > WARM_MOST_S or (clean and self.warmed_s >= WARM_S):
                self.warm = True
                return
            if self.clock() > until:
                return
            count = min(self.calls, 2 * count) if took < SHORTEST_S else self.calls

    def choose(self, seconds: float) -> None:
        """Set `calls` for a kernel that takes `seconds` a call."""
        whole = max(1, round(SAMPLE_S / max(seconds, 1e-9)))
        self.calls = math.ceil(whole / self.multiple) * self.multiple

    def sample_again(self, tries: int) -> bool:
        """Samples until one is accepted; False where none of so many was."""
        for _ in range(tries):
            known = len(self.accepted)
            self.sample()
            if len(self.accepted) > known:
                return True
        return False

    def sample(self) -> None:
        """One more sample, accepted or not."""
        calls = self.calls
        before = self.counters()
        took = self.call(calls)
        good = undisturbed(before, self.counters(), took)
        self.latest = took / calls
        self.wasted_s += 0.0 if good else took
        (self.accepted if good else self.rejected).append(self.latest)
        if good and (took < SHORTEST_S or took > LONGEST_S and calls > self.multiple):
            self.choose(took / calls)
        self.judge()

    def judge(self) -> None:
        """Whether it is worth another sample."""
        known, least = len(self.accepted), min(self.accepted, default=0.0)
        steps = LONG_HOPELESS if least >= LONG_S else HOPELESS
        self.hopeless = any(known >= count and least > times * self.best for count, times in steps)


def undisturbed(before: Counters, after: Counters, took: float) -> bool:
    """Whether no thread was pushed off its core, nor waited for one, for long enough to matter."""
    delay, switches = after.delay_s - before.delay_s, after.switches - before.switches
    return switches <= took / SWITCH_S and delay <= max(DELAY_S, DELAY_SHARE * took)


class ThisProcess:
    """The counters of this process's threads, from files kept open; what cannot be read counts as quiet."""

    def __init__(self) -> None:
        self._tasks: dict[str, int] = {}
        self._stat = _open("/proc/stat")
        self._throttle = [_open(str(path)) for path in _cpu_stat()]

    def counters(self) -> Counters:
        delay = 0
        for name in os.listdir("/proc/self/task"):
            if name not in self._tasks:
                self._tasks[name] = _open(f"/proc/self/task/{name}/schedstat")
            words = _read(self._tasks[name]).split()  # ns on a core, ns waiting for one: sched-stats
            delay += int(words[1]) if len(words) == 3 else 0
        return Counters(resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw, delay * 1e-9)

    def disturbance(self) -> Disturbance:
        words = _read(self._stat).partition(b"\n")[0].split()
        stolen = int(words[8]) if len(words) > 8 else 0  # proc_stat(5)
        throttled = 0
        for fd in self._throttle:
            for line in _read(fd).splitlines():
                if line.startswith(b"nr_throttled "):
                    throttled += int(line.split()[1])
        return Disturbance(stolen, throttled)


def _cpu_stat() -> list[Path]:
    """The cpu.stat files of this process's cgroup, version 2 or 1."""
    found = []
    try:
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "" or "cpu" in controllers.split(","):
                for top in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/cpu"):
                    found.append(Path(top + path) / "cpu.stat")
    except (OSError, ValueError):
        pass
    return [path for path in found if path.exists()]


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


def _read(fd: int) -> bytes:
    try:
        return os.pread(fd, 8192, 0) if fd >= 0 else b""
    except OSError:  # the thread has ended
        return b""
