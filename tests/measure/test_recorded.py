"""Recorded pools: whole in their file, told from what is none, and honest about noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ansord.measure.recorded import Pool
from ansord.record import BuildFailed, Measured, Trial
from tests.nest.spaces import LARGE, programs, space

NAME = "odd"


def trial(program: str, seconds: float | None) -> Trial:
    outcome = BuildFailed("no") if seconds is None else Measured(seconds, (seconds,))
    return Trial("key", "host", program, outcome, 0.0)


def pool(*seconds: float | None, again: float = 1.1e-6) -> Pool:
    """Programs with these seconds; the first is measured twice."""
    texts = [str(program) for program in programs(NAME, len(seconds))]
    trials = [trial(text, value) for text, value in zip(texts, seconds, strict=True)]
    target = space(NAME).target
    return Pool.of(LARGE[NAME].to_dict(), "host", target, [*trials, trial(texts[0], again)])


def test_a_pool_survives_its_file(tmp_path: Path) -> None:
    made = pool(1e-6, None, 3e-6)
    made.save(tmp_path / "odd.npz")
    again = Pool.load(tmp_path / "odd.npz")
    assert again.texts == made.texts and len(again.programs) == 3
    assert [str(program) for program in again.programs] == list(made.texts)
    assert again.seconds.tolist() == [1e-6, np.inf, 3e-6]
    assert again.again.tolist() == [[0.0, 1.1e-6]]
    assert again.target == made.target and again.host_key == "host"
    assert again.subgraph.key == LARGE[NAME].key
    assert [path.name for path in tmp_path.iterdir()] == ["odd.npz"]


@pytest.mark.parametrize("damage", [b"", b"PK no zip", None])
def test_another_file_is_none(tmp_path: Path, damage: bytes | None) -> None:
    path = tmp_path / "odd.npz"
    pool(1e-6, 2e-6).save(path)
    path.write_bytes(path.read_bytes()[:-40] if damage is None else damage)
    with pytest.raises(ValueError, match="not a pool"):
        Pool.load(path)


def test_noise_by_value() -> None:
    """Twice measured, e to the 0.1 apart: a tenth over 0.6745 and the root of two."""
    texts = [str(program) for program in programs(NAME, 3)]
    trials = [trial(text, 1e-6) for text in texts] + [trial(text, 1e-6 * np.exp(0.1)) for text in texts]
    made = Pool.of(LARGE[NAME].to_dict(), "host", space(NAME).target, trials)
    assert made.noise == pytest.approx(0.1 / 0.6745 / np.sqrt(2))
    assert np.isnan(pool(1e-6, 2e-6).noise)
