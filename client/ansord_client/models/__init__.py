"""Whole models: an ONNX file becomes a plan of tasks, the same for `ansord warm` and for who runs it.

Not imported by `ansord_client` itself; what reads files needs the extra `onnx`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ansord_client.errors import BadModel
from ansord_client.host import host
from ansord_client.models.coverage import Share, Survey, survey
from ansord_client.models.graph import Constant, Extent, Foreign, Model, Op, Tensor
from ansord_client.models.interpret import interpret
from ansord_client.models.partition import partition
from ansord_client.models.plan import Call, Plan, Step, Task, View
from ansord_client.models.profile import Profile
from ansord_client.models.runtime import LoadedModel, load_model


def import_model(
    path: str | os.PathLike[str], dims: Mapping[str, int] | None = None, *, trusted: bool = False
) -> Model:
    """The model in an ONNX file; `dims` gives numbers for its named dimensions ("batch"), or for those of an
    input without a name ("x:0" for axis 0 of x).

    A file that is not `trusted` is parsed in a child process with limits. Weights are not read.

    :raises BadModel: with the place in the file and what to try. :raises OSError: the file cannot be read.
    """
    if not trusted:
        from ansord_client.models.child import import_in_child

        return import_in_child(Path(path), dict(dims or {}))
    try:
        from ansord_client.models.importer import read
    except ImportError as error:
        raise BadModel(f"{path}: reading ONNX needs the package onnx: install ansord-client[onnx]") from error
    return read(Path(path), dict(dims or {}))


def load_plan(
    path: str | os.PathLike[str], dims: Mapping[str, int] | None = None, *, trusted: bool = False
) -> Plan:
    """The same, cut into tasks, for this host's last cache."""
    return partition(import_model(path, dims, trusted=trusted), host().last_cache)


__all__ = [
    "BadModel",
    "Call",
    "Constant",
    "Extent",
    "Foreign",
    "LoadedModel",
    "Model",
    "Op",
    "Plan",
    "Profile",
    "Share",
    "Step",
    "Survey",
    "Task",
    "Tensor",
    "View",
    "import_model",
    "interpret",
    "load_model",
    "load_plan",
    "partition",
    "survey",
]
