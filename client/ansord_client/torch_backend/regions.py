"""Cuts what is covered out of a graph, and runs it: with kernels once all are there, eagerly until then.

Each region is a model of its own. Its weights are bound as they are; when a parameter was changed in place or
exchanged, the next call binds anew.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import torch
from torch.fx import GraphModule, Node
from torch.fx.passes.infra.partitioner import CapabilityBasedPartitioner
from torch.fx.passes.operator_support import OperatorSupportBase

from ansord_client.client import LOOK_EVERY_S, Client
from ansord_client.errors import AnsordError
from ansord_client.host import host
from ansord_client.models import weights
from ansord_client.models.binding import kernels_of, tuned
from ansord_client.models.partition import partition
from ansord_client.models.plan import Plan
from ansord_client.models.runtime import LoadedModel
from ansord_client.ops import TABLE, Fusion
from ansord_client.subgraph import Subgraph
from ansord_client.torch_backend.lower import NotCovered, Region, covered, region

log = logging.getLogger("ansord_client")

Run = Callable[..., Any]

MOST_BOUND = 4
"""Sets of weights that a region keeps laid out: one graph may serve several modules of one class."""

_version = attrgetter("_version")


def carved(graph: GraphModule, static: frozenset[int], client: Client) -> Run:
    """The graph with its regions as modules of ours; `static` are the inputs that are weights."""
    graph.graph.eliminate_dead_code()  # results that nobody takes
    placeholders = [node for node in graph.graph.nodes if node.op == "placeholder"]
    named = {node.name for place, node in enumerate(placeholders) if place in static}
    ours = covered(graph.graph, named)
    partitioner = CapabilityBasedPartitioner(graph, _Support(ours), allows_single_node_partition=True)
    fused = partitioner.partition_and_fuse(prefix="ansord_")
    for node in list(fused.graph.nodes):
        if node.op == "call_module" and str(node.target).startswith("ansord_"):
            inner = fused.get_submodule(str(node.target))
            assert isinstance(inner, GraphModule)
            made = _made(inner, node, named, client)
            if made is not None:
                fused.set_submodule(str(node.target), made)
    run: Run = fused.forward
    return run


class _Support(OperatorSupportBase):
    def __init__(self, ours: set[Node]) -> None:
        self.ours = {node.name for node in ours}

    def is_node_supported(self, submodules: Any, node: Node) -> bool:
        return node.name in self.ours


def _made(inner: GraphModule, node: Node, named: set[str], client: Client) -> Fused | None:
    """None where nothing is computed, but elements are moved at most."""
    placeholders = [one for one in inner.graph.nodes if one.op == "placeholder"]
    held = {
        one.name
        for one, arg in zip(placeholders, node.args, strict=True)
        if isinstance(arg, Node) and arg.name in named
    }
    try:
        found = region(inner.graph, held, str(node.target))
        plan = partition(found.model, host().last_cache)
        if not any(_computes(task.subgraph) for task in plan.tasks):
            return None
        return Fused(inner, found, plan, client)
    except (NotCovered, AnsordError) as error:
        log.info("ansord: %s stays eager: %s", node.target, error)
        return None


def _computes(sg: Subgraph) -> bool:
    return any(TABLE[node.op].fusion != Fusion.INJECTIVE for node in sg.nodes)


class Fused(torch.nn.Module):
    """A region: asks for kernels when it is made, and looks at most once a second whether all are there."""

    def __init__(self, inner: GraphModule, found: Region, plan: Plan, client: Client) -> None:
        super().__init__()
        self.inner, self.plan, self.client = inner, plan, client
        nodes = [one for one in inner.graph.nodes if one.op == "placeholder"]
        places = {one.name: place for place, one in enumerate(nodes)}
        self._inputs = [places[name] for name in found.inputs]
        self._weights = [(name, places[name]) for name in found.weights]
        (value,) = next(one for one in inner.graph.nodes if one.op == "output").args
        self._single = not isinstance(value, tuple | list)
        self._results = [one.meta["val"] for one in ([value] if self._single else value)]
        self._bound: dict[tuple[Any, ...], tuple[LoadedModel, Any]] = {}
        self._lock = threading.Lock()
        self._looked = -LOOK_EVERY_S
        self._ready = False
        self._look()

    def forward(self, *args: Any) -> Any:
        model = self._model(args) if self._ready or self._look() else None
        if model is None:
            return self.inner(*args)
        arrays = [_array(args[place]) for place in self._inputs]
        results = [torch.empty(one.shape, dtype=one.dtype) for one in self._results]
        model(*arrays, out=[one.numpy() for one in results])
        made = [_strided(one, like) for one, like in zip(results, self._results, strict=True)]
        return made[0] if self._single else made

    @property
    def ready(self) -> bool:
        """Whether kernels answer."""
        return self._ready

    def _look(self) -> bool:
        now = time.monotonic()
        if now - self._looked < LOOK_EVERY_S:
            return False
        self._looked = now
        self._ready = all(tuned(kernel) for kernel in kernels_of(self.plan, self.client).values())
        return self._ready

    def _model(self, args: Sequence[Any]) -> LoadedModel | None:
        """The plan with these weights; None where their changes could not be seen."""
        held = [args[place] for _, place in self._weights]
        try:
            mark = (*map(torch.Tensor.data_ptr, held), *map(_version, held))
        except RuntimeError:  # made in inference mode, they have no version
            return None
        found = self._bound.get(mark)
        if found is None:
            with self._lock:
                found = self._bound.get(mark) or self._bind(mark, held)
        return found[0]

    def _bind(self, mark: tuple[Any, ...], held: Sequence[Any]) -> tuple[LoadedModel, Any]:
        arrays = {name: _array(one) for (name, _), one in zip(self._weights, held, strict=True)}
        inside = {
            name: weights.inline(one) for name, one in self.plan.constants.items() if name not in arrays
        }
        known = weights.prepared(self.plan, {**arrays, **inside})
        # The tensors are kept, so that no other one can come to lie at their addresses.
        found = LoadedModel(self.plan, known, self.client), tuple(one.detach() for one in held)
        kept = [*self._bound.items()][-MOST_BOUND + 1 :]
        self._bound = {**dict(kept), mark: found}
        return found


def _array(tensor: Any) -> Any:
    """NumPy's array over a tensor's memory; a copy where that is not in order."""
    return tensor.detach().resolve_neg().contiguous().numpy()


def _strided(result: Any, like: Any) -> Any:
    """With the strides that PyTorch expects, where it made code for them."""
    if tuple(like.stride()) == result.stride():
        return result
    return torch.empty_strided(like.shape, like.stride(), dtype=like.dtype).copy_(result)
