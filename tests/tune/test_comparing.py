"""When a session compares its fastest programs, and which of them: nothing is built or measured here."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansord.tune.finalists import LEADERS, PERIOD
from ansord.tune.searcher import Proposal
from ansord.tune.session import Session


@pytest.mark.asyncio
@pytest.mark.parametrize("cold", [False, True])
async def test_before_the_end_only_new_leaders_are_compared(
    cold: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The published program is as fast as its trial was: that alone is no reason to compare it again."""
    best: Any = SimpleNamespace(latency_us=1e6)
    tools: Any = SimpleNamespace(
        store=SimpleNamespace(find=lambda *_: best), host=SimpleNamespace(key=""),
        builder=SimpleNamespace(workers=1),
    )  # fmt: skip
    task: Any = SimpleNamespace(key="", subgraph=SimpleNamespace(tuning=SimpleNamespace(cold=cold)))
    session = Session(task, tools)
    fields: list[list[str]] = []

    async def promoted(task: Any, tools: Any, runner: Any, field: list[Proposal], *more: Any) -> None:
        fields.append([one.program for one in field])

    async def compared(last: bool, **fastest: float) -> list[list[str]]:
        session.fastest = fastest
        session._sources = dict.fromkeys(fastest, SimpleNamespace())  # type: ignore[arg-type]
        session.curve += [1.0] * PERIOD
        fields.clear()
        await session._compare(last)
        return list(fields)

    monkeypatch.setattr("ansord.tune.session.promote", promoted)
    session._runner = SimpleNamespace()  # type: ignore[assignment]
    assert LEADERS == 2
    assert await compared(False, a=1.0, b=1.01, c=1.02) == [["a", "b"]]
    assert await compared(False, a=1.0, b=1.01, c=1.02) == ([["c"]] if cold else [])
    assert await compared(False, d=0.99, a=1.0, b=1.01, c=1.02) == [["d"] if cold else ["d", "a"]]
    assert await compared(False, d=0.99, a=1.0, b=1.01, c=1.02) == []
    assert await compared(True, d=0.99, a=1.0, b=1.01, c=1.02) == ([] if cold else [["d", "a", "b", "c"]])
    assert await compared(True, d=0.99, e=1.0, b=1.01, c=1.02) == [["d", "e", "b", "c"]]
