"""Qualities that are counted on a component's network, not timed: they are exact."""

from __future__ import annotations

import abc
import math
from typing import TYPE_CHECKING, Any, final

from tradespace.core.readings import Reading
from tradespace.graph.counts import forward_macs, parameters
from tradespace.graph.memory import inference_memory
from tradespace.qualities._base import AbstractQuality, Context

if TYPE_CHECKING:
    from tradespace.core.studies import QualityUse
    from tradespace.graph.network import Network


class _Count(AbstractQuality):
    """A count on a network.

    Notes
    -----
    None: it is counted, not sampled, so that the value is exact. Unknown for a component that
    is no network, such as a tree.

    """

    def measure(self, subject: Any, *, use: QualityUse, context: Context) -> Reading:
        """Return the exact count; unknown where the component is no network."""
        del context
        if subject is None:
            # A tree has neither weights nor products: calling that zero would mislead.
            method = "unknown: it is counted on networks, and this component is none"
            settle = "nothing: only networks have it; bound model_size or latency_p99 instead"
            facts = {"settle": settle}
            return Reading(
                use.name, math.nan, 0.0, math.inf, use.unit, method=method, context=facts
            )
        count = float(self.count(subject))
        method = f"counted on the network {subject.name}"
        return Reading(use.name, count, count, count, use.unit, method=method)

    @abc.abstractmethod
    def count(self, network: Network) -> int:
        """Return the count for one row."""


@final
class Parameters(_Count):
    """Weights, biases, scales and offsets that training sets, shared ones once."""

    def count(self, network: Network) -> int:
        """Return the number of trainable parameters."""
        return parameters(network)


@final
class Macs(_Count):
    """Multiply-accumulates of the prediction of one row."""

    def count(self, network: Network) -> int:
        """Return the multiply-accumulates of a forward pass."""
        return forward_macs(network)


@final
class InferenceMemory(_Count):
    """Bytes of the weights and of the activations that live at one time."""

    def count(self, network: Network) -> int:
        """Return the peak of a forward pass."""
        return inference_memory(network).peak_bytes
