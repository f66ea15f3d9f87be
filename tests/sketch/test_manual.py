"""The README shows the rules as their docstrings tell them."""

from __future__ import annotations

from pathlib import Path

from ansord.sketch import RULES, manual

README = Path(__file__).resolve().parents[2] / "README.md"


def test_each_rule_has_a_picture() -> None:
    text = manual()
    assert text.count("   before:") == text.count("   after:") == text.count(". **") == len(RULES)


def test_the_readme_has_them_all() -> None:
    assert manual() in README.read_text()
