"""Formulas that can be printed and that evaluate to the number.

A formula is text over named integers with ``+ - * / ** max min``. Division must leave no
remainder, so that a count is always a whole number.

>>> f = Formula("N*C_out*H_out*W_out*C_in/g*K_h*K_w")
>>> f(dict(N=1, C_out=96, H_out=55, W_out=55, C_in=3, g=1, K_h=11, K_w=11))
105415200
>>> f.with_numbers(dict(N=1, C_out=96, H_out=55, W_out=55, C_in=3, g=1, K_h=11, K_w=11))
'1*96*55*55*3/1*11*11'
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Mapping
from types import CodeType
from typing import Any, final

from tradespace.core.errors import GraphError

_ALLOWED = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.USub,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.Pow,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.Call,
)
_FUNCTIONS = {"max": max, "min": min}
_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")


def _divide(a: int, b: int) -> int:
    quotient, remainder = divmod(a, b)
    if remainder:
        msg = f"{a} cannot be divided by {b} without a remainder."
        raise GraphError(msg, remedy="Check the attributes of the operator, such as its groups.")
    return quotient


_SCOPE: dict[str, Any] = {"__builtins__": {}, "_divide": _divide, **_FUNCTIONS}


class _ExactDivision(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Div):
            return ast.Call(ast.Name("_divide", ast.Load()), [node.left, node.right], [])
        return node


@final
class Formula:
    """A formula over named integers.

    Parameters
    ----------
    text : str
        For example ``"M*K*N"``.

    Raises
    ------
    GraphError
        If the text is no formula.

    """

    __slots__ = ("_code", "names", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._code, self.names = _compile(text)

    def __call__(self, symbols: Mapping[str, int]) -> int:
        """Return the number for the given values of the symbols."""
        try:
            value = eval(self._code, _SCOPE, dict(symbols))  # noqa: S307 - only checked syntax
        except NameError as error:
            msg = f"Formula {self.text!r} uses a symbol that has no value: {error}."
            remedy = f"Known symbols: {', '.join(sorted(symbols))}."
            raise GraphError(msg, remedy=remedy) from None
        return int(value)

    def with_numbers(self, symbols: Mapping[str, int]) -> str:
        """Return the text with every symbol replaced by its value."""
        return _NAME.sub(lambda m: str(symbols.get(m[0], m[0])), self.text)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Formula({self.text!r})"


@functools.cache
def formula(text: str) -> Formula:
    """Return a formula, compiled once for each text."""
    return Formula(text)


def _compile(text: str) -> tuple[CodeType, tuple[str, ...]]:
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError:
        msg = f"{text!r} is no formula."
        raise GraphError(msg, remedy="Write sums and products of symbols: M*K*N.") from None
    names = []
    for node in ast.walk(tree):
        whole = not isinstance(node, ast.Constant) or type(node.value) is int
        if not isinstance(node, _ALLOWED) or not whole:
            msg = f"Formula {text!r} holds something that is not allowed."
            raise GraphError(msg, remedy="Use + - * / ** max min, symbols and whole numbers.")
        if isinstance(node, ast.Call) and not (
            isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS and not node.keywords
        ):
            msg = f"Formula {text!r} calls something else than max or min."
            raise GraphError(msg, remedy="Use + - * / ** max min, symbols and whole numbers.")
        if isinstance(node, ast.Name) and node.id not in _FUNCTIONS:
            names.append(node.id)
    exact = ast.fix_missing_locations(_ExactDivision().visit(tree))
    return compile(exact, "<formula>", "eval"), tuple(dict.fromkeys(names))
