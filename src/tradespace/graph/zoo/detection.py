"""Detectors: Faster R-CNN and Mask R-CNN, which look twice, and RetinaNet, which looks once.

How many regions the second look gets depends on the picture; it is a setting. Decoding boxes and
leaving out those that overlap are not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network
from tradespace.graph.zoo.mobilenet import trunk_v3
from tradespace.graph.zoo.pyramid import pyramid, with_fixed_norms
from tradespace.graph.zoo.resnet import trunk

_NOTES = (
    "Decoding of boxes and suppression of overlapping ones are not counted.",
    "Batch normalizations of the first network are not trained.",
)


def faster_rcnn(
    *,
    name: str = "fasterrcnn",
    batch: int = 1,
    trunk_name: str = "mobilenet-v3-large",
    proposals: int = 150,
    detections: int = 100,
    masks: bool = False,
    size: int = 320,
    classes: int = 91,
) -> Network:
    """Return Faster R-CNN, or Mask R-CNN with `masks`, on a feature pyramid.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Pictures in one pass.
    trunk_name : str
        ``"mobilenet-v3-large"``, or ``"resnet50"``, ``"resnet101"`` and so on.
    proposals : int
        Regions of a picture that the second look gets, at most; with 0 it finds nothing to do.
    detections : int
        Boxes of a picture for which masks are computed, at most.
    masks : bool
        Whether there is a head for masks.
    size, classes : int
        Height and width of the pictures after scaling; classes with background.

    """
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    with b.scope("backbone"):
        levels = pyramid(b, _stages(b, x, trunk_name))
    anchors = 15 if trunk_name.startswith("mobilenet") else 3
    found = _propose(b, levels, anchors)
    with b.scope("roi_heads"):
        second = _boxes(b, levels, batch * proposals, classes)
        if masks:
            second.append(_masks(b, levels, batch * detections, classes))
        for h in second:
            shape = (batch, h.shape[0] // batch, *h.shape[1:])
            found.append(b.reshape(h, shape, name=":by_picture"))
    return with_fixed_norms(b.build(*found, notes=_NOTES))


def _stages(b: Builder, x: Value, trunk_name: str) -> list[Value]:
    with b.scope("body"):
        if trunk_name.startswith("mobilenet"):
            results = [result for _, result in trunk_v3(b, x)]
            return [results[13], results[-1]]
        return trunk(b, x, depth=int(trunk_name.removeprefix("resnet")))


def _shared(
    b: Builder, name: str, inputs: int, channels: int, kernel: int
) -> Callable[[Value], Value]:
    """Return a convolution that has the same weights wherever it is used."""
    held = (
        b.parameter(f"{name}.weight", (channels, inputs, kernel, kernel)),
        b.parameter(f"{name}.bias", (channels,), "bias"),
    )
    settings = {"out_channels": channels, "kernel": kernel, "padding": kernel // 2}
    return lambda x: b.apply("convolution2d", x, name=name, parameters=held, **settings)


def _propose(b: Builder, levels: Sequence[Value], anchors: int) -> list[Value]:
    """Rate and shift boxes everywhere, by one network for all levels."""
    found = []
    with b.scope("rpn.head"):
        width = levels[0].shape[1]
        conv = _shared(b, "conv", width, width, 3)
        rate = _shared(b, "cls_logits", width, anchors, 1)
        shift = _shared(b, "bbox_pred", width, 4 * anchors, 1)
        for level in levels:
            h = b.relu(conv(level), name="relu")
            found += [rate(h), shift(h)]
    return found


def _boxes(b: Builder, levels: Sequence[Value], regions: int, classes: int) -> list[Value]:
    h = b.apply("region_align", *levels[:-1], name="box_roi_pool", regions=regions, size=7)
    h = b.flatten(h, name="box_head:flatten")
    for at in ("fc6", "fc7"):
        h = b.relu(b.dense(h, 1024, name=f"box_head.{at}"), name=f"box_head:relu_{at}")
    scores = b.dense(h, classes, name="box_predictor.cls_score")
    return [scores, b.dense(h, 4 * classes, name="box_predictor.bbox_pred")]


def _masks(b: Builder, levels: Sequence[Value], regions: int, classes: int) -> Value:
    h = b.apply("region_align", *levels[:-1], name="mask_roi_pool", regions=regions, size=14)
    for i in range(4):
        h = b.relu(b.conv(h, 256, 3, padding=1, name=f"mask_head.{i}.0"), name=f"mask_head.{i}.1")
    with b.scope("mask_predictor"):
        held = [
            b.parameter("conv5_mask.weight", (h.shape[1], 256, 2, 2)),
            b.parameter("conv5_mask.bias", (256,), "bias"),
        ]
        h = b.apply(
            "transposed_convolution2d",
            h,
            name="conv5_mask",
            parameters=held,
            out_channels=256,
            kernel=2,
            stride=2,
        )
        return b.conv(b.relu(h, name="relu"), classes, 1, name="mask_fcn_logits")


def retinanet(
    *,
    name: str = "retinanet",
    batch: int = 1,
    depth: int = 50,
    anchors: int = 9,
    size: int = 800,
    classes: int = 91,
) -> Network:
    """Return RetinaNet on a residual network.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Pictures in one pass.
    depth : int
        Of the residual network.
    anchors : int
        Boxes rated at each position.
    size, classes : int
        Height and width of the pictures after scaling; classes with background.

    """
    b = Builder(name, batch=batch)
    x = b.input((3, size, size))
    with b.scope("backbone"):
        with b.scope("body"):
            stages = trunk(b, x, depth=depth)[1:]
        levels = pyramid(b, stages, extra="convolutions")
    found = []
    for task, outputs in (("classification", classes), ("regression", 4)):
        with b.scope(f"head.{task}_head"):
            found += _head(b, levels, outputs * anchors)
    return with_fixed_norms(b.build(*found, notes=_NOTES))


def _head(b: Builder, levels: Sequence[Value], outputs: int) -> list[Value]:
    """Add four convolutions and a last one, the same for all levels."""
    width = levels[0].shape[1]
    channels = (width, width, width, width, outputs)
    layers = [_shared(b, str(i), width, count, 3) for i, count in enumerate(channels)]
    found = []
    for level in levels:
        h = level
        for i, layer in enumerate(layers[:-1]):
            h = b.relu(layer(h), name=f"{i}:relu")
        found.append(layers[-1](h))
    return found
