"""Curves as SVG text: the median of several runs as a line, the range of them behind it. No library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

Points = Sequence[tuple[float, float]]
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 400, 64, 44, 34, 120
COLOURS = ("#1b6ca8", "#c8553d", "#588157", "#7b5ea7", "#8d6a4f", "#444444", "#d4a017")


def curves_svg(title: str, axis: str, by: Mapping[str, Sequence[Points]]) -> str:
    """Best latency (µs, logarithmic) over `axis` (logarithmic), a colour for each strategy."""
    every = [point for runs in by.values() for run in runs for point in run if math.isfinite(point[1])]
    if not every:
        return "<svg xmlns='http://www.w3.org/2000/svg'/>"
    low, high = max(min(x for x, _ in every), 1e-3), max(x for x, _ in every)
    least, most = min(y for _, y in every), min(max(y for _, y in every), 4 * min(y for _, y in every))
    grid = np.geomspace(low, high, 120)

    def place(x: float, y: float) -> str:
        across = (math.log(x) - math.log(low)) / max(math.log(high / low), 1e-9)
        up = (math.log(min(y, most)) - math.log(least)) / max(math.log(most / least), 1e-9)
        left, up = LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - BOTTOM - TOP)
        return f"{left:.1f},{up:.1f}"

    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{HEIGHT}' font-family='sans-serif' "
        "font-size='12'>",
        "<rect width='100%' height='100%' fill='white'/>",
        f"<text x='{LEFT}' y='20' font-size='14'>{escape(title)}: best latency (µs) over {escape(axis)}"
        "</text>",
    ]
    for value in _ticks(least, most):
        x, y = place(low, value).split(",")
        parts.append(f"<text x='{float(x) - 8}' y='{float(y) + 4}' text-anchor='end'>{value:g}</text>")
        parts.append(f"<line x1='{x}' x2='{WIDTH - RIGHT}' y1='{y}' y2='{y}' stroke='#dddddd'/>")
    for value in _ticks(low, high):
        x, y = place(value, least).split(",")
        parts.append(f"<text x='{x}' y='{HEIGHT - BOTTOM + 18}' text-anchor='middle'>{value:g}</text>")
    for number, (name, runs) in enumerate(by.items()):
        colour = COLOURS[number % len(COLOURS)]
        table = np.array([[_at(run, x) for x in grid] for run in runs])
        middle = np.median(table, axis=0)
        line = " ".join(place(x, y) for x, y in zip(grid, middle, strict=True) if math.isfinite(y))
        band = [place(x, y) for x, y in zip(grid, table.max(0), strict=True) if math.isfinite(y)]
        band += [place(x, y) for x, y in zip(grid, table.min(0), strict=True) if math.isfinite(y)][::-1]
        parts.append(f"<polygon points='{' '.join(band)}' fill='{colour}' opacity='0.12'/>")
        parts.append(f"<polyline points='{line}' fill='none' stroke='{colour}' stroke-width='2'/>")
        at = TOP + 16 * number + 10
        parts.append(f"<text x='{WIDTH - RIGHT + 10}' y='{at}' fill='{colour}'>{escape(name)}</text>")
    return "\n".join([*parts, "</svg>"]) + "\n"


def _at(run: Points, x: float) -> float:
    """The last value at or before `x`."""
    found = math.inf
    for at, value in run:
        if at > x * 1.0001:
            break
        found = value
    return found


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between two others."""
    steps = [n * 10.0**e for e in range(-4, 8) for n in (1, 2, 3, 5)]
    inside = [step for step in steps if low <= step <= high]
    return inside if len(inside) >= 2 else [float(f"{low:.3g}"), float(f"{high:.3g}")]
