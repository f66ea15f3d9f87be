"""Program → Source: the whole C file of one kernel.

The kernel object's contract is `client/FORMATS.md` 5: `ansord_run(args, packed, scratch)` and, where
constants are laid out, `ansord_pack(constants, packed)`. Every name in the text is ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ansord.emit.ctype import CTYPES
from ansord.emit.layout import Layout, constants, lay_out
from ansord.emit.pack import write_packing
from ansord.emit.unit import Lines, Unit
from ansord.emit.walk import Walker
from ansord.nest import Nest, Program, replay


@dataclass(frozen=True)
class Source:
    """The C text of a kernel and what its caller must provide: bytes of packed constants and of scratch.

    `relaxed`: its definition changes rounding by more than reassociation.
    """

    text: str
    packed_bytes: int
    scratch_bytes: int
    threads: int
    needs_openmp: bool
    relaxed: bool = False


def emit(program: Program) -> Source:
    """The C text of a program."""
    nest, unit = replay(program), Unit()
    layout = lay_out(program.sketch.dag, program, nest)
    body = _run(program, nest, layout, unit)
    if layout.packed_bytes:
        body += _pack(program, nest, layout, unit)
    parallel = any(group.parallel for group in nest.groups)
    relaxed = program.sketch.relaxed
    return Source(unit.text(body), layout.packed_bytes, layout.scratch_bytes, nest.threads, parallel, relaxed)


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
    fixed = constants(program)
    for group in nest.groups:
        if group.group.prepared:
            continue
        for packed in layout.packs[group.group.name]:
            if packed.tensor.name not in fixed:
                source = layout.tensors[packed.load.tensor]
                write_packing(packed, source, layout.packed[packed.name], unit, out, shared=parallel)
        if parallel and not group.parallel:
            out("#pragma omp single")
        walker.group(group)
    if parallel:
        out.close()
    out("(void)packed; (void)scratch;")
    out("return 0;")
    out.close()
    return out.lines


def _pack(program: Program, nest: Nest, layout: Layout, unit: Unit) -> list[str]:
    """By the caller's request, once: what depends on constants alone is computed, operands are laid out."""
    out, fixed = Lines(0), constants(program)
    given = [tensor.name for tensor in program.sketch.dag.inputs if tensor.constant]
    places = layout.tensors | {name: f"constants[{place}]" for place, name in enumerate(given)}
    walker = Walker(program, replace(layout, tensors=places), unit, out)
    out.open("__INT32_TYPE__ ansord_pack(const void *const *constants, void *packed) {")
    for one in layout.laid.values():
        if one.of.elements > one.of.tensor.size:  # what partial blocks have too much
            size = one.of.elements * CTYPES[one.dtype].bytes
            out(f"__builtin_memset({layout.packed[one.of.name]}, 0, {size}L);")
    for group in nest.groups:
        if group.group.prepared:
            walker.group(group)
        for packed in layout.packs[group.group.name]:
            if packed.tensor.name in fixed and packed.tensor.name not in layout.laid:
                source = places[packed.load.tensor]
                write_packing(packed, source, layout.packed[packed.name], unit, out, shared=False)
    out("return 0;")
    out.close()
    return out.lines
