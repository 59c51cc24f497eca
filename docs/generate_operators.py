"""Write the tables of operators.md from the registry: ``python docs/generate_operators.py``.

A test compares the page with what this writes.
"""

from __future__ import annotations

from pathlib import Path

from tables import filled

from tradespace.graph.operators import Operator, operators

PAGE = Path(__file__).with_name("operators.md")
#: Kinds of work in the order of the page -> what they are.
KINDS = {
    "product": "Products: layers with weights and matrix products",
    "attention": "Attention",
    "recurrent": "Recurrent layers",
    "pooling": "Pooling",
    "normalization": "Normalization",
    "elementwise": "Element by element",
    "reduction": "Reductions, losses, sorting, transforms",
    "lookup": "Look-ups",
    "movement": "Movement",
    "view": "Views: nothing moves, nothing is counted",
}
#: What most operators move: their operands, weights and results.
USUAL = "B_in + B_w + B_out"


def settings(rule: Operator) -> str:
    """Return the settings of an operator as the table prints them."""
    found = []
    for a in rule.attributes:
        default = "" if a.default is ... else f" = {a.default!r}"
        found.append(f"`{a.name}`{default}: {a.doc}")
    return "; ".join(found) or "-"


def code(text: object) -> str:
    """Return a formula as the table prints it."""
    return "-" if text == "0" else f"`{text}`"


def line(rule: Operator) -> str:
    """Return the line of an operator."""
    inputs = ", ".join(rule.inputs)
    cells = (
        f"`{rule.name}`",
        f"{rule.summary} Takes {inputs}.",
        settings(rule),
        code(rule.parameters),
        code(rule.macs),
        code(rule.operations),
        "as usual" if rule.traffic == USUAL else code(rule.traffic),
    )
    return f"| {' | '.join(cells)} |"


def tables() -> str:
    """Return the tables of all operators, by kind of work."""
    known = operators()
    parts = []
    for kind, title in KINDS.items():
        rows = [line(rule) for rule in known.values() if rule.kind == kind]
        if not rows:
            continue
        head = (
            "| operator | what it does | settings | parameters | multiply-accumulates | "
            "other operations | bytes moved |"
        )
        parts += [f"### {title}", "", head, "|---|---|---|---|---|---|---|", *rows, ""]
    return "\n".join(parts)


def page(text: str) -> str:
    """Return the page with its tables brought up to date."""
    return filled(text, {"operators": tables})


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
