"""Examples of every operator: a small use of it, and what torch makes of the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tradespace.graph.builder import Builder
from tradespace.graph.network import Network

Shape = tuple[int, ...]
PICTURE, ROWS, SERIES = (2, 6, 8, 8), (2, 12), (2, 5, 8)


@dataclass(frozen=True)
class Example:
    """A use of an operator: shapes of inputs, settings, parameters, and torch's counterpart."""

    inputs: tuple[Shape, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    weights: tuple[tuple[Shape, str], ...] = ()
    torch: str = ""
    indices: bool = False

    def network(self, operator: str) -> Network:
        """Return the network that has this one operator."""
        b = Builder(operator, batch=self.inputs[0][0] if self.inputs and self.inputs[0] else 1)
        fmt = "int64" if self.indices else "fp32"
        values = [b.tensor_input(s, format=fmt, name=f"x{i}") for i, s in enumerate(self.inputs)]
        held = [b.parameter(f"w{i}", s, role) for i, (s, role) in enumerate(self.weights)]
        made = b.record(operator, *values, name=operator, parameters=held, **self.settings)
        return b.build(*made)


def _weights(*shapes: Shape, bias: int = 0) -> tuple[tuple[Shape, str], ...]:
    own = tuple((s, "weight") for s in shapes)
    return (*own, ((bias,), "bias")) if bias else own


def _norm(width: int, *, statistics: bool = False) -> tuple[tuple[Shape, str], ...]:
    scale = (((width,), "norm_scale"), ((width,), "norm_offset"))
    return (*scale, ((width,), "statistic"), ((width,), "statistic")) if statistics else scale


def _cell(gates: int) -> list[Example]:
    one = _weights((gates * 4, 8), (gates * 4, 4), (gates * 4,), (gates * 4,))
    plain = Example((SERIES,), {"hidden": 4}, one)
    first = _weights((gates * 4, 8), (gates * 4, 4), (gates * 4,)) * 2
    second = _weights((gates * 4, 8), (gates * 4, 4), (gates * 4,)) * 2
    deep = {"hidden": 4, "layers": 2, "bidirectional": True, "biases": 1, "sequences": False}
    return [plain, Example((SERIES,), deep, first + second)]


EXAMPLES: dict[str, list[Example]] = {
    "dense": [
        Example((SERIES,), {"out_features": 3}, _weights((3, 8), bias=3), "linear(x, w0, w1)"),
        Example((ROWS,), {"out_features": 3, "bias": False}, _weights((3, 12)), "linear(x, w0)"),
    ],
    "matmul": [Example(((2, 3, 4), (2, 4, 5)), torch="t.matmul(x, y)")],
    "einsum": [
        Example(((2, 3, 4), (2, 5, 4)), {"equation": "bik,bjk->bij"},
                torch="t.einsum('bik,bjk->bij', x, y)"),
        Example(((2, 3, 4),), {"equation": "bik->bi"}, torch="t.einsum('bik->bi', x)"),
    ],
    "attention": [
        Example(
            ((2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 6)),
            torch="scaled_dot_product_attention(x, y, z)",
        )
    ],
    "batch_norm": [Example((PICTURE,), {}, _norm(6, statistics=True)),
                   Example((PICTURE,), {"affine": False}, _norm(6, statistics=True)[2:])],
    "instance_norm": [Example((PICTURE,), {}, _norm(6))],
    "group_norm": [Example((PICTURE,), {"groups": 3}, _norm(6))],
    "layer_norm": [
        Example((SERIES,), {}, _norm(8)),
        Example((SERIES,), {"axes": 2, "offset": False}, (((5, 8), "norm_scale"),)),
    ],
    "rms_norm": [Example((SERIES,), {}, _norm(8)[:1])],
    "local_response_norm": [Example((PICTURE,), {}, torch="local_response_norm(x, 5)")],
    "softmax": [Example((ROWS,), torch="softmax(x, -1)")],
    "log_softmax": [Example((ROWS,), torch="log_softmax(x, -1)")],
    "prelu": [Example((PICTURE,), {"slopes": 6}, _weights((6,)), "prelu(x, w0)")],
    "maxout": [Example((ROWS,), {"pieces": 3}, torch="x.view(2, 4, 3).amax(2)")],
    "dropout": [Example((ROWS,), torch="dropout(x)")],
    "stochastic_depth": [Example((PICTURE,))],
    "embedding": [
        Example((ROWS,), {"rows": 50, "width": 7}, (((50, 7), "embedding"),),
                "embedding(x.long(), w0)", indices=True)
    ],
    "rnn": _cell(1),
    "gru": _cell(3),
    "lstm": [
        *_cell(4),
        Example((SERIES,), {"hidden": 4, "projection": 3, "biases": 0},
                _weights((16, 8), (16, 3), (3, 4))),
    ],
    "reshape": [Example((PICTURE,), {"shape": (2, -1, 16)}, torch="x.reshape(2, -1, 16)")],
    "flatten": [Example((PICTURE,), torch="x.flatten(1)")],
    "transpose": [Example((PICTURE,), {"order": (0, 2, 3, 1)}, torch="x.permute(0, 2, 3, 1)")],
    "view": [
        Example((ROWS,), {"shape": (2, 6)}, torch="x[:, :6]"),
        Example((ROWS,), {"shape": ((2, 6), (2, 6))}),
    ],
    "identity": [Example((ROWS,), torch="x")],
    "concatenate": [Example((ROWS, (2, 3)), torch="t.cat([x, y], 1)")],
    "append": [Example(((2, 3, 9, 4), (2, 3, 1, 4)))],
    "pad": [Example((PICTURE,), {"padding": ((1, 2), (0, 3))}, torch="pad(x, (0, 3, 1, 2))")],
    "copy": [Example((ROWS,), {"shape": (2, 12)}, torch="x.clone()")],
    "fill": [Example((), {"shape": (3, 4)}, torch="t.zeros(3, 4)"),
             Example((), {"shape": (3, 4)}, _weights((3, 4)))],
    "gather": [Example((ROWS, (2, 3)), {"shape": (2, 3)}, torch="x.gather(1, y.long())")],
    "resize": [
        Example((PICTURE,), {"size": (5, 9), "mode": mode},
                torch=f"interpolate(x, (5, 9), mode='{theirs}')")
        for mode, theirs in (("nearest", "nearest"), ("linear", "bilinear"), ("cubic", "bicubic"))
    ],
    "sort": [Example((ROWS,), torch="x.sort()[0]")],
    "unknown": [Example((ROWS,), {"shape": (2, 3), "function": "mystery"})],
    "cumulative_sum": [Example((ROWS,), torch="x.cumsum(-1)")],
    "rotary": [Example(((2, 3, 5, 8), (5, 8), (5, 8)), torch="x * y + x.flip(-1) * z")],
    "pointwise": [Example((ROWS,), {"function": "floor"}, torch="x.floor()")],
    "compare": [Example((ROWS, (2, 1)), torch="x > y")],
    "select": [Example((ROWS, ROWS), torch="t.where(x > 0, x, y)")],
    "cross_entropy": [Example((ROWS, (2,)), torch="cross_entropy(x, y.long())")],
    "squared_error": [Example((ROWS, ROWS), torch="mse_loss(x, y)")],
    "global_average_pool": [
        Example((PICTURE,), torch="x.mean((2, 3), keepdim=True)"),
        Example((PICTURE,), {"keep_dimensions": False}, torch="x.mean((2, 3))"),
    ],
    "global_max_pool": [Example((PICTURE,), torch="x.amax((2, 3), keepdim=True)")],
    "partial_convolution2d": [
        Example((PICTURE,), {"connections": ((0, 1), (2, 3, 4)), "kernel": 3},
                _weights((5, 3, 3), bias=2))
    ],
    "trainable_subsampling2d": [
        Example((PICTURE,), {"kernel": 2, "stride": 2}, _weights((6,), bias=6),
                "avg_pool2d(x, 2) * 4")
    ],
    "radial_basis": [Example((ROWS,), {"units": 5}, _weights((5, 12)), "t.cdist(x, w0)")],
    "region_align": [Example((PICTURE,), {"regions": 7, "size": 3})],
    "fourier": [
        Example((ROWS,), torch="t.fft.fft(x)"),
        Example((ROWS,), {"shape": (2, 7)}, torch="t.fft.rfft(x)"),
    ],
    "distances": [Example(((2, 3, 4), (2, 5, 4)), torch="t.cdist(x, y)")],
}  # fmt: skip

#: Operators of one signal: name -> torch's function of it.
_UNARY = {
    "relu": "relu", "relu6": "relu6", "leaky_relu": "leaky_relu", "elu": "elu", "selu": "selu",
    "celu": "celu", "gelu": "gelu", "gelu_tanh": "gelu", "quick_gelu": "gelu", "silu": "silu",
    "mish": "mish", "sigmoid": "sigmoid", "log_sigmoid": "logsigmoid", "tanh": "tanh",
    "hard_sigmoid": "hardsigmoid", "hard_swish": "hardswish", "hard_tanh": "hardtanh",
    "softplus": "softplus", "softsign": "softsign",
}  # fmt: skip
for _name, _theirs in _UNARY.items():
    EXAMPLES[_name] = [Example((PICTURE,), torch=f"{_theirs}(x)")]
EXAMPLES["threshold"] = [Example((PICTURE,), torch="threshold(x, 0.1, 0)")]
for _name, _theirs in {
    "negate": "neg", "absolute": "abs", "exponential": "exp", "logarithm": "log",
    "square_root": "sqrt", "reciprocal_square_root": "rsqrt", "reciprocal": "reciprocal",
    "square": "square", "error_function": "erf", "sine": "sin", "cosine": "cos", "round": "round",
    "floor": "floor",
}.items():  # fmt: skip
    EXAMPLES[_name] = [Example((ROWS,), torch=f"x.{_theirs}()")]
EXAMPLES["clamp"] = [Example((ROWS,), torch="x.clamp(-1, 1)")]
for _name, _sign in {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**",
}.items():  # fmt: skip
    EXAMPLES[_name] = [Example((SERIES, (5, 1)), torch=f"x {_sign} y"), Example((SERIES,))]
EXAMPLES["add"].append(Example((SERIES, SERIES, SERIES), torch="x + y + z"))
for _name in ("maximum", "minimum"):
    EXAMPLES[_name] = [Example((SERIES, (5, 1)), torch=f"t.{_name}(x, y)")]
for _name, _theirs in {
    "sum": "sum", "mean": "mean", "largest": "amax", "variance": "var", "norm": "norm",
    "log_sum_exp": "logsumexp",
}.items():  # fmt: skip
    EXAMPLES[_name] = [
        Example((SERIES,), {"axes": (1, 2)}, torch=f"x.{_theirs}(dim=(1, 2))"),
        Example((SERIES,), {"axes": -1, "keep_dimensions": True},
                torch=f"x.{_theirs}(dim=-1, keepdim=True)"),
        Example((SERIES,)),
    ]  # fmt: skip
EXAMPLES["product"] = [Example((SERIES,), {"axes": 1}, torch="x.prod(1)")]
EXAMPLES["argument_of_largest"] = [Example((SERIES,), {"axes": 1}, torch="x.argmax(1)")]

for _rank in (1, 2, 3):
    _size = (9, 8, 7)[:_rank]
    _kernel = (3, 2, 3)[:_rank]
    _x = (2, 4, *_size)
    _window: dict[str, Any] = {
        "kernel": _kernel, "stride": (2, 1, 2)[:_rank], "padding": (1, 0, 1)[:_rank],
    }  # fmt: skip
    _of = f"stride={_window['stride']}, padding={_window['padding']}"
    EXAMPLES[f"convolution{_rank}d"] = [
        Example((_x,), {"out_channels": 6, **_window, "groups": 2, "dilation": 2},
                _weights((6, 2, *_kernel), bias=6),
                f"conv{_rank}d(x, w0, w1, {_of}, dilation=2, groups=2)"),
        Example((_x,), {"out_channels": 6, "kernel": 3, "padding": "same", "bias": False},
                _weights((6, 4, *(3,) * _rank)), f"conv{_rank}d(x, w0, padding='same')"),
    ]  # fmt: skip
    EXAMPLES[f"transposed_convolution{_rank}d"] = [
        Example((_x,), {"out_channels": 6, **_window, "groups": 2, "dilation": 2},
                _weights((4, 3, *_kernel), bias=6),
                f"conv_transpose{_rank}d(x, w0, w1, {_of}, dilation=2, groups=2)"),
        Example((_x,), {"out_channels": 6, "kernel": _kernel, "stride": 3, "output_padding": 1,
                        "bias": False},
                _weights((4, 6, *_kernel)),
                f"conv_transpose{_rank}d(x, w0, stride=3, output_padding=1)"),
    ]  # fmt: skip
    for _function, _short in (("max", "max"), ("average", "avg")):
        EXAMPLES[f"{_function}_pool{_rank}d"] = [
            Example((_x,), _window, torch=f"{_short}_pool{_rank}d(x, {_kernel}, {_of})"),
            Example((_x,), {"kernel": 3, "stride": 2, "ceil": True},
                    torch=f"{_short}_pool{_rank}d(x, 3, 2, ceil_mode=True)"),
        ]  # fmt: skip
        EXAMPLES[f"adaptive_{_function}_pool{_rank}d"] = [
            Example((_x,), {"output_size": 3}, torch=f"adaptive_{_short}_pool{_rank}d(x, 3)")
        ]
for _rank, _out in ((1, (4,)), (2, (4, 7))):
    _size, _kernel = (9, 8)[:_rank], (3, 2)[:_rank]
    _positions = 1
    for _n in _out:
        _positions *= _n
    _inner = 4 * 3 * (2 if _rank == 2 else 1)
    EXAMPLES[f"locally_connected{_rank}d"] = [
        Example(((2, 4, *_size),),
                {"out_channels": 6, "kernel": _kernel, "stride": (2, 1)[:_rank]},
                (((_positions, _inner, 6), "weight"), ((6, *_out), "bias")),
                f"conv{_rank}d(x, t.zeros(6, 4, *{_kernel}), stride={(2, 1)[:_rank]})")
    ]  # fmt: skip

CASES: list[tuple[str, int]] = [(name, i) for name in EXAMPLES for i in range(len(EXAMPLES[name]))]


def in_torch(example: Example) -> Callable[[], Shape]:
    """Return what gives the shape of torch's result."""

    def run() -> Shape:
        import torch
        import torch.nn.functional as functional

        scope: dict[str, Any] = {n: getattr(functional, n) for n in dir(functional) if n[0] != "_"}
        scope["t"] = torch
        for name, shape in zip("xyz", example.inputs, strict=False):
            scope[name] = torch.zeros(shape)
        for i, (shape, _) in enumerate(example.weights):
            scope[f"w{i}"] = torch.zeros(shape)
        return tuple(eval(example.torch, scope).shape)

    return run
