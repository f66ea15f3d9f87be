"""Which programs of a task are compared with care, by the seconds of their trials. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

FINALISTS = 5
"""The fastest of many is partly the luckiest: so many are measured again, in turn (worth 0.5 to 1%)."""
WITHIN = 1.08
"""How much slower than the fastest a finalist may have seemed."""
STRUCTURES, COLD_WITHIN = 4, 1.5
"""Trials find constants in the caches. Where they will come from memory, so many structures take part, each
by its fastest program, so much slower than the best in its trial: they read different amounts, Winograd's up
to four times as many as a convolution's own."""

PERIOD = 64
"""After so many trials the fastest programs are compared with care, as they are at the end,"""
PACE = 10.0
"""and sooner where the search has gone on for so many times as long as a comparison takes: what is better is
published soon, and a tenth of the time is spent on it."""
LEADERS = 2
"""Before the end so many take part: each is built anew and measured twice. With constants from memory that
takes 1 to 2 s for each: with all finalists, half of the first ten minutes of ResNet-50 went into it."""


def kept(known: Mapping[str, float], cold: bool) -> dict[str, float]:
    """Those that may be finalists, best first; `cold`: constants will come from memory."""
    order = sorted(known, key=known.__getitem__)
    chosen = set(order[:FINALISTS])
    if cold:
        fastest: dict[str, str] = {}
        for program in order:
            fastest.setdefault(program.partition(" | ")[0], program)
        chosen |= set(list(fastest.values())[:STRUCTURES])
    return {program: known[program] for program in order if program in chosen}


def finalists(fastest: Mapping[str, float], cold: bool) -> list[str]:
    """Of what was `kept`, those near enough to the best to be worth measuring again."""
    limit = (COLD_WITHIN if cold else WITHIN) * min(fastest.values(), default=0.0)
    return [program for program, seconds in fastest.items() if seconds <= limit]


def asking(programs: Sequence[str]) -> list[str]:
    """The first LEADERS of them once more, now asking for packed constants ahead of their use, as far as they
    have any and do not yet: the trials, which find these in the caches, cannot tell what that is worth."""
    twins = [program.replace(".prefetch=0", ".prefetch=1") for program in programs[:LEADERS]]
    return [twin for twin in dict.fromkeys(twins) if twin not in programs]


def due(trials: int, seconds: float, comparing_s: float) -> bool:
    """Whether to compare again after so many `trials` and `seconds`, where it takes `comparing_s`."""
    return trials > 0 and (trials >= PERIOD or seconds >= PACE * comparing_s)
