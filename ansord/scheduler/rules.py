"""The numbers of the scheduler, those of the paper beside ours."""

from __future__ import annotations

from dataclasses import dataclass

from ansord.record import BATCH


@dataclass(frozen=True)
class Rules:
    """How gains are expected and turns are given.

    `alpha`, `beta`, `window`, `epsilon` are the paper's α, β, Δt (in trials) and ε (Zheng et al., section 6);
    `window` None looks back over the later half of a task's trials instead.
    """

    objective: str = "latency"
    """A name in OBJECTIVES."""
    alpha: float = 0.2
    """Weight of what the task gained lately; the rest goes to hope."""
    beta: float = 2.0
    """A task that is this many times slower than the best of its similar ones is expected to catch up."""
    optimism: float = 1.0
    """Share of the room that is left, of which half is hoped for with as many trials as there were."""
    beyond: float = 0.03
    """The room, as a share of its best, of a task at the machine's roof: another definition may need fewer
    operations. 1 takes no note of roofs."""
    window: int | None = None
    catching_up: int = 80
    """Trials after which a task that is still `beta` times slower than similar ones is no more compared."""
    epsilon: float = 0.05
    """Share of the turns that go to any task, so that a wrong forecast is found out."""
    batch: int = BATCH
    """Trials of a round."""
    noise: float = 0.02
    """A gain that no comparison of two kernels could see: what `promote` asks of a challenger."""
    mature: int = 64
    """Trials before a task may be retired for its small gains."""
    patience: int | None = None
    """Trials without any gain after which a task is retired; None: as many as it wants."""
    shortest_s: float = 0.1
    """Of a turn, whatever its trials take: below it, differences are the machine's and not the task's."""
    margin_s: float = 1.0
    """A deadline is served this long, and two turns, before it would be too late."""


PAPER = Rules(beyond=1.0, window=48)
"""The paper's gradient, and TVM's numbers: three rounds back, a gain of g/t hoped for with every round."""
