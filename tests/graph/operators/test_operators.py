"""What holds for every registered operator: formulas, shapes, costs, words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.graph.operator_examples import CASES, EXAMPLES, in_torch
from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder
from tradespace.graph.counts import NodeCounts, forward_macs, node_counts
from tradespace.graph.formulas import formula
from tradespace.graph.network import ROLES
from tradespace.graph.operators import Attribute, Operator, operator, operators, register
from tradespace.graph.operators import _base as registry
from tradespace.graph.work import KINDS

NAMES = sorted(operators())
FORMULAS = ("parameters", "macs", "operations", "traffic", "input_macs")


def counted(name: str, at: int) -> NodeCounts:
    (row,) = node_counts(EXAMPLES[name][at].network(name))
    return row


def by_hand(text: str) -> int:
    """Evaluate numbers as Python does: its own division, on fractions that must come out whole."""
    value = eval(re.sub(r"\b(\d+)\b", r"F(\1)", text), {"F": _Fraction, "max": max, "min": min})
    assert value.denominator == 1
    return int(value)


class _Fraction(Fraction):
    def __pow__(self, other: Any) -> Any:
        return _Fraction(super().__pow__(other))


def test_every_operator_has_an_example() -> None:
    assert set(EXAMPLES) == set(operators())


@pytest.mark.parametrize(("name", "at"), CASES)
def test_the_printed_formulas_evaluate_to_the_numbers(name: str, at: int) -> None:
    row = counted(name, at)

    for which in ("macs", "operations"):
        assert by_hand(row.formula(which, numbers=True)) == getattr(row, which)
    assert by_hand(row.formula("traffic", numbers=True)) == row.traffic_bytes
    assert by_hand(row.formula("parameters", numbers=True)) in (
        row.parameters,
        # What a constant or arithmetic takes along is no parameter of the operator.
        *([0] if name in ("fill", "add", "multiply") else []),
    )


@pytest.mark.parametrize(("name", "at"), CASES)
def test_numbers_are_whole_and_never_negative(name: str, at: int) -> None:
    row = counted(name, at)

    for number in (row.macs, row.operations, row.traffic_bytes, row.parameters, row.elements):
        assert isinstance(number, int)
        assert number >= 0
    of_input = formula(row.operator.text("input_macs", row.node.attributes))(row.symbols)
    assert 0 <= of_input <= row.macs


@pytest.mark.parametrize(
    ("name", "at"),
    [c for c in CASES if operator(c[0]).product and operator(c[0]).kind == "product"],
)
def test_a_product_is_its_matrices_multiplied(name: str, at: int) -> None:
    row = counted(name, at)
    assert row.operator.product
    batch, m, n, k, groups = (formula(text)(row.symbols) for text in row.operator.product)

    assert batch * m * n * k * groups == row.macs


@pytest.mark.parametrize(("name", "at"), [c for c in CASES if EXAMPLES[c[0]][c[1]].torch])
def test_the_shape_is_that_of_torch(name: str, at: int) -> None:
    pytest.importorskip("torch", reason="the extra 'deep' is not installed")
    example = EXAMPLES[name][at]

    assert counted(name, at).output_shapes[0] == in_torch(example)()


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("at", [0, 1])
def test_a_recurrent_layer_has_the_shape_and_weights_of_torch(cell: str, at: int) -> None:
    torch = pytest.importorskip("torch", reason="the extra 'deep' is not installed")
    row = counted(cell, at)
    a = row.node.attributes
    module = getattr(torch.nn, cell.upper())(
        8, a["hidden"], a["layers"], bidirectional=a["bidirectional"], batch_first=True
    )
    whole = tuple(module(torch.zeros(2, 5, 8))[0].shape)
    vectors = sum(p.numel() for p in module.parameters() if p.ndim == 1)

    assert row.output_shapes[0] == (whole if a["sequences"] else (whole[0], whole[2]))
    total = sum(p.numel() for p in module.parameters())
    assert row.parameters == total - vectors * (2 - a["biases"]) // 2


@pytest.mark.parametrize(
    ("name", "at"), [c for c in CASES if operator(c[0]).kind in ("product", "attention", "pooling")]
)
def test_twice_the_batch_is_twice_the_work_and_the_same_weights(name: str, at: int) -> None:
    example = EXAMPLES[name][at]
    if name in ("region_align", "fill"):
        pytest.skip("its size does not follow the batch")
    double = replace(example, inputs=tuple((2 * s[0], *s[1:]) for s in example.inputs))
    (one,), (two,) = (node_counts(e.network(name)) for e in (example, double))

    assert (two.macs, two.operations, two.elements) == (
        2 * one.macs,
        2 * one.operations,
        2 * one.elements,
    )
    assert two.parameters == one.parameters
    assert two.traffic_bytes <= 2 * one.traffic_bytes


@pytest.mark.parametrize("name", NAMES)
def test_an_operator_is_described(name: str) -> None:
    rule = operator(name)

    assert rule.kind in KINDS
    assert rule.summary.endswith(".")
    assert rule.summary[0].isupper()
    for attribute in rule.attributes:
        assert attribute.doc, f"{name} does not say what {attribute.name} is"
        assert attribute.doc[0].islower()


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_that_is_missing_or_unknown_is_named(name: str) -> None:
    rule = operator(name)
    needed = [a.name for a in rule.attributes if a.default is ...]

    with pytest.raises(GraphError, match=f"Unknown attribute of '{name}' 'colour'"):
        rule.complete({"colour": "red"})
    if needed:
        with pytest.raises(GraphError, match=f"needs the attribute '{needed[0]}'"):
            rule.complete({})


@pytest.mark.parametrize("name", NAMES)
def test_formulas_use_only_symbols_that_have_a_value(name: str) -> None:
    for at, example in enumerate(EXAMPLES[name]):
        row = counted(name, at)
        texts = [row.operator.text(which, row.node.attributes) for which in FORMULAS]
        for text in (*texts, row.operator.window, *(row.operator.product or ())):
            assert set(formula(text).names) <= set(row.symbols), (text, example)


#: name -> (shapes that it cannot take, settings).
WRONG: dict[str, tuple[tuple[tuple[int, ...], ...], dict[str, Any]]] = {
    "convolution2d": (((2, 3, 8),), {"out_channels": 4, "kernel": 3}),
    "convolution1d": (((2, 3, 8),), {"out_channels": 4, "kernel": 3, "groups": 2}),
    "transposed_convolution2d": (((2, 3),), {"out_channels": 4, "kernel": 3}),
    "locally_connected2d": (((2, 3),), {"out_channels": 4, "kernel": 3}),
    "max_pool2d": (((2, 3, 2, 2),), {"kernel": 5}),
    "average_pool3d": (((2, 3, 8, 8),), {"kernel": 2}),
    "global_average_pool": (((2, 3),), {}),
    "matmul": (((2, 3), (4, 5)), {}),
    "einsum": (((2, 3), (4, 5)), {"equation": "ij,jk->ik"}),
    "attention": (((2, 3, 4), (2, 5, 6), (2, 5, 6)), {}),
    "reshape": (((2, 12),), {"shape": (5, 5)}),
    "transpose": (((2, 12),), {"order": (0, 1, 2)}),
    "concatenate": (((2, 3), (4, 5)), {"axis": 1}),
    "lstm": (((2, 8),), {"hidden": 4}),
    "add": (((2, 3), (4, 5)), {}),
    "maxout": (((2, 5),), {"pieces": 2}),
    "append": (((2, 3, 4), (2, 9, 4)), {}),
    "distances": (((2, 3), (4, 5)), {}),
    "partial_convolution2d": (((2, 3, 8, 8),), {"connections": ((7,),), "kernel": 3}),
    "trainable_subsampling2d": (((2, 3),), {"kernel": 2}),
    "region_align": (((2, 3),), {"regions": 2}),
    "dense": (((),), {"out_features": 3}),
}


@pytest.mark.parametrize("name", WRONG)
def test_inputs_that_do_not_fit_are_refused_with_whose_they_are(name: str) -> None:
    inputs, settings = WRONG[name]
    b = Builder("net")
    values = [b.tensor_input(s) for s in inputs]

    with pytest.raises(GraphError, match=r"At 'layer' of 'net': .*takes.*got") as caught:
        b.apply(name, *values, name="layer", **settings)
    assert caught.value.remedy


SIZES = st.integers(1, 40)


@given(m=SIZES, k=SIZES, n=SIZES, more=SIZES)
def test_a_wider_dense_layer_never_costs_less(m: int, k: int, n: int, more: int) -> None:
    def cost(width: int) -> int:
        b = Builder("net", batch=m)
        return forward_macs(b.build(b.dense(b.input((k,)), width)))

    assert cost(n + more) - cost(n) == m * k * more


@given(
    size=st.integers(3, 30),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 3),
    groups=st.integers(1, 3),
)
def test_a_convolution_costs_its_window_at_every_position(
    size: int, kernel: int, stride: int, groups: int
) -> None:
    b = Builder("net")
    x = b.conv(b.input((2 * groups, size, size)), 3 * groups, kernel, stride=stride, groups=groups)
    positions = len(range(0, size - kernel + 1, stride)) ** 2

    assert forward_macs(b.build(x)) == positions * kernel**2 * 2 * 3 * groups


# ------------------------------------------------------------------------- one's own operator


@contextmanager
def forgotten(*names: str) -> Iterator[None]:
    """Take operators that a test registers out of the registry again."""
    try:
        yield
    finally:
        for name in names:
            registry._OPERATORS.pop(name, None)


def twice(name: str = "twice") -> Operator:
    return Operator(
        name=name,
        kind="elementwise",
        summary="Each element doubled.",
        attributes=(Attribute("scale", default=2, doc="by how much"),),
        shapes=registry.same_shape,
        operations="O",
    )


def test_an_operator_of_ones_own_is_counted_like_any_other() -> None:
    with forgotten("twice"):
        rule = register(twice())
        b = Builder("net")
        net = b.build(b.apply("twice", b.input((4,))))

        assert operator("twice") is rule
        assert node_counts(net)[0].operations == 4


def test_two_operators_cannot_share_a_name() -> None:
    with forgotten("twice"):
        register(twice())
        register(registry._OPERATORS["twice"])  # the same again is no harm

        with pytest.raises(GraphError, match="another operator named 'twice'"):
            register(replace(twice(), operations="2*O"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "magic"}, "Unknown kind of work 'magic'"),
        ({"operations": "O + import"}, "is no formula"),
        ({"operations": "__import__('os')"}, "calls something else|not allowed"),
        ({"operations": "1.5*O"}, "not allowed"),
    ],
)
def test_an_operator_that_makes_no_sense_is_refused(change: dict[str, str], message: str) -> None:
    with forgotten("twice"), pytest.raises(GraphError, match=message):
        register(replace(twice(), **change))


@pytest.mark.parametrize("name", list(operators()))
def test_every_formula_of_the_package_can_be_read(name: str) -> None:
    operator(name).check_formulas()


def test_a_name_that_is_not_registered_suggests_the_nearest() -> None:
    with pytest.raises(GraphError, match="Unknown operator 'conv2d'"):
        operator("conv2d")


def test_roles_of_examples_are_those_of_networks() -> None:
    assert {role for e in EXAMPLES.values() for x in e for _, role in x.weights} <= set(ROLES)
