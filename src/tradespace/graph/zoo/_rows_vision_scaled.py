"""Rows of the zoo: networks for pictures that were made to be small, to scale, or to attend.

Accuracies as in `_rows_vision`.
"""

from __future__ import annotations

from typing import Any

from tradespace.graph.zoo._catalogue import NetworkRow
from tradespace.graph.zoo._rows_vision import imagenet

_HOWARD = (
    "A. Howard et al., MobileNets: efficient convolutional neural networks for mobile vision "
    "applications, 2017"
)
_SANDLER = "M. Sandler et al., MobileNetV2: inverted residuals and linear bottlenecks, 2018"
_SEARCHING = "A. Howard et al., Searching for MobileNetV3, 2019"
_TAN_MNAS = "M. Tan et al., MnasNet: platform-aware neural architecture search for mobile, 2019"
_MA = (
    "N. Ma et al., ShuffleNet V2: practical guidelines for efficient CNN architecture design, 2018"
)
_TAN = "M. Tan and Q. Le, EfficientNet: rethinking model scaling for convolutional networks, 2019"
_TAN_V2 = "M. Tan and Q. Le, EfficientNetV2: smaller models and faster training, 2021"
_RADOSAVOVIC = "I. Radosavovic et al., Designing network design spaces, 2020"
_LIU_CONVNEXT = "Z. Liu et al., A ConvNet for the 2020s, 2022"
_DOSOVITSKIY = "A. Dosovitskiy et al., An image is worth 16x16 words, 2021"
_LIU_SWIN = "Z. Liu et al., Swin Transformer: hierarchical vision Transformer, 2021"

Top = tuple[float, float]


def _shufflenet(width: float, top: Top) -> NetworkRow:
    mark = str(width).replace(".", "-")
    return imagenet(
        f"shufflenet-v2-x{mark}",
        f"ShuffleNet v2 x{width}",
        2018,
        _MA,
        path="shufflenet:shufflenet_v2",
        settings={"width": width},
        top=top,
        aliases=("shufflenet-v2",) if width == 1.0 else (),
    )


def _mnasnet(width: float, top: Top) -> NetworkRow:
    return imagenet(
        f"mnasnet{str(width).replace('.', '-')}",
        f"MnasNet {width}",
        2019,
        _TAN_MNAS,
        path="mnasnet:mnasnet",
        settings={"width": width},
        top=top,
        aliases=(f"mnasnet{width}",),
    )


def _efficientnet(
    number: int, width: float, depth: float, dropout: float, size: int, top: Top
) -> NetworkRow:
    return imagenet(
        f"efficientnet-b{number}",
        f"EfficientNet B{number}",
        2019,
        _TAN,
        path="efficientnet:efficientnet",
        settings={"width": width, "depth": depth, "dropout": dropout, "size": size},
        top=top,
        size=size,
    )


def _efficientnet_v2(variant: str, dropout: float, size: int, top: Top) -> NetworkRow:
    return imagenet(
        f"efficientnet-v2-{variant}",
        f"EfficientNet v2 {variant.upper()}",
        2021,
        _TAN_V2,
        path="efficientnet:efficientnet_v2",
        settings={"variant": variant, "dropout": dropout, "size": size},
        top=top,
        size=size,
    )


def _regnet(
    mark: str, line: tuple[int, int, float, float, int], top: Top | None = None
) -> NetworkRow:
    depth, start, slope, step, group = line
    kind, size = mark[0], mark[2:].replace("-", ".")
    return imagenet(
        f"regnet-{mark}",
        f"RegNet{kind.upper()} {size[:-2]} {size[-2:].upper()}",
        2020,
        _RADOSAVOVIC,
        path="regnet:regnet",
        settings={
            "depth": depth,
            "start": start,
            "slope": slope,
            "step": step,
            "group": group,
            "squeeze": 0.25 if kind == "y" else 0.0,
        },
        top=top,
    )


def _convnext(size: str, last: int, width: int, drop: float, top: Top) -> NetworkRow:
    return imagenet(
        f"convnext-{size}",
        f"ConvNeXt {size}",
        2022,
        _LIU_CONVNEXT,
        path="convnext:convnext",
        settings={
            "blocks": (3, 3, last, 3),
            "widths": (width, 2 * width, 4 * width, 8 * width),
            "drop": drop,
        },
        top=top,
        aliases=(f"convnext-{size[0]}",),
    )


_NAMES = {"t": "tiny", "s": "small", "b": "base", "l": "large", "h": "huge"}
_SIZES: dict[str, dict[str, Any]] = {
    "b": {"layers": 12, "heads": 12, "width": 768, "hidden": 3072},
    "l": {"layers": 24, "heads": 16, "width": 1024, "hidden": 4096},
    "h": {"layers": 32, "heads": 16, "width": 1280, "hidden": 5120},
}


def _vit(size: str, patch: int, top: Top, note: str = "") -> NetworkRow:
    whole = _NAMES[size]
    return imagenet(
        f"vit-{size}-{patch}",
        f"ViT {whole}, patches of {patch}",
        2021,
        _DOSOVITSKIY,
        path="vit:vit",
        settings={"patch": patch, **_SIZES[size]},
        top=top,
        facts={"accuracy_note": note} if note else None,
        aliases=(f"vit-{size}{patch}", f"vit-{whole}-{patch}"),
    )


def _swin(
    size: str, last: int, width: int, heads: tuple[int, ...], drop: float, top: Top
) -> NetworkRow:
    return imagenet(
        f"swin-{size}",
        f"Swin {_NAMES[size]}",
        2021,
        _LIU_SWIN,
        path="swin:swin",
        settings={"width": width, "blocks": (2, 2, last, 2), "heads": heads, "drop": drop},
        top=top,
    )


ROWS: tuple[NetworkRow, ...] = (
    imagenet(
        "mobilenet-v1",
        "MobileNet v1",
        2017,
        _HOWARD,
        path="mobilenet:mobilenet_v1",
        settings={"width": 1.0},
        facts={"top1": 70.6, "accuracy_source": "its publication, table 4"},
        aliases=("mobilenet",),
    ),
    imagenet(
        "mobilenet-v2",
        "MobileNet v2",
        2018,
        _SANDLER,
        path="mobilenet:mobilenet_v2",
        settings={"width": 1.0},
        top=(71.878, 90.286),
    ),
    *(
        imagenet(
            f"mobilenet-v3-{variant}",
            f"MobileNet v3 {variant}",
            2019,
            _SEARCHING,
            path="mobilenet:mobilenet_v3",
            settings={"variant": variant},
            top=top,
        )
        for variant, top in (("small", (67.668, 87.402)), ("large", (74.042, 91.34)))
    ),
    _mnasnet(0.5, (67.734, 87.49)),
    _mnasnet(0.75, (71.18, 90.496)),
    _mnasnet(1.0, (73.456, 91.51)),
    _mnasnet(1.3, (76.506, 93.522)),
    _shufflenet(0.5, (60.552, 81.746)),
    _shufflenet(1.0, (69.362, 88.316)),
    _shufflenet(1.5, (72.996, 91.086)),
    _shufflenet(2.0, (76.23, 93.006)),
    _efficientnet(0, 1.0, 1.0, 0.2, 224, (77.692, 93.532)),
    _efficientnet(1, 1.0, 1.1, 0.2, 240, (78.642, 94.186)),
    _efficientnet(2, 1.1, 1.2, 0.3, 288, (80.608, 95.31)),
    _efficientnet(3, 1.2, 1.4, 0.3, 300, (82.008, 96.054)),
    _efficientnet(4, 1.4, 1.8, 0.4, 380, (83.384, 96.594)),
    _efficientnet(5, 1.6, 2.2, 0.4, 456, (83.444, 96.628)),
    _efficientnet(6, 1.8, 2.6, 0.5, 528, (84.008, 96.916)),
    _efficientnet(7, 2.0, 3.1, 0.5, 600, (84.122, 96.908)),
    _efficientnet_v2("s", 0.2, 384, (84.228, 96.878)),
    _efficientnet_v2("m", 0.3, 480, (85.112, 97.156)),
    _efficientnet_v2("l", 0.4, 480, (85.808, 97.788)),
    _regnet("y-400mf", (16, 48, 27.89, 2.09, 8), (74.046, 91.716)),
    _regnet("y-800mf", (14, 56, 38.84, 2.4, 16), (76.42, 93.136)),
    _regnet("y-1-6gf", (27, 48, 20.71, 2.65, 24), (77.95, 93.966)),
    _regnet("y-3-2gf", (21, 80, 42.63, 2.66, 24), (78.948, 94.576)),
    _regnet("y-8gf", (17, 192, 76.82, 2.19, 56), (80.032, 95.048)),
    _regnet("y-16gf", (18, 200, 106.23, 2.48, 112), (80.424, 95.24)),
    _regnet("y-32gf", (20, 232, 115.89, 2.53, 232), (80.878, 95.34)),
    _regnet("x-400mf", (22, 24, 24.48, 2.54, 16), (72.834, 90.95)),
    _regnet("x-800mf", (16, 56, 35.73, 2.28, 16), (75.212, 92.348)),
    _regnet("x-1-6gf", (18, 80, 34.01, 2.25, 24), (77.04, 93.44)),
    _regnet("x-3-2gf", (25, 88, 26.31, 2.25, 48), (78.364, 93.992)),
    _regnet("x-8gf", (23, 80, 49.56, 2.88, 120), (79.344, 94.686)),
    _regnet("x-16gf", (22, 216, 55.59, 2.1, 128), (80.058, 94.944)),
    _regnet("x-32gf", (23, 320, 69.86, 2.0, 168), (80.622, 95.248)),
    _convnext("tiny", 9, 96, 0.1, (82.52, 96.146)),
    _convnext("small", 27, 96, 0.4, (83.616, 96.65)),
    _convnext("base", 27, 128, 0.5, (84.062, 96.87)),
    _convnext("large", 27, 192, 0.5, (84.414, 96.976)),
    _vit("b", 16, (81.072, 95.318)),
    _vit("b", 32, (75.912, 92.466)),
    _vit("l", 16, (79.662, 94.638)),
    _vit("l", 32, (76.972, 93.07)),
    _vit("h", 14, (85.708, 97.73), "a linear classifier on weights trained with SWAG"),
    _swin("t", 6, 96, (3, 6, 12, 24), 0.2, (81.474, 95.776)),
    _swin("s", 18, 96, (3, 6, 12, 24), 0.3, (83.196, 96.36)),
    _swin("b", 18, 128, (4, 8, 16, 32), 0.5, (83.582, 96.64)),
)
