"""Records what a torch module does, on tensors without memory.

The module runs as it is, under a dispatch mode in which every tensor is replaced by one on the
meta device: no weight is allocated, copied or changed. In inference mode the dispatcher hands
over operators whole (attention, recurrent layers, ``linear``), before they fall apart into
matrix products; what has no counterpart here is taken apart as torch itself would.

Small integer and boolean tensors carry their value along, so that code which looks at a mask
(``mask.all()``, ``positions.max().item()``) finds what it would find in service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from tradespace.graph.builder import Builder, Value, Weight

#: Elements up to which integers and booleans, and floats, carry their value.
_VALUES_UP_TO = 1 << 18
_FLOATS_UP_TO = 1 << 12

FORMATS = {
    torch.float64: "fp64",
    torch.float32: "fp32",
    torch.float16: "fp16",
    torch.bfloat16: "bf16",
    torch.complex64: "complex64",
    torch.complex128: "complex128",
    torch.int64: "int64",
    torch.int32: "int32",
    torch.int16: "int16",
    torch.int8: "int8",
    torch.uint8: "uint8",
    torch.bool: "bool",
}

Handler = Callable[["Recorder", Any, tuple[Any, ...], Mapping[str, Any], Any], None]


def format_of(tensor: torch.Tensor) -> str:
    """Return the number format of a tensor."""
    return FORMATS.get(tensor.dtype, "fp8" if tensor.dtype.itemsize == 1 else "fp32")


class Recorder(TorchDispatchMode):  # type: ignore[misc]  # torch is read without its types
    """Runs operators on the meta device and records those that touch the network's inputs.

    Parameters
    ----------
    builder : Builder
        Receives the nodes.
    handlers : Mapping
        Name of an operator (``"aten.linear"``) -> what records it.

    """

    def __init__(self, builder: Builder, handlers: Mapping[str, Handler]) -> None:
        super().__init__()
        self.builder = builder
        self.handlers = handlers
        self.path: list[str] = []
        self.leaf = False
        self.assumed: list[str] = []
        # Tensors are held, so that their ids stay theirs.
        self._held: dict[int, torch.Tensor] = {}
        self._values: dict[int, Value] = {}
        self._weights: dict[int, tuple[Weight, ...]] = {}
        self._meta: dict[int, torch.Tensor] = {}
        self._known: dict[int, torch.Tensor] = {}

    # ------------------------------------------------------------------ what is known

    def hold(self, tensor: torch.Tensor) -> int:
        """Keep a tensor alive and return its key."""
        key = id(tensor)
        self._held[key] = tensor
        return key

    def bind(self, tensor: torch.Tensor, value: Value) -> None:
        """Say which value of the network a tensor is."""
        self._values[self.hold(tensor)] = value

    def bind_weight(self, tensor: torch.Tensor, *weights: Weight) -> None:
        """Say which parameters a tensor is or comes from."""
        self._weights[self.hold(tensor)] = weights

    def know(self, tensor: torch.Tensor, value: torch.Tensor) -> None:
        """Say what the elements of a tensor are."""
        self._known[self.hold(tensor)] = value

    def known(self, tensor: torch.Tensor) -> torch.Tensor | None:
        """Return the elements of a tensor, if they are known."""
        return self._known.get(id(tensor))

    def weights(self, tensor: Any) -> tuple[Weight, ...]:
        """Return the parameters that a tensor is or comes from."""
        return self._weights.get(id(tensor), ()) if isinstance(tensor, torch.Tensor) else ()

    def is_signal(self, tensor: Any) -> bool:
        """Return whether a tensor comes from the network's inputs."""
        return isinstance(tensor, torch.Tensor) and id(tensor) in self._values

    def value(self, tensor: torch.Tensor) -> Value:
        """Return the value of a tensor; a constant becomes one when it is first used."""
        key = id(tensor)
        if key not in self._values:
            parameters = self.weights(tensor)
            made = self.builder.apply_many(
                "fill",
                name=self.name("constant"),
                parameters=parameters,
                format=format_of(tensor),
                attributes={"shape": tuple(tensor.shape), "function": "constant"},
                absolute=True,
            )[0]
            self.bind(tensor, made)
        return self._values[key]

    def name(self, operator: str) -> str:
        """Return the name of a node made now."""
        where = self.path[-1] if self.path else ""
        if self.leaf and where:
            return where
        return f"{where}.{operator}" if where else operator

    # ----------------------------------------------------------------------- recording

    def add(
        self,
        operator: str,
        inputs: tuple[Any, ...] | list[Any],
        outputs: Any,
        *,
        weights: tuple[Any, ...] | list[Any] = (),
        roles: tuple[str, ...] = (),
        inplace: bool = False,
        **attributes: Any,
    ) -> None:
        """Record an operator.

        `weights` are the tensors that it takes as parameters, `roles` what they do; a weight
        that is no parameter (a hypernetwork computes it) becomes an input.
        """
        signals = [self.value(t) for t in inputs if isinstance(t, torch.Tensor)]
        parameters: list[Weight] = []
        for i, tensor in enumerate(weights):
            if not isinstance(tensor, torch.Tensor):
                continue
            held = self.weights(tensor)
            if held:
                parameters += held
                if i < len(roles) and roles[i]:
                    for weight in held:
                        self.builder.set_role(weight, roles[i])
            else:
                signals.append(self.value(tensor))
        results = [t for t in pytree.tree_leaves(outputs) if isinstance(t, torch.Tensor)]
        if not results:
            return
        made = self.builder.apply_many(
            operator,
            *signals,
            name=self.name(operator),
            parameters=parameters,
            inplace=inplace,
            format=format_of(results[0]),
            attributes=attributes,
            absolute=True,
        )
        for tensor, value in zip(results, made, strict=False):
            self.bind(tensor, Value(value.position, tuple(tensor.shape)))

    # ---------------------------------------------------------------------- dispatching

    def to_meta(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return the stand-in of a tensor on the meta device."""
        if tensor.device.type == "meta":
            return tensor
        key = id(tensor)
        if key not in self._meta:
            stand_in = torch.empty_strided(
                tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta"
            )
            self._meta[key] = stand_in
            self.hold(tensor)
            if self.weights(tensor):
                self.bind_weight(stand_in, *self.weights(tensor))
            if self.is_signal(tensor):
                self.bind(stand_in, self._values[key])
            if _small(tensor) and tensor.device.type == "cpu":
                self.know(stand_in, tensor.detach().clone())
            self.hold(stand_in)
        return self._meta[key]

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        del types
        kwargs = dict(kwargs or {})
        args, kwargs = pytree.tree_map_only(torch.Tensor, self.to_meta, (args, kwargs))
        name = str(func.overloadpacket)
        if name in ("aten._local_scalar_dense", "aten.item"):
            return self._look(args[0])
        handler = self.handlers.get(name)
        if handler is None and func._can_decompose():  # noqa: SLF001 - how torch takes operators apart
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        if "device" in kwargs:
            kwargs["device"] = torch.device("meta")
        args, kwargs = _on("meta", args, kwargs)
        tensors = [t for t in pytree.tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
        values = self._evaluate(func, args, kwargs, tensors)
        try:
            result = func(*args, **kwargs)
        except (NotImplementedError, RuntimeError):
            if values is None:
                raise
            result = pytree.tree_map_only(
                torch.Tensor, lambda t: torch.empty_like(t, device="meta"), values
            )
        self._remember(result, values)
        self._record(func, name, handler, (args, kwargs), tensors, result)
        return result

    def _record(
        self,
        func: Any,
        name: str,
        handler: Handler | None,
        call: tuple[tuple[Any, ...], dict[str, Any]],
        tensors: list[torch.Tensor],
        result: Any,
    ) -> None:
        if not any(self.is_signal(t) for t in tensors):
            weights = tuple(dict.fromkeys(w for t in tensors for w in self.weights(t)))
            # A weight that is computed from others, or looked up by constant indices.
            for out in pytree.tree_leaves(result):
                if weights and isinstance(out, torch.Tensor) and out.is_floating_point():
                    self.bind_weight(out, *weights)
            return
        if handler is not None:
            handler(self, func, *call, result)
            return
        from tradespace.graph.readers.torch_operators import record_by_tags

        record_by_tags(self, func, name, *call, result)

    # -------------------------------------------------------------------------- values

    def _evaluate(
        self, func: Any, args: Any, kwargs: dict[str, Any], tensors: list[torch.Tensor]
    ) -> Any:
        """Return the result on real elements, if all operands have them and it is small."""
        if any(id(t) not in self._known for t in tensors):
            self._forget_written(func, args)
            return None
        if torch.Tag.nondeterministic_seeded in func.tags:
            return None
        real_args, real_kwargs = pytree.tree_map_only(
            torch.Tensor, lambda t: self._known[id(t)], (args, kwargs)
        )
        real_args, real_kwargs = _on("cpu", real_args, real_kwargs)
        if not tensors and _announced(func, real_args) > _VALUES_UP_TO:
            return None
        try:
            return func(*real_args, **real_kwargs)
        except (RuntimeError, NotImplementedError, TypeError, IndexError):
            return None

    def _forget_written(self, func: Any, args: Any) -> None:
        for argument, spec in zip(args, func._schema.arguments, strict=False):  # noqa: SLF001 - the schema has no public name
            if spec.alias_info is not None and spec.alias_info.is_write:
                for t in pytree.tree_leaves(argument):
                    self._known.pop(id(t), None)

    def _remember(self, result: Any, values: Any) -> None:
        if values is None:
            return
        real = pytree.tree_leaves(values)
        for tensor, value in zip(pytree.tree_leaves(result), real, strict=False):
            if isinstance(tensor, torch.Tensor) and isinstance(value, torch.Tensor):
                if _small(value) and value.device.type == "cpu":
                    self.know(tensor, value)
                else:
                    self._known.pop(id(tensor), None)

    def _look(self, tensor: torch.Tensor) -> Any:
        """Return the number that code asks for; guess, and say so, if it depends on data."""
        value = self.known(tensor)
        if value is not None:
            return value.item()
        where = self.path[-1] if self.path and self.path[-1] else "the network"
        kind = "False" if tensor.dtype == torch.bool else "1"
        self.assumed.append(f"{where} looks at a number that depends on the data; took {kind}")
        if tensor.dtype == torch.bool:
            return False
        return 1.0 if tensor.is_floating_point() else 1

    @contextmanager
    def modules(self, module: torch.nn.Module) -> Iterator[None]:
        """Follow which module runs, without touching any."""
        names = {id(m): name for name, m in module.named_modules()}
        stack: list[tuple[str, bool]] = []

        def enter(child: torch.nn.Module, inputs: Any) -> None:
            del inputs
            stack.append((self.path[-1] if self.path else "", self.leaf))
            self.path.append(names.get(id(child), self.path[-1] if self.path else ""))
            self.leaf = not any(True for _ in child.children())

        def leave(child: torch.nn.Module, inputs: Any, outputs: Any) -> None:
            del child, inputs, outputs
            self.path.pop()
            _, self.leaf = stack.pop()

        hooks = torch.nn.modules.module
        handles = [
            hooks.register_module_forward_pre_hook(enter),
            hooks.register_module_forward_hook(leave),
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


def _on(device: str, args: Any, kwargs: Any) -> Any:
    """Return arguments with every device named in them replaced."""
    return pytree.tree_map_only(torch.device, lambda _: torch.device(device), (args, kwargs))


def _small(tensor: torch.Tensor) -> bool:
    if tensor.is_floating_point() or tensor.is_complex():
        return bool(tensor.numel() <= _FLOATS_UP_TO)
    return bool(tensor.numel() <= _VALUES_UP_TO)


def _announced(func: Any, args: tuple[Any, ...]) -> int:
    """Return about how many elements a factory makes."""
    del func
    total = 1
    for argument in args[:1]:
        if isinstance(argument, list | tuple):
            for n in argument:
                total *= n if isinstance(n, int) else 1
        elif isinstance(argument, int | float):
            total = int(argument)
    ends = [a for a in args if isinstance(a, int | float)]
    return max(total, int(max(ends)) if ends else 0)
