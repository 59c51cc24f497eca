"""Well-known networks as torch modules, written for the tests as a second opinion on the zoo."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def conv(i: int, o: int, k: int, *, bn: bool = True, relu: bool = True, **more: Any) -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(i, o, k, bias=not bn, **more)]
    layers += [nn.BatchNorm2d(o)] if bn else []
    layers += [nn.ReLU(inplace=True)] if relu else []
    return nn.Sequential(*layers)


class Mlp(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10)
        )


class AlexNet(nn.Sequential):
    """One tower of 64-192-384-256-256."""

    def __init__(self) -> None:
        super().__init__(
            conv(3, 64, 11, bn=False, stride=4, padding=2),
            nn.MaxPool2d(3, 2),
            conv(64, 192, 5, bn=False, padding=2),
            nn.MaxPool2d(3, 2),
            conv(192, 384, 3, bn=False, padding=1),
            conv(384, 256, 3, bn=False, padding=1),
            conv(256, 256, 3, bn=False, padding=1),
            nn.MaxPool2d(3, 2),
            nn.AdaptiveAvgPool2d((6, 6)),
            nn.Flatten(),
            nn.Dropout(),
            nn.Linear(256 * 36, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, 1000),
        )


class Vgg19(nn.Sequential):
    def __init__(self) -> None:
        layers: list[nn.Module] = []
        width = 3
        for out, count in ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4)):
            for _ in range(count):
                layers.append(conv(width, out, 3, bn=False, padding=1))
                width = out
            layers.append(nn.MaxPool2d(2, 2))
        super().__init__(
            *layers,
            nn.AdaptiveAvgPool2d((7, 7)),
            nn.Flatten(),
            nn.Linear(512 * 49, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(4096, 1000),
        )


class Inception(nn.Module):
    def __init__(self, i: int, sizes: tuple[int, ...], *, bn: bool) -> None:
        super().__init__()
        a, b1, b2, c1, c2, d = sizes
        self.a = conv(i, a, 1, bn=bn)
        self.b = nn.Sequential(conv(i, b1, 1, bn=bn), conv(b1, b2, 3, bn=bn, padding=1))
        self.c = nn.Sequential(conv(i, c1, 1, bn=bn), conv(c1, c2, 3, bn=bn, padding=1))
        self.d = nn.Sequential(nn.MaxPool2d(3, 1, padding=1, ceil_mode=True), conv(i, d, 1, bn=bn))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.a(x), self.b(x), self.c(x), self.d(x)], 1)


class GoogLeNet(nn.Sequential):
    """With a 3x3 in place of the 5x5, as common implementations have it; no auxiliary heads."""

    def __init__(self, *, bn: bool = True) -> None:
        def block(i: int, *sizes: int) -> Inception:
            return Inception(i, sizes, bn=bn)

        super().__init__(
            conv(3, 64, 7, bn=bn, stride=2, padding=3),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            conv(64, 64, 1, bn=bn),
            conv(64, 192, 3, bn=bn, padding=1),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            block(192, 64, 96, 128, 16, 32, 32),
            block(256, 128, 128, 192, 32, 96, 64),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            block(480, 192, 96, 208, 16, 48, 64),
            block(512, 160, 112, 224, 24, 64, 64),
            block(512, 128, 128, 256, 24, 64, 64),
            block(512, 112, 144, 288, 32, 64, 64),
            block(528, 256, 160, 320, 32, 128, 128),
            nn.MaxPool2d(2, 2, ceil_mode=True),
            block(832, 256, 160, 320, 32, 128, 128),
            block(832, 384, 192, 384, 48, 128, 128),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(1024, 1000),
        )


class Bottleneck(nn.Module):
    def __init__(self, i: int, width: int, *, stride: int, v1: bool = False) -> None:
        super().__init__()
        first, second = (stride, 1) if v1 else (1, stride)
        self.body = nn.Sequential(
            conv(i, width, 1, stride=first),
            conv(width, width, 3, stride=second, padding=1),
            conv(width, 4 * width, 1, relu=False),
        )
        self.short = (
            conv(i, 4 * width, 1, relu=False, stride=stride)
            if stride > 1 or i != 4 * width
            else nn.Identity()
        )
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.body(x)
        out += self.short(x)
        return self.relu(out)


class ResNet(nn.Sequential):
    def __init__(self, counts: tuple[int, ...] = (3, 4, 6, 3), *, v1: bool = False) -> None:
        blocks: list[nn.Module] = []
        width_in = 64
        for stage, count in enumerate(counts):
            width = 64 * 2**stage
            for i in range(count):
                stride = 2 if stage and not i else 1
                blocks.append(Bottleneck(width_in, width, stride=stride, v1=v1))
                width_in = 4 * width
        super().__init__(
            conv(3, 64, 7, stride=2, padding=3),
            nn.MaxPool2d(3, 2, padding=1),
            *blocks,
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(2048, 1000),
        )
