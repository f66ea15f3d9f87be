"""Holding somebody still: a counter, so that those who ask for stillness may overlap."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio


class Hold:
    """`tell` is called with `stop` by the first who asks, and with `go` once the last is done."""

    def __init__(self, tell: Callable[[bytes], Awaitable[None]]) -> None:
        self._tell = tell
        self._asked = 0

    @property
    def held(self) -> bool:
        """Whether anybody asks for stillness."""
        return self._asked > 0

    @asynccontextmanager
    async def still(self) -> AsyncIterator[None]:
        """Stillness for the length of the block."""
        self._asked += 1
        try:
            if self._asked == 1:
                await self._tell(b"stop")
            yield
        finally:
            self._asked -= 1
            if self._asked == 0:
                with anyio.CancelScope(shield=True):
                    await self._tell(b"go")
