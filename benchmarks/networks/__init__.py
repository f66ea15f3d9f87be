"""Whole networks, end to end: ansord beside the runtimes that people use, in turn in one run."""
