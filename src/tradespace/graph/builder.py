"""Making a network by hand, operator by operator; the zoo and the readers use it.

>>> b = Builder("784-300-100-10")
>>> x = b.input((784,))
>>> for i, width in enumerate((300, 100)):
...     x = b.relu(b.dense(x, width, name=f"hidden{i + 1}"))
>>> network = b.build(b.softmax(b.dense(x, 10, name="output")))
>>> sum(p.elements for p in network.parameters)
266610
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tradespace.graph.assembly import Assembly
from tradespace.graph.assembly import Value as Value
from tradespace.graph.assembly import Weight as Weight


class Builder(Assembly):
    """Puts networks together from layers, with their parameters.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Put in front of the shape of every input.
    format : str
        Number format of inputs and parameters.

    """

    # --------------------------------------------------------------- layers with weights

    def dense(
        self,
        x: Value,
        out_features: int,
        *,
        bias: bool = True,
        name: str = "dense",
        weight: Weight | None = None,
    ) -> Value:
        """Add a fully connected layer over the last dimension; `weight` ties it to another."""
        with self.scope(name):
            held = [weight or self.parameter("weight", (out_features, x.shape[-1]))]
            if bias:
                held.append(self.parameter("bias", (out_features,), "bias"))
        return self.apply(
            "dense", x, name=name, parameters=held, out_features=out_features, bias=bias
        )

    def conv(
        self,
        x: Value,
        out_channels: int,
        kernel: int | Sequence[int],
        *,
        stride: int | Sequence[int] = 1,
        padding: int | str | Sequence[Any] = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        name: str = "conv",
    ) -> Value:
        """Add a convolution over as many dimensions as the input has after its channels."""
        rank = len(x.shape) - 2
        sizes = (kernel,) * rank if isinstance(kernel, int) else tuple(kernel)
        with self.scope(name):
            shape = (out_channels, x.shape[1] // groups, *sizes)
            held = [self.parameter("weight", shape)]
            if bias:
                held.append(self.parameter("bias", (out_channels,), "bias"))
        return self.apply(
            f"convolution{rank}d",
            x,
            name=name,
            parameters=held,
            out_channels=out_channels,
            kernel=sizes,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
        )

    def embedding(
        self, indices: Value, rows: int, width: int, *, name: str = "embedding"
    ) -> tuple[Value, Weight]:
        """Add a table of vectors; return the vectors looked up and the table, to tie it."""
        with self.scope(name):
            table = self.parameter("weight", (rows, width), "embedding")
        found = self.apply(
            "embedding",
            indices,
            name=name,
            parameters=[table],
            rows=rows,
            width=width,
            format=self.format,
        )
        return found, table

    def recurrent(
        self,
        cell: str,
        x: Value,
        hidden: int,
        *,
        layers: int = 1,
        bidirectional: bool = False,
        biases: int = 2,
        sequences: bool = True,
        name: str = "",
    ) -> Value:
        """Add a recurrent layer ("rnn", "gru" or "lstm") over (batch, steps, inputs)."""
        name = name or cell
        gates = {"rnn": 1, "gru": 3, "lstm": 4}[cell]
        directions = 2 if bidirectional else 1
        held = []
        with self.scope(name):
            for layer in range(layers):
                width = x.shape[-1] if layer == 0 else directions * hidden
                for direction in range(directions):
                    mark = f"l{layer}" + ("_reverse" if direction else "")
                    held += [
                        self.parameter(f"weight_ih_{mark}", (gates * hidden, width)),
                        self.parameter(f"weight_hh_{mark}", (gates * hidden, hidden)),
                    ]
                    held += [
                        self.parameter(f"bias_{i}_{mark}", (gates * hidden,), "bias")
                        for i in range(biases)
                    ]
        return self.apply(
            cell,
            x,
            name=name,
            parameters=held,
            hidden=hidden,
            layers=layers,
            bidirectional=bidirectional,
            biases=biases,
            sequences=sequences,
        )

    # --------------------------------------------------------------------- normalization

    def _affine(self, name: str, width: int, *, offset: bool = True) -> list[Weight]:
        with self.scope(name):
            held = [self.parameter("weight", (width,), "norm_scale")]
            if offset:
                held.append(self.parameter("bias", (width,), "norm_offset"))
        return held

    def batch_norm(self, x: Value, *, scale: bool = True, name: str = "bn") -> Value:
        """Add a batch normalization with running statistics; `scale` False keeps the offset."""
        width = x.shape[1]
        with self.scope(name):
            held = [self.parameter("weight", (width,), "norm_scale")] if scale else []
            held.append(self.parameter("bias", (width,), "norm_offset"))
            held += [
                self.parameter("running_mean", (width,), "statistic"),
                self.parameter("running_var", (width,), "statistic"),
            ]
        return self.apply("batch_norm", x, name=name, parameters=held, affine=scale)

    def layer_norm(self, x: Value, *, offset: bool = True, name: str = "norm") -> Value:
        """Add a layer normalization over the last dimension."""
        held = self._affine(name, x.shape[-1], offset=offset)
        return self.apply("layer_norm", x, name=name, parameters=held, offset=offset)

    def rms_norm(self, x: Value, *, name: str = "norm") -> Value:
        """Add a root-mean-square normalization over the last dimension."""
        held = self._affine(name, x.shape[-1], offset=False)
        return self.apply("rms_norm", x, name=name, parameters=held)

    def group_norm(self, x: Value, groups: int, *, name: str = "norm") -> Value:
        """Add a group normalization."""
        held = self._affine(name, x.shape[1])
        return self.apply("group_norm", x, name=name, parameters=held, groups=groups)

    def local_response_norm(self, x: Value, *, size: int = 5, name: str = "lrn") -> Value:
        """Add a local response normalization across channels."""
        return self.apply("local_response_norm", x, name=name, size=size)

    def softmax(self, x: Value, *, axis: int = -1, name: str = "softmax") -> Value:
        """Add a softmax."""
        return self.apply("softmax", x, name=name, axis=axis)

    # ------------------------------------------------------------- activations, pooling

    def activation(
        self, x: Value, function: str, *, name: str = "", inplace: bool = False
    ) -> Value:
        """Add an activation by its name: "relu", "gelu", "silu", "hard_swish", ..."""
        return self.apply(function, x, name=name or function, inplace=inplace)

    def relu(self, x: Value, *, name: str = "relu", inplace: bool = True) -> Value:
        """Add a rectifier, in place unless asked otherwise."""
        return self.apply("relu", x, name=name, inplace=inplace)

    def dropout(self, x: Value, rate: float = 0.5, *, name: str = "dropout") -> Value:
        """Add a dropout."""
        return self.apply("dropout", x, name=name, rate=rate)

    def pool(
        self,
        x: Value,
        function: str,
        kernel: int | Sequence[int],
        *,
        stride: int | Sequence[int] | None = None,
        padding: int | str | Sequence[Any] = 0,
        ceil: bool = False,
        name: str = "pool",
    ) -> Value:
        """Add a "max" or "average" pooling; the stride is the kernel unless given."""
        rank = len(x.shape) - 2
        return self.apply(
            f"{function}_pool{rank}d",
            x,
            name=name,
            kernel=kernel,
            stride=kernel if stride is None else stride,
            padding=padding,
            ceil=ceil,
        )

    def adaptive_pool(
        self,
        x: Value,
        output_size: int | Sequence[int] = 1,
        *,
        function: str = "average",
        name: str = "pool",
    ) -> Value:
        """Add a pooling to a given size."""
        rank = len(x.shape) - 2
        return self.apply(f"adaptive_{function}_pool{rank}d", x, name=name, output_size=output_size)

    def global_pool(
        self, x: Value, *, function: str = "average", keep: bool = False, name: str = "pool"
    ) -> Value:
        """Add a pooling over all positions."""
        return self.apply(f"global_{function}_pool", x, name=name, keep_dimensions=keep)

    # -------------------------------------------------------------- arithmetic and shapes

    def add(self, *parts: Value, name: str = "add", inplace: bool = False) -> Value:
        """Add signals."""
        return self.apply("add", *parts, name=name, inplace=inplace)

    def multiply(self, a: Value, b: Value, *, name: str = "multiply") -> Value:
        """Multiply two signals element by element."""
        return self.apply("multiply", a, b, name=name)

    def matmul(self, a: Value, b: Value, *, name: str = "matmul") -> Value:
        """Multiply two signals as matrices."""
        return self.apply("matmul", a, b, name=name)

    def attention(
        self,
        query: Value,
        key: Value,
        value: Value,
        *,
        causal: bool = False,
        dropout: float = 0.0,
        name: str = "attention",
    ) -> Value:
        """Add a scaled dot-product attention over (..., positions, width of a head)."""
        return self.apply("attention", query, key, value, name=name, causal=causal, dropout=dropout)

    def concatenate(self, parts: Sequence[Value], *, axis: int = 1, name: str = "concat") -> Value:
        """Join signals along an axis."""
        return self.apply("concatenate", *parts, name=name, axis=axis)

    def flatten(self, x: Value, *, start: int = 1, name: str = "flatten") -> Value:
        """Make one dimension of all from `start` on."""
        return self.apply("flatten", x, name=name, start=start)

    def reshape(self, x: Value, shape: Sequence[int], *, name: str = "reshape") -> Value:
        """Give the elements another shape; -1 for what is left."""
        return self.apply("reshape", x, name=name, shape=tuple(shape))

    def transpose(self, x: Value, order: Sequence[int], *, name: str = "transpose") -> Value:
        """Order the dimensions anew."""
        return self.apply("transpose", x, name=name, order=tuple(order))

    def slices(
        self, x: Value, shapes: Sequence[Sequence[int]], *, name: str = "slice"
    ) -> tuple[Value, ...]:
        """Return parts of a signal, given their shapes, moving nothing."""
        wanted = tuple(tuple(s) for s in shapes)
        return self.record("view", x, name=self.path(name), shape=wanted, function="slice")
