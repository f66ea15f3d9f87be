"""What the emitter and the estimates need to know of this host."""

from __future__ import annotations

from ansord.nest import Target, target_of
from ansord_client.host import Host


def target_for(host: Host) -> Target:
    """The numbers that the emitter and the estimates need of a host."""
    sizes = {1: 32 << 10, 2: 1 << 20, 3: 32 << 20}
    for cache in host.caches:
        if cache.kind != "Instruction" and cache.level in sizes:
            sizes[cache.level] = cache.size
    return target_of(host.isa, host.threads, (sizes[1], sizes[2], sizes[3]))
