"""Where elements live: index forms over loop variables as C text, and the regions of placed stages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

from ansord.nest import ceil
from ansord_client.index import Index, Quotient, Remainder


def c_index(index: Index, ranges: Mapping[str, tuple[int, int]]) -> str:
    """The form as a C expression of type long; `ranges` bounds its variables."""
    parts: list[str] = []
    for atom, factor in index.terms:
        text = atom if isinstance(atom, str) else _division(atom, ranges)
        text = text if abs(factor) == 1 else f"{text}*{abs(factor)}L"
        parts.append(("-" if factor < 0 else "+" if parts else "") + text)
    if index.const or not parts:
        parts.append(f"+{index.const}" if index.const >= 0 and parts else str(index.const))
    return "".join(parts)


def _division(atom: Quotient | Remainder, ranges: Mapping[str, tuple[int, int]]) -> str:
    """C rounds to zero; where the numerator may be negative it is lifted by a multiple of the divisor."""
    low, _ = atom.numerator.interval(ranges)
    lift = max(0, ceil(-low, atom.divisor))
    numerator = c_index(atom.numerator + lift * atom.divisor, ranges)
    if isinstance(atom, Remainder):
        return f"(({numerator})%{atom.divisor})"
    return f"(({numerator})/{atom.divisor}-{lift})" if lift else f"(({numerator})/{atom.divisor})"


@dataclass(frozen=True)
class Region:
    """The part of a placed stage's tensor that a thread holds: `extents` points from `origins` (variables,
    None for 0), dimension by dimension. Indices stay those of the whole tensor."""

    name: str
    dtype: str
    extents: tuple[int, ...]
    origins: tuple[str | None, ...]

    @property
    def size(self) -> int:
        """Elements."""
        return prod(self.extents)

    def offset(self, index: Iterable[Index]) -> Index:
        """The flat position, in elements, inside the region."""
        total = Index()
        for place, (part, origin) in enumerate(zip(index, self.origins, strict=True)):
            stride = prod(self.extents[place + 1 :])
            total = total + (part - Index.of(origin or 0)) * stride
        return total
