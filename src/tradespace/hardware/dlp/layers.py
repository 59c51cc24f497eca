"""Layers as the scheduler sees them.

Every layer is a convolution in disguise: a matrix product (M, K) by (K, N) is a convolution of
a picture M rows high and one column wide, with K channels and a window of one.
"""

from __future__ import annotations

from dataclasses import dataclass

from tradespace.core.errors import ProcessorError


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a network; channels and outputs are counted per group.

    ``kind`` is "dense", "conv", "pool" (no weights; ``operation`` MAX or ADD, the latter for
    averages) or "elementwise" (two operands of ``width`` elements). ``padding`` stands above and
    left, ``trailing`` below and right; it is the same unless given.
    """

    name: str
    kind: str
    channels: int
    height: int
    width: int
    outputs: int
    window: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    groups: int = 1
    images: int = 1
    operation: str = "MAC"
    trailing: tuple[int, int] = (-1, -1)

    def __post_init__(self) -> None:
        if min(self.trailing) < 0:
            object.__setattr__(self, "trailing", self.padding)
        sizes = (self.channels, self.height, self.width, self.outputs, self.groups, self.images)
        if min(*sizes, *self.window, *self.stride) < 1 or min(self.padding) < 0:
            named = {
                "channels": self.channels,
                "height": self.height,
                "width": self.width,
                "outputs": self.outputs,
                "groups": self.groups,
                "images": self.images,
                "window": min(self.window),
                "stride": min(self.stride),
                "padding": min(self.padding),
            }
            low = (f"{k} {v}" for k, v in named.items() if v < (0 if k == "padding" else 1))
            msg = f"Layer {self.name!r} has a dimension that is too small: {', '.join(low)}."
            raise ProcessorError(msg, remedy="Give dimensions from 1, padding from 0.")
        if min(self.rows, self.columns) < 1:
            msg = f"The window of layer {self.name!r} is larger than its padded input."
            raise ProcessorError(msg, remedy="Make the window smaller or the padding larger.")
        edges = (*zip(self.padding, self.window, strict=True),)
        edges += (*zip(self.trailing, self.window, strict=True),)
        if any(p >= w for p, w in edges if p):
            msg = f"The padding of layer {self.name!r} is as large as its window."
            raise ProcessorError(msg, remedy="Use a padding smaller than the window.")

    @property
    def rows(self) -> int:
        """Rows of an output picture."""
        padded = self.height + self.padding[0] + self.trailing[0]
        return (padded - self.window[0]) // self.stride[0] + 1

    @property
    def columns(self) -> int:
        """Columns of an output picture."""
        padded = self.width + self.padding[1] + self.trailing[1]
        return (padded - self.window[1]) // self.stride[1] + 1

    @property
    def taps(self) -> int:
        """Positions of the window."""
        return self.window[0] * self.window[1]

    @property
    def terms(self) -> int:
        """Products summed in one output: the K of the matrix product."""
        return self.channels * self.taps

    @property
    def positions(self) -> int:
        """Outputs of one channel over all images."""
        return self.images * self.rows * self.columns

    @property
    def macs(self) -> int:
        """Operations by the definition of the layer, products with padded zeros included."""
        each = self.terms if self.kind in ("dense", "conv") else self.taps
        return self.groups * self.outputs * self.positions * each

    def _inside(self, axis: int) -> int:
        """Return how much of its windows lies inside of the input, summed along an axis."""
        size, count = ((self.height, self.rows), (self.width, self.columns))[axis]
        starts = (i * self.stride[axis] - self.padding[axis] for i in range(count))
        return sum(min(s + self.window[axis], size) - max(s, 0) for s in starts)

    @property
    def macs_inside(self) -> int:
        """The operations that touch a word of the input, padding excluded."""
        each = self.channels if self.kind in ("dense", "conv") else 1
        inside = self._inside(0) * self._inside(1)
        return self.groups * self.outputs * self.images * each * inside

    @property
    def input_words(self) -> int:
        """Words of the input that are needed at least once."""
        touched = 1
        for axis, size in enumerate((self.height, self.width)):
            stride, pad, window = self.stride[axis], self.padding[axis], self.window[axis]
            count = (self.rows, self.columns)[axis]
            between = min((count - 1) * stride - pad + window, size)
            touched *= self._inside(axis) if stride >= window else between
        operands = 2 if self.kind == "elementwise" else 1
        return self.images * self.groups * self.channels * touched * operands

    @property
    def weight_words(self) -> int:
        """Words of the weights."""
        return self.groups * self.outputs * self.terms if self.operation == "MAC" else 0

    @property
    def output_words(self) -> int:
        """Words of the result."""
        return self.groups * self.outputs * self.positions


def dense(m: int, k: int, n: int, *, name: str = "") -> Layer:
    """Return the product of an (m, k) and a (k, n) matrix.

    Examples
    --------
    >>> layer = dense(32, 256, 128)
    >>> layer.macs, layer.input_words, layer.weight_words, layer.output_words
    (1048576, 8192, 32768, 4096)

    """
    return Layer(name or f"{m}x{k}x{n}", "dense", channels=k, height=m, width=1, outputs=n)


def convolution(
    channels: int,
    size: int | tuple[int, int],
    outputs: int,
    window: int | tuple[int, int],
    *,
    stride: int = 1,
    padding: int = 0,
    groups: int = 1,
    images: int = 1,
    name: str = "conv",
) -> Layer:
    """Return a convolution of ``channels`` pictures into ``outputs``, counted over all groups.

    Examples
    --------
    >>> convolution(3, 227, 96, 11, stride=4).macs
    105415200

    """
    if channels % groups or outputs % groups:
        msg = f"{channels} channels and {outputs} outputs do not divide into {groups} groups."
        raise ProcessorError(msg, remedy="Choose a common divisor.")
    height, width = (size, size) if isinstance(size, int) else size
    return Layer(
        name,
        "conv",
        channels=channels // groups,
        height=height,
        width=width,
        outputs=outputs // groups,
        window=(window, window) if isinstance(window, int) else window,
        stride=(stride, stride),
        padding=(padding, padding),
        groups=groups,
        images=images,
    )


def pool(
    channels: int,
    size: int | tuple[int, int],
    window: int,
    *,
    stride: int = 0,
    padding: int = 0,
    operation: str = "MAX",
    images: int = 1,
    name: str = "pool",
) -> Layer:
    """Return a pooling layer; ``operation`` is MAX, or ADD for sums (divide afterwards).

    Examples
    --------
    >>> pool(64, 224, 2).output_words
    802816

    """
    height, width = (size, size) if isinstance(size, int) else size
    if operation not in ("MAX", "ADD"):
        msg = f"Unknown pooling operation {operation!r}."
        raise ProcessorError(msg, remedy="Use MAX or ADD.")
    return Layer(
        name,
        "pool",
        channels=1,
        height=height,
        width=width,
        outputs=1,
        window=(window, window),
        stride=(stride or window,) * 2,
        padding=(padding, padding),
        groups=channels,
        images=images,
        operation=operation,
    )


def elementwise(count: int, *, operation: str = "ADD", name: str = "") -> Layer:
    """Return an operation on two vectors of ``count`` elements.

    Examples
    --------
    >>> elementwise(1000).input_words
    2000

    """
    if operation not in ("ADD", "SUB", "MUL", "DIV", "MAX"):
        msg = f"Unknown element-wise operation {operation!r}."
        raise ProcessorError(msg, remedy="Use ADD, SUB, MUL, DIV or MAX.")
    name = name or f"{operation.lower()}{count}"
    return Layer(name, "elementwise", 1, 1, 1, 1, groups=count, operation=operation)
