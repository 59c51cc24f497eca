"""Small networks of textbooks and exercises."""

from tradespace.graph.zoo._catalogue import NetworkRow

ROWS = (
    NetworkRow(
        name="mlp-784-300-100-10",
        path="mlp:mlp",
        settings={"widths": (784, 300, 100, 10)},
        title="Multilayer perceptron 784-300-100-10 (LeNet-300-100)",
        family="mlp",
        year=1998,
        task="MNIST or Fashion-MNIST, 10 classes",
        input="784",
        source="Y. LeCun et al., Gradient-based learning applied to document recognition, 1998",
        aliases=("lenet-300-100",),
    ),
)
