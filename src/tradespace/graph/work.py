"""What one operator of a network asks of a processor: the record that costs are computed from.

The graph floor fills it from a network, the cost floor turns it into time, energy and money.
"""

from __future__ import annotations

from dataclasses import dataclass

#: The classes of work, by what limits them and how kernels for them behave.
KINDS = (
    "product",  # dense layers, convolutions, matrix products: multiply-accumulates
    "attention",  # a fused scaled dot-product attention
    "recurrent",  # a fused recurrent layer over a sequence
    "normalization",  # batch, layer, group, instance, local response; softmax
    "pooling",
    "elementwise",
    "reduction",
    "lookup",  # embeddings, gathers
    "movement",  # copies, concatenations, padding
    "view",  # a change of shape that moves nothing
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one operator asks of a processor in one forward pass.

    Parameters
    ----------
    name : str
        Of the node in its network, for example ``"layer1.0.conv1"``.
    operator : str
        Name in the registry of operators, for example ``"convolution"``.
    kind : str
        One of `KINDS`.
    macs : int
        Multiply-accumulates.
    operations : int
        Other arithmetic operations (additions of biases, comparisons, exponentials, ...), each
        counted once; multiply-accumulates are not among them.
    read_bytes, write_bytes : int
        Bytes of distinct operands read (weights included) and of results written.
    weight_bytes : int
        The part of `read_bytes` that is parameters.
    batch, m, n, k, groups : int
        A product as `batch` x `groups` independent products of an (m, k) by a (k, n) matrix;
        zero where the operator is no product. For a convolution m is the number of output
        positions, n the output channels of a group and k the terms of a sum.
    window : int
        Positions of a convolution's or pooling's window; 1 otherwise.
    elements : int
        Elements of the results.
    format : str
        Number format of the activations.
    fusible : bool
        Whether runtimes for inference usually merge it into the operator before it
        (batch normalization, activations, biases).

    """

    name: str
    operator: str
    kind: str
    macs: int = 0
    operations: int = 0
    read_bytes: int = 0
    write_bytes: int = 0
    weight_bytes: int = 0
    batch: int = 0
    m: int = 0
    n: int = 0
    k: int = 0
    groups: int = 0
    window: int = 1
    elements: int = 0
    format: str = "fp32"
    fusible: bool = False

    @property
    def arithmetic_intensity(self) -> float:
        """Operations (two a multiply-accumulate) for each byte moved."""
        moved = self.read_bytes + self.write_bytes
        return (2 * self.macs + self.operations) / moved if moved else 0.0
