"""Everything that ansord raises on purpose towards its users; each says what to do about it.

AnsordError
├── BadSubgraph     a subgraph that the reader refuses: path, found, wanted, cause, hint
├── BadModel        a model file that cannot be imported, or whose weights are missing
├── BadConfig       ansord.toml, an environment variable or an option
├── BadCall         arrays that do not fit; a ValueError too
├── AfterFork       a parallel kernel called in a forked child; a RuntimeError too
├── KernelNotFound  a miss, with its reason; a LookupError too
├── TuningFailed    the daemon refused the subgraph or found no correct kernel
└── Timeout         no kernel within the time given; a TimeoutError too
"""

from __future__ import annotations


class AnsordError(Exception):
    """The root: catch it to catch whatever ansord raises on purpose."""


_READ = "FORMATS.md, section 1, says what belongs here"
HINTS = {
    "bad name": "rename it; FORMATS.md, section 1, says what names may be made of",
    "bad output": "name a node",
    "dtype": "convert with cast",
    "limit": "make it smaller, or split the subgraph",
    "not UTF-8": "save the file as UTF-8",
    "permission": "make it readable for the daemon's user",
    "repeated key": "remove one of them",
    "repeated name": "rename one of them",
    "shape": "compare the shapes of the args; FORMATS.md, section 1, has the rule of each op",
    "tuning failed": "please report it with the daemon's log",
    "unknown name": "name an input or a node of this file",
    "unknown op": "what has no op can be written down with compute",
}
"""What to try, where nothing better is known than the cause."""


class BadSubgraph(AnsordError):
    """A subgraph that is refused.

    `path` is the place (`$.nodes[2].attrs.stride`), `found` and `wanted` are short texts, `cause` is one of
    a few stable phrases ("unknown field", "shape", …), `hint` says what to try.
    """

    def __init__(self, path: str, found: str, wanted: str, cause: str, hint: str = "") -> None:
        hint = hint or HINTS.get(cause, _READ)
        self.path, self.found, self.wanted, self.cause, self.hint = path, found, wanted, cause, hint
        super().__init__(f"{path}: {cause}: found {found}, wanted {wanted}; {hint}")

    def to_dict(self) -> dict[str, str]:
        """The fields, as `error.json` has them."""
        return {name: getattr(self, name) for name in ("path", "found", "wanted", "cause", "hint")}

    def __reduce__(self) -> tuple[type[BadSubgraph], tuple[str, ...]]:
        return BadSubgraph, tuple(self.to_dict().values())


class BadModel(AnsordError):
    """A model that cannot be used; the message names the file, the place in it, and what to try."""


class BadConfig(AnsordError):
    """A configuration that cannot be used."""


class BadCall(AnsordError, ValueError):
    """Arrays that do not fit, in number, shape, dtype, strides or overlap; raised before native code runs."""


class AfterFork(AnsordError, RuntimeError):
    """This process was forked from one that already ran a parallel kernel: its thread pool is gone."""


class KernelNotFound(AnsordError, LookupError):
    """No kernel of this subgraph fits this host; `reason` says why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class TuningFailed(AnsordError):
    """The daemon gave the subgraph up; the message is the daemon's."""


class Timeout(AnsordError, TimeoutError):  # noqa: N818 - the public name
    """No kernel appeared within the time given."""
