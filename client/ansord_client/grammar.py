"""The `compute` grammar: text to a tree of names, with the position of every part.

Called by `ops.compute`, which gives the tree types, ranges and index forms. Evaluates nothing; the depth and
the size of what it accepts are bounded, so that no walk over the result can exhaust the stack.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from ansord_client.expr import UNARY

FUNCTIONS: dict[str, tuple[str, int]] = {
    **{name: (name, 1) for name in sorted(UNARY - {"gelu_tanh"} | {"logical_not"})},
    "max": ("maximum", 2),
    "min": ("minimum", 2),
    "pow": ("pow", 2),
    "leaky_relu": ("leaky_relu", 2),
    "clip": ("clip", 3),
    "select": ("where", 3),
}
"""Word → operation and number of args."""

WORDS = frozenset(FUNCTIONS) | {"and", "or", "not"}
"""None of these is a name."""

COMBINERS = {"=": None, "+=": "add", "*=": "mul", "max=": "maximum", "min=": "minimum"}

MAX_DEPTH = 64
MAX_PARTS = 1024
_MAX_TOKENS = 8 * MAX_PARTS

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<assign>(?:max|min)\s*=(?!=)|[+*]=|=(?!=))"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>//|==|!=|<=|>=|[-+*/%<>()\[\],]))",
    re.ASCII,
)
_INFIX = {
    "or": (1, "logical_or"),
    "and": (2, "logical_and"),
    "==": (4, "equal"),
    "!=": (4, "not_equal"),
    "<": (4, "less"),
    "<=": (4, "less_equal"),
    ">": (4, "greater"),
    ">=": (4, "greater_equal"),
    "+": (5, "add"),
    "-": (5, "sub"),
    "*": (6, "mul"),
    "/": (6, "div"),
    "//": (6, "floordiv"),
    "%": (6, "mod"),
}
_NOT, _COMPARISON, _MINUS = 3, 4, 7


class GrammarError(Exception):
    """What does not fit: a position in the text, what stands there, what could."""

    def __init__(self, position: int, found: str, wanted: str) -> None:
        self.position, self.found, self.wanted = position, found, wanted
        super().__init__(f"character {position}: found {found}, wanted {wanted}")


@dataclass(frozen=True, slots=True)
class Number:
    """A literal, never negative."""

    value: int | float
    position: int


@dataclass(frozen=True, slots=True)
class Axis:
    """A name that no "[" follows."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Access:
    """An element of a tensor."""

    tensor: str
    index: tuple[Part, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Apply:
    """An operation of `expr`, or "floordiv" or "mod", which only indices may use."""

    op: str
    args: tuple[Part, ...]
    position: int


Part = Number | Axis | Access | Apply


@dataclass(frozen=True, slots=True)
class Statement:
    """`target[axes] combiner value`; a combiner of None assigns."""

    target: str
    axes: tuple[str, ...]
    combiner: str | None
    value: Part
    text: str


def parse(text: str) -> Statement:
    """The one statement of a `compute` expression.

    :raises GrammarError: not the grammar, or deeper than 64 levels, or more than 1024 parts.
    """
    return _Parser(text).statement()


def parts(part: Part) -> Iterator[Part]:
    """Every part in the order of the text."""
    todo = [part]
    while todo:
        current = todo.pop()
        yield current
        if isinstance(current, Access):
            todo.extend(reversed(current.index))
        elif isinstance(current, Apply):
            todo.extend(reversed(current.args))


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            start = position + len(text[position:]) - len(text[position:].lstrip())
            raise GrammarError(start, ascii(text[start : start + 8]), "a number, a name or an operator")
        kind = match.lastgroup
        yield _Token(kind, re.sub(r"\s", "", match[kind]), match.start(kind))
        position = match.end()
    yield _Token("end", "", len(text))


class _Parser:
    """Precedence climbing over the tokens; `level` is the depth of what is being read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(islice(_tokens(text), _MAX_TOKENS + 1))
        if len(self.tokens) > _MAX_TOKENS:
            raise GrammarError(
                self.tokens[-1].position, "a longer expression", f"at most {_MAX_TOKENS} tokens"
            )
        self.next = 0
        self.level = 0
        self.made = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.next]

    def wanted(self, what: str) -> GrammarError:
        found = ascii(self.token.text) if self.token.text else "the end"
        return GrammarError(self.token.position, found, what)

    def take(self, text: str) -> None:
        if self.token.text != text or self.token.kind == "assign":
            raise self.wanted(ascii(text))
        self.next += 1

    def takes(self, text: str) -> bool:
        if self.token.text != text:
            return False
        self.next += 1
        return True

    def name(self, what: str) -> str:
        token = self.token
        if token.kind != "name" or token.text in WORDS or len(token.text) > 64:
            raise self.wanted(f"{what}, a name of at most 64 characters that is no word of the grammar")
        self.next += 1
        return token.text

    def statement(self) -> Statement:
        target = self.name("the result")
        self.take("[")
        axes: list[str] = []
        while not self.takes("]"):
            if axes:
                self.take(",")
            position = self.token.position
            axes.append(self.name("an axis"))
            if axes.count(axes[-1]) > 1:
                raise GrammarError(position, f"the axis {axes[-1]} twice", "each axis of the result once")
        if self.token.kind != "assign":
            raise self.wanted("one of " + " ".join(COMBINERS))
        combiner = COMBINERS[self.token.text]
        self.next += 1
        value = self.expression(0)[0]
        if self.token.kind != "end":
            raise self.wanted("an operator or the end")
        return Statement(target, tuple(axes), combiner, value, self.text)

    def made_of(self, part: Part, *depths: int) -> tuple[Part, int]:
        """The part and its depth, both within the limits."""
        depth = 1 + max(depths, default=0)
        self.made += 1
        if depth > MAX_DEPTH:
            raise GrammarError(part.position, "a deeper expression", f"at most {MAX_DEPTH} levels")
        if self.made > MAX_PARTS:
            raise GrammarError(part.position, "a longer expression", f"at most {MAX_PARTS} parts")
        return part, depth

    def expression(self, lowest: int) -> tuple[Part, int]:
        self.level += 1
        if self.level > MAX_DEPTH:
            raise GrammarError(self.token.position, "deeper nesting", f"at most {MAX_DEPTH} levels")
        left, depth = self.prefixed()
        while (infix := _INFIX.get(self.token.text)) is not None and infix[0] >= lowest:
            token, (strength, op) = self.token, infix
            self.next += 1
            right, other = self.expression(strength + 1)
            left, depth = self.made_of(Apply(op, (left, right), token.position), depth, other)
            if strength == _COMPARISON and _INFIX.get(self.token.text, (0, ""))[0] == _COMPARISON:
                raise self.wanted("one comparison at a time, joined with and")
        self.level -= 1
        return left, depth

    def prefixed(self) -> tuple[Part, int]:
        token = self.token
        for word, op, strength in (("-", "neg", _MINUS), ("not", "logical_not", _NOT)):
            if self.takes(word):
                value, depth = self.expression(strength)
                return self.made_of(Apply(op, (value,), token.position), depth)
        return self.primary()

    def primary(self) -> tuple[Part, int]:
        token = self.token
        if token.kind == "number":
            self.next += 1
            return self.made_of(Number(self.literal(token), token.position))
        if self.takes("("):
            inner = self.expression(0)
            self.take(")")
            return inner
        if token.text in FUNCTIONS:
            self.next += 1
            op, count = FUNCTIONS[token.text]
            args, depths = self.listed("(", ")")
            if len(args) != count:
                raise GrammarError(token.position, f"{token.text} of {len(args)}", f"{token.text} of {count}")
            return self.made_of(Apply(op, args, token.position), *depths)
        name = self.name("a value")
        if self.token.text == "[":
            index, depths = self.listed("[", "]")
            return self.made_of(Access(name, index, token.position), *depths)
        return self.made_of(Axis(name, token.position))

    def literal(self, token: _Token) -> int | float:
        """Integers stay integers; both are finite and of bounded length."""
        if token.text.isdigit():
            if len(token.text) > 400:
                raise GrammarError(token.position, f"{len(token.text)} digits", "a shorter number")
            return int(token.text)
        value = float(token.text)
        if not math.isfinite(value):
            raise GrammarError(token.position, token.text[:40], "a finite number")
        return value

    def listed(self, opening: str, closing: str) -> tuple[tuple[Part, ...], tuple[int, ...]]:
        self.take(opening)
        items: list[tuple[Part, int]] = []
        while not self.takes(closing):
            if items:
                self.take(",")
            items.append(self.expression(0))
        return tuple(part for part, _ in items), tuple(depth for _, depth in items)
