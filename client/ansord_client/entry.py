"""The cache's record of one kernel: which object it is, what it needs, how to call it, how good it is.

Written by the store, read by every client; both use this codec.

    entry = map { field name: value, ... }     msgpack; tuples as arrays; the fields of `Entry`
    port  = array [ [extent, ...], dtype, constant ]

A reader skips fields that it does not know, and refuses an entry whose known fields do not fit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, NamedTuple

SCHEMA_VERSION = 1
"""Of the JSON objects that show an entry: `result.json`, `kernel.info`, `ls --json`, `bench --json`."""

SUMMARY = (
    *("schema_version", "name", "key", "host_key", "latency_us", "latency_ci_us", "gflops", "share_of_peak"),
    *("bound", "share_of_bound", "trials", "failed_trials", "object", "numerics", "threads", "drop_sha256"),
    *("finished", "noisy", "relaxed"),
)
"""The fields of those objects, in order."""

LARGEST_BUFFER = 1 << 40
"""Bytes; a larger packed or scratch buffer is a damaged entry, not a kernel."""


class BadEntry(ValueError):
    """Bytes that are no entry; the lookup that met them is a miss with this reason."""


class Port(NamedTuple):
    """One input or output of a kernel. `constant`: an input whose layout may be rewritten once."""

    shape: tuple[int, ...]
    dtype: str
    constant: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One kernel for one subgraph (`key`) on one kind of host (`host_key`).

    `isa`: the bits that the object's code needs; `threads`: how many it runs on; `object`: the SHA-256 of its
    `size` bytes. Buffers: bytes and alignment, `packed_bytes` 0 when there is nothing to pack. `relaxed`:
    checked on finite inputs only. `latency_ci_us`: the 95% interval. Shares: 1.0 is all of it. `program`: the
    text of the schedule, which parses back. `finished`: Unix seconds. `provenance`: what nobody looks up by
    (compiler, its digest, flags, generator, cpu_model).
    """

    key: str
    host_key: str
    arch: str
    isa: tuple[str, ...]
    threads: int
    object: str
    size: int
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    packed_bytes: int = 0
    packed_align: int = 64
    scratch_bytes: int = 0
    scratch_align: int = 64
    relaxed: bool = False
    needs_openmp: bool = False
    latency_us: float = 0.0
    latency_ci_us: tuple[float, float] = (0.0, 0.0)
    gflops: float = 0.0
    share_of_peak: float = 0.0
    bound: str = "compute"
    share_of_bound: float = 0.0
    trials: int = 0
    failed_trials: int = 0
    numerics: str = "fast"
    program: str = ""
    noisy: bool = False
    provenance: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    finished: float = 0.0

    def __post_init__(self) -> None:
        """Plain tuples are welcome as ports."""
        for name in ("inputs", "outputs"):
            ports = tuple(Port(tuple(shape), *rest) for shape, *rest in getattr(self, name))
            object.__setattr__(self, name, ports)

    def __str__(self) -> str:
        low, high = self.latency_ci_us
        return (
            f"{self.key[:12]} on {self.host_key}: {self.latency_us:.4g} µs [{low:.4g}, {high:.4g}], "
            f"{self.gflops:.4g} GFLOP/s, {self.trials} trials, object {self.object[:12]}"
        )

    @property
    def parallel(self) -> bool:
        """Whether a call starts an OpenMP team."""
        return self.needs_openmp and self.threads > 1

    def summary(self, name: str = "", drop_sha256: str | None = None) -> dict[str, Any]:
        """The fields of `SUMMARY`; `name` and `drop_sha256` are a drop's, not an entry's."""
        given = {"schema_version": SCHEMA_VERSION, "name": name, "drop_sha256": drop_sha256}
        shown = {one: given[one] if one in given else getattr(self, one) for one in SUMMARY}
        return {**shown, "latency_ci_us": list(self.latency_ci_us)}

    def to_map(self) -> dict[str, Any]:
        """Ready for msgpack."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_map(cls, raw: Any) -> Entry:
        """The entry in an unpacked msgpack value. Raises BadEntry for anything else, whatever it is."""
        if not isinstance(raw, dict):
            raise BadEntry(f"an entry is {type(raw).__name__}, wanted a map")
        values = {}
        for one in fields(cls):
            if one.name in raw:
                values[one.name] = _checked(one.name, raw[one.name])
            elif one.default is MISSING and one.default_factory is MISSING:
                raise BadEntry(f"an entry has no field {one.name}")
        return cls(**values)


def _checked(name: str, value: Any) -> Any:
    check = _FIELDS[name]
    try:
        fitted = check(value)
    except (TypeError, ValueError, OverflowError):
        fitted = None
    if fitted is None:
        raise BadEntry(f"an entry's {name} is {value!r:.60}")
    return fitted


# Each takes an unpacked value and gives the field's, or None where it does not fit.


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _digest(value: Any) -> str | None:
    return value if isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _count(value: Any, low: int = 0, high: int = (1 << 53)) -> int | None:
    return value if type(value) is int and low <= value <= high else None


def _alignment(value: Any) -> int | None:
    return value if type(value) is int and 1 <= value <= 4096 and value & (value - 1) == 0 else None


def _number(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) and math.isfinite(value) else None


def _interval(value: Any) -> tuple[float, ...] | None:
    ends = tuple(_number(end) for end in value)
    return None if len(ends) != 2 or None in ends else ends  # type: ignore[return-value]


def _words(value: Any) -> tuple[str, ...] | None:
    return tuple(value) if isinstance(value, list) and all(isinstance(one, str) for one in value) else None


def _ports(value: Any) -> tuple[Port, ...] | None:
    ports = []
    for shape, dtype, constant in value:
        if None in [_count(extent, 1, 2**31 - 1) for extent in shape] or len(shape) > 8:
            return None
        if _text(dtype) is None or _flag(constant) is None:
            return None
        ports.append(Port(tuple(shape), dtype, constant))
    return tuple(ports)


def _facts(value: Any) -> dict[str, Any] | None:
    plain = isinstance(value, dict) and all(
        isinstance(name, str) and isinstance(fact, str | int | float | bool) for name, fact in value.items()
    )
    return value if plain else None


_FIELDS: dict[str, Callable[[Any], Any]] = {
    "key": _digest,
    "host_key": _text,
    "arch": _text,
    "isa": _words,
    "threads": lambda value: _count(value, 1, 1 << 20),
    "object": _digest,
    "size": lambda value: _count(value, 1, LARGEST_BUFFER),
    "inputs": _ports,
    "outputs": lambda value: _ports(value) or None,
    "packed_bytes": lambda value: _count(value, 0, LARGEST_BUFFER),
    "packed_align": _alignment,
    "scratch_bytes": lambda value: _count(value, 0, LARGEST_BUFFER),
    "scratch_align": _alignment,
    "relaxed": _flag,
    "needs_openmp": _flag,
    "latency_us": _number,
    "latency_ci_us": _interval,
    "gflops": _number,
    "share_of_peak": _number,
    "bound": _text,
    "share_of_bound": _number,
    "trials": _count,
    "failed_trials": _count,
    "numerics": _text,
    "program": _text,
    "noisy": _flag,
    "provenance": _facts,
    "finished": _number,
}
