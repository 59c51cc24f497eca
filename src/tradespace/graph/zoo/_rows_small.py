"""Small networks of textbooks and exercises."""

from __future__ import annotations

from tradespace.graph.zoo._catalogue import NetworkRow

_LECUN = "Y. LeCun et al., Gradient-based learning applied to document recognition, 1998"
_DIGITS = "MNIST, 10 classes"
_RANZATO = "M. Ranzato, Deep learning, tutorial at CVPR 2014"


def _exercise(name: str, widths: tuple[int, ...]) -> NetworkRow:
    return NetworkRow(
        name=name,
        path="mlp:mlp",
        settings={"widths": widths, "activation": "sigmoid", "output": "sigmoid"},
        title=f"Multilayer perceptron {'-'.join(map(str, widths))}",
        family="mlp",
        year=1986,
        task="exercise",
        input=str(widths[0]),
        source="arithmetic",
    )


def _sharing(number: int, function: str, title: str) -> NetworkRow:
    return NetworkRow(
        name=f"ranzato-{number}",
        path=f"sharing:{function}",
        title=title,
        family="sharing",
        year=2014,
        task="illustration of shared weights",
        input="1x200x200",
        source=_RANZATO,
    )


ROWS: tuple[NetworkRow, ...] = (
    NetworkRow(
        name="mlp-784-300-100-10",
        path="mlp:mlp",
        settings={"widths": (784, 300, 100, 10)},
        title="Multilayer perceptron 784-300-100-10 (LeNet-300-100)",
        family="mlp",
        year=1998,
        task="MNIST or Fashion-MNIST, 10 classes",
        input="784",
        source=_LECUN,
        facts={
            "top1": 98.69,
            "accuracy_source": "T. Dettmers and L. Zettlemoyer, Sparse networks from scratch, "
            "2019, dense network on MNIST",
        },
        aliases=("lenet-300-100",),
    ),
    _exercise("mlp-33-512-10", (33, 512, 10)),
    _exercise("mlp-3-3-2", (3, 3, 2)),
    NetworkRow(
        name="lenet5-1998",
        path="lenet:lenet5_1998",
        title="LeNet-5 as published",
        family="lenet",
        year=1998,
        task=_DIGITS,
        input="1x32x32",
        source=_LECUN,
        facts={"top1": 99.05, "accuracy_source": "its publication, section III.B"},
    ),
    NetworkRow(
        name="lenet5-modern",
        path="lenet:lenet5_modern",
        title="LeNet-5 with full convolutions, plain pooling and a dense output",
        family="lenet",
        year=1998,
        task=_DIGITS,
        input="1x32x32",
        source=_LECUN,
        aliases=("lenet5", "lenet-5", "lenet"),
    ),
    NetworkRow(
        name="lenet5-caffe",
        path="lenet:lenet5_caffe",
        title="LeNet-5 of Caffe, 20-50-500-10",
        family="lenet",
        year=2014,
        task=_DIGITS,
        input="1x28x28",
        source="S. Han et al., Learning both weights and connections for efficient neural "
        "networks, 2015",
        facts={"top1": 99.2, "accuracy_source": "its source, table 1"},
    ),
    _sharing(1, "fully_connected", "40,000 units that see every pixel"),
    _sharing(2, "locally_connected", "40,000 units that see 10 x 10 pixels each"),
    _sharing(3, "convolutional", "100 filters of 10 x 10 pixels"),
)
