"""A small decision tree as a picture: SVG without any library."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tradespace.components.export.tree_ensembles import Tree

_BOX, _GAP, _ROW, _HIGH = 150, 14, 84, 40


def tree_svg(tree: Tree, *, input_names: Sequence[str], most_levels: int = 5) -> str:
    """Return a tree as SVG; what is deeper than `most_levels` questions is shown as "...".

    Rows that meet the question go left. A leaf shows its value: the probability of the
    positive class, or the predicted number.

    Parameters
    ----------
    tree : Tree
        With one number a leaf.
    input_names : sequence of str
        Of the encoded inputs.
    most_levels : int
        Levels of questions that are drawn.

    Examples
    --------
    >>> import numpy as np
    >>> from tradespace.components.export.tree_ensembles import Tree
    >>> tree = Tree(np.array([0, 0, 0]), np.array([220.0, 0, 0]), np.array([1, -1, -1]),
    ...             np.array([2, -1, -1]), np.array([0.0, 0.01, 0.9]))
    >>> "amount ≤ 220" in tree_svg(tree, input_names=("amount",))
    True

    """
    boxes: list[tuple[float, int, str, bool]] = []
    lines: list[tuple[float, int, float, int]] = []
    leaves = 0

    def place(node: int, level: int) -> float:
        nonlocal leaves
        cut = level == most_levels
        if tree.left[node] < 0 or cut:
            x = float(leaves)
            leaves += 1
            text = "..." if tree.left[node] >= 0 else f"{float(tree.value[node]):.4g}"
            boxes.append((x, level, text, True))
            return x
        left = place(int(tree.left[node]), level + 1)
        right = place(int(tree.right[node]), level + 1)
        x = (left + right) / 2
        lines.extend([(x, level, left, level + 1), (x, level, right, level + 1)])
        name = input_names[int(tree.feature[node])]
        boxes.append((x, level, f"{name} ≤ {float(tree.threshold[node]):.4g}", False))
        return x

    place(0, 0)
    wide = leaves * (_BOX + _GAP) + _GAP
    tall = (max(level for _, level, _, _ in boxes) + 1) * _ROW
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {tall}" role="img" '
        f'aria-label="Decision tree" font-family="sans-serif" font-size="12">'
    ]
    for x1, level1, x2, level2 in lines:
        parts.append(
            f'<line x1="{_middle(x1):.1f}" y1="{level1 * _ROW + _HIGH}" x2="{_middle(x2):.1f}" '
            f'y2="{level2 * _ROW}" stroke="#888"/>'
        )
    for x, level, text, leaf in boxes:
        fill = "#eef6ee" if leaf else "#eef2fa"
        parts.append(
            f'<rect x="{_middle(x) - _BOX / 2:.1f}" y="{level * _ROW}" width="{_BOX}" '
            f'height="{_HIGH}" rx="5" fill="{fill}" stroke="#888"/>'
            f'<text x="{_middle(x):.1f}" y="{level * _ROW + 25}" text-anchor="middle">'
            f"{html.escape(_short(text))}</text>"
        )
    return "".join([*parts, "</svg>"])


def _middle(x: float) -> float:
    return _GAP + x * (_BOX + _GAP) + _BOX / 2


def _short(text: str, most: int = 24) -> str:
    return text if len(text) <= most else f"{text[: most - 12]}…{text[-11:]}"
