"""Write C: a program in, the text of one kernel out. Pure; compiles nothing."""

from ansord.emit.source import Source, emit

__all__ = ["Source", "emit"]
