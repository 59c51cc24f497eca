"""What the YAML parser complains about, in words that help the person who wrote the file."""

from __future__ import annotations

from tradespace.core.errors import Place
from tradespace.files.problems import FileKind, ProblemsError

_TAB = "'\\t' that cannot start"
#: (fragment of the parser's complaint, our message, remedy), the first that fits.
_KNOWN: tuple[tuple[str, str, str], ...] = (
    (
        "'%' that cannot start",
        "A value cannot begin with '%'.",
        "Put quotes around the value.",
    ),
    (
        "that cannot start any token",
        "A value cannot begin with this character.",
        "Put quotes around the value.",
    ),
    (
        "mapping values are not allowed here",
        "A ':' stands where no key can be: the line is indented too far, the line above lacks "
        "its ':', or a text contains ': '.",
        "Align the line with its neighbors, or put quotes around the text.",
    ),
    (
        "undefined alias",
        "An alias names an anchor that is not in the file.",
        "Put quotes around a text that starts with '*', or define the anchor with '&'.",
    ),
    (
        "another document",
        "A second document starts with '---'; a file holds one.",
        "Remove the line, or make two files.",
    ),
    (
        "duplicate anchor",
        "Two anchors have the same name.",
        "Rename one of them.",
    ),
    (
        "expected a comment or a line break",
        "A value cannot begin with '>' or '|', which start a text of several lines.",
        "Put quotes around it: '> 10'.",
    ),
    (
        "unknown escape",
        "A backslash in double quotes begins an escape that YAML does not know.",
        "Use single quotes, or write the backslash twice.",
    ),
    (
        "end of stream",
        "A quote is opened and never closed.",
        "Close the quote.",
    ),
    (
        "<stream end>",
        "A bracket or brace is opened and never closed.",
        "Close it with ']' or '}'.",
    ),
    (
        "expected ',' or",
        "A list or mapping in brackets lacks a comma or its closing bracket.",
        "Put commas between the entries and close the bracket.",
    ),
    (
        "expected <block end>",
        "The line does not belong to what stands above it: its indentation differs, or a list "
        "entry lacks its '- '.",
        "Align the line with its neighbors.",
    ),
    (
        "could not find expected ':'",
        "A key lacks its ':'.",
        "Write 'key: value'.",
    ),
    (
        "incompatible YAML document",
        "The file asks for a version of YAML that cannot be read.",
        "Remove the line that starts with '%YAML'.",
    ),
)


def syntax_error(error: Exception, *, file: str, text: str, kind: FileKind) -> ProblemsError:
    """Return a located error for a complaint of the parser."""
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    place = _place(error, file=file, text=text)
    if _TAB in problem:
        return _tabs(place, text=text, kind=kind)
    for fragment, message, remedy in _KNOWN:
        if fragment in problem:
            return kind.error(message, place=place, remedy=remedy)
    words = " ".join(problem.split())[:200]
    return kind.error(
        f"The file is not valid YAML: {words}.",
        place=place,
        remedy=kind.start,
    )


def _tabs(place: Place, *, text: str, kind: FileKind) -> ProblemsError:
    """Return the error for tabs, at the first line that one indents, naming all lines.

    The parser stops at whichever tab it cannot take, which may be one between words that
    nobody sees.
    """
    lines = text.split("\n")
    indented = [n for n, line in enumerate(lines, start=1) if "\t" in _indent(line)]
    every = [n for n, line in enumerate(lines, start=1) if "\t" in line.partition("#")[0]]
    if indented:
        column = _indent(lines[indented[0] - 1]).index("\t") + 1
        place = Place(place.file, indented[0], column)
    others = [str(n) for n in every if n != place.line]
    more = f" (so in {'line' if len(others) == 1 else 'lines'} {', '.join(others[:8])})"
    return kind.error(
        f"A tab stands where YAML wants spaces{more if others else ''}.",
        place=place,
        remedy="Indent with spaces, two for a level, and put spaces behind ':'.",
    )


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _place(error: Exception, *, file: str, text: str) -> Place:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return Place(file)
    lines = text.split("\n")
    line = min(mark.line, len(lines) - 1)
    # A file that ends too early is best shown at its last line with text.
    while line > 0 and not lines[line].strip():
        line -= 1
    column = mark.column if line == mark.line else len(lines[line])
    return Place(file, line + 1, column + 1)
