"""Rows of memory to columns, a square in registers at a time: element by element it costs much more."""

from __future__ import annotations

SQUARE = 4
"""Elements of a side: with vectors of 16 bytes, which all machines have."""


def turn_text(name: str, element: str, vector: str) -> str:
    """The function that writes `to[k*row + i] = at[i*apart + k]` for a square, of 4 bytes an element."""
    rows = "".join(f"  const {vector} r{i} = *(const {vector} *)(at + {i}*apart);\n" for i in range(SQUARE))

    def mixed(result: str, first: str, second: str, places: str) -> str:
        return f"  const {vector} {result} = __builtin_shufflevector({first}, {second}, {places});\n"

    pairs = "".join(
        mixed(f"{half}{i}", f"r{2 * i}", f"r{2 * i + 1}", places)
        for i in range(2)
        for half, places in (("low", "0, 4, 1, 5"), ("high", "2, 6, 3, 7"))
    )
    columns = "".join(
        mixed(f"c{2 * i + j}", f"{half}0", f"{half}1", places)
        for i, half in enumerate(("low", "high"))
        for j, places in enumerate(("0, 1, 4, 5", "2, 3, 6, 7"))
    )
    stores = "".join(f"  *({vector} *)(to + {k}*row) = c{k};\n" for k in range(SQUARE))
    head = f"static inline void {name}(const {element} *at, long apart, {element} *to, long row) {{\n"
    return f"{head}{rows}{pairs}{columns}{stores}}}"
