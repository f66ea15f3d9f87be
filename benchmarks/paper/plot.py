"""The rows as a picture: a peer's time over ansord's, case by case, on a logarithmic scale. SVG by hand:
nothing to install."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from benchmarks.paper.rows import Row, by_operator, geometric

COLOURS = {"eager": "#d98c3f", "onednn": "#3f7fbf", "ansor": "#7a9a4a", "metaschedule": "#8a5aa8"}
STEP, GAP, LEFT, TOP, HEIGHT, BELOW = 14, 12, 50, 30, 260, 110
LINES = (0.25, 0.5, 0.8, 1, 1.25, 2, 4, 8, 16)


def plot(rows: Sequence[Row]) -> str:
    """Above the line at 1, ansord is faster; the bar of each operator is the geometric mean over the better
    of PyTorch and oneDNN."""
    groups = by_operator([row for row in rows if any(f"to_{who}" in row for who in COLOURS)])
    del groups["all"]
    ratios = [
        row[f"to_{who}"] for some in groups.values() for row in some for who in COLOURS if f"to_{who}" in row
    ]
    low, high = min([0.5, *ratios]) / 1.1, max([2.0, *ratios]) * 1.1
    width = LEFT + sum(GAP + STEP * len(some) for some in groups.values()) + GAP

    def y(ratio: float) -> float:
        return TOP + HEIGHT * (1 - math.log(ratio / low) / math.log(high / low))

    marks = [
        f'<line x1="{LEFT}" x2="{width}" y1="{y(at):.1f}" y2="{y(at):.1f}" '
        f'stroke="{"#444" if at == 1 else "#ddd"}"/>'
        f'<text x="{LEFT - 6}" y="{y(at) + 4:.1f}" text-anchor="end">{at:g}</text>'
        for at in LINES
        if low <= at <= high
    ]
    x = LEFT + GAP
    for name, some in groups.items():
        mean = geometric(row.get("to_best") for row in some)
        if mean is not None:
            top, bottom = sorted((y(mean), y(1.0)))
            marks.append(
                f'<rect x="{x - 4}" y="{top:.1f}" width="{STEP * len(some)}" height="{bottom - top:.1f}" '
                f'fill="#e8e8e8"><title>{escape(name)}: {mean:.2f}</title></rect>'
            )
        marks.append(f'<text x="{x}" y="{TOP - 8}" font-weight="bold">{escape(name)}</text>')
        for row in some:
            marks += dots(row, x, y)
            x += STEP
        x += GAP
    legend = "".join(
        f'<circle cx="{LEFT + 110 * place}" cy="{TOP + HEIGHT + BELOW - 14}" r="4" fill="{colour}"/>'
        f'<text x="{LEFT + 8 + 110 * place}" y="{TOP + HEIGHT + BELOW - 10}">{who}</text>'
        for place, (who, colour) in enumerate(COLOURS.items())
    )
    size = f'width="{width}" height="{TOP + HEIGHT + BELOW}"'
    style = "<style>text{font:10px sans-serif}</style>"
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{style}{"".join(marks)}{legend}</svg>\n'


def dots(row: Row, x: int, y: Callable[[float], float]) -> list[str]:
    """One case: a dot for each peer, and its name below."""
    found = [
        f'<circle cx="{x}" cy="{y(row[f"to_{who}"]):.1f}" r="4" fill="{colour}">'
        f"<title>{row['case']}, {who}: {row[f'to_{who}']:.2f}</title></circle>"
        for who, colour in COLOURS.items()
        if f"to_{who}" in row
    ]
    foot = TOP + HEIGHT + 8
    name = f'<text transform="translate({x + 4} {foot}) rotate(-90)" text-anchor="end">{row["case"]}</text>'
    return [*found, name]
