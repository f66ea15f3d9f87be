"""What a host has learned from all its tasks: measured programs as samples, and the best programs' texts.

One for the searching process. Kept in one file of the state directory; trees are not kept but grown anew.
A prior, measured elsewhere, stands in until this host has measurements of its own: its weight falls with
every program that was measured here, and a task's own measurements outweigh both.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ansord.nest import Rows, Space
from ansord.score import Model, Samples, fit, joined, judge, pairwise
from ansord.search.known import Known, kind, packed, unpacked
from ansord.sketch import usable

OTHERS, EACH = 12, 60
"""A fit takes in so many tasks, those most like this one, and so many programs of each: 0.2 s."""
AFAR = 0.15
"""The weight of another task's program beside one of the task itself, by replays on recorded pools."""
SHIPPED = 500
"""Programs of the prior in a fit; measured here, as many halve its weight."""
FEWEST, BELIEVED = 8, 0.75
"""Own programs by which others are judged, and the share of their pairs in the right order for full trust."""
KEPT, KEPT_TASKS = 150, 400
"""Programs kept of a task, and tasks kept: some 10 MB."""
BEST = 3
"""Programs of a task that start the search of similar ones."""


class Knowledge:
    """The tasks of one host, by key, newest last."""

    def __init__(
        self, prior: Mapping[str, Known] | None = None, path: Path | None = None, *, aside: bool = False
    ) -> None:
        """`prior`: tasks searched elsewhere, by key; `path`: the file of this host's own. `aside`: whoever
        asks first does not wait for the first model (scikit-learn is loaded, trees are grown: 2 s), but goes
        by the estimate on paper until it is there."""
        self.prior = dict(prior or {})
        self._aside = aside
        self._growing = threading.Lock()
        self._path = path
        self.tasks = unpacked(path.read_bytes()) if path is not None and path.exists() else {}
        self._first: Model | None = None
        self._made_of = 0

    def remember(self, key: str, samples: Samples, best: Sequence[str], seed: int = 0) -> None:
        """Replaces what is known of a task."""
        if len(samples):
            self.tasks.pop(key, None)
            self.tasks[key] = Known(samples.spread(KEPT, seed), tuple(best[:BEST]))
            for old in list(self.tasks)[:-KEPT_TASKS]:
                del self.tasks[old]

    def fit(self, key: str, own: Samples | None, seed: int, start: Model | None = None) -> Model:
        """The model for a task of which `own` is known, by that and by what is like it; `start`: its last."""
        if own is None:
            if self._aside and self._first is None:
                threading.Thread(target=self._blind, args=(seed,), daemon=True).start()
                return Model()
            return self._blind(seed)
        trust = self._trust(own, seed)
        parts = [part.weighed(trust) for part in self.fit_parts(key, seed, own)] if trust > 0 else []
        return fit(joined([own, *parts]), seed, start)

    def _trust(self, own: Samples, seed: int) -> float:
        """How far others are believed, 0 to 1: by how well what they say orders the task's own programs. A
        prior of another CPU that is worth no more than a coin is worth nothing here."""
        fine = own.some(np.flatnonzero(own.worked))
        if len(fine) < FEWEST:
            return 1.0
        ordered = pairwise(self._blind(seed).predict(fine.judged), fine.actual.astype(np.float64))
        return float(np.clip((ordered - 0.5) / (BELIEVED - 0.5), 0.0, 1.0))

    def held_out(self, key: str) -> Knowledge:
        """The same without what the prior says of a task: it may be the very programs by which a model of the
        task is judged."""
        if key not in self.prior:
            return self
        rest = {name: known for name, known in self.prior.items() if name != key}
        other = Knowledge(rest, aside=self._aside)
        other.tasks = self.tasks
        return other

    def unseen(self, key: str, seed: int) -> Model:
        """The model for a task as if nothing of it were known but what kind it is."""
        parts = self.fit_parts(key, seed, self.tasks[key].samples)
        return fit(joined(parts), seed) if parts else Model()

    def fit_parts(self, key: str, seed: int, like: Samples | None = None) -> list[Samples]:
        """What other tasks and the prior give to a fit, weighed: those most `like`, or the newest."""
        tasks = dict(self.tasks)  # others may be remembered meanwhile
        others = [known for name, known in tasks.items() if name != key]
        parts = [known.samples.spread(EACH, seed).weighed(AFAR) for known in _near(others, like)[:OTHERS]]
        if self.prior:
            here = sum(len(known.samples) for known in tasks.values())
            taught = _near(self.prior.values(), like)[: OTHERS if like is not None else None]
            shown = joined([known.samples for known in taught]).spread(SHIPPED, seed)
            parts.append(shown.weighed(AFAR / (1 + here / SHIPPED)))
        return parts

    def _blind(self, seed: int) -> Model:
        """Before a task's first measurement: one model for all tasks, made anew now and then."""
        with self._growing:
            if self._first is None or len(self.tasks) >= self._made_of + OTHERS // 2:
                self._made_of = len(self.tasks)
                parts = self.fit_parts("", seed)
                if not parts:
                    return Model()
                self._first = fit(joined(parts), seed)
            return self._first

    def seeds(self, key: str, space: Space) -> Rows:
        """The best programs of other tasks and of the prior that are programs of this space, too, alike but
        for sizes. Those of the most similar task come first; what is not legal here is left out."""
        others = [known for name, known in self.tasks.items() if name != key]
        texts = [(known, text) for known in (*others, *self.prior.values()) for text in known.best]
        found = [(known, row) for known, text in texts if (row := space.read(text)) is not None]
        if not found:
            return space.no_rows
        at = kind(judge(space, space.canonical(np.stack([row for _, row in found]))).features)
        near = sorted(found, key=lambda one: float(np.abs(one[0].kind - at).sum()))
        return usable(space, np.stack([row for _, row in near]))

    def save(self) -> None:
        """Writes the file, whole or not at all."""
        if self._path is None:
            return
        part = self._path.with_name(f".{self._path.name}.part")
        part.write_bytes(packed(self.tasks))
        part.replace(self._path)


def _near(others: Iterable[Known], like: Samples | None) -> list[Known]:
    """Those most `like` first; without it, the newest."""
    if like is None:
        return list(others)[::-1]
    at = kind(like.features)
    return sorted(others, key=lambda known: float(np.abs(known.kind - at).sum()))
