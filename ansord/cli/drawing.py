"""Draws a model's plan as SVG: a box per step, its share of the time as a bar, values as lines between them.

Pure; called by `show`. Steps stand below what they read, beside each other where they do not depend on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

from ansord.cli.talk import latency, percent, printable
from ansord_client.models import Call, Foreign, Plan, Survey, View

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 260, 46, 24, 30, 20


@dataclass(frozen=True, slots=True)
class _Box:
    title: str
    note: str
    tip: str
    share: float
    """Of the model's time, for one run."""
    kind: str
    reads: tuple[int, ...]


def svg(plan: Plan, found: Survey) -> str:
    """The picture as text."""
    boxes = _boxes(plan, found)
    places = _places(boxes)
    wide = max((x for x, _ in places), default=0) + WIDTH + MARGIN
    high = max((y for _, y in places), default=0) + HEIGHT + MARGIN
    head = f"{plan.name}: {latency(found.latency_us)} estimated, {percent(found.coverage)} of it tuned"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" '
        f'viewBox="0 0 {wide} {high}" font-family="sans-serif" font-size="12">',
        f"<title>{_safe(head)}</title>",
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for box, (x, y) in zip(boxes, places, strict=True):
        parts += [_line(places[other], (x, y)) for other in box.reads]
    largest = max((box.share for box in boxes), default=0.0) or 1.0
    parts += [_drawn(box, place, largest) for box, place in zip(boxes, places, strict=True)]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _boxes(plan: Plan, found: Survey) -> list[_Box]:
    """Inputs, then steps; a view is the line that leads to its readers."""
    shares = {one.name if isinstance(one.what, str) else one.what.subgraph.key: one for one in found.shares}
    total = found.latency_us or 1.0
    boxes = [
        _Box(name, "x".join(map(str, plan.whole(name).shape)), f"input {name}", 0.0, "input", ())
        for name in plan.inputs
    ]
    makers = {name: place for place, name in enumerate(plan.inputs)}
    for step in plan.steps:
        if isinstance(step, View):
            if step.arg in makers:
                makers[step.result] = makers[step.arg]
            continue
        reads = tuple(dict.fromkeys(makers[name] for name in step.args if name in makers))
        title, key, kind = _named(step)
        one = shares[key]
        each = one.latency_us / one.count
        kind = "tuned" if one.tuned else kind
        note = f"{percent(one.latency_us / total)} of the time in {one.count} runs, {latency(each)} each"
        makers.update(dict.fromkeys(step.results, len(boxes)))
        boxes.append(_Box(title, note, _tip(step), each / total, kind, reads))
    for name in plan.outputs:
        reads = (makers[name],) if name in makers else ()
        boxes.append(
            _Box(name, "x".join(map(str, plan.whole(name).shape)), f"output {name}", 0.0, "output", reads)
        )
    return boxes


def _named(step: Call | Foreign) -> tuple[str, str, str]:
    """(title, key of its share, kind)."""
    if isinstance(step, Foreign):
        return step.op, step.op, "fallback"
    return step.subgraph.name, step.subgraph.key, "estimated"


def _tip(step: Call | Foreign) -> str:
    if isinstance(step, Foreign):
        return f"{step.op}, run by the fallback"
    ops = ", ".join(node.op for node in step.subgraph.nodes)
    return f"{ops}\nkey {step.subgraph.key}\n{step.subgraph.flops / 1e6:.4g} Mflop"


def _places(boxes: list[_Box]) -> list[tuple[int, int]]:
    """By the longest way from the top; within a row in the order of the plan."""
    rows: list[int] = []
    counts: dict[int, int] = {}
    places = []
    for box in boxes:
        row = max((rows[other] + 1 for other in box.reads), default=0)
        rows.append(row)
        column = counts.get(row, 0)
        counts[row] = column + 1
        places.append((MARGIN + column * (WIDTH + GAP_X), MARGIN + row * (HEIGHT + GAP_Y)))
    return places


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    """A curve; one that skips rows swings out to the right, around the boxes between."""
    x0, y0, x1, y1 = start[0] + WIDTH // 2, start[1] + HEIGHT, end[0] + WIDTH // 2, end[1]
    swing = WIDTH // 2 + GAP_X if y1 - y0 > GAP_Y and x0 == x1 else 0
    bend = max(GAP_Y, (y1 - y0) // 3)
    control = f"{x0 + swing},{y0 + bend} {x1 + swing},{y1 - bend}"
    return f'<path d="M{x0},{y0} C{control} {x1},{y1}" fill="none" stroke="#999"/>'


_FILLS: Mapping[str, str] = {
    "input": "#eee",
    "output": "#eee",
    "tuned": "#e3f1e3",
    "estimated": "#fdf3d8",
    "fallback": "#f8dddd",
}


def _drawn(box: _Box, place: tuple[int, int], largest: float) -> str:
    x, y = place
    bar = round((WIDTH - 2) * box.share / largest)
    return (
        f'<g><title>{_safe(box.tip)}</title><rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="4" '
        f'fill="{_FILLS[box.kind]}" stroke="#666"/><rect x="{x + 1}" y="{y + HEIGHT - 5}" width="{bar}" '
        f'height="4" fill="#c60"/><text x="{x + 8}" y="{y + 18}">{_safe(_short(box.title))}</text>'
        f'<text x="{x + 8}" y="{y + 35}" fill="#555" font-size="10">{_safe(box.note)}</text></g>'
    )


def _safe(text: str) -> str:
    """As text in XML, which has no place for control characters, escaped or not."""
    return escape("\n".join(map(printable, text.split("\n"))))


def _short(text: str) -> str:
    return text if len(text) <= 38 else f"{text[:37]}…"
