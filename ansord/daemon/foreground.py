"""Tuning without a daemon: the same plan and the same tuner, fed from memory, until all is settled.

`ansord tune` calls it. Nothing is claimed and nothing put into folders; kernels and trials are kept as ever.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import anyio

from ansord.daemon.kernel import told
from ansord.daemon.plan import Order, Plan
from ansord.daemon.publisher import Settlement
from ansord.daemon.spool import Drop
from ansord.daemon.tuner import Tuner, Workshop, progress
from ansord.scheduler import Rules
from ansord_client.subgraph import Subgraph


class Opening(Protocol):
    """How to get at a workshop."""

    def open(self) -> AbstractAsyncContextManager[Workshop]: ...


async def tune_all(
    begin: Opening,
    drops: Mapping[str, bytes],
    display: Callable[[list[dict[str, Any]]], None],
    rules: Rules = Rules(),  # noqa: B008 - frozen
    seed: int = 0,
) -> list[tuple[str, str, dict[str, Any]]]:
    """Tunes `drops` (name to bytes, which read as subgraphs). Gives (name, folder, record) in their order.

    `display` gets the open tasks whenever something changed, and an empty list at the end; `rules` and `seed`
    are the scheduler's.
    """
    plan, settled = Plan(rules, seed), dict[str, Settlement]()

    def settle(one: Settlement) -> None:
        settled[one.drop.name] = one

    def stirred() -> None:
        display([progress(task, tuner.sessions.get(task.key), plan.outlook(task)) for task in plan])

    tuner = Tuner(plan, begin.open, settle, stirred)
    for ticket, (name, data) in enumerate(drops.items()):
        plan.add(Order(Drop(ticket, name, data, time.time()), Subgraph.from_json(data)))
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(tuner.run)
            await tuner.idle()
            await tuner.drain()
    except BaseExceptionGroup as error:
        raise told(error)  # noqa: B904 - it keeps the cause that it has
    finally:
        display([])
    return [(name, str(settled[name].folder), dict(settled[name].record)) for name in drops]
