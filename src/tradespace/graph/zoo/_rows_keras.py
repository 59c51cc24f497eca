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
)
