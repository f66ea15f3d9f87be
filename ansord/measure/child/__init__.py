"""The processes that run candidates. Started by `boot.py` alone, never imported by the daemon's rooms.

A keeper (which holds a socket to the daemon) forks runners and ends them; a runner checks and times. They
import the client, numpy, cffi, msgpack and the standard library, nothing else of ansord.
"""
