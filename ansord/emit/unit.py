"""One C file in the making: helper functions once each, lines with their indent, fresh names."""

from __future__ import annotations

from ansord.emit.ctype import CTYPES, short, typedefs
from ansord.emit.ops import INFIX, LEAST, Helper, helper
from ansord.emit.stream import FENCE, stream_text
from ansord.emit.turn import SQUARE, turn_text


class Unit:
    """Collects what the kernel's text needs around it."""

    def __init__(self) -> None:
        self.helpers: dict[str, str] = {}
        self.lanes: set[int] = set()

    def call(self, op: str, dtype: str, source: str, arity: int, lanes: int) -> str:
        """The name of the function for an operation; emitted with the first call."""
        made = helper(op, dtype, source, arity, lanes)
        self._add(made)
        return made.name

    def _add(self, made: Helper) -> None:
        if made.name in self.helpers:
            return
        for need in made.needs:
            self._add(need)
        self.helpers[made.name] = made.text
        if made.lanes > 1:
            self.lanes.add(made.lanes)

    def fold(self, combiner: str, dtype: str, lanes: int) -> str:
        """The function that combines the lanes of one vector: its halves, then theirs, down to one lane."""
        name, held = f"fold_{combiner}_{short(dtype, lanes)}", "a"
        if name in self.helpers:
            return name
        lines = [f"static inline {CTYPES[dtype].name} {name}({self.vector(dtype, lanes)} a) {{"]
        step = lanes
        while step > 1:
            # Below the least vector the lanes that no longer count go on being combined.
            step, width = step // 2, lanes
            lanes = max(step, min(width, LEAST // CTYPES[dtype].bytes))
            kind, half = self.vector(dtype, lanes), f"a{step}"
            here = ", ".join(map(str, range(lanes)))
            there = ", ".join(str((lane + step) % width) for lane in range(lanes))
            parts = [f"({kind})__builtin_shufflevector({held}, {held}, {places})" for places in (here, there)]
            lines.append(f"  const {kind} {half} = {self._combined(combiner, dtype, lanes, *parts)};")
            held = half
        self.helpers[name] = "\n".join([*lines, f"  return {held}[0];", "}"])
        return name

    def _combined(self, combiner: str, dtype: str, lanes: int, first: str, second: str) -> str:
        if CTYPES[dtype].kind == "float" and combiner in INFIX:
            return f"{first} {INFIX[combiner]} {second}"
        return f"{self.call(combiner, dtype, dtype, 2, lanes)}({first}, {second})"

    def stream(self, dtype: str, lanes: int) -> str:
        """The function that stores a vector past the caches."""
        name = f"stream_{short(dtype, lanes)}"
        self.helpers[name] = stream_text(name, CTYPES[dtype], self.vector(dtype, lanes), lanes)
        return name

    def turn(self, dtype: str) -> str:
        """The function that turns rows of memory to columns."""
        name = f"turn_{CTYPES[dtype].short}"
        self.helpers[name] = turn_text(name, CTYPES[dtype].name, self.vector(dtype, SQUARE))
        return name

    def fence(self) -> str:
        """The function after which such stores are seen by everyone who waits for this thread."""
        self.helpers["fence"] = FENCE
        return "fence"

    def join(self, dtype: str, lanes: int) -> str:
        """What takes two vectors and, for each lane, its place in the one behind the other."""
        name, places = f"join_{short(dtype, lanes)}", self.vector(f"int{8 * CTYPES[dtype].bytes}", lanes)
        self.helpers[name] = JOIN.format(name=name, places=places)
        return name

    def vector(self, dtype: str, lanes: int) -> str:
        """The vector type, declared with its first use."""
        self.lanes.add(lanes)
        return short(dtype, lanes)

    def text(self, body: list[str]) -> str:
        """The whole file."""
        lines = [PRELUDE]
        for lanes in sorted(self.lanes):
            lines += typedefs(lanes)
        return "\n".join([*lines, *self.helpers.values(), *body]) + "\n"


PRELUDE = """\
#if defined(__AVX512F__)
#define PIN(x) __asm__("" : "+v"(x))
#elif defined(__x86_64__)
#define PIN(x) if (sizeof(x) <= 32) __asm__("" : "+x"(x))
#else
#define PIN(x) __asm__("" : "+w"(x))
#endif
extern int omp_get_thread_num(void);"""
"""PIN keeps a loaded vector in its register: gcc 12 otherwise reads it again as the memory operand of every
multiply-add, which costs up to a third with 4 and more vectors a row."""


JOIN = """\
#if defined(__clang__)
#define {name}(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define {name}(a, b, ...) __builtin_shuffle(a, b, ({places}){{__VA_ARGS__}})
#endif"""
"""Before gcc 12 it has no name in common with clang."""


class Lines:
    """C statements with indentation."""

    def __init__(self, depth: int = 1) -> None:
        self.lines: list[str] = []
        self.depth = depth

    def __call__(self, text: str) -> None:
        self.lines.append("  " * self.depth + text)

    def open(self, text: str) -> None:
        """A line that opens a scope."""
        self(text)
        self.depth += 1

    def close(self, text: str = "}") -> None:
        """The line that closes it."""
        self.depth -= 1
        self(text)
