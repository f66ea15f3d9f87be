"""What a daemon must refuse: `failed/NAME.error.json` says path, cause and hint, and life goes on."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.accept.claim import Claim, Values, Verdict
from benchmarks.accept.daemon import REPO, Daemon, environment

FIELDS = ("path", "found", "wanted", "cause", "hint")
UNREAD_S = 90.0
"""A file that nobody saw closed, or may not be read, is given half a minute to change."""

Json = dict[str, Any]


def good(name: str = "good", **fields: Any) -> Json:
    return {
        "ansord": 1,
        "name": name,
        "inputs": [{"name": "x", "shape": [33, 20]}, {"name": "w", "shape": [20, 9], "constant": True}],
        "nodes": [
            {"name": "y", "op": "matmul", "args": ["x", "w"]},
            {"name": "z", "op": "relu", "args": ["y"]},
        ],
        "outputs": ["z"],
        "tuning": {"trials": 4},
        **fields,
    }


def nodes(*rows: Json) -> Json:
    """A graph of x [8, 8] whose output is the last of these nodes."""
    inputs = [{"name": "x", "shape": [8, 8]}]
    return good(inputs=inputs, nodes=list(rows), outputs=[rows[-1]["name"]])


def one(op: str, *args: Any, **attrs: Any) -> Json:
    return nodes({"name": "y", "op": op, "args": list(args), "attrs": attrs})


def shaped(*shape: Any) -> Json:
    return good(
        inputs=[{"name": "x", "shape": list(shape)}],
        nodes=[{"name": "y", "op": "relu", "args": ["x"]}],
        outputs=["y"],
    )


def compute(expr: str, *shape: int, **attrs: Any) -> Json:
    return one("compute", "x", expr=expr, shape=list(shape), **attrs)


TEXT = json.dumps(good()).encode()
CYCLE = ({"name": "a", "op": "relu", "args": ["b"]}, {"name": "b", "op": "relu", "args": ["a"]})

TEXTS: Mapping[str, Json | bytes] = {
    "empty": b"",
    "truncated": TEXT[: len(TEXT) // 2],
    "last_byte_missing": TEXT[:-1],
    "huge": TEXT[:-1] + b" " * (256 << 10) + b"}",
    "huge_number": TEXT.replace(b"33", b"3" * 100_000),
    "deep": b'{"ansord": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "just_too_deep": b'{"ansord": ' + b"[" * 40 + b"]" * 40 + b"}",
    "not_utf8": TEXT.replace(b"good", b"g\xff\xfed"),
    "utf16": TEXT.decode().encode("utf-16"),
    "binary": bytes(range(256)) * 16,
    "no_object": b"[1, 2, 3]",
    "two_values": TEXT + TEXT,
    "duplicate_field": TEXT.replace(b'"ansord": 1', b'"ansord": 1, "ansord": 1'),
    "duplicate_name": nodes(
        {"name": "x", "op": "relu", "args": ["x"]}, {"name": "y", "op": "relu", "args": ["x"]}
    ),
    "duplicate_output": good(outputs=["z", "z"]),
    "unknown_field": good(speed="fast"),
    "unknown_op": one("convolve", "x"),
    "unknown_tensor": one("relu", "nobody"),
    "wrong_version": good(ansord=2),
    "mistyped_inputs": good(inputs="x"),
    "mistyped_shape": shaped("8", 8),
    "mistyped_attr": one("softmax", "x", axis="last"),
    "fractional_extent": shaped(8.5),
    "cyclic": nodes(*CYCLE),
    "self_cyclic": nodes({"name": "a", "op": "relu", "args": ["a"]}),
    "no_outputs": good(outputs=[]),
    "shape_mismatch": one("matmul", "x", "x", transpose_a=5),
    "index_out_of_range": compute("y[i] = x[i, i + 1]", 8),
    "index_negative": compute("y[i] = x[i - 1, 0]", 8),
    "slice_axis_out_of_range": one("softmax", "x", axis=7),
    "extent_zero": shaped(8, 0),
    "extent_negative": shaped(8, -1),
    "extent_2_40": shaped(2**40),
    "extents_2_40": shaped(2**20, 2**20),
    "inferred_too_large": one("pad", "x", pads=[[0, 2**30], [0, 2**30]]),
    "nan": TEXT.replace(b'"tuning": {"trials": 4}', b'"weight": NaN'),
    "infinity": TEXT.replace(b'"tuning": {"trials": 4}', b'"weight": Infinity'),
    "nan_constant": json.dumps(one("leaky_relu", "x", alpha=7)).encode().replace(b"7}", b"NaN}"),
    "overflow_constant": json.dumps(one("leaky_relu", "x", alpha=7)).encode().replace(b"7}", b"1e999}"),
    "compute_nan": compute("y[i] = x[i, 0] * nan", 8),
    "compute_code": compute("y[i] = __import__('os').system('true')", 8),
    "name_closes_comment": good(nodes=[{"name": "*/ int x; /*", "op": "relu", "args": ["x"]}], outputs=["x"]),
    "name_newline": good(name="two\nlines"),
    "node_newline": nodes({"name": "y\ny", "op": "relu", "args": ["x"]}),
    "name_nul": good(name="a\0b"),
    "trials_zero": good(tuning={"trials": 0}),
    "trials_nan": TEXT.replace(b'"trials": 4', b'"seconds": NaN'),
}
"""What each file holds; a dict is written as JSON."""


def data(text: Json | bytes) -> bytes:
    return text if isinstance(text, bytes) else json.dumps(text).encode()


def strange(inbox: Path) -> None:
    """Things under a drop's name that are no files."""
    (inbox / "elsewhere.txt").write_bytes(TEXT)
    (inbox / "symlink.json").symlink_to(inbox / "elsewhere.txt")
    (inbox / "dangling.json").symlink_to("nowhere")
    os.mkfifo(inbox / "fifo.json")
    (inbox / "directory.json").mkdir()
    (inbox / "directory.json" / "inside.json").write_bytes(TEXT)


STRANGE = ("symlink", "dangling", "fifo", "directory")


def unreadable(inbox: Path) -> None:
    """A file of mine that I may not open either."""
    (inbox / ".secret").write_bytes(TEXT)
    (inbox / ".secret").chmod(0)
    (inbox / ".secret").rename(inbox / "unreadable.json")


def claim(late: Sequence[str], on_command_line: Sequence[str]) -> Claim[Daemon]:
    """`late`: what is only given up after half a minute; `on_command_line`: what is submitted, too."""
    steps: dict[str, Any] = {"refused": partial(refused, [*TEXTS, *STRANGE, *late]), "good": tuned}
    steps |= {"told": partial(told, on_command_line), "no compiler": without_compiler}
    return Claim("hostile", steps, verdict, humble)


@contextlib.contextmanager
def humble(folder: Path) -> Iterator[Daemon]:
    """A daemon that is no superuser where files are concerned: to root, nothing is unreadable."""
    words = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--")
    daemon = Daemon(folder, words if os.geteuid() == 0 and shutil.which("setpriv") else ())
    daemon.start()
    try:
        daemon.awake()
        yield daemon
    finally:
        daemon.stop()


def refused(names: Sequence[str], daemon: Daemon) -> dict[str, Any]:
    """All at once; of each what its error says, or what is wrong with that."""
    for name, text in TEXTS.items():
        (daemon.inbox / f"{name}.json").write_bytes(data(text))  # as `cp` writes: open, write, close
    strange(daemon.inbox)
    if "unreadable" in names:
        unreadable(daemon.inbox)
    found = {}
    for name in names:
        folder, record = daemon.settled(name, UNREAD_S)
        missing = [field for field in FIELDS if folder == "done" or not record.get(field)]
        found[name] = {"cause": record.get("cause"), "path": record.get("path"), "missing": missing}
    return found


def tuned(daemon: Daemon) -> dict[str, Any]:
    """The same daemon goes on, and the inbox is clean."""
    daemon.drop("good", good())
    folder, record = daemon.settled("good")
    status = daemon.status() or {}
    left = sorted(path.name for path in daemon.inbox.glob("*.json"))
    restarts = status.get("counts", {}).get("restarts")
    return {"folder": folder, "trials": record.get("trials"), "restarts": restarts, "left": left}


def told(names: Sequence[str], daemon: Daemon) -> dict[str, Any]:
    """The command line on the same files: one line on stderr and exit 65. What is wrong with it, by name."""
    folder = daemon.inbox.parent / "files"
    folder.mkdir(exist_ok=True)
    wrong = {}
    for name in names:
        file = folder / f"{name}.json"
        file.write_bytes(data(TEXTS[name]))
        done = ansord("submit", f"--inbox={daemon.inbox}", str(file))
        lines = done.stderr.strip().splitlines()
        if done.returncode != 65 or len(lines) != 1 or done.stdout:
            wrong[name] = f"exit {done.returncode}, {len(lines)} lines: {' / '.join(lines)[-200:]}"
    return wrong


def without_compiler(daemon: Daemon) -> dict[str, Any]:
    """`doctor` and `serve` say so and how to get one: (exit code, what they say)."""
    bare = daemon.inbox.parent / "bare"
    places = [f"--{name}={bare / name}" for name in ("cache", "state")]
    found = {}
    for words in (["doctor", *places], ["serve", *places, f"--inbox={bare / 'inbox'}"]):
        done = ansord(*words, PATH="/nonexistent")
        found[words[0]] = {"code": done.returncode, "says": done.stdout + done.stderr}
    return found


def ansord(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ansord", *words],
        capture_output=True, text=True, env=environment() | variables, cwd=REPO, timeout=60, check=False,
    )  # fmt: skip


def verdict(values: Values) -> Verdict:
    kinds, after = values["refused"], values["good"]
    wrong = [f"{name}: without {', '.join(one['missing'])}" for name, one in kinds.items() if one["missing"]]
    wrong += [f"submit {name}: {what}" for name, what in values["told"].items()]
    if after["folder"] != "done" or after["restarts"] or after["left"]:
        wrong.append(f"afterwards: {after}")
    for command, one in values["no compiler"].items():
        if one["code"] == 0 or "gcc" not in one["says"] or "Traceback" in one["says"]:
            wrong.append(f"{command} without a compiler: {one}")
    figure = f"{len(kinds)} kinds refused, {len(wrong)} not as promised, a good drop tuned afterwards"
    wanted = "each with path, cause and hint; the daemon goes on"
    return Verdict("; ".join([figure, *wrong]), wanted, not wrong)


FULL = claim(["unreadable"], list(TEXTS))
DRAW = claim([], ["truncated", "extent_2_40"])
