"""C text in, shared objects out: this machine's compiler, a pool of it, child processes that die with us.

`tune` builds candidates with it, `measure` its timers; nothing here loads or runs what was built.
"""

from ansord.build.builder import Artifact, Builder
from ansord.build.child import Child, ChildDied, leashed
from ansord.build.compiler import Compiler, NoCompiler, find_compiler
from ansord.build.hold import Hold

__all__ = [
    "Artifact",
    "Builder",
    "Child",
    "ChildDied",
    "Compiler",
    "Hold",
    "NoCompiler",
    "find_compiler",
    "leashed",
]
