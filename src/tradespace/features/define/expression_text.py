"""Expressions as people write them in YAML and as texts: ``amount > 220 and not night == 1``."""

from __future__ import annotations

import ast
from typing import Any

from tradespace.core.errors import FeatureError
from tradespace.features.define.expressions import Expression, clock_part, column


def parse_expression(text: str) -> Expression:
    """Return the expression that a string of YAML says, like ``hour(at) <= 6``.

    Python's operators and parentheses, names of columns, numbers and strings; ``and``, ``or``
    and ``not`` stand for ``&``, ``|`` and ``~``; ``page in ['a', 'b']`` and ``page is None``
    say what they say in Python. Nothing is ever evaluated.

    Examples
    --------
    >>> parse_expression("amount > 220 and not hour(at) <= 6").text
    '((amount > 220) & ~(hour(at) <= 6))'

    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        msg = f"Cannot read the expression {text!r}: {reason}."
        raise FeatureError(msg, remedy="Write it like 'hour(time) <= 6'.") from error
    return _from_tree(tree, text)


def _from_tree(node: Any, text: str) -> Expression:
    signs = {
        ast.GtE: ">=", ast.LtE: "<=", ast.Gt: ">", ast.Lt: "<", ast.Eq: "==", ast.NotEq: "!=",
        ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/",
        ast.BitAnd: "&", ast.BitOr: "|",
        ast.And: "&", ast.Or: "|",
    }  # fmt: skip
    match node:
        case ast.Name(id=name):
            return column(name)
        case ast.Constant(value=bool() | int() | float() | str() as value):
            return Expression("literal", (value,))
        case ast.Call(func=ast.Name(id="is_null"), args=[inner], keywords=[]):
            return _from_tree(inner, text).is_null()
        case ast.Compare(left=left, ops=[ast.Is() | ast.Eq()], comparators=[ast.Constant(None)]):
            return _from_tree(left, text).is_null()
        case ast.Compare(
            left=left, ops=[ast.IsNot() | ast.NotEq()], comparators=[ast.Constant(None)]
        ):
            return ~_from_tree(left, text).is_null()
        case ast.Compare(
            left=left,
            ops=[ast.In() | ast.NotIn() as sign],
            comparators=[ast.List(elts=listed) | ast.Tuple(elts=listed) | ast.Set(elts=listed)],
        ):
            values = [_from_tree(item, text) for item in listed]
            if all(value.op == "literal" for value in values):
                found = _from_tree(left, text).is_in([value.args[0] for value in values])
                return ~found if isinstance(sign, ast.NotIn) else found
        case ast.Call(func=ast.Name(id=part), args=[ast.Name(id=name)], keywords=[]):
            return clock_part(part, name)
        case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=inner):
            return ~_from_tree(inner, text)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return Expression("literal", (-value,))
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_from_tree(inner, text)
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in signs:
            return Expression(signs[type(sign)], (_from_tree(left, text), _from_tree(right, text)))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in signs:
            return Expression(signs[type(sign)], (_from_tree(left, text), _from_tree(right, text)))
        case ast.BoolOp(op=sign, values=values):
            parts = [_from_tree(value, text) for value in values]
            result = parts[0]
            for further in parts[1:]:
                result = Expression(signs[type(sign)], (result, further))
            return result
    msg = f"The expression {text!r} holds something that is not allowed."
    raise FeatureError(msg, remedy="Use columns, numbers, strings, + - * / and comparisons.")
