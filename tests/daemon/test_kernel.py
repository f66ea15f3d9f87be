"""The supervisor: restarts, gives up, and stops in order."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest

from ansord.daemon.kernel import Fatal, Kernel, Policy

QUICK = Policy(deaths=3, window_s=60, first_s=0.001, last_s=0.002)


class Probe:
    patience = 0.1

    def __init__(self, name: str, events: list[str], behave: Callable[[int], None] | None = None) -> None:
        self.name, self.events, self.behave, self.lives = name, events, behave, 0

    async def run(self) -> None:
        self.lives += 1
        if self.behave:
            self.behave(self.lives)
        try:
            await anyio.sleep_forever()
        finally:
            self.events.append(f"{self.name} cancelled")

    async def drain(self) -> None:
        self.events.append(f"{self.name} drained")


class Stubborn(Probe):
    async def drain(self) -> None:
        await anyio.sleep_forever()


def dies(times: int, error: type[Exception] = RuntimeError) -> Callable[[int], None]:
    def behave(life: int) -> None:
        if life <= times:
            raise error(f"life {life}")

    return behave


async def soon(stop: anyio.Event) -> None:
    await anyio.sleep(0.05)
    stop.set()


@pytest.mark.asyncio
async def test_services_stop_in_reverse_order_each_drained_first() -> None:
    events: list[str] = []
    stop = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(soon, stop)
        await Kernel([Probe("a", events), Stubborn("b", events), Probe("c", events)]).run(stop)
    assert events == ["c drained", "c cancelled", "b cancelled", "a drained", "a cancelled"]


@pytest.mark.asyncio
async def test_a_service_that_dies_is_restarted() -> None:
    stop = anyio.Event()
    mortal = Probe("mortal", [], dies(3))
    kernel = Kernel([mortal], QUICK)
    async with anyio.create_task_group() as group:
        group.start_soon(kernel.run, stop)
        while mortal.lives < 4:
            await anyio.sleep(0.001)
        stop.set()
    assert mortal.lives == 4 and kernel.restarts == {"mortal": 3}


@pytest.mark.asyncio
async def test_a_service_that_keeps_dying_ends_the_process() -> None:
    events: list[str] = []
    with pytest.raises(BaseExceptionGroup) as caught:
        await Kernel([Probe("other", events), Probe("mortal", [], dies(99))], QUICK).run(anyio.Event())
    (error,) = caught.value.exceptions
    assert isinstance(error, Fatal) and "mortal died 4 times: RuntimeError: life 4" in str(error)
    assert events == ["other cancelled"]


@pytest.mark.asyncio
async def test_what_no_restart_can_mend_is_not_tried_again() -> None:
    mortal = Probe("mortal", [], dies(99, Fatal))
    with pytest.raises(BaseExceptionGroup) as caught:
        await Kernel([mortal], QUICK).run(anyio.Event())
    assert caught.group_contains(Fatal, match="life 1") and mortal.lives == 1


@pytest.mark.asyncio
async def test_cancellation_passes_through() -> None:
    with anyio.move_on_after(0.02) as scope:
        await Kernel([Probe("a", [])], QUICK).run(anyio.Event())
    assert scope.cancelled_caught
