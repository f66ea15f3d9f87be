"""The child of `equality`: loads kernels and says for each why it is wrong, with the runner's own check.

One JSON order a line: {"subgraph", "seed", "directory", "candidates": [[path, packed, scratch, relaxed], …]};
one JSON string a candidate comes back, empty where the kernel is right. A crash is the parent's to notice.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ansord.measure.child import answers
from ansord.measure.child.task import Candidate, Kernel, Task
from ansord_client.subgraph import Subgraph


class NoHarness:
    """A runner tells its signal handler what lies where; here a crash ends the process."""

    def ansord_watch(self, table: Any, count: int) -> int:
        return 0


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        directory = Path(order["directory"])
        if order["subgraph"] is not None:
            directory.mkdir()
            answers.write(directory, Subgraph.from_dict(order["subgraph"]), order["seed"])
        task = Task(directory)
        for candidate in order["candidates"]:
            wrong = task.check(Kernel(Candidate(*candidate)), NoHarness())
            sys.stdout.write(json.dumps(wrong) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
