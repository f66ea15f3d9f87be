"""The call of one signature as straight-line Python, for arrays that are others than in the call before.

Written as text from positions alone and compiled once per signature: a loop over the arguments costs as
much as all that it does (4.5 µs where this takes 2.3, with one input, one constant and one output). It
judges nothing: at the least deviation it hands over to the plan's own `call`, which finds out what is
wrong, or that nothing is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from types import CodeType
from typing import Any

_TEXT = """\
def call(given, out):
    {enter}
    try:
        {unpacking} = given
        y = EMPTY(SHAPE_{last}, DTYPE_{last}) if out is None else out
        if {differs}:
            return SLOW(given, out)
        {pointers}
        p_{last} = FROM_BUFFER(BYTES, y, True)
    except (AttributeError, BufferError, TypeError, ValueError):
        return SLOW(given, out)
    args = NEW(ARGS, ({arguments},))
    {addresses} = UNPACK(BUFFER(args))
    if ({bits}) & MASK:
        return SLOW(given, out)
    if out is not None:
        end = a_{last} + SIZE
        if {overlaps}:
            return SLOW(given, out)
    {scratch}
    status = RUN(args, PACKED, scratch)
    if status:
        raise FAILED(status)
    if out is None:
        return y
    if THREAD.seen != id(y):
        THREAD.seen = id(y)
    elif {plain}:
        THREAD.last = ({two}, ({others}), REF(y), RUN, args, PACKED, scratch, owner)
    return out
"""


def quick_call(
    free: tuple[int, ...], last: int, parallel: bool, scratch: bool, names: dict[str, Any]
) -> Callable[[Sequence[Any], Any], Any]:
    """The function `call(given, out)`. `free`: the positions of the inputs that are given; `last`: that of
    the only output; `names`: what the text calls by capitals."""
    found: dict[str, Any] = {}
    exec(_code(free, last, parallel, scratch), names, found)  # our own text, made of small integers
    call: Callable[[Sequence[Any], Any], Any] = found["call"]
    return call


@lru_cache(maxsize=256)
def _code(free: tuple[int, ...], last: int, parallel: bool, scratch: bool) -> CodeType:
    given = {i: f"x_{i}" for i in free}
    arrays = {**given, last: "y"}
    everything = range(last + 1)
    ends = {i: f"a_{i} + SIZE_{i}" if i in given else f"END_{i}" for i in range(last)}
    starts = {i: f"a_{i}" if i in given else f"START_{i}" for i in range(last)}
    references = [f"REF({x})" for x in given.values()]
    text = _TEXT.format(
        last=last,
        enter="ENTER()" if parallel else "",
        unpacking="".join(f"{x}, " for x in given.values()) or "()",
        differs=" or ".join(
            f"{x}.shape != SHAPE_{i} or {x}.dtype is not DTYPE_{i}" for i, x in arrays.items()
        ),
        pointers="; ".join(f"p_{i} = FROM_BUFFER({x})" for i, x in given.items()),
        arguments=", ".join(f"p_{i}" if i in arrays else f"POINTER_{i}" for i in everything),
        addresses="".join(f"a_{i}, " for i in arrays),
        bits=" | ".join(f"a_{i}" for i in arrays),
        overlaps=" or ".join(f"{starts[i]} < end and a_{last} < {ends[i]}" for i in range(last)) or "False",
        scratch="scratch, owner = THREAD.scratch or SCRATCH()" if scratch else "scratch = owner = NULL",
        plain=" and ".join(f"type({x}) is NDARRAY" for x in arrays.values()),
        two=", ".join([*references, "NOTHING", "NOTHING"][:2]),
        others="".join(f"{one}, " for one in references[2:]),
    )
    return compile(text, "<ansord kernel call>", "exec")
