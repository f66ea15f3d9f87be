"""The backend: AOTAutograd gives a graph of ATen ops without mutation, one per set of shapes.

Graphs that compute gradients stay eager. Where sizes are symbols, a graph is traced again for each set of
numbers that comes along, up to a limit; kernels know their shapes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch
from functorch.compile import make_boxed_func
from torch._dynamo.backends.common import aot_autograd
from torch._guards import TracingContext
from torch.fx.experimental.proxy_tensor import make_fx

from ansord_client.client import Client
from ansord_client.torch_backend.regions import carved

Run = Callable[..., Any]

MOST_SHAPES = 64
"""Of one graph; further ones stay eager."""


def ansord(
    gm: torch.fx.GraphModule,
    example_inputs: Sequence[Any],
    *,
    mode: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Run:
    """For torch.compile: `options` are those of Client (cache, inbox, threads, on_miss, timeout), which
    answers with NumPy what has no kernel unless told otherwise; `mode` changes nothing.

    Weights (parameters, buffers) are laid out once and followed when they change, but not through `.data`.
    """
    client = _client(tuple(sorted((name, _fixed(value)) for name, value in (options or {}).items())))

    def forward(graph: torch.fx.GraphModule, inputs: Sequence[Any]) -> Run:
        return compiled(graph, inputs, client)

    make: Any = aot_autograd(fw_compiler=_eager, bw_compiler=_eager, inference_compiler=forward)
    run: Run = make(gm, example_inputs)
    return run


@lru_cache
def _client(options: tuple[tuple[str, Any], ...]) -> Client:
    """One per set of options: it watches the cache."""
    return Client(**{"on_miss": "reference", **dict(options)})


def _fixed(value: Any) -> Any:
    """A list as something to look up."""
    return tuple(value) if isinstance(value, list) else value


def _eager(graph: torch.fx.GraphModule, inputs: Sequence[Any]) -> Run:
    run: Run = make_boxed_func(graph.forward)
    return run


def compiled(graph: torch.fx.GraphModule, inputs: Sequence[Any], client: Client) -> Run:
    """A graph without gradients as something to call."""
    weights = frozenset(_weights())
    symbolic = any(_symbolic(one) for one in inputs)
    run = Shaped(graph, weights, client) if symbolic else carved(graph, weights, client)
    boxed: Run = make_boxed_func(run)
    return boxed


def _weights() -> Sequence[int]:
    """Which inputs are parameters and buffers."""
    context = TracingContext.try_get()
    found = context.fw_metadata if context is not None else None
    return [] if found is None else list(found.static_input_indices)


def _symbolic(value: Any) -> bool:
    if isinstance(value, torch.SymInt | torch.SymFloat | torch.SymBool):
        return True
    if not isinstance(value, torch.Tensor):
        return False
    return any(isinstance(extent, torch.SymInt) for extent in (*value.shape, *value.stride()))


class Shaped:
    """A graph with symbols for sizes: traced and carved for each set of numbers, eager beyond the limit."""

    def __init__(self, graph: torch.fx.GraphModule, weights: frozenset[int], client: Client) -> None:
        self.graph, self.weights, self.client = graph, weights, client
        self.eager: Run = graph.forward
        self._runs: dict[tuple[Any, ...], Run] = {}
        self._lock = threading.Lock()

    def __call__(self, *args: Any) -> Any:
        shapes = tuple(
            (tuple(one.shape), one.stride()) if isinstance(one, torch.Tensor) else one
            for place, one in enumerate(args)
            if place not in self.weights
        )
        run = self._runs.get(shapes)
        if run is None:
            with self._lock:
                run = self._runs.get(shapes) or self._made(shapes, args)
        return run(*args)

    def _made(self, shapes: tuple[Any, ...], args: Sequence[Any]) -> Run:
        if len(self._runs) >= MOST_SHAPES:
            return self.eager
        with torch.no_grad():
            graph = make_fx(self.graph, tracing_mode="fake")(*args)
        self._runs[shapes] = carved(graph, self.weights, self.client)
        return self._runs[shapes]
