"""What the configuration of a Keras model says: layers, how they are joined, shapes.

Tensors of pictures are kept with channels first inside, so that the operators are those of every
other reader; a `Signal` remembers which way round it is. Turning one round is a view: nothing
moves, nothing is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder, Value, Weight
from tradespace.graph.network import Shape

#: Keras's names of number formats.
FORMATS = {
    "float32": "fp32",
    "float16": "fp16",
    "bfloat16": "bf16",
    "float64": "fp64",
    "int64": "int64",
    "int32": "int32",
    "int16": "int16",
    "int8": "int8",
    "uint8": "uint8",
    "uint32": "int32",
    "bool": "bool",
    "string": "uint8",
}
#: Policies that keep weights in another format than they compute in.
_POLICIES = {"mixed_float16": ("fp16", "fp32"), "mixed_bfloat16": ("bf16", "fp32")}


@dataclass(frozen=True, slots=True)
class Signal:
    """A tensor of a Keras model.

    Parameters
    ----------
    value : Value
        As it is held.
    first : bool
        Whether channels stand second there though Keras has them last.

    """

    value: Value
    first: bool = False

    @property
    def shape(self) -> Shape:
        """The shape as Keras has it."""
        shape = self.value.shape
        return (shape[0], *shape[2:], shape[1]) if self.first else shape


@dataclass(slots=True)
class Layer:
    """A layer of the configuration, and where it stands in the model."""

    kind: str
    name: str
    config: Mapping[str, Any]
    path: str
    module: str = "keras.layers"
    frozen: bool = False
    build: Mapping[str, Any] = field(default_factory=dict)
    declared: list[Shape | None] = field(default_factory=list)

    @property
    def formats(self) -> tuple[str, str]:
        """The formats of what it computes and of its weights."""
        policy = self.config.get("dtype")
        name = policy.get("config", {}).get("name") if isinstance(policy, Mapping) else policy
        if name in _POLICIES:
            return _POLICIES[name]
        own = FORMATS.get(str(name or "float32"), "fp32")
        return own, own

    def inner(self, key: str, name: str = "") -> Layer:
        """Return a layer that this one wraps."""
        held = self.config[key]
        made = layer_of(held, self.path if not name else f"{self.path}.{name}", frozen=self.frozen)
        made.path = self.path if not name else f"{self.path}.{name}"
        return made


def layer_of(entry: Mapping[str, Any], path: str, *, frozen: bool) -> Layer:
    """Return the layer of an entry of the configuration."""
    config = entry.get("config") or {}
    config = config if isinstance(config, Mapping) else {}
    name = str(entry.get("name") or config.get("name") or entry.get("class_name", "layer"))
    return Layer(
        kind=str(entry.get("class_name", "")),
        name=name,
        config=config,
        path=f"{path}.{name}" if path else name,
        module=str(entry.get("module") or entry.get("registered_name") or ""),
        frozen=frozen or config.get("trainable") is False,
        build=entry.get("build_config") or {},
    )


Made = Signal | list[Signal]
Handler = Callable[["Reading", Layer, list[Any], Mapping[str, Any]], Made]


class Reading:
    """A model while it is read."""

    def __init__(
        self, builder: Builder, handlers: Mapping[str, Handler], batch: int, at: list[str]
    ) -> None:
        self.builder = builder
        self.batch = batch
        self._at = at
        self.uncertain: list[str] = []
        self.unknowns: list[str] = []
        self._handlers = handlers
        self._weights: dict[str, Weight] = {}

    # --------------------------------------------------------------------------- tensors

    def logical(self, x: Signal) -> Value:
        """Return a tensor the way round that Keras has it."""
        if not x.first:
            return x.value
        rank = len(x.value.shape)
        return self.builder.transpose(x.value, (0, *range(2, rank), 1), name="channels_last")

    def channels_first(self, x: Signal, layer: Layer | None = None) -> Value:
        """Return a tensor with channels second; a layer's data format says where they are."""
        if x.first:
            return x.value
        rank = len(x.value.shape)
        if rank < 3 or (layer and layer.config.get("data_format") == "channels_first"):
            return x.value
        return self.builder.transpose(
            x.value, (0, rank - 1, *range(1, rank - 1)), name="channels_first"
        )

    def back(self, value: Value, layer: Layer) -> Signal:
        """Return what a layer made of a tensor with channels second."""
        turned = layer.config.get("data_format") != "channels_first" and len(value.shape) > 2
        return Signal(value, first=turned)

    def aligned(self, parts: Sequence[Signal]) -> tuple[list[Value], bool]:
        """Return tensors the same way round, and whether channels stand second."""
        same_rank = len({len(p.value.shape) for p in parts}) == 1
        if same_rank and any(p.first for p in parts):
            rank = len(parts[0].value.shape)
            order = (0, rank - 1, *range(1, rank - 1))
            return [
                p.value
                if p.first
                else self.builder.transpose(p.value, order, name="channels_first")
                for p in parts
            ], True
        return [self.logical(p) for p in parts], False

    def weight(self, layer: Layer, name: str, shape: Sequence[int], role: str = "weight") -> Weight:
        """Return a weight of a layer; a layer that is used twice has it once."""
        key = f"{layer.path}.{name}"
        if key not in self._weights:
            self._weights[key] = self.builder.parameter(
                key,
                shape,
                role,
                trainable=not layer.frozen,
                format=layer.formats[1],
                absolute=True,
            )
        return self._weights[key]

    def apply(
        self,
        operator: str,
        *values: Value,
        layer: Layer,
        suffix: str = "",
        weights: Sequence[Weight] = (),
        **attributes: Any,
    ) -> Value:
        """Add an operator under the name of its layer."""
        return self.builder.record(
            operator,
            *values,
            name=f"{layer.path}.{suffix}" if suffix else layer.path,
            parameters=weights,
            format=layer.formats[0],
            **attributes,
        )[0]

    def unknown(self, layer: Layer, inputs: Sequence[Any]) -> Made:
        """Record a layer that is not known; what follows tells its shape."""
        self.unknowns.append(layer.path)
        values = [self.logical(x) for x in signals_in(inputs)]
        shapes = [s for s in layer.declared if s is not None]
        if not shapes:
            self.uncertain.append(layer.path)
            shapes = [values[0].shape if values else ()]
        made = self.builder.record(
            "unknown",
            *values,
            name=layer.path,
            format=layer.formats[0],
            shape=tuple(shapes),
            function=layer.kind,
        )
        return [Signal(v) for v in made] if len(made) > 1 else Signal(made[0])

    # ----------------------------------------------------------------------------- models

    def call(self, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
        """Return what a layer makes of its arguments."""
        self._at.append(layer.path)
        if is_model(layer):
            return self.model(layer, list(signals_in((args, kwargs))))
        handler = self._handlers.get(layer.kind)
        ours = layer.module.startswith(("keras.", "keras_", "builtins"))
        if handler is None or not ours:
            return self.unknown(layer, [*args, *kwargs.values()])
        if "keras.src.ops" in layer.module or layer.module.startswith("keras.ops"):
            handler = self._handlers.get(f"ops.{layer.kind}")
            if handler is None:
                return self.unknown(layer, [*args, *kwargs.values()])
        return handler(self, layer, args, kwargs)

    def model(self, layer: Layer, inputs: list[Signal]) -> Made:
        """Return what a model inside the model makes of its inputs."""
        layers = layer.config.get("layers") or []
        if layer.kind == "Sequential":
            x: Made = inputs[0]
            for entry in layers:
                inner = layer_of(entry, layer.path, frozen=layer.frozen)
                if inner.kind != "InputLayer":
                    x = self.call(inner, [x], {})
            return x
        return self._functional(layer, layers, inputs)

    def _functional(
        self, model: Layer, entries: Sequence[Mapping[str, Any]], inputs: list[Signal]
    ) -> Made:
        made = dict(zip(histories(model.config["input_layers"]), inputs, strict=False))
        declared = _declared_shapes(entries, self.batch)
        waiting = []
        for entry in entries:
            layer = layer_of(entry, model.path, frozen=model.frozen)
            for index, node in enumerate(entry.get("inbound_nodes") or []):
                waiting.append((layer, index, node))
        while waiting:
            left = []
            for layer, index, node in waiting:
                if not all(h in made for h in _needed(node)):
                    left.append((layer, index, node))
                    continue
                layer.declared = _outputs_declared(declared, layer.name, index)
                result = self.call(
                    layer,
                    _filled(node.get("args", []), made),
                    _filled(node.get("kwargs", {}), made),
                )
                for at, signal in enumerate(result if isinstance(result, list) else [result]):
                    made[layer.name, index, at] = signal
            if len(left) == len(waiting):
                names = ", ".join(repr(layer.name) for layer, _, _ in left[:3])
                msg = f"The layers {names} of {self.builder.name!r} wait for each other."
                raise GraphError(msg, remedy="Save the model again; its configuration is damaged.")
            waiting = left
        results = []
        for history in histories(model.config["output_layers"]):
            if history not in made:
                msg = f"Nothing makes the output {history[0]!r} of {self.builder.name!r}."
                raise GraphError(msg, remedy="Save the model again; its configuration is damaged.")
            results.append(made[history])
        return results if len(results) > 1 else results[0]


def is_model(layer: Layer) -> bool:
    """Return whether a layer is a model whose layers stand in the configuration."""
    functional = isinstance(layer.config.get("output_layers"), list | Mapping)
    return layer.kind == "Sequential" or (functional and "layers" in layer.config)


def signals_in(item: Any) -> Iterator[Signal]:
    """Yield the tensors in the arguments of a layer."""
    if isinstance(item, Signal):
        yield item
    elif isinstance(item, Mapping):
        for value in item.values():
            yield from signals_in(value)
    elif isinstance(item, list | tuple):
        for value in item:
            yield from signals_in(value)


def histories(item: Any) -> list[tuple[str, int, int]]:
    """Return which layer, call and output each input or output of a model is."""
    if isinstance(item, Mapping):
        return [h for value in item.values() for h in histories(value)]
    if isinstance(item, list | tuple):
        if len(item) == 3 and isinstance(item[0], str) and isinstance(item[1], int):
            return [(item[0], item[1], int(item[2]))]
        return [h for value in item for h in histories(value)]
    return []


def _is_tensor(item: Any) -> bool:
    return isinstance(item, Mapping) and item.get("class_name") == "__keras_tensor__"


def _tensors(item: Any) -> Iterator[Mapping[str, Any]]:
    if _is_tensor(item):
        yield item["config"]
    elif isinstance(item, Mapping):
        for value in item.values():
            yield from _tensors(value)
    elif isinstance(item, list | tuple):
        for value in item:
            yield from _tensors(value)


def _history(config: Mapping[str, Any]) -> tuple[str, int, int]:
    name, index, at = config["keras_history"]
    return str(name), int(index), int(at)


def _needed(node: Any) -> list[tuple[str, int, int]]:
    if not isinstance(node, Mapping):
        msg = "The configuration joins its layers in the way of Keras 2."
        raise GraphError(msg, remedy="Load the model with Keras 3 and save it as .keras.")
    return [_history(t) for t in _tensors(node)]


def _filled(item: Any, made: Mapping[tuple[str, int, int], Signal]) -> Any:
    """Return arguments with the tensors that were made in them."""
    if _is_tensor(item):
        return made[_history(item["config"])]
    if isinstance(item, Mapping):
        return {k: _filled(v, made) for k, v in item.items()}
    if isinstance(item, list | tuple):
        return [_filled(v, made) for v in item]
    return item


def _declared_shapes(
    entries: Sequence[Mapping[str, Any]], batch: int
) -> dict[tuple[str, int, int], Shape | None]:
    """Return the shapes that the configuration states where a tensor is used."""
    found: dict[tuple[str, int, int], Shape | None] = {}
    for entry in entries:
        for config in _tensors(entry.get("inbound_nodes") or []):
            sizes = config.get("shape") or []
            filled = [batch if i == 0 and n is None else n for i, n in enumerate(sizes)]
            whole = all(isinstance(n, int) for n in filled)
            found[_history(config)] = tuple(filled) if whole else None
    return found


def _outputs_declared(
    declared: Mapping[tuple[str, int, int], Shape | None], name: str, index: int
) -> list[Shape | None]:
    found = sorted((h[2], s) for h, s in declared.items() if h[:2] == (name, index))
    return [shape for _, shape in found]
