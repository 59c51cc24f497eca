"""What is known of a network before training: certain ends of intervals, and estimates.

The encoder's number of columns is known between two bounds; everything that grows with it lies
between the network of the fewest columns and that of the most.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tradespace.core.readings import Reading, ReadingKind

if TYPE_CHECKING:
    from tradespace.components._base import Shape
    from tradespace.components.networks import TrainingRun
    from tradespace.core.studies import EnvironmentSpec
    from tradespace.graph.counts import NodeCounts
    from tradespace.graph.network import Network
    from tradespace.hardware.profiles.records import Processor

#: Why a component takes at least so long on a machine of which nothing is known.
A_CORE = "multiply-accumulates at more operations a second than any core does"


@dataclass(frozen=True, slots=True)
class Estimate:
    """About how long something takes, and how that was found."""

    seconds: float
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeseenNetwork:
    """The network that a candidate would train.

    Attributes
    ----------
    least, most : Network
        With the fewest and with the most columns of the encoder; `most` None: not bounded.
    rows, most_rows : sequence of NodeCounts
        Their counts.
    environment : EnvironmentSpec
        Prices.
    processor : Processor, optional
        Where it will run; None: this machine.
    latency : Estimate, optional
        About how long one row takes.
    run : TrainingRun, optional
        How it is trained.
    training : Estimate, optional
        About how long that takes.
    shape : Shape
        Of the training data.

    """

    least: Network
    rows: Sequence[NodeCounts]
    most: Network | None
    most_rows: Sequence[NodeCounts] | None
    environment: EnvironmentSpec
    processor: Processor | None
    latency: Estimate | None
    run: TrainingRun | None
    training: Estimate | None
    shape: Shape

    def count(
        self, quality: str, unit: str, of: Callable[[Network, Sequence[NodeCounts]], int]
    ) -> Reading:
        """Return the reading of what is counted on both networks."""
        method = f"counted on the network {self.least.name}"
        low, high = float(of(self.least, self.rows)), math.inf
        if self.most is None or self.most_rows is None:
            method += " or a wider one"
        else:
            high = float(of(self.most, self.most_rows))
            if self.most.name != self.least.name:
                method += f" to {self.most.name}"
        value = low if low == high else math.nan
        return Reading(quality, value, low, high, unit, ReadingKind.PREDICTED, method)

    def least_seconds(self, *, batched: bool = False) -> tuple[float, str]:
        """Return the least time of one row, and why it cannot be less."""
        from tradespace.cost.lower_bounds import least_latency_s

        chip = self.processor
        seconds = least_latency_s(self.least, on=chip, rows=self.rows, batched=batched)
        how = A_CORE if chip is None else f"arithmetic and traffic at the peaks of {chip.name}"
        return seconds, how

    def least_training(self) -> tuple[float, float, str] | None:
        """Return the least and the expected seconds of training, and why; None: no training."""
        from tradespace.cost.lower_bounds import least_training_s

        run, about = self.run, self.training
        if run is None or about is None:
            return None
        low = least_training_s(self.least, samples=run.rows * run.least_epochs, rows=self.rows)
        how = f"at least: {A_CORE}, {run.rows:,} rows, {run.least_epochs} passes; {about.method}"
        return low, about.seconds, how


def at_least(
    quality: str, low: float, unit: str, method: str, *, about: float = math.nan
) -> Reading | None:
    """Return a lower bound with an estimate; None where the bound says nothing."""
    if low <= 0:
        return None
    value = about if math.isnan(about) else max(low, about)
    return Reading(quality, value, low, math.inf, unit, ReadingKind.PREDICTED, method)
