"""Rows of the zoo: networks for pictures, up to the residual and dense ones.

Accuracies are of one crop on the validation pictures of ImageNet, in percent; of a network of
torchvision those of the first weights that its documentation lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tradespace.graph.zoo._catalogue import NetworkRow

TORCHVISION = "torchvision, documentation of models and weights"
_KRIZHEVSKY = (
    "A. Krizhevsky, I. Sutskever and G. Hinton, ImageNet classification with deep convolutional "
    "neural networks, 2012"
)
_SIMONYAN = (
    "K. Simonyan and A. Zisserman, Very deep convolutional networks for large-scale image "
    "recognition, 2015"
)
_HE = "K. He et al., Deep residual learning for image recognition, 2016"


def imagenet(
    name: str,
    title: str,
    year: int,
    source: str,
    *,
    path: str,
    settings: Mapping[str, Any],
    top: tuple[float, float] | None = None,
    facts: Mapping[str, Any] | None = None,
    size: int = 224,
    family: str = "",
    aliases: tuple[str, ...] = (),
) -> NetworkRow:
    """Return the row of a network for the thousand classes of ImageNet."""
    found = dict(facts or {})
    if top is not None:
        found = {"top1": top[0], "top5": top[1], "accuracy_source": TORCHVISION, **found}
    return NetworkRow(
        name=name,
        path=path,
        settings=settings,
        title=title,
        family=family or path.partition(":")[0],
        year=year,
        task="image classification, 1000 classes",
        input=f"3x{size}x{size}",
        source=source,
        facts=found,
        aliases=aliases,
    )


def _vgg(
    depth: int, plain: tuple[float, float], normed: tuple[float, float]
) -> tuple[NetworkRow, NetworkRow]:
    letter = {11: "A", 13: "B", 16: "D", 19: "E"}[depth]
    return (
        imagenet(
            f"vgg{depth}",
            f"VGG-{depth} (configuration {letter})",
            2014,
            _SIMONYAN,
            path="vgg:vgg",
            settings={"depth": depth},
            top=plain,
            aliases=(f"vgg-{depth}",),
        ),
        imagenet(
            f"vgg{depth}-bn",
            f"VGG-{depth} with batch normalization",
            2014,
            _SIMONYAN,
            path="vgg:vgg",
            settings={"depth": depth, "batch_norm": True},
            top=normed,
        ),
    )


def _resnet(
    name: str,
    title: str,
    depth: int,
    top: tuple[float, float] | None,
    *,
    year: int = 2015,
    source: str = _HE,
    aliases: tuple[str, ...] = (),
    facts: Mapping[str, Any] | None = None,
    **settings: Any,
) -> NetworkRow:
    return imagenet(
        name,
        title,
        year,
        source,
        path="resnet:resnet",
        settings={"depth": depth, **settings},
        top=top,
        facts=facts,
        aliases=aliases,
    )


def _original(depth: int, top1: float, top5: float) -> NetworkRow:
    return _resnet(
        f"resnet{depth}-v1",
        f"ResNet-{depth} v1 (stride in the first 1x1)",
        depth,
        None,
        stride_in="1x1",
        facts={"top1": top1, "top5": top5, "accuracy_source": "its publication, table 3, 10 crops"},
    )


_SZEGEDY = "C. Szegedy et al., Going deeper with convolutions, 2015"
_HUANG = "G. Huang et al., Densely connected convolutional networks, 2017"
_IANDOLA = (
    "F. Iandola et al., SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB "
    "model size, 2016"
)


def _densenet(depth: int, growth: int, stem: int, top: tuple[float, float]) -> NetworkRow:
    return imagenet(
        f"densenet{depth}",
        f"DenseNet-{depth}",
        2017,
        _HUANG,
        path="densenet:densenet",
        settings={"depth": depth, "growth": growth, "stem": stem},
        top=top,
        aliases=(f"densenet-{depth}",),
    )


_XIE = "S. Xie et al., Aggregated residual transformations for deep neural networks, 2017"
_ZAGORUYKO = "S. Zagoruyko and N. Komodakis, Wide residual networks, 2016"

ROWS: tuple[NetworkRow, ...] = (
    imagenet(
        "alexnet",
        "AlexNet (two groups, 2012)",
        2012,
        _KRIZHEVSKY,
        path="alexnet:alexnet",
        settings={"groups": 2},
        size=227,
        facts={
            "top1": 59.3,
            "top5": 81.8,
            "accuracy_source": "its publication, table 2, one network, 10 crops",
        },
        aliases=("alexnet-2012",),
    ),
    imagenet(
        "alexnet-ungrouped",
        "AlexNet without groups",
        2012,
        _KRIZHEVSKY,
        path="alexnet:alexnet",
        settings={"groups": 1},
        size=227,
    ),
    imagenet(
        "alexnet-torchvision",
        "AlexNet (one tower, torchvision)",
        2014,
        "A. Krizhevsky, One weird trick for parallelizing convolutional neural networks, 2014",
        path="alexnet:alexnet_one_tower",
        settings={},
        top=(56.522, 79.066),
    ),
    *_vgg(11, (69.02, 88.628), (70.37, 89.81)),
    *_vgg(13, (69.928, 89.246), (71.586, 90.374)),
    *_vgg(16, (71.592, 90.382), (73.36, 91.516)),
    *_vgg(19, (72.376, 90.876), (74.218, 91.842)),
    imagenet(
        "googlenet",
        "GoogLeNet with batch normalization (torchvision)",
        2014,
        _SZEGEDY,
        path="googlenet:googlenet",
        settings={},
        top=(69.778, 89.53),
        aliases=("googlenet-bn", "googlenet-torchvision", "inception-v1"),
    ),
    imagenet(
        "googlenet-2014",
        "GoogLeNet as published, without batch normalization",
        2014,
        _SZEGEDY,
        path="googlenet:googlenet",
        settings={"batch_norm": False, "largest": 5, "response_norm": True},
        facts={
            "top5": 89.93,
            "accuracy_source": "its publication, table 3, one network and one crop",
        },
    ),
    imagenet(
        "inception-v3",
        "Inception v3, auxiliary classifier counted but not run",
        2015,
        "C. Szegedy et al., Rethinking the Inception architecture for computer vision, 2016",
        path="inception:inception_v3",
        settings={"auxiliary": "idle"},
        top=(77.294, 93.45),
        size=299,
        aliases=("inceptionv3",),
    ),
    _resnet("resnet18", "ResNet-18", 18, (69.758, 89.078), aliases=("resnet-18",)),
    _resnet("resnet34", "ResNet-34", 34, (73.314, 91.42), aliases=("resnet-34",)),
    *(
        _resnet(
            f"resnet{depth}",
            f"ResNet-{depth} v1.5 (stride in the 3x3)",
            depth,
            top,
            aliases=(f"resnet-{depth}", f"resnet{depth}-v1.5", f"resnet{depth}-v1-5"),
        )
        for depth, top in ((50, (76.13, 92.862)), (101, (77.374, 93.546)), (152, (78.312, 94.046)))
    ),
    _original(50, 77.15, 93.29),
    _original(101, 78.25, 93.95),
    _original(152, 78.57, 94.29),
    _resnet(
        "resnext50-32x4d",
        "ResNeXt-50 32x4d",
        50,
        (77.618, 93.698),
        year=2017,
        source=_XIE,
        groups=32,
        width=4,
        aliases=("resnext50",),
    ),
    _resnet(
        "resnext101-32x8d",
        "ResNeXt-101 32x8d",
        101,
        (79.312, 94.526),
        year=2017,
        source=_XIE,
        groups=32,
        width=8,
        aliases=("resnext101",),
    ),
    _resnet(
        "resnext101-64x4d",
        "ResNeXt-101 64x4d",
        101,
        (83.246, 96.454),
        year=2017,
        source=_XIE,
        groups=64,
        width=4,
    ),
    _resnet(
        "wide-resnet50-2",
        "Wide ResNet-50-2",
        50,
        (78.468, 94.086),
        year=2016,
        source=_ZAGORUYKO,
        width=128,
    ),
    _resnet(
        "wide-resnet101-2",
        "Wide ResNet-101-2",
        101,
        (78.848, 94.284),
        year=2016,
        source=_ZAGORUYKO,
        width=128,
    ),
    NetworkRow(
        name="wrn-28-2",
        path="resnet:wide_resnet_cifar",
        settings={"depth": 28, "widen": 2},
        title="Wide ResNet 28-2 for CIFAR-10",
        family="resnet",
        year=2016,
        task="image classification, CIFAR-10",
        input="3x32x32",
        source=_ZAGORUYKO,
        facts={
            "top1": 94.70,
            "accuracy_source": "T. Dettmers and L. Zettlemoyer, Sparse networks from scratch, "
            "2019, dense network on CIFAR-10",
        },
    ),
    _densenet(121, 32, 64, (74.434, 91.972)),
    _densenet(161, 48, 96, (77.138, 93.56)),
    _densenet(169, 32, 64, (75.6, 92.806)),
    _densenet(201, 32, 64, (76.896, 93.37)),
    *(
        imagenet(
            f"squeezenet{version.replace('.', '-')}",
            f"SqueezeNet {version}",
            2016,
            _IANDOLA,
            path="squeezenet:squeezenet",
            settings={"version": version},
            top=top,
            aliases=(f"squeezenet{version}", f"squeezenet-{version}"),
        )
        for version, top in (("1.0", (58.092, 80.42)), ("1.1", (58.178, 80.624)))
    ),
)
