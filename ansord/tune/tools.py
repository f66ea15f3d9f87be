"""What all sessions of one process share: host, compilers, test stand, store and journal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from ansord.build import Builder, Compiler
from ansord.measure import Peak, Stand, peak
from ansord.nest import Target
from ansord.store import Journal, Store
from ansord.tune.searcher import Searcher
from ansord.tune.target import target_for
from ansord_client.host import Host

GENERATOR = "1"
"""Version of sketches, knobs and emitter: part of the provenance of an entry."""


@dataclass(frozen=True)
class Tools:
    """Open resources of one process; made by `open_tools`."""

    host: Host
    target: Target
    builder: Builder
    searcher: Searcher
    stand: Stand
    store: Store
    journal: Journal
    peak: Peak

    def provenance(self, final: bool) -> dict[str, str | int | float | bool]:
        """How kernels of this process are made: nothing of it is looked up by."""
        return {
            **self.builder.compiler.provenance(final),
            "cpu_model": self.host.cpu_model,
            "caches": self.host.cache_sizes,
            "generator": GENERATOR,
        }


@asynccontextmanager
async def open_tools(
    host: Host,
    store: Store,
    journal: Journal,
    scratch: Path,
    compiler: Compiler,
    builders: int = 2,
    memory: Path | None = None,
) -> AsyncIterator[Tools]:
    """The tools for kernels of `host.threads` threads; `scratch`: a directory for what may be lost; `memory`:
    the file of what the search has learned on this host."""
    await anyio.Path(scratch).mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        searcher = await stack.enter_async_context(Searcher(memory))
        builder = await stack.enter_async_context(Builder(compiler, workers=builders, directory=scratch))
        still = (builder.paused, searcher.paused)
        stand = await stack.enter_async_context(Stand(builder, scratch, threads=host.threads, still=still))
        roofs = await peak(stand)
        await searcher.ready()
        yield Tools(host, target_for(host), builder, searcher, stand, store, journal, roofs)
