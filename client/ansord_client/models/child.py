"""Imports a model in a child process with limits: a hostile file can at worst end the child.

`import_in_child` is the parent's side, `main` the child's: `python -I -c … FOLDER_OF_THE_CLIENT FILE DIMS`.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
from pathlib import Path

from ansord_client.errors import BadModel
from ansord_client.models import bounded, codec
from ansord_client.models.graph import Model

TIMEOUT_S = 300.0
MEMORY = 2 << 30
"""Bytes of address space beside a few times the file."""
ANSWER = 1 << 28
"""Bytes: a model without its weights has some hundred kilobytes."""

_START = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from ansord_client.models.child import main; main(sys.argv[2], sys.argv[3])"
)


def import_in_child(path: Path, dims: dict[str, int]) -> Model:
    """The model in a file.

    :raises BadModel: as the importer, and where the child died or took too long. :raises OSError: unreadable.
    """
    with path.open("rb"):
        pass
    folder = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-I", "-c", _START, folder, os.path.abspath(path), json.dumps(dims)]
    quiet = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    quiet |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        said = bounded.run(command, quiet, TIMEOUT_S, ANSWER)
    except TimeoutError as error:
        raise BadModel(f"{path}: reading it took more than {TIMEOUT_S:g} s") from error
    if len(said.out) > ANSWER:
        raise BadModel(f"{path}: the process that read it said more than {ANSWER} bytes, and was ended")
    if said.code:
        lines = said.err.decode(errors="replace").strip().splitlines()
        what = f"signal {-said.code}" if said.code < 0 else f"exit code {said.code}"
        raise BadModel(
            f"{path}: the process that read it ended with {what}: {lines[-1] if lines else 'it said nothing'}"
        )
    return codec.decode(said.out)


def main(path: str, dims: str) -> None:
    """The child: limits itself, reads, writes one message to stdout."""
    out = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not end up in the message
    size = os.path.getsize(path)
    with contextlib.suppress(ImportError):  # `_read` says so; here it is loaded while there is memory
        import ansord_client.models.importer  # noqa: F401
    for what, limit in (
        (resource.RLIMIT_AS, MEMORY + 6 * size),
        (resource.RLIMIT_CPU, int(TIMEOUT_S)),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    try:
        message = codec.encode(_read(path, dims))
    except BadModel as error:
        message = codec.encode_error(str(error))
    except MemoryError:
        message = codec.encode_error(
            f"{path}: reading it takes more than {MEMORY + 6 * size} bytes of memory"
        )
    except RecursionError:
        message = codec.encode_error(f"{path}: it is nested too deep")
    with os.fdopen(out, "wb") as pipe:
        pipe.write(message)


def _read(path: str, dims: str) -> Model:
    try:
        from ansord_client.models.importer import read
    except ImportError as error:
        raise BadModel(f"{path}: reading ONNX needs the package onnx: install ansord-client[onnx]") from error
    return read(Path(path), json.loads(dims))
