"""Qualities that are counted on a component's network, not timed: they are exact."""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

from tradespace.core.readings import Reading
from tradespace.graph.counts import node_counts, parameters
from tradespace.graph.memory import inference_memory
from tradespace.qualities._base import AbstractQuality, Context, Subject

if TYPE_CHECKING:
    from tradespace.core.studies import QualityUse
    from tradespace.graph.counts import NodeCounts
    from tradespace.graph.network import Network
    from tradespace.qualities.foreseen import ForeseenNetwork


class _Count(AbstractQuality):
    """A count on a network.

    Notes
    -----
    None: it is counted, not sampled, so that the value is exact. Unknown for a component that
    is no network, such as a tree.

    """

    #: As registered.
    name: ClassVar[str]
    unit: ClassVar[str]

    def measure(self, subject: Subject, *, use: QualityUse, context: Context) -> Reading:
        """Return the exact count; unknown where the component is no network."""
        del context
        network = subject.network
        if network is None:
            # A tree has neither weights nor products: calling that zero would mislead.
            method = "unknown: it is counted on networks, and this component is none"
            settle = "nothing: only networks have it; bound model_size or latency_p99 instead"
            facts = {"settle": settle}
            return Reading(
                use.name, math.nan, 0.0, math.inf, use.unit, method=method, context=facts
            )
        count = float(self.count(network, node_counts(network)))
        method = f"counted on the network {network.name}"
        return Reading(use.name, count, count, count, use.unit, method=method)

    def foresee(self, network: ForeseenNetwork) -> Reading:
        """Return the count, between that of the fewest and of the most columns."""
        return network.count(self.name, self.unit, self.count)

    @abc.abstractmethod
    def count(self, network: Network, rows: Sequence[NodeCounts]) -> int:
        """Return the count for one row, `rows` being the counts of its operators."""


@final
class Parameters(_Count):
    """Weights, biases, scales and offsets that training sets, shared ones once."""

    name, unit = "parameters", "1"

    def count(self, network: Network, rows: Sequence[NodeCounts]) -> int:
        """Return the number of trainable parameters."""
        del rows
        return parameters(network)


@final
class Macs(_Count):
    """Multiply-accumulates of the prediction of one row."""

    name, unit = "macs", "1"

    def count(self, network: Network, rows: Sequence[NodeCounts]) -> int:
        """Return the multiply-accumulates of a forward pass."""
        del network
        return sum(row.macs for row in rows)


@final
class InferenceMemory(_Count):
    """Bytes of the weights and of the activations that live at one time."""

    name, unit = "inference_memory", "B"

    def count(self, network: Network, rows: Sequence[NodeCounts]) -> int:
        """Return the peak of a forward pass."""
        del rows
        return inference_memory(network).peak_bytes
