"""The README shows the rules and the rewrites as their docstrings tell them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansord.dag import REWRITES
from ansord.sketch import RULES, definitions_manual, manual

README = Path(__file__).resolve().parents[2] / "README.md"
LISTS = [
    pytest.param(manual(), RULES, id="rules"),
    pytest.param(definitions_manual(), REWRITES, id="rewrites"),
]


@pytest.mark.parametrize(("text", "listed"), LISTS)
def test_each_has_a_picture(text: str, listed: tuple[object, ...]) -> None:
    assert text.count("   before:") == text.count("   after:") == text.count(". **") == len(listed)


@pytest.mark.parametrize(("text", "listed"), LISTS)
def test_the_readme_has_them_all(text: str, listed: tuple[object, ...]) -> None:
    assert text in README.read_text()


def test_a_picture_keeps_all_its_lines() -> None:
    assert definitions_manual().count("\n           ") == 2, "what follows `after:` stands under it"
