"""What a calibration measures: chains of one operator at sizes on a grid, as small networks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from tradespace.cost.calibration import chains
from tradespace.cost.calibration.classes import sizes_of
from tradespace.graph.builder import Builder
from tradespace.graph.network import Network
from tradespace.graph.works import network_works

Point = chains.Point
#: Weights of a chain together should not stay in a cache from run to run.
_COLD_BYTES = 24e6
#: Operators of a chain, and the most multiply-accumulates of one and of all.
_LEAST, _MOST = 2, 12
_MOST_MACS, _MOST_CHAIN_MACS = 8e8, 2e9
_MOST_WEIGHT_BYTES = 80e6
#: An accelerator is given this much more at a time; with less it would only be started.
_ACCELERATED = 128
#: Further sizes for an accelerator, along the first axis of a class.
_MORE_POSITIONS, _MORE_ROWS = (200704.0,), (32768.0,)
_MORE_ELEMENTS = 25165824.0
_HEADS, _MORE_HEADS = 4, 64


@dataclass(frozen=True, slots=True)
class Probe:
    """A network of equal operators that stands for the sizes `points`, and all its work."""

    family: str
    points: tuple[Point, ...]
    network: Network
    amount: float


@dataclass(frozen=True, slots=True)
class Family:
    """A class of operators: axes, ticks, the work at a point, how to make a chain there."""

    name: str
    axes: tuple[str, ...]
    ticks: tuple[tuple[float, ...], ...]
    amount: Callable[[Point], float]
    make: chains.Maker
    counts_macs: bool = True
    #: Positions of two axes whose exchange changes nothing: a chain goes there and back.
    symmetric: tuple[int, int] | None = None
    #: Bytes of the weights at a point.
    weight_bytes: Callable[[Point], float] = lambda point: 0.0 * point[0]
    #: Whether a network can be made at a point.
    possible: Callable[[Point], bool] = lambda point: point[0] > 0
    #: How often an element is moved for each time that it counts in the class.
    times: float = 1.0
    #: How much more than on a CPU may be measured at a time.
    scale: float = 1.0

    def probes(self, number_format: str) -> Iterator[Probe]:
        """Yield a probe for each point worth measuring; the largest are left to neighbors."""
        for point in itertools.product(*self.ticks):
            mirrored = _mirror(point, self.symmetric)
            if mirrored < point or not self.possible(point):
                continue
            macs = self.amount(point) if self.counts_macs else 0.0
            weights = self.weight_bytes(point)
            if macs > _MOST_MACS * self.scale or weights * _LEAST > _MOST_WEIGHT_BYTES:
                continue
            count = max(_LEAST, min(_MOST, math.ceil(_COLD_BYTES / max(weights, _COLD_BYTES / 8))))
            while count > _LEAST and count * macs > _MOST_CHAIN_MACS * self.scale:
                count -= 1
            count += count % 2
            builder = Builder(self.name, format=number_format)
            made = builder.build(self.make(builder, point, count))
            points = tuple(dict.fromkeys((point, mirrored)))
            yield Probe(self.name, points, made, self.times * _work_of(self.name, made))


def _work_of(family: str, network: Network) -> float:
    """Return the work of all operators of a class; rounded sizes make it differ from a point's."""
    sized = (sizes_of(work) for work in network_works(network))
    return math.fsum(s.amount for s in sized if s.family == family)


def _mirror(point: Point, axes: tuple[int, int] | None) -> Point:
    if axes is None:
        return point
    a, b = axes
    turned = list(point)
    turned[a], turned[b] = turned[b], turned[a]
    return tuple(turned)


def _elements(point: Point) -> float:
    return point[0]


#: Of images of 7, 14, 28, 56, 112 and 224 pixels a side.
_POSITIONS = (49.0, 196.0, 784.0, 3136.0, 12544.0, 50176.0)
_SIZES = (768.0, 12288.0, 98304.0, 786432.0, 3145728.0)
_FEW = (768.0, 98304.0, 1572864.0)


def _simple(name: str, make: chains.Maker, sizes: Sequence[float] = _FEW) -> Family:
    return Family(name, ("elements",), (tuple(sizes),), _elements, make, counts_macs=False)


def _product(
    name: str, kernel: int, positions: Sequence[float], channels: Sequence[float]
) -> Family:
    window = kernel * kernel
    return Family(
        name,
        ("positions", "output channels", "input channels"),
        (tuple(positions), tuple(channels), tuple(channels)),
        lambda p: p[0] * p[1] * p[2] * window,
        partial(chains.convolution, kernel=kernel),
        symmetric=(1, 2),
        weight_bytes=lambda p: 4 * p[1] * p[2] * window,
    )


def _recurrent_family(cell: str, gates: int) -> Family:
    return Family(
        cell,
        ("rows", "gates", "inputs"),
        ((1.0, 16.0), (128.0 * gates, 512.0 * gates), (256.0, 1024.0)),
        lambda p: chains.STEPS * p[0] * p[1] * p[2],
        partial(chains.recurrent, cell=cell, gates=gates),
        weight_bytes=lambda p: 4 * p[1] * p[2],
        possible=lambda p: p[2] >= 2 * p[1] / gates,
    )


def families(*, accelerator: bool = False) -> list[Family]:
    """Return everything that is measured; for an accelerator with more at a time."""
    found = _products(_MORE_HEADS if accelerator else _HEADS) + _others()
    return [_enlarged(f) for f in found] if accelerator else found


def _enlarged(family: Family) -> Family:
    first = family.ticks[0]
    more: tuple[float, ...] = (_MORE_ELEMENTS,)
    if family.axes[0] == "positions":
        more = _MORE_POSITIONS
    elif family.axes[0] in ("rows", "queries"):
        more = _MORE_ROWS if family.name == "dense" else (2048.0,)
    if family.name in ("lstm", "gru", "rnn"):
        more = (128.0,)
    rest = family.ticks[1:]
    if family.name in ("matmul", "attention"):
        rest = ((*rest[0], 2048.0), rest[1] if family.name == "attention" else (*rest[1], 2048.0))
    return replace(family, ticks=((*first, *more), *rest), scale=_ACCELERATED)


def _products(heads: int) -> list[Family]:
    return [
        _product("convolution 1x1", 1, _POSITIONS, (16.0, 64.0, 256.0, 1024.0)),
        _product("convolution 3x3", 3, _POSITIONS, (16.0, 64.0, 128.0, 512.0)),
        _product("convolution 5x5", 5, (49.0, 784.0), (16.0, 64.0, 192.0)),
        Family(
            "convolution of images",
            ("positions", "output channels", "window"),
            ((2916.0, 12544.0), (16.0, 64.0), (9.0, 49.0, 121.0)),
            lambda p: p[0] * p[1] * 3 * p[2],
            chains.images,
        ),
        Family(
            "convolution depthwise",
            ("elements", "window"),
            ((1568.0, 25088.0, 100352.0, 401408.0, 1204224.0), (9.0, 25.0, 49.0)),
            lambda p: p[0] * p[1],
            chains.depthwise,
        ),
        Family(
            "convolution grouped",
            ("positions", "groups", "channels of a group"),
            ((49.0, 784.0), (2.0, 8.0, 32.0), (4.0, 16.0, 64.0)),
            lambda p: p[0] * p[1] * p[2] * p[2] * 9,
            chains.grouped,
            weight_bytes=lambda p: 36 * p[1] * p[2] * p[2],
        ),
        Family(
            "dense",
            ("rows", "outputs", "inputs"),
            ((1.0, 8.0, 32.0, 128.0, 512.0, 4096.0), *((64.0, 256.0, 1024.0, 4096.0),) * 2),
            lambda p: p[0] * p[1] * p[2],
            chains.dense,
            symmetric=(1, 2),
            weight_bytes=lambda p: 4 * p[1] * p[2],
        ),
        Family(
            "matmul",
            ("rows", "columns", "terms"),
            ((1.0, 64.0, 256.0), (16.0, 64.0, 256.0), (16.0, 64.0, 256.0)),
            lambda p: heads * p[0] * p[1] * p[2],
            partial(chains.matmul, heads=heads),
            symmetric=(1, 2),
        ),
        Family(
            "attention",
            ("queries", "keys", "width of a head"),
            ((1.0, 64.0, 256.0), (64.0, 256.0), (32.0, 64.0)),
            lambda p: 2 * heads * p[0] * p[1] * p[2],
            partial(chains.attention, heads=heads),
        ),
        _recurrent_family("lstm", 4),
        _recurrent_family("gru", 3),
        _recurrent_family("rnn", 1),
    ]


def _others() -> list[Family]:
    return [
        *(_simple(name, chains.unary(name), _SIZES) for name in ("relu", "gelu", "sigmoid")),
        *(
            _simple(name, chains.unary(name))
            for name in ("silu", "hard_swish", "tanh", "gelu_tanh")
        ),
        *(_simple(name, partial(chains.binary, name=name), _SIZES) for name in ("add", "multiply")),
        _simple("softmax", chains.unary("softmax"), _SIZES),
        _simple(
            "layer_norm",
            partial(
                chains.chain, apply=lambda b, x, i: b.layer_norm(x, name=f"norm{i}"), width=768
            ),
            _SIZES,
        ),
        _simple(
            "rms_norm",
            partial(chains.chain, apply=lambda b, x, i: b.rms_norm(x, name=f"norm{i}"), width=768),
        ),
        _simple(
            "batch_norm",
            partial(chains.image_chain, apply=lambda b, x, i: b.batch_norm(x, name=f"norm{i}")),
            _SIZES,
        ),
        _simple(
            "local_response_norm",
            partial(
                chains.image_chain, apply=lambda b, x, i: b.local_response_norm(x, name=f"norm{i}")
            ),
        ),
        _simple("concatenate", chains.concatenate, _SIZES),
        _simple("copy", chains.shuffle, _SIZES),
        # What is looked up is joined at the end: every element moves twice.
        replace(_simple("embedding", chains.embedding), times=2.0),
        _simple("mean", chains.mean),
        _simple("global_average_pool", partial(chains.ends, function="average"), _SIZES),
        _simple("global_max_pool", partial(chains.ends, function="max")),
        *(
            Family(
                f"{function}_pool2d",
                ("elements", "window"),
                ((6272.0, 50176.0, 200704.0, 802816.0), (9.0, 25.0)),
                lambda p: p[0] * p[1],
                partial(chains.pool, function=function),
                counts_macs=False,
            )
            for function in ("max", "average")
        ),
    ]
