"""What the subjects look like at every stage, as text: a change of any stage is a diff of these files."""

from __future__ import annotations

import pytest

from ansord.emit import emit
from ansord.nest import replay
from ansord.sketch import derive
from tests.conftest import GOLDEN, Golden
from tests.subjects import SUBJECTS, TARGET


@pytest.mark.parametrize("name", SUBJECTS)
def test_dag(name: str, golden: Golden) -> None:
    golden(f"dag/{name}.txt", str(SUBJECTS[name].dag))


@pytest.mark.parametrize("name", SUBJECTS)
def test_sketches(name: str, golden: Golden) -> None:
    derivation = derive(SUBJECTS[name].dag, TARGET)
    golden(f"sketch/{name}.txt", "".join(f"{sketch}\n" for sketch in derivation.sketches))
    assert derivation.cut == 0


@pytest.mark.parametrize("name", SUBJECTS)
def test_nest(name: str, golden: Golden) -> None:
    subject = SUBJECTS[name]
    golden(f"nest/{name}.txt", f"{subject.program}\n\n{replay(subject.program)}")


@pytest.mark.parametrize("name", SUBJECTS)
def test_c(name: str, golden: Golden) -> None:
    source = emit(SUBJECTS[name].program)
    sizes = f"/* packed {source.packed_bytes} scratch {source.scratch_bytes} bytes */\n"
    golden(f"emit/{name}.c", sizes + source.text)


def test_no_file_is_left_over() -> None:
    kinds = {"dag": "txt", "sketch": "txt", "nest": "txt", "emit": "c"}
    wanted = {f"{kind}/{name}.{suffix}" for kind, suffix in kinds.items() for name in SUBJECTS}
    assert {str(path.relative_to(GOLDEN)) for path in GOLDEN.rglob("*.*")} == wanted
