"""The kernels of a plan: one per task from the client, one per call with its constants bound.

Called by the runtime. What is missed is asked for all at once, with its weight in the model.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from ansord_client.client import Client
from ansord_client.errors import KernelNotFound
from ansord_client.kernel import Kernel
from ansord_client.models.plan import Plan
from ansord_client.models.room import furnished
from ansord_client.models.workers import workers
from ansord_client.request import request

Array = NDArray[Any]


def kernels_of(plan: Plan, client: Client) -> dict[str, Kernel]:
    """By key, for each task; NumPy stands in for what is missed where the client's `on_miss` is "reference".

    :raises KernelNotFound: `on_miss` is "raise" or "request": how many are missing, and why the first is.
    :raises Timeout, TuningFailed: `on_miss` is "wait"; the time is for each kernel, and all are asked first.
    """
    found: dict[str, Kernel] = {}
    missed: list[str] = []
    if client.on_miss == "wait":
        _ask(plan, client)
    for task in plan.tasks:
        try:
            found[task.subgraph.key] = client.get_kernel(task.subgraph)
        except KernelNotFound as error:
            missed.append(f"{task.subgraph.name}: {error.reason}")
    if missed:
        raise KernelNotFound(
            f"{plan.name}: {len(missed)} of {len(plan.tasks)} kernels are missing: {missed[0]}"
        )
    return found


def bound(plan: Plan, kernels: Mapping[str, Kernel], known: Mapping[str, Array]) -> tuple[Kernel, ...]:
    """One for each call, in their order: each remembers its own arrays, also where nothing is bound.

    What is swapped in later is laid out in memory of its own."""
    mine = [kernels[call.subgraph.key] for call in plan.calls]
    constants = [
        {
            one.name: known[arg]
            for one, arg in zip(call.subgraph.inputs, call.args, strict=True)
            if one.constant
        }
        for call in plan.calls
    ]
    rooms = furnished([(kernel.entry, named) for kernel, named in zip(mine, constants, strict=True)])
    with workers() as pool:
        return tuple(pool.map(lambda kernel, room: kernel.bind_at(room.place, room.constants), mine, rooms))


def tuned(kernel: Kernel) -> bool:
    """Whether native code answers."""
    return kernel.info["object"] is not None


def _ask(plan: Plan, client: Client) -> None:
    """For all that has no entry, before anybody waits for one."""
    for task in plan.tasks:
        if not client.has(task.subgraph):
            with contextlib.suppress(OSError):  # get_kernel says what is wrong with the inbox
                request(client.inbox, task.subgraph)
