"""What a task's best may be expected to lose with its next trials: the bracket of the paper's gradient.

    α · (what it gained lately) + (1 − α) · (what may be hoped for)

Searches gain like 1/t: a task that went from g(t/2) to g(t) in the later half of its t trials will lose about
(g(t/2) − g(t)) · n / (t + n) with n more. The hope shrinks alike; it is for the room above the roofs,
which kernels do reach here, or for the gap to tasks that are alike. Seconds of kernels throughout, zero for a
task that has none.
"""

from __future__ import annotations

import numpy as np

from ansord.scheduler.rules import Rules
from ansord.scheduler.table import Column, Table


def expected(table: Table, rules: Rules, more: Column, waning: bool = False) -> Column:
    """Seconds by which each task's best is expected to fall with `more` trials.

    `waning`: hope shrinks with the trials since the last gain, too, for a search that has found nothing for
    long has found what there is. It says who may end; whose turn it is goes better without, by replays.
    """
    now, trials = finite(table["best"]), np.maximum(table["trials"], 1)
    ahead = more / (trials + more)
    if rules.window is None:
        lately = (finite(table["halfway"]) - now) * ahead
    else:
        lately = recent(table, rules.window) * more
    room = np.maximum(now - table["least"], rules.beyond * now)
    if waning:
        room = room * np.sqrt(np.maximum(table["fell"], 1) / trials)
    hope = np.maximum(rules.optimism * room * ahead, _behind(table, rules) * (more > 0))
    gain: Column = rules.alpha * lately + (1 - rules.alpha) * hope
    return np.minimum(gain, now)


def recent(table: Table, window: int) -> Column:
    """The paper's backward difference: seconds gained per trial within the last `window` trials."""
    before = np.array([state.curve.at(max(0, state.curve.trials - window)) for state in table.states])
    return (finite(before) - finite(table["best"])) / np.clip(table["trials"], 1, window)


def finite(seconds: Column) -> Column:
    """Zero where there is no kernel."""
    return np.where(np.isfinite(seconds), seconds, 0.0)


def _behind(table: Table, rules: Rules) -> Column:
    """How far each task is behind its group: g − β·C/V, for a task that is young enough to catch up."""
    speed = table.speed_of_group
    like = np.divide(rules.beta * table["flops"], speed, out=np.full(len(table), np.inf), where=speed > 0)
    young = table["trials"] < rules.catching_up
    return np.where(young, np.maximum(finite(table["best"]) - like, 0.0), 0.0)
