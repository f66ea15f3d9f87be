"""The ops that only move elements; views where NumPy has them."""

from __future__ import annotations

import numpy as np

from ansord_client.reference.blocks import strided
from ansord_client.reference.step import Array, Step


def transpose(step: Step) -> Array:
    """Axis i of the result is axis perm[i]."""
    return step.args[0].transpose(step.attrs["perm"])


def reshape(step: Step) -> Array:
    """reshape, expand_dims, squeeze: the same elements in row-major order."""
    return step.args[0].reshape(step.node.shape)


def pad(step: Step) -> Array:
    """The value around the elements."""
    (x,) = step.args
    out = np.full(step.node.shape, step.attrs["value"], step.store)
    pads = zip(step.attrs["pads"], x.shape, strict=True)
    out[tuple(slice(before, before + extent) for (before, _), extent in pads)] = x
    return out


def cut(step: Step) -> Array:
    """slice: start, start + step, … along each axis."""
    return step.args[0][tuple(strided(start, count, by) for start, count, by in step.attrs["bounds"])]


def concat(step: Step) -> Array:
    """One after the other along the axis."""
    return np.concatenate(step.args, axis=step.attrs["axis"], dtype=step.store)
