"""A kernel that can be called, bound to its constants, and replaced by a better one while it is in use.

Made by the client. Each kernel holds one plan; a better object means a new plan, made aside and then put in
its place by one assignment, while calls in flight finish on the old one. Native code runs only after every
array was checked, or where all of them are the very arrays of the call before.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansord_client.arrays import Array, adopt, misfit, slots
from ansord_client.entry import Entry
from ansord_client.errors import BadCall
from ansord_client.plan import NativeCode, NativePlan, Place, Plan, ReferenceCode, Settled, failed
from ansord_client.subgraph import Subgraph
from ansord_client.thread import Nothing, Thread


class _Swaps:
    """`last` is another object whenever some kernel got another plan."""

    last = object()


swaps = _Swaps()


class Info(dict[str, Any]):
    """The fields of `result.json` and `degraded`, as keys or as attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Kernel:
    """A tuned kernel: call it with the inputs that are not bound, in their order.

    `kernel(x, w, b)` gives a fresh NumPy array, or a tuple for several outputs; `out=` (an array, or a
    tuple) is filled and returned instead. Inputs are NumPy arrays or speak DLPack; nothing is copied. While
    the same array objects come again, with `out=`, they are not checked again: their contents may change,
    their shape and type must not. Thread-safe; other Python threads run during a call.

    Raises BadCall before any native code runs, AfterFork in a forked child of a process that ran a parallel
    kernel, AnsordError when the native code reports a failure.
    """

    __slots__ = ("__weakref__", "_family", "_plan")

    def __init__(self, family: Family, plan: Plan) -> None:
        self._family = family
        self._plan: Plan | Forked = plan

    def __repr__(self) -> str:
        bound = ", ".join(self._family.slots[position].name for position in self._plan.bound)
        return f"<Kernel {self._family.name}{' with ' + bound if bound else ''}: {self._plan.info['object']}>"

    # Two arrays have names because gathering them in a tuple costs as much as all the comparisons (0.1 µs).
    def __call__(self, first: Any = Nothing, second: Any = Nothing, /, *others: Any, out: Any = None) -> Any:
        plan = self._plan  # held until the end: it owns the packed constants, and may be replaced meanwhile
        one, two, rest, result, run, args, packed, scratch, _ = plan.thread.last
        if (
            out is result() is not None
            and first is one() is not None
            and (second is two or second is two() is not None)
            and (others is rest or _same(others, rest))
        ):
            status = run(args, packed, scratch)
            if status:
                raise failed(status)
            return out
        if second is Nothing:
            return plan.quick(() if first is Nothing else (first,), out)
        return plan.quick((first, second, *others), out)

    def bind(self, constants: Mapping[str, Any] | None = None, /, **named: Any) -> Kernel:
        """This kernel with some of its constants fixed, by name or in a mapping; the others stay arguments.

        Their memory is kept alive and must not change. Once all are bound, their layout is rewritten here,
        and not in each call; binding a part of them saves nothing but arguments. Raises BadCall."""
        return self._family.bind(self._plan.bound, {**(constants or {}), **named})

    def settled(self, given: Sequence[Array], out: Array) -> Settled | None:
        """The native call of arrays that stay, good until `swaps.last` changes; None where there is none."""
        plan = self._plan
        return plan.settled(given, out) if isinstance(plan, NativePlan) else None

    @property
    def entry(self) -> Entry | None:
        """Of the native code that answers."""
        plan = self._plan
        return plan.entry if isinstance(plan, NativePlan) else None

    def bind_at(self, place: Place | None, constants: Mapping[str, Any]) -> Kernel:
        """As `bind`; what is laid out goes to `place`."""
        return self._family.bind(self._plan.bound, constants, place)

    @property
    def info(self) -> Info:
        """What answers at present: the fields of `result.json`, and `degraded` (made for another host)."""
        return Info(self._plan.info)


def _same(others: tuple[Any, ...], rest: tuple[Any, ...]) -> bool:
    return len(others) == len(rest) and all(
        one is reference() is not None for one, reference in zip(others, rest, strict=True)
    )


class Family:
    """One subgraph's kernel and all that was bound of it; they are replaced together.

    `wake` is called before a thread's first call: a forked child has to start its own watching."""

    def __init__(self, sg: Subgraph, code: NativeCode | ReferenceCode, wake: Callable[[], None]) -> None:
        self.sg = sg
        self.key = sg.key
        self.name = sg.name or sg.key[:12]
        self.slots = slots(sg)
        self.code = code
        self.wake = wake
        self._lock = threading.Lock()
        self._kernels: weakref.WeakSet[Kernel] = weakref.WeakSet()
        self.kernel = Kernel(self, code.plan(self.slots, {}))
        self._kernels.add(self.kernel)

    def bind(
        self, before: Mapping[int, Array], named: Mapping[str, Any], place: Place | None = None
    ) -> Kernel:
        constants = {slot.name: slot for slot in self.slots if slot.constant}
        bound = dict(before)
        for name, value in named.items():
            if name not in constants:
                known = ", ".join(constants) or "none"
                raise BadCall(f"bind: found {name!r}, wanted a constant of the subgraph: {known}")
            slot = constants[name]
            array = adopt(value, slot)
            complaint = misfit(array, slot)
            if complaint:
                raise BadCall(complaint)
            bound[slot.position] = array
        with self._lock:
            kernel = Kernel(self, self.code.plan(self.slots, bound, place))
            self._kernels.add(kernel)
        return kernel

    def replace(self, code: NativeCode) -> None:
        """Pack everything aside for `code`, then put it in place."""
        with self._lock:
            plans = [(kernel, code.plan(self.slots, kernel._plan.bound)) for kernel in self._kernels]
            self.code = code
            for kernel, plan in plans:
                kernel._plan = plan
            swaps.last = object()

    def forked(self) -> None:
        """In a child: another thread may have held the lock, and this one, the only one left, has to start
        over."""
        self._lock = threading.Lock()
        for kernel in self._kernels:
            kernel._plan.thread.last = Thread.last
            kernel._plan = Forked(self, kernel, kernel._plan)
        swaps.last = object()

    def resume(self, kernel: Kernel, forked: Forked) -> None:
        self.wake()
        with self._lock:
            if kernel._plan is forked:  # else a better one came meanwhile
                kernel._plan = forked.plan
                swaps.last = object()


class Forked:
    """In a child, what stands for a plan until the first call, which starts the watching that the parent
    did."""

    def __init__(self, family: Family, kernel: Kernel, plan: Plan | Forked) -> None:
        self.plan: Plan | Forked = plan
        self.thread: Thread = plan.thread
        self.info: Mapping[str, Any] = plan.info
        self.bound: Mapping[int, Array] = plan.bound
        self._family, self._kernel = family, kernel

    def quick(self, given: Sequence[Any], out: Any) -> Any:
        self._family.resume(self._kernel, self)
        return self.plan.quick(given, out)
