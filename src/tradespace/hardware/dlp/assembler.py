"""Text to program. Every error names the line, what is wrong and the remedy.

The grammar, one instruction a line, ``#`` starts a comment::

    array NAME OFFSET SHAPE [fp32|fp16]        # names data in DRAM
    move SRC DST SIZE                          # bytes
    compute TYPE NUM [out=.. in=.. w=.. shape=..]
    loop N [COUNTER] ... endloop
    sync

An operand is ``DRAM``, ``NRAM`` or ``WRAM``, alone or with an address
``NRAM[offset; count:stride, count:stride%ring@phase]`` in bytes.
"""

from __future__ import annotations

import difflib
import re
from math import prod

from tradespace.core.errors import Place, ProcessorError
from tradespace.hardware.dlp.instructions import (
    FORMATS,
    MEMORIES,
    OPERATIONS,
    ZERO,
    Affine,
    Array,
    Axis,
    Compute,
    Instruction,
    Loop,
    Move,
    Program,
    Sync,
    View,
    dense_axes,
)

_DEEPEST = 100  # loops in one another
_WORDS = ("move", "compute", "loop", "endloop", "sync", "array")
_ATTRIBUTES = ("out", "in", "w", "in2", "shape", "mode", "stride", "pad", "window", "imm")
_OPERAND = re.compile(r"([A-Za-z]\w*)(?:\[([^\]]*)\])?")
_TERM = re.compile(r"([+-]?)(?:(\d+)(?:\*([a-z]\w*))?|([a-z]\w*))")
_AXIS = re.compile(r"(\d+):(\d+)(?:%(\d+)@(.+))?")


def assemble(text: str, *, file: str = "program") -> Program:
    r"""Return the program that a text describes.

    Parameters
    ----------
    text : str
        The program.
    file : str
        Its name, for errors.

    Returns
    -------
    Program
        The program; its loops are closed and its words known. Whether it makes sense on a
        machine is for :func:`tradespace.hardware.dlp.verifier.verify`.

    Raises
    ------
    ProcessorError
        With the line, if the text is no program.

    Examples
    --------
    >>> program = assemble("move DRAM NRAM 1024\nsync\ncompute MAC_32 256")
    >>> len(program.body)
    3

    """
    return _Assembler(file).program(text)


class _Assembler:
    def __init__(self, file: str) -> None:
        self.file = file
        self.line = 0
        self.counters: list[str] = []

    def error(self, message: str, remedy: str) -> ProcessorError:
        return ProcessorError(message, place=Place(self.file, self.line), remedy=remedy)

    def program(self, text: str) -> Program:
        stack: list[tuple[int, str, int, list[Instruction]]] = [(1, "", 0, [])]
        arrays: list[Array] = []
        for number, raw in enumerate(text.splitlines(), start=1):
            self.line = number
            words = _split(raw.split("#", 1)[0])
            if not words:
                continue
            body = stack[-1][3]
            match words[0]:
                case "move":
                    body.append(self.move(words))
                case "compute":
                    body.append(self.compute(words))
                case "sync":
                    self.exactly(words, 1, "sync")
                    body.append(Sync(line=number))
                case "array":
                    arrays.append(self.array(words, arrays))
                case "loop":
                    count, name = self.loop(words)
                    stack.append((count, name, number, []))
                    self.counters.append(name)
                case "endloop":
                    self.exactly(words, 1, "endloop")
                    if len(stack) == 1:
                        msg = "This endloop closes no loop."
                        raise self.error(msg, "Remove it, or add its 'loop N' above.")
                    count, name, start, inner = stack.pop()
                    self.counters.pop()
                    stack[-1][3].append(Loop(count, tuple(inner), name, line=start))
                case _:
                    msg = "instruction"
                    raise self.unknown(msg, words[0], _WORDS)
        if len(stack) > 1:
            self.line = stack[-1][2]
            msg = "This loop is never closed."
            raise self.error(msg, "Add 'endloop' after its last line.")
        return Program(tuple(stack[0][3]), tuple(arrays), file=self.file)

    def unknown(self, what: str, got: str, names: tuple[str, ...]) -> ProcessorError:
        near = difflib.get_close_matches(got, names, 1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        return self.error(f"Unknown {what} {got!r}.", f"{hint}Allowed: {', '.join(names)}.")

    def exactly(self, words: list[str], count: int, usage: str) -> None:
        if len(words) != count:
            msg = f"{len(words) - 1} operands after {words[0]!r}."
            raise self.error(msg, f"Write '{usage}'.")

    def whole(self, text: str, what: str, *, least: int = 1) -> int:
        if len(text) > 300:  # more digits than any amount has
            msg = f"The {what} has {len(text)} characters."
            raise self.error(msg, f"Write a whole number from {least}, without a unit.")
        if not re.fullmatch(r"\d[\d_]*", text) or int(text.replace("_", "")) < least:
            msg = f"The {what} is {text!r}."
            raise self.error(msg, f"Write a whole number from {least}, without a unit.")
        return int(text.replace("_", ""))

    def loop(self, words: list[str]) -> tuple[int, str]:
        if len(words) not in (2, 3):
            msg = "A loop needs its count."
            raise self.error(msg, "Write 'loop N' or 'loop N counter'.")
        if len(self.counters) >= _DEEPEST:
            msg = f"Loops stand more than {_DEEPEST} deep in one another."
            raise self.error(msg, "Multiply the counts of loops that hold nothing but a loop.")
        name = words[2] if len(words) == 3 else ""
        if name and not re.fullmatch(r"[a-z]\w*", name):
            msg = f"Bad counter {name!r}."
            raise self.error(msg, "Use a lower-case name such as i.")
        if name and name in self.counters:
            msg = f"Counter {name!r} belongs to a loop outside."
            raise self.error(msg, "Use another name.")
        return self.whole(words[1], "count of the loop"), name

    def array(self, words: list[str], before: list[Array]) -> Array:
        if len(words) not in (4, 5):
            msg = "An array needs name, offset, shape."
            raise self.error(msg, "Write 'array x 0 32x256 fp32'.")
        name, shape = words[1], self.numbers(words[3], "shape")
        form = words[4] if len(words) == 5 else "fp32"
        if form not in FORMATS:
            msg = "format"
            raise self.unknown(msg, form, tuple(FORMATS))
        made = Array(name, self.whole(words[2], "offset", least=0), shape, FORMATS[form])
        for other in before:
            if other.name == name:
                msg = f"Array {name!r} is declared twice."
                raise self.error(msg, "Use another name.")
            if (
                made.offset_bytes < other.offset_bytes + other.size_bytes
                and other.offset_bytes < made.offset_bytes + made.size_bytes
            ):
                msg = f"Array {name!r} overlaps {other.name!r} in DRAM."
                raise self.error(
                    msg, f"Put it at {other.offset_bytes + other.size_bytes} or later."
                )
        return made

    def move(self, words: list[str]) -> Move:
        self.exactly(words, 4, "move SRC DST SIZE")
        src, dst = self.operand(words[1]), self.operand(words[2])
        size = self.whole(words[3], "size in bytes")
        if (src.offset is None) != (dst.offset is None):
            msg = "One operand of this move has an address and the other has none."
            raise self.error(msg, "Address both, as in 'move DRAM[0] NRAM[0] 1024', or neither.")
        for view in (src, dst):
            if size % view.count:
                msg = f"{size} bytes do not divide into the {view.count} pieces of {view}."
                raise self.error(msg, "Make SIZE a multiple of the product of the counts.")
        return Move(src, dst, size, line=self.line)

    def operand(self, text: str) -> View:
        matched = _OPERAND.fullmatch(text)
        if not matched:
            msg = f"{text!r} is no operand."
            raise self.error(msg, "Write DRAM, NRAM[0] or NRAM[0; 8:128].")
        memory, inside = matched.groups()
        if memory not in MEMORIES:
            msg = "memory"
            raise self.unknown(msg, memory, MEMORIES)
        if inside is None:
            return View(memory)
        offset, _, rest = inside.partition(";")
        axes = tuple(self.axis(part.strip()) for part in rest.split(",")) if rest.strip() else ()
        return View(memory, self.affine(offset), axes)

    def axis(self, text: str) -> Axis:
        matched = _AXIS.fullmatch(text)
        if not matched or int(matched[1]) == 0:
            msg = f"{text!r} is no axis."
            raise self.error(msg, "Write count:stride or count:stride%ring@phase.")
        count, stride, ring, phase = matched.groups()
        if ring is None:
            return Axis(int(count), int(stride))
        if int(ring) < int(count):
            msg = f"The ring of {text!r} is shorter than its count."
            raise self.error(msg, "Make it longer.")
        return Axis(int(count), int(stride), int(ring), self.affine(phase))

    def affine(self, text: str) -> Affine:
        text = text.replace(" ", "")
        const, terms, at = 0, dict[str, int](), 0
        while at < len(text):
            matched = _TERM.match(text, at)
            if not matched or (at and not matched[1]):
                msg = f"{text!r} is no address."
                raise self.error(msg, "Write a sum such as 4096+1024*i, with loop counters.")
            sign = -1 if matched[1] == "-" else 1
            name = matched[3] or matched[4]
            factor = sign * int(matched[2] or 1)
            if name is None:
                const += factor
            elif name not in self.counters:
                msg = f"The counter {name!r} belongs to no loop around this line."
                raise self.error(msg, f"Name it in the loop, as in 'loop 8 {name}'.")
            else:
                terms[name] = terms.get(name, 0) + factor
            at = matched.end()
        if not text:
            msg = "The address is empty."
            raise self.error(msg, "Write NRAM[0].")
        return (
            Affine(const, tuple((n, f) for n, f in terms.items() if f))
            if terms
            else (Affine(const) if const else ZERO)
        )

    def numbers(self, text: str, what: str) -> tuple[int, ...]:
        return tuple(self.whole(part, what) for part in text.split("x"))

    def pair(self, text: str, what: str, *, least: int) -> tuple[int, int]:
        parts = text.split("x")
        if len(parts) != 2:
            msg = f"{what} is {text!r}."
            raise self.error(msg, f"Write two numbers, as in {what}=1x1.")
        return self.whole(parts[0], what, least=least), self.whole(parts[1], what, least=least)

    def compute(self, words: list[str]) -> Compute:
        if len(words) < 3:
            msg = "A compute needs type and number."
            raise self.error(msg, "Write 'compute MAC_32 256'.")
        operation, _, bits = words[1].partition("_")
        if operation not in OPERATIONS:
            msg = "operation"
            raise self.unknown(msg, operation, OPERATIONS)
        if bits not in ("32", "16"):
            msg = f"Unknown number format in {words[1]!r}."
            raise self.error(msg, f"Use {operation}_32 or {operation}_16.")
        count = self.whole(words[2], "number of operations")
        given: dict[str, str] = {}
        for word in words[3:]:
            key, equals, value = word.partition("=")
            if key not in _ATTRIBUTES or not equals:
                msg = "attribute"
                raise self.unknown(msg, key, _ATTRIBUTES)
            if key in given:
                msg = f"Attribute {key!r} stands twice."
                raise self.error(msg, "Keep one of them.")
            given[key] = value
        made = self.addressed(operation, int(bits), count, given) if given else None
        return made or Compute(operation, int(bits), count, line=self.line)

    def addressed(self, operation: str, bits: int, count: int, given: dict[str, str]) -> Compute:
        needed = ("out", "in", "w") if operation == "MAC" else ("out", "in")
        for key in needed:
            if key not in given:
                msg = f"This addressed {operation} has no {key!r}."
                raise self.error(msg, f"Give {', '.join(needed)}.")
        views: dict[str, View] = {
            key: self.operand(given[key]) for key in ("out", "in", "w", "in2") if key in given
        }
        for key, view in views.items():
            if view.offset is None:
                msg = f"{key}={view} has no address."
                raise self.error(msg, f"Write {key}={view}[offset].")
        shape = self.numbers(given["shape"], "shape") if "shape" in given else ()
        views = self.filled(operation, views, shape, bits // 8, count)
        mode = given.get("mode", "set")
        if mode not in ("set", "add"):
            msg = "mode"
            raise self.unknown(msg, mode, ("set", "add"))
        try:
            immediate = float(given["imm"]) if "imm" in given else None
        except ValueError:
            msg = f"imm is {given['imm']!r}."
            raise self.error(msg, "Write a number.") from None
        return Compute(
            operation,
            bits,
            count,
            out=views["out"],
            source=views["in"],
            weights=views.get("w"),
            other=views.get("in2"),
            accumulate=mode == "add",
            stride=self.pair(given.get("stride", "1x1"), "stride", least=1),
            pad=self.pair(given.get("pad", "0x0"), "pad", least=0),
            window=self.pair(given["window"], "window", least=1) if "window" in given else None,
            immediate=immediate,
            line=self.line,
        )

    def filled(
        self, operation: str, views: dict[str, View], shape: tuple[int, ...], size: int, count: int
    ) -> dict[str, View]:
        """Give contiguous axes to operands that have none."""
        if operation == "MAC":
            if not shape:
                shapes: dict[str, tuple[int, ...]] = {}
            elif len(shape) == 3:
                m, k, n = shape
                shapes = {"in": (m, k), "w": (k, n), "out": (m, n)}
            else:
                msg = "shape has not three numbers."
                raise self.error(msg, "Write shape=MxKxN.")
        else:
            shapes = dict.fromkeys(views, shape or (count,))
        made: dict[str, View] = {}
        for key, view in views.items():
            if view.axes and key in shapes and shape and view.count != prod(shapes[key]):
                msg = f"{key} has {view.count} elements where shape says {prod(shapes[key])}."
                raise self.error(msg, "Leave the axes or the shape out, or make them agree.")
            if not view.axes:
                if key not in shapes:
                    msg = f"{key} has neither axes nor shape."
                    raise self.error(msg, "Add shape=MxKxN.")
                axes = dense_axes(shapes[key], element_bytes=size)
                view = View(view.memory, view.offset, axes)
            made[key] = view
        return made


def _split(text: str) -> list[str]:
    """Split at blanks outside brackets."""
    return re.findall(r"(?:[^\s\[]|\[[^\]]*\]?)+", text)
