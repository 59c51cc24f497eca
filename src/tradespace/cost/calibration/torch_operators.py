"""How operators of a network are called in PyTorch, for timing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tradespace.graph.operators.convolutions import paddings, per_axis

#: Number format -> torch's type.
DTYPES = {
    "fp64": "float64",
    "fp32": "float32",
    "bf16": "bfloat16",
    "fp16": "float16",
    "int64": "int64",
    "int32": "int32",
    "bool": "bool",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One use of an operator.

    torch, inputs, parameters, attributes, shapes and number formats of the outputs, the device.
    """

    torch: Any
    x: list[Any]
    w: list[Any]
    a: Mapping[str, Any]
    shapes: Sequence[Sequence[int]]
    formats: Sequence[str]
    device: str

    @property
    def dtype(self) -> Any:
        """The type of the first output."""
        return getattr(self.torch, DTYPES.get(self.formats[0], "float32"))

    def function(self, path: str) -> Any:
        """Return a function of torch by its path."""
        found = self.torch
        for part in path.split("."):
            found = getattr(found, part)
        return found


Function = Callable[[Call], Any]
FUNCTIONS: dict[str, Function] = {}

_UNARY = {
    "relu": "relu",
    "relu6": "nn.functional.relu6",
    "gelu": "nn.functional.gelu",
    "silu": "nn.functional.silu",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "hard_swish": "nn.functional.hardswish",
    "hard_sigmoid": "nn.functional.hardsigmoid",
    "exponential": "exp",
    "square_root": "sqrt",
}
_BINARY = {"add": "add", "subtract": "sub", "multiply": "mul", "divide": "div"}


def _unary(path: str) -> Function:
    return lambda c: c.function(path)(c.x[0])


def _binary(path: str) -> Function:
    def call(c: Call) -> Any:
        made, *others = [*c.x, *c.w]
        for other in others:
            made = c.function(path)(made, other)
        return made

    return call


def _dense(c: Call) -> Any:
    weight = c.w[0] if c.w[0].shape[-1] == c.x[0].shape[-1] else c.w[0].t()
    return c.torch.nn.functional.linear(c.x[0], weight, c.w[1] if len(c.w) > 1 else None)


def _convolution(c: Call) -> Any:
    rank = c.x[0].dim() - 2
    kernel, stride = per_axis(c.a["kernel"], rank), per_axis(c.a["stride"], rank)
    dilation = per_axis(c.a["dilation"], rank)
    pairs = paddings(
        c.a["padding"],
        sizes=tuple(c.x[0].shape[-rank:]),
        kernel=kernel,
        stride=stride,
        dilation=dilation,
    )
    signal, even = c.x[0], all(low == high for low, high in pairs)
    if not even:
        signal = c.torch.nn.functional.pad(signal, [n for pair in reversed(pairs) for n in pair])
    return c.function(f"nn.functional.conv{rank}d")(
        signal,
        c.w[0],
        c.w[1] if len(c.w) > 1 else None,
        stride=tuple(stride),
        padding=tuple(p[0] for p in pairs) if even else 0,
        dilation=tuple(dilation),
        groups=int(c.a["groups"]),
    )


def _attention(c: Call) -> Any:
    call = c.torch.nn.functional.scaled_dot_product_attention
    mask = c.x[3] if len(c.x) > 3 else None
    return call(*c.x[:3], attn_mask=mask, is_causal=bool(c.a["causal"]) and mask is None)


def _recurrent(cell: str) -> Function:
    cells = {"lstm": "lstm", "gru": "gru", "rnn": "rnn_tanh"}

    def call(c: Call) -> Any:
        layers, both = int(c.a["layers"]), bool(c.a["bidirectional"])
        biases, hidden = int(c.a["biases"]), int(c.a["hidden"])
        directions = layers * (2 if both else 1)
        zeros = c.torch.zeros(
            (directions, c.x[0].shape[0], hidden), dtype=c.x[0].dtype, device=c.x[0].device
        )
        state = (zeros, zeros) if cell == "lstm" else zeros
        each = len(c.w) // directions
        held = []
        for i in range(directions):
            part = c.w[i * each : (i + 1) * each]
            held += [*part, c.torch.zeros_like(part[-1])] if biases == 1 else part
        switches = (False, both, True)  # training, both directions, rows first
        made = c.function(cells[cell])(c.x[0], state, held, biases > 0, layers, 0.0, *switches)
        whole = made[0]
        return whole if c.a["sequences"] else whole[:, -1].reshape(tuple(c.shapes[0]))

    return call


def _norm(name: str) -> Function:
    def call(c: Call) -> Any:
        sizes = tuple(c.x[0].shape[-int(c.a["axes"]) :])
        if name == "rms_norm":
            return c.torch.nn.functional.rms_norm(c.x[0], sizes, c.w[0])
        return c.torch.nn.functional.layer_norm(c.x[0], sizes, *c.w[:2])

    return call


def _batch_norm(c: Call) -> Any:
    scale = c.w[0] if len(c.w) == 4 else None
    return c.torch.nn.functional.batch_norm(c.x[0], c.w[-2], c.w[-1], scale, c.w[-3])


def _pool(function: str) -> Function:
    def call(c: Call) -> Any:
        rank = c.x[0].dim() - 2
        kernel, stride = per_axis(c.a["kernel"], rank), per_axis(c.a["stride"], rank)
        pairs = paddings(
            c.a["padding"],
            sizes=tuple(c.x[0].shape[-rank:]),
            kernel=kernel,
            stride=stride,
            dilation=per_axis(c.a["dilation"], rank),
        )
        short = "avg" if function == "average" else function
        return c.function(f"nn.functional.{short}_pool{rank}d")(
            c.x[0],
            tuple(kernel),
            stride=tuple(stride),
            padding=tuple(min(p) for p in pairs),
            ceil_mode=bool(c.a["ceil"]),
        ).reshape(tuple(c.shapes[0]))

    return call


def _whole_pool(function: str) -> Function:
    def call(c: Call) -> Any:
        axes = tuple(range(2, c.x[0].dim()))
        made = c.x[0].mean(axes) if function == "average" else c.x[0].amax(axes)
        return made.reshape(tuple(c.shapes[0]))

    return call


def _adaptive_pool(function: str) -> Function:
    short = "avg" if function == "average" else function

    def call(c: Call) -> Any:
        rank = c.x[0].dim() - 2
        size = tuple(c.shapes[0])[-rank:]
        return c.function(f"nn.functional.adaptive_{short}_pool{rank}d")(c.x[0], size)

    return call


def _mean(c: Call) -> Any:
    axes = c.a["axes"]
    chosen = tuple(range(c.x[0].dim())) if axes is None else axes
    return c.torch.mean(c.x[0], chosen).reshape(tuple(c.shapes[0]))


def _copy(c: Call) -> Any:
    """Return the same elements in new memory; where their order changes, by a transposition."""
    source, shape = c.x[0], tuple(c.shapes[0])
    if str(c.a["function"]) in ("shuffle", "roll"):
        wide = next((n for n in source.shape if n > 1), 1)
        return source.reshape(wide, -1).t().contiguous().reshape(shape)
    return source.reshape(shape).clone()


def _view(c: Call) -> Any:
    """Return parts that lie one after another, or the same elements in another shape."""
    source = c.x[0] if c.x else c.w[0]
    if len(c.shapes) == 1 and math.prod(c.shapes[0]) == source.numel():
        return source.reshape(tuple(c.shapes[0]))
    made, used = [], 0
    for shape in c.shapes:
        size = math.prod(shape)
        if size > source.numel():  # stretched: no memory of its own
            made.append(source.reshape(-1)[:1].to(c.dtype).expand(tuple(shape)))
            continue
        start = used if used + size <= source.numel() else 0
        made.append(source.reshape(-1)[start : start + size].reshape(tuple(shape)))
        used += size
    return made[0] if len(made) == 1 else tuple(made)


def _fill(c: Call) -> Any:
    """Return a parameter, a count of positions, or zeros."""
    shape = tuple(c.shapes[0])
    if c.w:
        return c.w[0].reshape(shape)
    if str(c.a["function"]) == "range" and len(shape) == 1:
        return c.torch.arange(shape[0], dtype=c.dtype, device=c.device)
    return c.torch.zeros(shape, dtype=c.dtype, device=c.device)


FUNCTIONS.update({name: _unary(path) for name, path in _UNARY.items()})
FUNCTIONS.update({name: _binary(path) for name, path in _BINARY.items()})
FUNCTIONS.update({f"convolution{rank}d": _convolution for rank in (1, 2, 3)})
FUNCTIONS.update({cell: _recurrent(cell) for cell in ("lstm", "gru", "rnn")})
FUNCTIONS.update({name: _norm(name) for name in ("layer_norm", "rms_norm")})
for _function in ("max", "average"):
    FUNCTIONS[f"global_{_function}_pool"] = _whole_pool(_function)
    for _rank in (1, 2, 3):
        FUNCTIONS[f"{_function}_pool{_rank}d"] = _pool(_function)
        FUNCTIONS[f"adaptive_{_function}_pool{_rank}d"] = _adaptive_pool(_function)
FUNCTIONS.update(
    {
        "gelu_tanh": lambda c: c.torch.nn.functional.gelu(c.x[0], approximate="tanh"),
        "dense": _dense,
        "matmul": lambda c: c.torch.matmul(c.x[0], c.x[1]),
        "attention": _attention,
        "batch_norm": _batch_norm,
        "local_response_norm": lambda c: c.function("nn.functional.local_response_norm")(
            c.x[0], int(c.a["size"])
        ),
        "softmax": lambda c: c.torch.softmax(c.x[0], int(c.a["axis"])),
        "mean": _mean,
        "concatenate": lambda c: c.torch.cat(c.x, int(c.a["axis"])),
        "copy": _copy,
        "embedding": lambda c: c.torch.nn.functional.embedding(c.x[0], c.w[0]),
        "transpose": lambda c: c.x[0].permute(tuple(c.a["order"])),
        "view": _view,
        "fill": _fill,
        "compare": lambda c: c.x[0] > (c.x[1] if len(c.x) > 1 else 0),
        **dict.fromkeys(("reshape", "flatten"), lambda c: c.x[0].reshape(tuple(c.shapes[0]))),
        **dict.fromkeys(("dropout", "stochastic_depth", "identity"), lambda c: c.x[0]),
    }
)
