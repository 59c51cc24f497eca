"""Records what a torch module does, on tensors without memory.

The module runs as it is, under a dispatch mode in which every tensor is replaced by one on the
meta device: no weight is allocated, copied or changed. In inference mode the dispatcher hands
over operators whole (attention, recurrent layers, ``linear``), before they fall apart into
matrix products; what has no counterpart here is taken apart as torch itself would.

Small integer and boolean tensors carry their value along, so that code which looks at a mask
(``mask.all()``, ``positions.max().item()``) finds what it would find in service.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder, Value, Weight
from tradespace.graph.readers.torch.calls import Call, Use, call_of, format_of, operands, tensors_in
from tradespace.graph.readers.torch.modules import Modules
from tradespace.graph.readers.torch.results import META, find_result, stand_in_of
from tradespace.graph.readers.torch.selection import SELECTING, Shares
from tradespace.graph.readers.torch.values import KnownElements, is_small

#: What is counted even where only weights take part: weights multiplied in every pass.
_PRODUCTS = {
    *("aten.linear", "aten.matmul", "aten.mm", "aten.bmm", "aten.addmm", "aten.baddbmm"),
    *("aten.addbmm", "aten.mv", "aten.addmv", "aten.einsum", "aten.bilinear"),
    *("aten.convolution", "aten._convolution", "aten.scaled_dot_product_attention"),
}


_Handler = Callable[..., None]


class Recorder(TorchDispatchMode):  # type: ignore[misc]  # torch is read without its types
    """Runs operators on the meta device and records those that touch the network's inputs.

    Parameters
    ----------
    builder : Builder
        Receives the nodes.
    handlers : Mapping
        Name of an operator (``"aten.linear"``) -> what records it.
    otherwise : callable
        Records the others.
    finders : Mapping
        Name of an operator -> what finds its result with the help of the recorder.

    """

    def __init__(
        self,
        builder: Builder,
        handlers: Mapping[str, _Handler],
        otherwise: _Handler,
        finders: Mapping[str, Callable[..., Any]],
    ) -> None:
        super().__init__()
        self.finders = finders
        self.builder = builder
        self.handlers = handlers
        self.otherwise = otherwise
        self.modules = Modules()
        self.assumed: list[str] = []
        # Tensors are held, so that their ids stay theirs.
        self._held: dict[int, torch.Tensor] = {}
        self._values: dict[int, Value] = {}
        self._weights: dict[int, tuple[Weight, ...]] = {}
        self._meta: dict[int, torch.Tensor] = {}
        self._elements = KnownElements()
        self._shares = Shares(self._elements)
        # Memory -> the constants that fill it, into parts of which signals may be written.
        self._stores: dict[int, list[torch.Tensor]] = {}

    # Operators that take functions come here too, and are named in an error.
    supports_higher_order_operators = True

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Else the first operator imports torch's compiler, which takes longer than the trace.
        return False

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
        self._elements[self.hold(tensor)] = value

    def known(self, tensor: torch.Tensor) -> torch.Tensor | None:
        """Return the elements of a tensor, if they are known."""
        return self._elements.get(id(tensor))

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
            made = self.builder.record(
                "fill",
                name=self.name("constant"),
                parameters=parameters,
                format=format_of(tensor),
                shape=tuple(tensor.shape),
                function="constant",
            )
            self.bind(tensor, *made)
        return self._values[key]

    def name(self, operator: str) -> str:
        """Return the name of a node made now."""
        return self.modules.name(operator)

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
        results = [outputs] if isinstance(outputs, torch.Tensor) else tensors_in(outputs)
        if not results:
            return
        made = self.builder.record(
            operator,
            *signals,
            name=self.name(operator),
            parameters=parameters,
            inplace=inplace,
            format=format_of(results[0]),
            shapes=tuple(tuple(t.shape) for t in results),
            **attributes,
        )
        for tensor, value in zip(results, made, strict=True):
            self.bind(tensor, value)

    def seen_as(self, x: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
        """Return a stand-in of a signal that has another shape."""
        other = torch.empty(shape, dtype=x.dtype, device=META)
        self.add("view", [x], other, shape=shape, function="transpose")
        return other

    # ---------------------------------------------------------------------- dispatching

    def to_meta(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return the stand-in of a tensor on the meta device."""
        key = id(tensor)
        if key not in self._meta:
            if tensor.layout is torch.strided:
                stand_in = stand_in_of(tensor)
            else:
                stand_in = torch.empty(tensor.shape, dtype=tensor.dtype, device=META)
                self.assumed.append(f"{self._where()} holds a sparse tensor; counted as if dense")
            self._meta[key] = stand_in
            self.hold(tensor)
            if self.weights(tensor):
                self.bind_weight(stand_in, *self.weights(tensor))
            if self.is_signal(tensor):
                self.bind(stand_in, self._values[key])
            if tensor.device.type == "cpu" and tensor.layout is torch.strided and is_small(tensor):
                self.know(stand_in, tensor.detach().clone())
            self.hold(stand_in)
        return self._meta[key]

    def _swap(self, item: Any) -> Any:
        """Return an argument with every tensor and device in it on meta."""
        if isinstance(item, torch.Tensor):
            plain = item.is_meta and item.layout is torch.strided
            return item if plain else self.to_meta(item)
        kind = type(item)
        if kind is list or kind is tuple:
            return kind(self._swap(x) for x in item)
        return META if kind is torch.device else item

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        del types
        args = tuple(self._swap(x) for x in args)
        kwargs = {k: self._swap(v) for k, v in kwargs.items()} if kwargs else {}
        if not isinstance(func, torch._ops.OpOverload):  # noqa: SLF001 - no public name
            msg = f"Operator {func!s} takes functions; what it runs cannot be followed."
            remedy = "Switch it off, for example with attn_implementation='sdpa'."
            raise GraphError(msg, remedy=remedy)
        call = call_of(func)
        if call.name in ("aten._local_scalar_dense", "aten.item"):
            return self._look(args[0])
        handler = self.handlers.get(call.name)
        # With one argument, where() gives the indices of true elements.
        apart = handler is None or (call.name == "aten.where" and len(args) == 1)
        if apart and call.decomposes:
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        tensors = operands(args, kwargs)
        values = self._elements.evaluate(func, call, (args, kwargs), tensors)
        result = self._result(func, call, (args, kwargs), values)
        if values is not None:
            for tensor in self._elements.remember(result, values):
                self.hold(tensor)
        self._shares.follow(call, args, result)
        self._record(func, call, handler, (args, kwargs), tensors, result)
        return result

    def _result(
        self, func: Any, call: Call, given: tuple[tuple[Any, ...], dict[str, Any]], values: Any
    ) -> Any:
        """Return what an operator gives on meta."""
        args, kwargs = given
        if values is not None and not call.view and not call.written:
            return pytree.tree_map_only(torch.Tensor, stand_in_of, values)
        result: Any = find_result(call, args, kwargs)
        if result is not None:
            return result
        finder = self.finders.get(call.name) or self.finders.get(f"{call.name}.{call.overload}")
        if finder is not None:
            return finder(self, Use(func, args, kwargs))
        if call.plain in SELECTING:
            conditions = self._shares.conditions(call, args)
            if conditions:
                self._assume_selected(conditions)
                return self._shares.result(func, call, args, kwargs)
        if "device" in kwargs:
            kwargs = {**kwargs, "device": META}
        return func(*args, **kwargs)

    def _assume_selected(self, conditions: list[torch.Tensor]) -> None:
        for condition in conditions:
            if self._shares.selected(condition)[1]:
                continue
            share = self._shares.share(condition)
            took = "all" if share is None else f"a share of {share:.3g}"
            self.assumed.append(f"{self._where()} selects by a condition on the data; took {took}")

    def _where(self) -> str:
        return self.modules.current or "the network"

    def _record(
        self,
        func: Any,
        call: Call,
        handler: _Handler | None,
        given: tuple[tuple[Any, ...], dict[str, Any]],
        tensors: list[torch.Tensor],
        result: Any,
    ) -> None:
        values = self._values
        if not any(id(t) in values for t in tensors):
            weights = tuple(dict.fromkeys(w for t in tensors for w in self.weights(t)))
            if not (weights and call.name in _PRODUCTS):
                self.constant(call, weights, result)
                return
        fresh = [args for i, args in enumerate(given[0]) if i in call.written]
        (handler or self.otherwise)(self, Use(func, *given, result))
        for written in tensors_in(fresh):
            self._written(written)

    def constant(self, call: Call, weights: tuple[Weight, ...], result: Any) -> None:
        """Keep what a result that no input flows into comes from."""
        for out in [result] if isinstance(result, torch.Tensor) else tensors_in([result]):
            # A weight that is computed from others, or looked up by constant indices.
            if weights and (out.is_floating_point() or out.is_complex()):
                self.bind_weight(out, *weights)
            if call.written:
                continue
            memory = out.untyped_storage()._cdata  # noqa: SLF001 - its identity
            if not call.view:
                self._stores[memory] = [out]
                self.hold(out)
            elif memory in self._stores and out.shape == self._stores[memory][0].shape:
                self._stores[memory].append(out)
                self.hold(out)

    def _written(self, part: torch.Tensor) -> None:
        """Let a constant become a signal when one was written into a part of it."""
        stores = self._stores.get(part.untyped_storage()._cdata, ())  # noqa: SLF001 - its identity
        others = [t for t in stores if t is not part]
        if not others or id(part) not in self._values:
            return
        before = self.value(others[0])
        made = self.builder.record(
            "append",
            before,
            self._values[id(part)],
            name=self.name("write"),
            format=format_of(others[0]),
            shapes=(tuple(others[0].shape),),
            axis=None,
        )
        for store in others:
            self.bind(store, made[0])

    def _look(self, tensor: torch.Tensor) -> Any:
        """Return the number that code asks for; guess, and say so, if it depends on data."""
        value = self.known(tensor)
        if value is not None:
            return value.item()
        where = self._where()
        kind = "False" if tensor.dtype == torch.bool else "1"
        self.assumed.append(f"{where} looks at a number that depends on the data; took {kind}")
        if tensor.dtype == torch.bool:
            return False
        return 1.0 if tensor.is_floating_point() else 1
