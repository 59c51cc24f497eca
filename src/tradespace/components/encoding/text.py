"""Texts: words weighed by how rare they are (tf-idf), rows of length 1.

A word is a longest run of characters that are ASCII letters, ASCII digits or beyond ASCII;
only ASCII letters are brought to lower case. So defined, Python and ONNX Runtime cut every
text alike on every machine, whatever its locale.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.components.export.builder import DOUBLE, FLOAT, GraphBuilder

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.data.inputs import StringColumn

_WORD = r"[^\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+"
_WORDS = re.compile(_WORD)
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def words(text: str) -> list[str]:
    """Return the words of a text, in order.

    Examples
    --------
    >>> words("Grüße, GRÜSSE: 2 x")
    ['grüße', 'grÜsse', '2', 'x']

    """
    return _WORDS.findall(text.translate(_LOWER))


@dataclass(frozen=True, slots=True)
class SparseRows:
    """Rows of which most values are 0: row i holds values[starts[i]:starts[i + 1]]."""

    starts: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TextPlan:
    """The words of one text column that count, and their weights.

    Parameters
    ----------
    index : int
        Which column of strings.
    names : tuple of str
        Of the columns that come out.
    vocabulary : tuple of str
        A word for each column.
    weights : tuple of float
        ln((1 + rows) / (1 + rows with the word)) + 1, exact in float32.

    """

    index: int
    names: tuple[str, ...]
    vocabulary: tuple[str, ...]
    weights: tuple[float, ...]

    @property
    def width(self) -> int:
        """Number of columns that come out."""
        return len(self.names)

    def prepare(self, levels: npt.NDArray[np.object_]) -> SparseRows:
        """Return the encoded row of every text, missing last."""
        position = {word: i for i, word in enumerate(self.vocabulary)}
        weights = np.array(self.weights, dtype=np.float32)
        starts, columns, values = [0], [], []
        for level in levels:
            counts = Counter(position[word] for word in words(str(level)) if word in position)
            found = np.array(sorted(counts), dtype=np.int64)
            times = np.array([counts[i] for i in found], dtype=np.float32) * weights[found]
            norm = np.sqrt(np.square(times.astype(np.float64)).sum())
            columns.append(found)
            values.append((times.astype(np.float64) / norm).astype(np.float32))
            starts.append(starts[-1] + len(found))
        starts.append(starts[-1])
        empty = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.float32)]
        return SparseRows(
            np.array(starts),
            np.concatenate(columns or empty[0]),
            np.concatenate(values or empty[1]),
        )

    def write(self, codes: npt.NDArray[np.int32], table: Any, out: npt.NDArray[np.float32]) -> None:
        """Write the rows of these codes, from what `prepare` gave, into `out`."""
        out[:] = 0.0
        at = np.where(codes < 0, len(table.starts) - 2, codes).astype(np.int64)
        first, n = table.starts[at], table.starts[at + 1] - table.starts[at]
        rows = np.repeat(np.arange(len(codes)), n)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(n) - n, n)
        entries = np.repeat(first, n) + within
        out[rows, table.columns[entries]] = table.values[entries]

    def emit(self, graph: GraphBuilder, strings: str) -> str:
        """Add the same work to a graph; return the float32 block [N, width]."""
        text = graph.add("Gather", strings, graph.constant(np.int64(self.index)), axis=1)
        text = graph.add(
            "StringNormalizer", text, case_change_action="LOWER", is_case_sensitive=1, locale="C"
        )
        tokens = graph.add(
            "Tokenizer",
            text,
            domain="com.microsoft",
            mark=0,
            mincharnum=1,
            pad_value="",
            tokenexp=_WORD,
        )
        counts = graph.add(
            "TfIdfVectorizer",
            tokens,
            mode="TFIDF",
            min_gram_length=1,
            max_gram_length=1,
            max_skip_count=0,
            ngram_counts=[0],
            ngram_indexes=list(range(self.width)),
            pool_strings=list(self.vocabulary),
            weights=list(self.weights),
        )
        wide = graph.add("Cast", counts, to=DOUBLE)
        squares = graph.add("ReduceSumSquare", wide, graph.constant(np.array([1])), keepdims=1)
        norm = graph.add("Sqrt", squares)
        # A row without known words is 0 / 1, not 0 / 0; any other norm is at least 1.
        norm = graph.add("Max", norm, graph.constant(np.float64(0.5)))
        return graph.add("Cast", graph.add("Div", wide, norm), to=FLOAT)


def fit_text(
    name: str, index: int, column: StringColumn, settings: Mapping[str, Any]
) -> TextPlan | None:
    """Return the plan for one text column, or None if it holds no words or is to be dropped.

    Kept are the words found in most training rows, ties by spelling.

    Parameters
    ----------
    name : str
        Of the column.
    index : int
        Which column of strings it is.
    column : StringColumn
        Training rows.
    settings : Mapping
        Complete preprocessing settings.

    """
    if settings["text"] == "drop":
        return None
    present = column.codes[column.codes >= 0]
    counts = np.bincount(present, minlength=len(column.levels))
    rows_with: Counter[str] = Counter()
    for level in np.flatnonzero(counts):
        for word in set(words(str(column.levels[level]))):
            rows_with[word] += int(counts[level])
    n_rows = len(column.codes)
    ranked = sorted(rows_with.items(), key=lambda item: (-item[1], item[0]))
    kept = ranked[: settings["text_max_features"]]
    if not kept:
        return None
    vocabulary = sorted(word for word, _ in kept)
    weights = [float(np.float32(np.log((1 + n_rows) / (1 + rows_with[w])) + 1)) for w in vocabulary]
    names = tuple(f"{name} has {word}" for word in vocabulary)
    return TextPlan(index, names, tuple(vocabulary), tuple(weights))
