"""The roofs, by the same C as `ansord doctor` measures them with: no answer, but rates."""

from __future__ import annotations

from typing import Any

from cffi import FFI

WARM_S = 0.015
CASES = {"float32": 0, "read": 5, "copy": 6}


class Roofs:
    """`tries`: (kind, bytes of each thread) of what one sample measures, `seconds` each."""

    def __init__(self, path: str, threads: int, tries: list[tuple[str, int]], seconds: float) -> None:
        ffi = FFI()
        ffi.cdef("double ansord_peak(int32_t which, int32_t threads, int64_t bytes, double seconds);")
        self._library: Any = ffi.dlopen(path)
        self._threads, self._tries, self._seconds = threads, tries, seconds

    def sample(self) -> list[float]:
        """Operations or bytes a second of each try; threads that were asleep need a core each before."""
        self._library.ansord_peak(CASES["float32"], self._threads, 0, WARM_S)
        return [
            self._library.ansord_peak(CASES[kind], self._threads, each, self._seconds)
            for kind, each in self._tries
        ]
