"""Everything that is known of a network before a weight of it is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tradespace.core.plain import plain_fields
from tradespace.core.rendering import render_html
from tradespace.cost.layers import Layer, network_layers
from tradespace.cost.places import timed
from tradespace.cost.running import Running, running
from tradespace.cost.training_step import Training, training
from tradespace.graph.counts import (
    MAC_CONVENTION,
    NEURON_CONVENTIONS,
    PARAMETER_CONVENTIONS,
    backward_macs,
    check_convention,
    coverage,
    depth,
    neurons,
    node_counts,
    parameters,
    parameters_by_role,
    unknown_nodes,
)
from tradespace.graph.memory import InferenceMemory, inference_memory, training_memory
from tradespace.graph.network import Network
from tradespace.graph.receptive_field import ReceptiveField, receptive_field
from tradespace.graph.works import network_works

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl
    from rich.console import Console, ConsoleOptions, RenderResult

    from tradespace.hardware.profiles import Processor, Region


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What a network counts, needs and costs.

    Parameters
    ----------
    network : Network
        In the number format asked for.
    number_format : str
        Of its signals and weights.
    layers : tuple of Layer
        One row for each operator that is no view.
    parameters, neurons : Mapping
        By convention; `parameter_convention` and `neuron_convention` are the ones asked for.
    parameters_by_role : Mapping
        Elements of weights, biases, scales, statistics, ...
    macs, operations, backward_macs : int
        Multiply-accumulates and other operations of a forward pass, and multiply-accumulates of
        a backward pass, for the whole batch.
    traffic_bytes : int
        Operands read and results written by all operators.
    depth : int
        Layers with weights on the longest path.
    receptive_field : ReceptiveField, optional
        Of the last signal that sees the input through windows.
    coverage : float
        Share of operators that are counted.
    unknown : tuple of str
        Those that are not: totals are then lower bounds.
    memory : InferenceMemory
        Of a forward pass.
    running : Running, optional
        On a processor.
    training : Training, optional
        Of a training step or run.
    parameter_convention, neuron_convention : str
        Which of the totals to show.

    Examples
    --------
    >>> found = inspect("mlp-784-300-100-10")
    >>> found.parameters["trainable"], found.macs, found.depth
    (266610, 266200, 3)

    """

    network: Network
    number_format: str
    layers: tuple[Layer, ...]
    parameters: Mapping[str, int]
    parameters_by_role: Mapping[str, int]
    neurons: Mapping[str, int]
    macs: int
    operations: int
    backward_macs: int
    traffic_bytes: int
    depth: int
    receptive_field: ReceptiveField | None
    coverage: float
    unknown: tuple[str, ...]
    memory: InferenceMemory
    running: Running | None = None
    training: Training | None = None
    parameter_convention: str = "trainable"
    neuron_convention: str = "layers"
    conventions: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the network."""
        return self.network.name

    @property
    def lower_bound(self) -> bool:
        """Whether something is not counted."""
        return bool(self.unknown)

    @property
    def arithmetic_intensity(self) -> float:
        """Operations, two a multiply-accumulate, for each byte moved."""
        moved = self.traffic_bytes
        return (2 * self.macs + self.operations) / moved if moved else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        network = self.network
        left_out = (
            "network",
            "number_format",
            "layers",
            "parameter_convention",
            "neuron_convention",
        )
        facts = plain_fields(self, but=left_out, also=("arithmetic_intensity", "lower_bound"))
        return {
            "name": self.name,
            "format": self.number_format,
            "batch": network.batch,
            "inputs": [
                {
                    "name": name,
                    "shape": list(network.tensors[i].shape),
                    "format": network.tensors[i].format,
                }
                for name, i in zip(network.input_names, network.inputs, strict=False)
            ],
            "outputs": [list(network.tensors[i].shape) for i in network.outputs],
            **facts,
            "source": network.source,
            "facts": dict(network.facts),
            "notes": list(network.notes),
            "layers": [layer.to_dict() for layer in self.layers],
        }

    def frame(self) -> pl.DataFrame:
        """Return the layers as a Polars frame."""
        import polars as pl

        return pl.DataFrame([layer.to_dict() for layer in self.layers], infer_schema_length=None)

    def to_html(self) -> str:
        """Return a page with totals, the layer table and a map of where everything goes."""
        from tradespace.core.rendering import load_object

        page: str = load_object("tradespace.report.html.network_page:network_page")(self)
        return page

    def show(self) -> None:
        """Print what the command prints."""
        from rich.console import Console

        Console(highlight=False).print(self)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from tradespace.core.rendering import load_object

        parts = load_object("tradespace.report.network_terminal:renderables")
        yield from parts(self, options.max_width)

    def _repr_html_(self) -> str:
        return render_html(self)

    def __repr__(self) -> str:
        at_least = "at least " if self.lower_bound else ""
        return (
            f"<{self.name}: {self.parameters['trainable']:,} parameters, {at_least}"
            f"{self.macs:,} MACs at batch {self.network.batch}>"
        )


def inspect(
    what: Any,
    inputs: Any = None,
    *,
    batch: int | None = None,
    format: str | None = None,  # noqa: A002 - the word of the field
    on: str | Path | Processor | None = None,
    train: str | None = None,
    checkpoint: int | None = None,
    freeze: Sequence[str] = (),
    chips: int = 1,
    samples: float | None = None,
    region: str | Path | Region | None = None,
    efficiency: float = 1.0,
    settings: Mapping[str, Any] | None = None,
    parameters: str = "trainable",
    neurons: str = "layers",
) -> Inspection:
    """Return what a network costs, before anything is trained.

    Parameters
    ----------
    what : str, path, Network or torch.nn.Module
        A name of the zoo (``"resnet50"``), ``"model.onnx"``, ``"model.keras"``,
        ``"my_model.py:MyNet"``, or the thing itself.
    inputs : optional
        Shapes of the inputs of a model of one's own: ``(8, 3, 224, 224)``.
    batch : int, optional
        Samples in one pass.
    format : str, optional
        Number format of signals and weights; as the network is if None.
    on : str, path or Processor, optional
        Processor for time, energy and money; a name, a YAML file, ``"dlp"`` for the scheduled
        deep-learning processor, ``"this-machine"`` for the last calibration.
    train : str, optional
        Optimizer, to see what training takes.
    checkpoint : int, optional
        Segments whose activations are computed again in the backward pass.
    freeze : sequence of str
        Parts that are not trained; paths of modules.
    chips, samples : int and float
        Of the training run: chips that share the data, samples seen in all.
    region : str, path or Region, optional
        Electricity for carbon.
    efficiency : float
        Share of a processor's peaks that programs reach, in (0, 1]; 1 gives a bound.
    settings : Mapping, optional
        Of the zoo's builder or the constructor.
    parameters, neurons : str
        Conventions of the totals to show.

    Raises
    ------
    InputError
        If something cannot be read, or does not fit.

    Examples
    --------
    >>> inspect("mlp-784-300-100-10", batch=32).macs
    8518400

    """
    from tradespace.graph.resolve import resolve_network

    check_convention("convention for parameters", parameters, PARAMETER_CONVENTIONS)
    check_convention("convention for neurons", neurons, NEURON_CONVENTIONS)
    network = resolve_network(what, inputs, batch=batch, settings=settings)
    if freeze:
        network = network.frozen(*freeze)
    if format is not None:
        network = network.with_format(format)
    return inspect_network(
        network,
        on=on,
        train=train,
        checkpoint=checkpoint,
        chips=chips,
        samples=samples,
        region=region,
        efficiency=efficiency,
        conventions=(parameters, neurons),
    )


def inspect_network(
    network: Network,
    *,
    on: str | Path | Processor | None = None,
    train: str | None = None,
    checkpoint: int | None = None,
    chips: int = 1,
    samples: float | None = None,
    region: str | Path | Region | None = None,
    efficiency: float = 1.0,
    conventions: tuple[str, str] = ("trainable", "layers"),
) -> Inspection:
    """Return what a network costs that is at hand in the format wanted; see `inspect`."""
    from tradespace.hardware.profiles import Region as RegionRecord
    from tradespace.hardware.profiles import region as find_region

    rows = node_counts(network)
    fmt = _format_of(network)
    place = None
    if region is not None:
        place = region if isinstance(region, RegionRecord) else find_region(region)
    works = network_works(network, rows)
    memory = inference_memory(network)
    macs = sum(row.macs for row in rows)
    backward = backward_macs(network, rows=rows)
    run = None
    if on is not None:
        run = timed(network, works, on, number_format=fmt, efficiency=efficiency)
    step = None
    saved: Mapping[str, int] = {}
    if train is not None:
        step = training(
            network,
            works,
            training_memory(network, optimizer=train, format=fmt, checkpoint=checkpoint),
            optimizer=train,
            number_format=fmt,
            forward_macs=macs,
            backward_macs=backward,
            processor=None if run is None else run.processor,
            region=place,
            chips=chips,
            samples=samples,
            efficiency=efficiency,
        )
        saved = step.memory.saved_by_node
    rows_timed = () if run is None else run.latency.operators
    times = {t.name: (t.time_s, t.bound) for t in rows_timed}
    return Inspection(
        network=network,
        number_format=fmt,
        layers=network_layers(network, rows, saved=saved, times=times),
        parameters={name: parameters(network, name) for name in PARAMETER_CONVENTIONS},
        parameters_by_role=parameters_by_role(network),
        neurons={name: neurons(network, name, rows=rows) for name in NEURON_CONVENTIONS},
        macs=macs,
        operations=sum(row.operations for row in rows),
        backward_macs=backward,
        traffic_bytes=sum(row.traffic_bytes for row in rows),
        depth=depth(network),
        receptive_field=receptive_field(network),
        coverage=coverage(network),
        unknown=_unknown(network),
        memory=memory,
        running=None
        if run is None
        else running(works, run, memory, batch=network.batch, region=place),
        training=step,
        parameter_convention=conventions[0],
        neuron_convention=conventions[1],
        conventions={
            "parameters": PARAMETER_CONVENTIONS[conventions[0]],
            "neurons": NEURON_CONVENTIONS[conventions[1]],
            "macs": MAC_CONVENTION,
        },
    )


def _unknown(network: Network) -> tuple[str, ...]:
    named = (str(n.attributes.get("function") or n.name) for n in unknown_nodes(network))
    return tuple(dict.fromkeys(named))


def _format_of(network: Network) -> str:
    """Return the format of most weights; of the first input if there are none."""
    sizes: dict[str, int] = {}
    for p in network.parameters:
        if p.role not in ("statistic", "constant"):
            sizes[p.format] = sizes.get(p.format, 0) + p.elements
    if sizes:
        return max(sizes, key=lambda f: sizes[f])
    return network.tensors[network.inputs[0]].format if network.inputs else "fp32"
