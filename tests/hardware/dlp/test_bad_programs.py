"""Broken programs: each error has the line, what is wrong and what to do."""

import pytest

from tradespace.core.errors import ProcessorError
from tradespace.hardware.dlp.assembler import assemble
from tradespace.hardware.dlp.machine_file import load_machine
from tradespace.hardware.dlp.verifier import verify, verify_data

LOADED = "move DRAM[0] NRAM[0] 1024\nmove DRAM[1024] WRAM[0] 1024\nsync\n"
PRODUCT = "compute MAC_32 256 out=NRAM[2048] in=NRAM[0] w=WRAM[0] shape=1x256x1"
BROKEN = {
    "an unknown instruction": ("mov DRAM NRAM 4", 1, "Unknown instruction 'mov'", "'move'"),
    "an unknown memory": ("move DRAM SRAM 4", 1, "Unknown memory 'SRAM'", "NRAM"),
    "a missing size": ("move DRAM NRAM", 1, "2 operands", "move SRC DST SIZE"),
    "a size with a unit": ("sync\nmove DRAM NRAM 1KiB", 2, "'1KiB'", "without a unit"),
    "a size of zero": ("move DRAM NRAM 0", 1, "size in bytes is '0'", "from 1"),
    "an unknown operation": ("compute MUL_AC 5", 1, "number format", "MUL_32"),
    "a misspelled operation": ("compute MAK_32 5", 1, "Unknown operation 'MAK'", "MAC"),
    "an unknown format": ("compute MAC_8 5", 1, "number format in 'MAC_8'", "MAC_16"),
    "a fraction of operations": ("compute MAC_32 2.5", 1, "'2.5'", "whole number"),
    "an unclosed loop": ("sync\nloop 4\nsync", 2, "never closed", "endloop"),
    "an endloop without a loop": ("sync\nendloop", 2, "closes no loop", "Remove it"),
    "a loop without a count": ("loop\nendloop", 1, "needs its count", "loop N"),
    "a loop of zero iterations": ("loop 0\nendloop", 1, "count of the loop", "from 1"),
    "loops a hundred and one deep": ("loop 2\n" * 101, 101, "100 deep", "Multiply the counts"),
    "a number of thousands of digits": ("loop " + "9" * 5000, 1, "5000 characters", "whole"),
    "a counter used twice": ("loop 2 i\nloop 2 i\nendloop\nendloop", 2, "'i'", "another name"),
    "a counter outside its loop": (
        "loop 2 i\nendloop\nmove DRAM[4*i] NRAM[0] 4",
        3,
        "counter 'i' belongs to no loop",
        "loop 8 i",
    ),
    "a broken address": ("move DRAM[4**2] NRAM[0] 4", 1, "no address", "4096+1024*i"),
    "one address of two": ("move DRAM[0] NRAM 4", 1, "the other has none", "Address both"),
    "pieces that do not divide": ("move DRAM[0; 3:8] NRAM[0] 16", 1, "do not divide", "multiple"),
    "a ring that is too short": ("move DRAM[0] NRAM[0; 4:8%2@0] 16", 1, "shorter", "longer"),
    "a move to itself": ("move NRAM NRAM 4", 1, "stays inside NRAM", "two different"),
    "a move beyond the memory": ("move DRAM NRAM 131073", 1, "do not fit NRAM", "tiles"),
    "an address beyond the memory": (
        "loop 9 i\nmove DRAM[0] NRAM[16384*i] 16384\nendloop",
        2,
        "reaches byte 147456",
        "smaller tile",
    ),
    "an address below zero": (
        "loop 2 i\nmove DRAM[0] NRAM[0-4*i] 4\nendloop",
        2,
        "byte -4",
        "from 0",
    ),
    "weights in the wrong memory": (
        LOADED + PRODUCT.replace("w=WRAM[0]", "w=NRAM[0]"),
        4,
        "w of MAC_32 lies in NRAM",
        "WRAM",
    ),
    "a result in the wrong memory": (
        LOADED + PRODUCT.replace("out=NRAM", "out=WRAM"),
        4,
        "out of MAC_32 lies in WRAM",
        "NRAM",
    ),
    "operations that do not match the shape": (
        LOADED + PRODUCT.replace("256 out", "255 out"),
        4,
        "need 256 operations",
        "MAC_32 256",
    ),
    "an addressed compute without weights": (
        LOADED + "compute MAC_32 256 out=NRAM[2048] in=NRAM[0]",
        4,
        "no 'w'",
        "out, in, w",
    ),
    "computing before anything is loaded": (
        "move DRAM NRAM 4\nsync\ncompute MAC_32 1",
        3,
        "uses WRAM before",
        "move DRAM WRAM",
    ),
    "computing beside the first load": (
        "move DRAM NRAM 4\nmove DRAM WRAM 4\ncompute MAC_32 1",
        3,
        "between the same two syncs",
        "sync",
    ),
    "storing what was never there": (
        "move NRAM DRAM 4",
        1,
        "read before anything",
        "Load or compute",
    ),
    "overlapping arrays": ("array x 0 4x4\narray y 60 4", 2, "overlaps 'x'", "64 or later"),
    "an attribute without value": (
        LOADED + PRODUCT + " mode",
        4,
        "Unknown attribute 'mode'",
        "out",
    ),
}
DATA = {
    "reading what was only partly loaded": (
        LOADED.replace("NRAM[0] 1024", "NRAM[0] 1020") + PRODUCT,
        4,
        "before all of it",
        "Load it first",
    ),
    "reading what is being loaded": (
        LOADED + "move DRAM[4096] WRAM[1020] 8\n" + PRODUCT,
        5,
        "a move between the same two",
        "sync",
    ),
    "overwriting what is being read": (
        LOADED + PRODUCT + "\nmove DRAM[4096] NRAM[0] 4",
        5,
        "while a computation",
        "another place",
    ),
    "storing what is being computed": (
        LOADED + PRODUCT + "\nmove NRAM[2048] DRAM[4096] 4",
        5,
        "computation between",
        "sync",
    ),
    "a hazard in the second iteration": (
        LOADED + "loop 2 i\n" + PRODUCT + "\nmove DRAM[4096] WRAM[2048-2048*i] 4\nsync\nendloop",
        6,
        "while a computation",
        "another place",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_program_is_refused_with_line_and_remedy(what: str) -> None:
    text, line, message, remedy = BROKEN[what]

    with pytest.raises(ProcessorError) as caught:
        verify(assemble(text, file="bad.dlp"), load_machine())
    assert str(caught.value).startswith(f"bad.dlp:{line}: ")
    assert message in caught.value.message
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("what", DATA)
def test_a_program_that_spoils_its_data_is_refused_with_line_and_remedy(what: str) -> None:
    text, line, message, remedy = DATA[what]
    program = assemble(text, file="bad.dlp")
    verify(program, load_machine())

    with pytest.raises(ProcessorError) as caught:
        verify_data(program, load_machine())
    assert str(caught.value).startswith(f"bad.dlp:{line}: ")
    assert message in caught.value.message
    assert remedy in caught.value.remedy


def test_there_are_at_least_25_broken_programs() -> None:
    assert len(BROKEN) + len(DATA) >= 25


def test_the_same_program_repaired_is_accepted() -> None:
    program = assemble(LOADED + PRODUCT + "\nsync\nmove NRAM[2048] DRAM[4096] 4")

    verify(program, load_machine())
    verify_data(program, load_machine())
