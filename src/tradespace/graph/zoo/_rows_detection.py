"""Rows of the zoo: networks that find objects or label every pixel.

Mean average precision of boxes and masks on COCO 2017, mean intersection over union and share of
correct pixels on COCO with the classes of Pascal VOC, in percent, as torchvision documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tradespace.graph.zoo._catalogue import NetworkRow
from tradespace.graph.zoo._rows_vision import TORCHVISION


def _row(
    name: str,
    title: str,
    year: int,
    source: str,
    path: str,
    *,
    size: int,
    facts: Mapping[str, float],
    settings: Mapping[str, Any] | None = None,
    aliases: tuple[str, ...] = (),
) -> NetworkRow:
    segments = "mean_iou" in facts
    return NetworkRow(
        name=name,
        path=path,
        settings=settings or {},
        title=title,
        family="segmentation" if segments else "detection",
        year=year,
        task="segmentation, 21 classes" if segments else "detection of objects, 91 classes",
        input=f"3x{size}x{size}",
        source=source,
        facts={**facts, "accuracy_source": TORCHVISION},
        aliases=aliases,
    )


_REN = (
    "S. Ren et al., Faster R-CNN: towards real-time object detection with region proposal "
    "networks, 2015"
)
_LIU = "W. Liu et al., SSD: single shot multibox detector, 2016"
_HE = "K. He et al., Mask R-CNN, 2017"
_LIN = "T.-Y. Lin et al., Focal loss for dense object detection, 2017"
_LONG = "J. Long et al., Fully convolutional networks for semantic segmentation, 2015"
_HOWARD = "A. Howard et al., Searching for MobileNetV3, 2019"

ROWS: tuple[NetworkRow, ...] = (
    _row(
        "fasterrcnn-mobilenet-v3-large-320-fpn",
        "Faster R-CNN, MobileNet v3 large at 320 pixels",
        2015,
        _REN,
        "detection:faster_rcnn",
        size=320,
        settings={"trunk_name": "mobilenet-v3-large", "size": 320, "proposals": 150},
        facts={"box_map": 22.8},
        aliases=("fasterrcnn-mobilenet",),
    ),
    _row(
        "fasterrcnn-resnet50-fpn",
        "Faster R-CNN, ResNet-50",
        2015,
        _REN,
        "detection:faster_rcnn",
        size=800,
        settings={"trunk_name": "resnet50", "size": 800, "proposals": 1000},
        facts={"box_map": 37.0},
        aliases=("fasterrcnn-resnet50",),
    ),
    _row(
        "maskrcnn-resnet50-fpn",
        "Mask R-CNN, ResNet-50",
        2017,
        _HE,
        "detection:faster_rcnn",
        size=800,
        settings={
            "trunk_name": "resnet50",
            "size": 800,
            "proposals": 1000,
            "detections": 100,
            "masks": True,
        },
        facts={"box_map": 37.9, "mask_map": 34.6},
        aliases=("maskrcnn-resnet50", "maskrcnn"),
    ),
    _row(
        "retinanet-resnet50-fpn",
        "RetinaNet, ResNet-50",
        2017,
        _LIN,
        "detection:retinanet",
        size=800,
        facts={"box_map": 36.4},
        aliases=("retinanet", "retinanet-resnet50"),
    ),
    _row(
        "ssd300-vgg16",
        "SSD300, VGG-16",
        2016,
        _LIU,
        "ssd:ssd300",
        size=300,
        facts={"box_map": 25.1},
        aliases=("ssd300",),
    ),
    _row(
        "ssdlite320-mobilenet-v3-large",
        "SSDlite, MobileNet v3 large at 320 pixels",
        2019,
        _HOWARD,
        "ssd:ssdlite320",
        size=320,
        facts={"box_map": 21.3},
        aliases=("ssdlite320", "ssdlite"),
    ),
    _row(
        "lraspp-mobilenet-v3-large",
        "LR-ASPP, MobileNet v3 large",
        2019,
        _HOWARD,
        "segmentation:lraspp",
        size=520,
        facts={"mean_iou": 57.9, "pixel_accuracy": 91.2},
        aliases=("lraspp",),
    ),
    _row(
        "fcn-resnet50",
        "FCN, ResNet-50, with its auxiliary classifier",
        2015,
        _LONG,
        "segmentation:fcn",
        size=520,
        settings={"depth": 50},
        facts={"mean_iou": 60.5, "pixel_accuracy": 91.4},
        aliases=("fcn",),
    ),
)
