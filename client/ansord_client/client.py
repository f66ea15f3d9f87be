"""The client: from a subgraph to a kernel, and what to do when there is none yet.

Used by whoever runs models. It looks at the cache at most once a second and swaps better kernels in from a
thread of its own; it writes nothing but drops for the daemon, needs no compiler, and never imports
`ansord`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from functools import cache as once
from pathlib import Path
from typing import Any, Literal

from ansord_client.config import load_config
from ansord_client.entry import SCHEMA_VERSION, SUMMARY, Entry
from ansord_client.errors import AnsordError, BadConfig, KernelNotFound, Timeout
from ansord_client.host import host
from ansord_client.kernel import Family, Kernel
from ansord_client.load import NotLoadable, load
from ansord_client.lookup import Cache, Hit, ladder
from ansord_client.plan import NativeCode, ReferenceCode
from ansord_client.request import raise_failure, request
from ansord_client.subgraph import Subgraph, load_subgraph

log = logging.getLogger("ansord_client")

OnMiss = Literal["raise", "request", "wait", "reference"]
_ON_MISS = ("raise", "request", "wait", "reference")
LOOK_EVERY_S = 1.0
_clients: weakref.WeakSet[Client] = weakref.WeakSet()


class Client:
    """Lookups in one or several cache directories.

    `cache`, `inbox`, `threads`: as in ansord.toml, which they beat. `on_miss`: "raise" KernelNotFound;
    "request": drop the subgraph into the inbox and raise; "wait": drop it and wait up to `timeout` seconds;
    "reference": drop it and answer with NumPy until the tuned kernel appears. Raises BadConfig.
    """

    def __init__(
        self,
        cache: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
        inbox: str | os.PathLike[str] | None = None,
        threads: int | None = None,
        on_miss: OnMiss = "raise",
        timeout: float = 60.0,
    ) -> None:
        if on_miss not in _ON_MISS:
            raise BadConfig(f"on_miss: found {on_miss!r}, wanted one of {', '.join(_ON_MISS)}")
        config = load_config({"cache": cache, "inbox": inbox, "threads": threads})
        self.caches = tuple(Cache(root, config.user) for root in config.caches)
        self.inbox = config.inbox
        self.host = host().with_threads(config.threads)
        self.on_miss = on_miss
        self.timeout = timeout
        self._families: dict[tuple[Any, ...], Family] = {}
        self._looks: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self._lock = threading.Lock()
        self._refreshing = threading.Lock()
        self._stop: threading.Event | None = None
        self._finalizer: weakref.finalize[..., Client] | None = None
        _clients.add(self)

    def get_kernel(self, subgraph: Subgraph | Mapping[str, Any] | str | os.PathLike[str]) -> Kernel:
        """The kernel for a subgraph, its dict, or the path of its file; the same object as long as it is
        used.

        Raises KernelNotFound with the reason, BadSubgraph, and with on_miss="wait" Timeout or
        TuningFailed."""
        sg = subgraph if isinstance(subgraph, Subgraph) else _read(subgraph)
        slot = (sg.key, sg.name, sg.outputs, tuple([one.name for one in sg.inputs]))
        family = self._families.get(slot) or self._found(sg, slot)
        if self._stop is None:
            self._watch()
        return family.kernel

    def has(self, subgraph: Subgraph) -> bool:
        """Whether `get_kernel` would find one now, without asking or waiting for it."""
        return self._code(subgraph, []) is not None

    def close(self) -> None:
        """Stop looking for better kernels; those that were handed out keep working."""
        with self._lock:
            if self._stop:
                self._stop.set()
            self._stop = threading.Event()

    # Looking up

    def _found(self, sg: Subgraph, slot: tuple[Any, ...]) -> Family:
        look = self._look(sg.key)
        trail: list[str] = []
        code = self._code(sg, trail) or self._missed(sg, "; ".join(trail))
        if code.info["degraded"] and self.on_miss != "raise":
            with contextlib.suppress(OSError):  # a kernel made for this host would be better, but this runs
                request(self.inbox, sg)
        family = self._families.setdefault(slot, Family(sg, code, self._wake))
        self._looks.setdefault(slot, look)
        return family

    def _code(self, sg: Subgraph, trail: list[str]) -> NativeCode | None:
        """The best kernel that can be loaded now; why others cannot goes into `trail`."""
        for hit in ladder(self.caches, sg.key, self.host, trail):
            obstacle = _stranger(sg, hit.entry)
            try:
                if not obstacle:
                    return NativeCode(hit.entry, load(hit), _info(sg, hit))
            except NotLoadable as error:
                obstacle = str(error)
            trail.append(obstacle)
        return None

    def _missed(self, sg: Subgraph, reason: str) -> NativeCode | ReferenceCode:
        if self.on_miss == "raise":
            raise KernelNotFound(reason)
        try:
            request(self.inbox, sg)
            asked = f"asked for in {self.inbox}"
        except OSError as error:
            asked = f"it could not be asked for in {self.inbox}: {error.strerror}"
            if self.on_miss == "wait":
                raise KernelNotFound(f"{reason}; {asked}") from error
        if self.on_miss == "request":
            raise KernelNotFound(f"{reason}; {asked}")
        if self.on_miss == "wait":
            return self._awaited(sg)
        log.info("ansord: %s: answering with NumPy: %s; %s", sg.name or sg.key[:12], reason, asked)
        return ReferenceCode(sg, _no_info(sg, self.host.key))

    def _awaited(self, sg: Subgraph) -> NativeCode:
        deadline = time.monotonic() + self.timeout
        pause = 0.01
        while True:
            trail: list[str] = []
            code = self._code(sg, trail)
            if code is not None:
                return code
            raise_failure(self.inbox, sg.key)
            left = deadline - time.monotonic()
            if left <= 0:
                raise Timeout(f"no kernel within {self.timeout:g} s: {'; '.join(trail)}")
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, 0.25)

    # Watching

    def _look(self, key: str) -> tuple[Any, ...]:
        return tuple(cache.signature(self.host.key, key) for cache in self.caches)

    def _wake(self) -> None:
        if self._stop is None:
            self._watch()

    def _watch(self) -> None:
        with self._lock:
            if self._stop is not None:
                return
            self._stop = threading.Event()
            self._finalizer = weakref.finalize(self, self._stop.set)
            arguments = (weakref.ref(self), self._stop)
            watcher = threading.Thread(target=_watching, args=arguments, name="ansord-refresh", daemon=True)
            try:
                watcher.start()
            except RuntimeError as error:  # no more threads: the kernels work all the same
                log.warning("ansord: better kernels will not be picked up: %s", error)

    def refresh(self) -> None:
        """Look at the cache now, as the client does by itself once a second; what is there by now is in use
        when this returns, whichever thread found it."""
        with self._refreshing:
            for slot, family in list(self._families.items()):
                look = self._look(family.key)
                if look != self._looks.get(slot):
                    self._looks[slot] = look
                    self._renew(family)

    def _renew(self, family: Family) -> None:
        try:
            code = self._code(family.sg, [])
            if code is not None and _better(code, family.code):
                family.replace(code)
        except AnsordError as error:
            log.warning("ansord: %s keeps its kernel: %s", family.name, error)

    def _forked(self) -> None:
        """In a child: its thread is gone, and so is whoever held a lock."""
        self._lock = threading.Lock()
        self._refreshing = threading.Lock()
        self._stop = None
        if self._finalizer:
            self._finalizer.detach()  # it would set an event whose lock may be held by nobody for ever
        for family in self._families.values():
            family.forked()


def _watching(client: weakref.ref[Client], stop: threading.Event) -> None:
    while not stop.wait(LOOK_EVERY_S):
        alive = client()
        if alive is None:
            return
        try:
            alive.refresh()
        except Exception:  # whatever it is, the kernels in use are fine and the next second is another chance
            log.exception("ansord: looking for better kernels failed")
        del alive


def _read(subgraph: Mapping[str, Any] | str | os.PathLike[str]) -> Subgraph:
    return Subgraph.from_dict(subgraph) if isinstance(subgraph, Mapping) else load_subgraph(Path(subgraph))


def _stranger(sg: Subgraph, entry: Entry) -> str:
    """Why an entry cannot be this subgraph's, whatever its key says: the last guard before memory is
    touched."""
    inputs = tuple((tuple(one.shape), one.dtype, one.constant) for one in sg.inputs)
    outputs = tuple((tuple(sg.tensor(name).shape), sg.tensor(name).dtype, False) for name in sg.outputs)
    fits = tuple(map(tuple, entry.inputs)) == inputs and tuple(map(tuple, entry.outputs)) == outputs
    return "" if fits else f"the entry of {entry.key[:12]} has other inputs or outputs than the subgraph"


def _better(code: NativeCode, present: NativeCode | ReferenceCode) -> bool:
    """Whether to swap: never from this host's own kernel to another's, when its entry was removed, say."""
    if code.info == present.info:
        return False
    return isinstance(present, ReferenceCode) or present.info["degraded"] or not code.info["degraded"]


def _info(sg: Subgraph, hit: Hit) -> dict[str, Any]:
    return {**hit.entry.summary(sg.name), "degraded": hit.degraded}


def _no_info(sg: Subgraph, host_key: str) -> dict[str, Any]:
    """Of an answer by NumPy: the same names, and nothing to say."""
    return {
        **dict.fromkeys(SUMMARY),
        "schema_version": SCHEMA_VERSION,
        "name": sg.name,
        "key": sg.key,
        "host_key": host_key,
        "numerics": sg.numerics,
        "degraded": False,
    }


@once
def _default() -> Client:
    return Client()


def get_kernel(subgraph: Subgraph | Mapping[str, Any] | str | os.PathLike[str]) -> Kernel:
    """`Client().get_kernel` of one client per process, made at the first call from ansord.toml and
    environment."""
    return _default().get_kernel(subgraph)


def _forked() -> None:
    for client in _clients:
        client._forked()


os.register_at_fork(after_in_child=_forked)
