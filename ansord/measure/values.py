"""What measuring is asked and what it answers, beside the outcomes of `record`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Candidate:
    """A built kernel. `path`: an object at a path never used before; sizes in bytes.

    `relaxed`: its definition changes rounding by more than reassociation (Winograd), so it is checked on
    normal inputs alone.
    """

    path: Path
    packed_bytes: int = 0
    scratch_bytes: int = 0
    relaxed: bool = False

    def order(self) -> dict[str, object]:
        """As the runner is told."""
        return {
            "path": str(self.path),
            "packed_bytes": self.packed_bytes,
            "scratch_bytes": self.scratch_bytes,
            "relaxed": self.relaxed,
        }


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a trial may cost. `best`: seconds of the best kernel known: a candidate twice slower is cut
    after two samples, one by three tenths slower after three, and any slower one is checked on normal inputs
    alone. `patience_s`: for how long disturbed samples
    are thrown away before they are kept. `cold`: operands out of the caches. `limit_s`: for the check; None
    takes it from the size of the task."""

    best: float | None = None
    patience_s: float = 10.0
    cold: bool = False
    limit_s: float | None = None


@dataclass(frozen=True, slots=True)
class Paired:
    """A challenger's time over an incumbent's, measured in turn. `ratio`: the median; `low`, `high`: its 95%
    interval; `blocks`: how many ABBA blocks it rests on; `noisy`: disturbed blocks had to be kept."""

    ratio: float
    low: float
    high: float
    blocks: int
    noisy: bool = False

    def __str__(self) -> str:
        noise = ", noisy" if self.noisy else ""
        return f"{self.ratio:.4f} [{self.low:.4f}, {self.high:.4f}] ({self.blocks} blocks{noise})"


@dataclass(frozen=True, slots=True)
class Race:
    """Several kernels measured in turn: each one's time over the last one's, in their order."""

    against_last: tuple[Paired, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the memory: what fits into it for all threads together (bytes), and what it delivers to
    all of them, bytes a second."""

    name: str
    capacity: int
    read: float
    copy: float


@dataclass(frozen=True, slots=True)
class Peak:
    """The machine's roofs. `operations[dtype][threads]`: multiplies and adds a second, for the thread counts
    that were tried; `levels`: from the first cache to memory, with all `threads`."""

    threads: int
    operations: Mapping[str, Mapping[int, float]]
    levels: tuple[Level, ...]

    def flops(self, dtype: str, threads: int | None = None) -> float:
        """Operations a second for `dtype` on `threads` cores (all): the nearest measured count, scaled."""
        rates = self.operations.get(_MEASURED_AS.get(dtype, dtype)) or self.operations["float32"]
        wanted = self.threads if threads is None else threads
        nearest = min(rates, key=lambda count: (abs(count - wanted), count))
        return rates[nearest] * wanted / nearest

    def bandwidth(self, working_set: int) -> float:
        """Bytes a second that all threads read from the smallest level that holds `working_set` bytes."""
        fitting = [level for level in self.levels if working_set <= level.capacity]
        return max((fitting or self.levels[-1:])[0].read, (fitting or self.levels[-1:])[0].copy)

    def bound(self, dtype: str, flops: float, moved: int) -> tuple[str, float]:
        """("compute" or "memory", the least seconds that either roof allows) for `flops` operations over
        `moved` bytes."""
        compute, memory = flops / self.flops(dtype), moved / self.bandwidth(moved)
        return ("compute", compute) if compute >= memory else ("memory", memory)

    def __str__(self) -> str:
        lines = [
            f"{dtype:8} {', '.join(f'{rate / 1e9:.0f} Gop/s on {n}' for n, rate in sorted(rates.items()))}"
            for dtype, rates in self.operations.items()
        ]
        for level in self.levels:
            line = f"{level.name:8} read {level.read / 1e9:.0f} GB/s, copy {level.copy / 1e9:.0f} GB/s"
            size = f", up to {level.capacity >> 10:,} KiB" if level.capacity < 1 << 62 else ""
            lines.append(f"{line} on {self.threads}{size}")
        return "\n".join(lines)


_MEASURED_AS = {"uint8": "int8", "bool": "int8"}
