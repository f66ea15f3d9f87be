"""Program → Source: the whole C file of one kernel.

The kernel object's contract is `client/FORMATS.md` 5: `ansord_run(args, packed, scratch)` and, where
constants are laid out, `ansord_pack(constants, packed)`. Every name in the text is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansord.emit.layout import Layout, lay_out
from ansord.emit.pack import write_packing
from ansord.emit.unit import Lines, Unit
from ansord.emit.walk import Walker
from ansord.nest import Nest, Program, replay


@dataclass(frozen=True)
class Source:
    """The C text of a kernel and what its caller must provide: bytes of packed constants and of scratch."""

    text: str
    packed_bytes: int
    scratch_bytes: int
    threads: int
    needs_openmp: bool


def emit(program: Program) -> Source:
    """The C text of a program."""
    nest, unit = replay(program), Unit()
    layout = lay_out(program.sketch.dag, program, nest)
    body = [*_run(program, nest, layout, unit), *(_pack(program, layout) if layout.packed_bytes else ())]
    parallel = any(group.parallel for group in nest.groups)
    return Source(unit.text(body), layout.packed_bytes, layout.scratch_bytes, nest.threads, parallel)


def _run(program: Program, nest: Nest, layout: Layout, unit: Unit) -> list[str]:
    """One parallel region for the whole kernel; groups follow each other with a barrier between."""
    out = Lines(0)
    parallel = any(group.parallel for group in nest.groups)
    out.open("__INT32_TYPE__ ansord_run(void *const *args, const void *packed, void *scratch) {")
    if parallel:
        out(f"#pragma omp parallel num_threads({nest.threads})")
        out.open("{")
    if layout.own:
        slot = f" + omp_get_thread_num() * {layout.own}L" if parallel else ""
        out(f"char *tile = (char *)scratch + {layout.own_at}L{slot};")
    walker = Walker(program, layout, unit, out)
    for group in nest.groups:
        for packed in layout.packs[group.group.name]:
            if not packed.tensor.constant:
                source = layout.tensors[packed.load.tensor]
                write_packing(packed, source, layout.packed[packed.name], out, shared=parallel)
        if parallel and not group.parallel:
            out("#pragma omp single")
        walker.group(group)
    if parallel:
        out.close()
    out("(void)packed; (void)scratch;")
    out("return 0;")
    out.close()
    return out.lines


def _pack(program: Program, layout: Layout) -> list[str]:
    """Constants are laid out once, by the caller's request."""
    out = Lines(0)
    constants = [tensor.name for tensor in program.sketch.dag.inputs if tensor.constant]
    out.open("__INT32_TYPE__ ansord_pack(const void *const *constants, void *packed) {")
    for packs in layout.packs.values():
        for packed in packs:
            if packed.tensor.constant:
                source = f"constants[{constants.index(packed.load.tensor)}]"
                write_packing(packed, source, layout.packed[packed.name], out, shared=False)
    out("return 0;")
    out.close()
    return out.lines
