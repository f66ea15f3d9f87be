"""The text of a file, before anything is known about subgraphs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ansord_client.errors import BadSubgraph
from ansord_client.limits import Limits
from ansord_client.reading import Value, parse_json, plain

LIMITS = Limits(bytes=2**30)


def refused(text: bytes | str, limits: Limits = LIMITS) -> BadSubgraph:
    with pytest.raises(BadSubgraph) as caught:
        parse_json(text, limits)
    return caught.value


@pytest.mark.parametrize(
    ("text", "path", "cause"),
    [
        (b"\xff{}", "$", "not UTF-8"),
        ("\ufeff{}", "$", "not JSON"),
        ("", "$", "not JSON"),
        ('{"a": 1} x', "$", "not JSON"),
        ('{"a": 1,}', "$", "not JSON"),
        ('{"a": [1, {"b": 2, "b": 3}]}', "$.a[1].b", "repeated key"),
        ('{"a": {"weird key": [NaN]}}', '$.a["weird key"][0]', "not finite"),
        ('{"a": -Infinity}', "$.a", "not finite"),
        ('{"a": [0, 1e999]}', "$.a[1]", "not finite"),
        ('{"a": ' + "9" * 5000 + "}", "$.a", "not finite"),
        ("[" * 33 + "]" * 33, "$", "limit"),
        ("[" * 200_000, "$", "limit"),
        ('"' + "x" * 256 * 1024 + '"', "$", "limit"),
    ],
)
def test_text_that_is_refused(text: bytes | str, path: str, cause: str) -> None:
    error = refused(text)
    assert (error.path, error.cause) == (path, cause)
    assert set(error.to_dict()) == {"path", "found", "wanted", "cause", "hint"}
    assert error.path in str(error) and error.wanted in str(error)


def test_the_limits_are_inclusive() -> None:
    assert parse_json("[" * 32 + "]" * 32, LIMITS).path == "$"
    text = '"' + "x" * (256 * 1024 - 2) + '"'
    assert len(parse_json(text, LIMITS).text()) == 256 * 1024 - 2
    assert parse_json('["[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "\\"[["]', LIMITS).items()


def test_python_objects_become_plain_or_are_refused() -> None:
    given = {"a": (1, np.int64(2), np.float32(0.5), np.bool_(True), None)}
    assert plain(Value(given), LIMITS) == {"a": [1, 2, 0.5, True, None]}
    knot: list[object] = []
    knot.append(knot)
    for bad in (
        {"a": object()},
        {"a": float("nan")},
        {1: 2},
        {"a": b"x"},
        {"a": np.zeros(2)},
        knot,
        {"a": 10**5000},
    ):
        with pytest.raises(BadSubgraph):
            plain(Value(bad), LIMITS)


def test_errors_survive_a_copy_through_pickle_and_are_json() -> None:
    import pickle

    error = refused("[NaN]")
    twin = pickle.loads(pickle.dumps(error))
    assert twin.to_dict() == error.to_dict()
    json.dumps(error.to_dict())
