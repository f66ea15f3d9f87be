"""The process that searches: proposals of programs with their C, for the tasks of one daemon.

Started as `python -m ansord.search.process [MEMORY] WORK_FD`, on a leash, so that it can be held still while
somebody measures. Frames are a little-endian u32 length and a msgpack map, one answer for each order:

    ready                                                                   {}
    open   key, subgraph, target, seed, strategy, held_out                  {}
    think  key, told [[program, seconds] …], flying [program …], count      {programs [[program, source] …]}
    emit   key, program                                                     {source or None}
    close  key                                                              {}
    save                                                                    {}

A failure is answered by {"bug": its traceback}. Nothing here builds or measures.
"""

from __future__ import annotations

import dataclasses
import os
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import numpy as np

from ansord.emit import emit
from ansord.nest import Program, Target, parse_program, target_of
from ansord.score import load
from ansord.search.ablated import AtRandom, Limited, NoModel, Unevolved
from ansord.search.knowledge import Knowledge
from ansord.search.prior import shipped
from ansord.search.proposer import Proposer
from ansord.search.task import Task
from ansord_client.host import host
from ansord_client.subgraph import Subgraph

Order = dict[str, Any]
EVERY_S = 10.0
"""Between two times that the host's experience is written: all of it is packed anew each time."""
STRATEGIES: dict[str, type[Proposer]] = {
    "full": Proposer, "no fine-tuning": Unevolved, "no model": NoModel, "limited": Limited,
    "random": AtRandom,
}  # fmt: skip


class Desk:
    """The tasks at hand, by key."""

    def __init__(self, memory: Path | None = None) -> None:
        """`memory`: the file in which the host's experience is kept."""
        width = target_of(host().isa, 1, (1, 1, 1)).vector_bytes
        self.knowledge = Knowledge(shipped(width), memory, aside=True)
        self.proposers: dict[str, Proposer] = {}
        self._saved = 0.0
        threading.Thread(target=load, daemon=True).start()

    def ready(self, order: Order) -> Order:
        """Whoever hears this knows that orders are taken; the first model may not be there yet."""
        return {}

    def open(self, order: Order) -> Order:
        """A task from its beginning; one that is open is forgotten."""
        task = Task(Subgraph.from_dict(order["subgraph"]), Target(**order["target"]))
        rng = np.random.default_rng([order["seed"], int(order["key"][:8], 16)])
        known = self.knowledge.held_out(order["key"]) if order["held_out"] else self.knowledge
        self.proposers[order["key"]] = STRATEGIES[order["strategy"]](
            task.space, rng, knowledge=known, key=order["key"]
        )
        return {}

    def think(self, order: Order) -> Order:
        """Learns from what it is told, then proposes what was not tried and is not on its way."""
        proposer = self.proposers[order["key"]]
        for text, seconds in order["told"]:
            proposer.tell(text, seconds)
        if order["told"]:
            proposer.learn()
        proposer.await_(order["flying"])
        programs = proposer.propose(order["count"])
        return {"programs": [[str(program), _source(program)] for program in programs]}

    def emit(self, order: Order) -> Order:
        """The C of one program; None where another generator wrote it."""
        space = self.proposers[order["key"]].space
        try:
            return {"source": _source(parse_program(order["program"], space.dag, space.target))}
        except ValueError:
            return {"source": None}

    def close(self, order: Order) -> Order:
        """Forgets a task; keeps what it taught."""
        if self.proposers.pop(order["key"], None) is not None and self._saved + EVERY_S < time.monotonic():
            self.save(order)
        return {}

    def save(self, order: Order) -> Order:
        """Writes down what is known."""
        self.knowledge.save()
        self._saved = time.monotonic()
        return {}


def _source(program: Program) -> dict[str, Any]:
    return dataclasses.asdict(emit(program))


_LENGTH = struct.Struct("<I")


def serve(sock: socket.socket, memory: Path | None) -> None:
    """Answers orders until the socket closes."""
    desk = Desk(memory)
    orders: dict[str, Callable[[Order], Order]] = {
        "ready": desk.ready, "open": desk.open, "think": desk.think, "emit": desk.emit, "close": desk.close,
        "save": desk.save,
    }  # fmt: skip
    with sock.makefile("rwb") as stream:
        while head := stream.read(_LENGTH.size):
            order = msgpack.unpackb(stream.read(*_LENGTH.unpack(head)))
            try:
                answer = orders[order["op"]](order)
            except Exception:
                answer = {"bug": traceback.format_exc()}
            data = msgpack.packb(answer)
            stream.write(_LENGTH.pack(len(data)) + data)
            stream.flush()


if __name__ == "__main__":
    os.set_inheritable(int(sys.argv[-1]), False)
    serve(socket.socket(fileno=int(sys.argv[-1])), Path(sys.argv[1]) if len(sys.argv) > 2 else None)
