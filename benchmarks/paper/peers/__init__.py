"""Whoever is timed, each in a process of its own. A module here has

    ways(told, arrays, threads) -> {name: call}

the ways to compute a case (`Case.told`) on these inputs, of which the fastest will be timed; empty where
there is none. A call takes nothing and returns the answer as something that NumPy can read, in the shape that
the subgraph says, in any strides.
"""
