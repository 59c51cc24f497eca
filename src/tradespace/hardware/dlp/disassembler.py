"""Program to text; :func:`~tradespace.hardware.dlp.assembler.assemble` reads it back."""

from __future__ import annotations

from tradespace.hardware.dlp.instructions import Compute, Instruction, Loop, Move, Program

_FORMAT = {32: "fp32", 16: "fp16"}


def disassemble(program: Program) -> str:
    r"""Return the text of a program.

    Examples
    --------
    >>> from tradespace.hardware.dlp.assembler import assemble
    >>> print(disassemble(assemble("loop 2\nmove DRAM NRAM 4\nendloop")), end="")
    loop 2
      move DRAM NRAM 4
    endloop

    """
    lines = [
        f"array {a.name} {a.offset_bytes} {'x'.join(map(str, a.shape))} {_FORMAT[a.bits]}"
        for a in program.arrays
    ]
    _write(program.body, 0, lines)
    return "\n".join(lines) + "\n" if lines else ""


def _write(body: tuple[Instruction, ...], depth: int, lines: list[str]) -> None:
    indent = "  " * depth
    for item in body:
        if isinstance(item, Loop):
            lines.append(f"{indent}loop {item.count} {item.name}".rstrip())
            _write(item.body, depth + 1, lines)
            lines.append(f"{indent}endloop")
        elif isinstance(item, Move):
            lines.append(f"{indent}move {item.src} {item.dst} {item.size_bytes}")
        elif isinstance(item, Compute):
            lines.append(f"{indent}compute {item.kind} {item.count}{_attributes(item)}")
        else:
            lines.append(f"{indent}sync")


def _attributes(item: Compute) -> str:
    if item.out is None:
        return ""
    named = {"out": item.out, "in": item.source, "w": item.weights, "in2": item.other}
    parts = [f"{key}={view}" for key, view in named.items() if view is not None]
    if item.accumulate:
        parts.append("mode=add")
    if item.stride != (1, 1):
        parts.append(f"stride={item.stride[0]}x{item.stride[1]}")
    if item.pad != (0, 0):
        parts.append(f"pad={item.pad[0]}x{item.pad[1]}")
    if item.window is not None:
        parts.append(f"window={item.window[0]}x{item.window[1]}")
    if item.immediate is not None:
        parts.append(f"imm={item.immediate!r}")
    return " " + " ".join(parts)
