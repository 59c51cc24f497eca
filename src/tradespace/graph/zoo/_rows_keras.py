"""Rows of the zoo: networks as Keras Applications builds them.

They differ from the others of the same name: residual networks have biases before the
normalization, Inception v3 normalizes without scale, EfficientNet carries the mean and variance
of its inputs. Keras counts running statistics among the parameters: here the convention `all`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tradespace.graph.zoo._catalogue import NetworkRow

_KERAS = "Keras Applications documentation"


def _row(
    name: str,
    path: str,
    title: str,
    family: str,
    year: int,
    paper: str,
    settings: Mapping[str, Any],
    *,
    size: int = 224,
    top: tuple[float, float] | None = None,
) -> NetworkRow:
    return NetworkRow(
        name=f"keras-{name}",
        path=path,
        settings={**settings, "size": size},
        title=f"{title} (Keras)",
        family=family,
        year=year,
        task="ImageNet, 1000 classes",
        input=f"3x{size}x{size}",
        source=f"{paper}; {_KERAS}",
        facts={"top1": top[0], "top5": top[1]} if top else {},
    )


_SIMONYAN = "K. Simonyan and A. Zisserman, Very deep convolutional networks, 2015"
_HE = "K. He et al., Deep residual learning for image recognition, 2016"
_HE_V2 = "K. He et al., Identity mappings in deep residual networks, 2016"
_CHOLLET = "F. Chollet, Xception: deep learning with depthwise separable convolutions, 2017"
_SZEGEDY = "C. Szegedy et al., Rethinking the Inception architecture, 2016"
_HUANG = "G. Huang et al., Densely connected convolutional networks, 2017"
_HOWARD = "A. Howard et al., MobileNets: efficient convolutional neural networks, 2017"
_SANDLER = "M. Sandler et al., MobileNetV2: inverted residuals and linear bottlenecks, 2018"
_HOWARD_V3 = "A. Howard et al., Searching for MobileNetV3, 2019"
_TAN = "M. Tan and Q. Le, EfficientNet: rethinking model scaling, 2019"
_ZOPH = "B. Zoph et al., Learning transferable architectures for image recognition, 2018"
#: Multipliers of width and depth, size, dropout of EfficientNet B0 to B7.
_EFFICIENT = (
    (1.0, 1.0, 224, 0.2),
    (1.0, 1.1, 240, 0.2),
    (1.1, 1.2, 260, 0.3),
    (1.2, 1.4, 300, 0.3),
    (1.4, 1.8, 380, 0.4),
    (1.6, 2.2, 456, 0.4),
    (1.8, 2.6, 528, 0.5),
    (2.0, 3.1, 600, 0.5),
)

ROWS: tuple[NetworkRow, ...] = (
    *(
        _row(f"vgg{d}", "vgg:vgg", f"VGG{d}", "vgg", 2014, _SIMONYAN, {"depth": d}, top=top)
        for d, top in ((16, (71.3, 90.1)), (19, (71.3, 90.0)))
    ),
    *(
        _row(
            f"resnet{d}",
            "resnet:resnet",
            f"ResNet{d}",
            "resnet",
            2015,
            _HE,
            {"depth": d, "stride_in": "1x1", "conv_bias": True},
            top=top,
        )
        for d, top in ((50, (74.9, 92.1)), (101, (76.4, 92.8)), (152, (76.6, 93.1)))
    ),
    *(
        _row(
            f"resnet{d}v2",
            "resnet:resnet_v2",
            f"ResNet{d}V2",
            "resnet",
            2016,
            _HE_V2,
            {"depth": d},
            top=top,
        )
        for d, top in ((50, (76.0, 93.0)), (101, (77.2, 93.8)), (152, (78.0, 94.2)))
    ),
    _row(
        "xception",
        "xception:xception",
        "Xception",
        "xception",
        2017,
        _CHOLLET,
        {},
        size=299,
        top=(79.0, 94.5),
    ),
    _row(
        "inceptionv3",
        "inception:inception_v3",
        "Inception v3",
        "inception",
        2015,
        _SZEGEDY,
        {"norm": "offset", "auxiliary": "none"},
        size=299,
        top=(77.9, 93.7),
    ),
    *(
        _row(
            f"densenet{d}",
            "densenet:densenet",
            f"DenseNet{d}",
            "densenet",
            2017,
            _HUANG,
            {"depth": d},
            top=top,
        )
        for d, top in ((121, (75.0, 92.3)), (169, (76.2, 93.2)), (201, (77.3, 93.6)))
    ),
    _row(
        "mobilenet",
        "mobilenet:mobilenet_v1",
        "MobileNet",
        "mobilenet",
        2017,
        _HOWARD,
        {},
        top=(70.4, 89.5),
    ),
    _row(
        "mobilenetv2",
        "mobilenet:mobilenet_v2",
        "MobileNetV2",
        "mobilenet",
        2018,
        _SANDLER,
        {},
        top=(71.3, 90.1),
    ),
    *(
        _row(
            f"mobilenetv3{variant}",
            "mobilenet:mobilenet_v3",
            f"MobileNetV3 {variant}",
            "mobilenet",
            2019,
            _HOWARD_V3,
            {"variant": variant},
        )
        for variant in ("small", "large")
    ),
    *(
        _row(
            f"efficientnetb{i}",
            "efficientnet:efficientnet",
            f"EfficientNet B{i}",
            "efficientnet",
            2019,
            _TAN,
            {"width": width, "depth": depth, "dropout": dropout, "input_norm": True},
            size=size,
        )
        for i, (width, depth, size, dropout) in enumerate(_EFFICIENT)
    ),
    _row(
        "nasnetmobile",
        "nasnet:nasnet",
        "NASNet-A mobile",
        "nasnet",
        2018,
        _ZOPH,
        {"blocks": 4, "filters": 1056, "stem": 32},
        top=(74.4, 91.9),
    ),
    _row(
        "nasnetlarge",
        "nasnet:nasnet",
        "NASNet-A large",
        "nasnet",
        2018,
        _ZOPH,
        {"blocks": 6, "filters": 4032, "stem": 96, "skip_reduction": True},
        size=331,
        top=(82.5, 96.0),
    ),
)
