"""How a CSV file is written: its delimiter, decimal sign and the columns that stay text.

Types are inferred by Polars; this module looks at the start of the file first and settles
what inference gets wrong: the delimiter, decimal commas, and codes such as "00123" that are
digits but not numbers. Dates stay text here and are parsed by :mod:`tradespace.data.kinds`,
so that a date means the same in CSV and Parquet.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tradespace.core.errors import DataError

#: Spellings of a missing value in CSV files and in columns of strings.
NULL_SPELLINGS = (
    "", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "Null", "None", "none", "NONE",
    "?", "<NA>",
)  # fmt: skip

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

_HEAD_BYTES = 262_144
#: Rows from which types are inferred; where later rows disagree, all rows are looked at.
INFER_ROWS = 10_000
_LEADING_ZERO = r"^-?0[0-9]+$"
_DECIMAL_COMMA = re.compile(r"^-?\d+,\d+$")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written."""

    delimiter: str
    decimal_comma: bool


def read_head(path: Path) -> str:
    """Return the start of a text file, up to its last whole line.

    Raises
    ------
    DataError
        If the file is not UTF-8 text.

    """
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        msg = f"The file {str(path)!r} is encoded in UTF-16; CSV files must be UTF-8."
        raise DataError(msg, remedy="Save it as UTF-8, or convert it with iconv.")
    if b"\x00" in head:
        msg = (
            f"The file {str(path)!r} is not a CSV file: it holds binary data "
            f"(a zero byte at position {head.index(0)})."
        )
        raise DataError(msg, remedy="Give a CSV or Parquet file.")
    whole = head if len(head) < _HEAD_BYTES else head[: head.rfind(b"\n") + 1] or head
    try:
        return whole.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = whole[: error.start].count(b"\n") + 1
        msg = (
            f"The file {str(path)!r} is not UTF-8 text: line {line} holds the byte "
            f"0x{whole[error.start]:02x}, as in Latin-1 or Windows files."
        )
        raise DataError(
            msg, remedy="Convert it, for instance: iconv -f WINDOWS-1252 -t UTF-8 in.csv > out.csv."
        ) from None


def sniff(text: str) -> Dialect:
    r"""Return how the text of a CSV file seems to be written.

    The delimiter is the one that divides the first lines most often into the same number of
    fields; comma where none does.

    Examples
    --------
    >>> sniff("name;price\ntea;2,50\nmilk;1,20\n")
    Dialect(delimiter=';', decimal_comma=True)

    """
    lines = [line for line in text.splitlines() if line.strip()][:50]
    best, best_rank = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        if not widths or widths[0] < 2:
            continue
        agreeing = sum(width == widths[0] for width in widths) / len(widths)
        if (agreeing, widths[0]) > best_rank:
            best, best_rank = delimiter, (agreeing, widths[0])
    cells = [
        cell.strip() for row in csv.reader(lines[1:], delimiter=best) for cell in row if "," in cell
    ]
    commas = sum(bool(_DECIMAL_COMMA.match(cell)) for cell in cells)
    return Dialect(best, best != "," and commas > 0)


def text_columns(text: str, dialect: Dialect) -> tuple[str, ...]:
    """Return the columns whose digits are codes, because some start with a zero ("00123")."""
    frame = pl.read_csv(
        io.BytesIO(text.encode()),
        separator=dialect.delimiter,
        infer_schema=False,
        truncate_ragged_lines=True,
        n_rows=INFER_ROWS,
    )
    found = frame.select(pl.all().str.contains(_LEADING_ZERO).any())
    return tuple(name for name in frame.columns if found[name][0])


def scan_csv(path: Path, *, infer_rows: int | None = INFER_ROWS) -> tuple[pl.LazyFrame, Dialect]:
    """Return a CSV file as a lazy frame, types inferred.

    Parameters
    ----------
    path : Path
        UTF-8 text with a header line; may be compressed by gzip (".gz").
    infer_rows : int, optional
        How many rows to infer types from; None: all.

    Raises
    ------
    DataError
        If the file is empty, binary, not UTF-8, or its columns have no distinct names.

    """
    text = read_head(path)
    if not text.strip():
        msg = f"The file {str(path)!r} is empty: it holds no header and no rows."
        raise DataError(msg, remedy="Check how the file was written.")
    dialect = sniff(text)
    check_header(path, text, dialect)
    overrides = dict.fromkeys(text_columns(text, dialect), pl.String)
    frame = pl.scan_csv(
        path,
        separator=dialect.delimiter,
        decimal_comma=dialect.decimal_comma,
        null_values=list(NULL_SPELLINGS),
        infer_schema_length=infer_rows,
        schema_overrides=overrides,
        glob=False,
    )
    return frame, dialect


def check_header(path: Path, text: str, dialect: Dialect) -> None:
    """Raise DataError if the header repeats a name or a line has more fields than it."""
    rows = csv.reader(io.StringIO(text), delimiter=dialect.delimiter)
    header = next(rows)
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        msg = f"The header of {str(path)!r} repeats the column {repeated[0]!r}."
        raise DataError(msg, remedy="Give every column its own name.")
    for number, row in enumerate(rows, start=2):
        if number > INFER_ROWS:
            break
        if row and len(row) > len(header):
            msg = (
                f"The file {str(path)!r} is not a regular CSV file: line {number} has {len(row)} "
                f"fields, the header has {len(header)} "
                f"(delimiter: {DELIMITERS[dialect.delimiter]})."
            )
            raise DataError(msg, remedy="Quote cells that contain the delimiter.")
