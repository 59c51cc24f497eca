"""Elements of tensors that are known, for code that looks at masks, positions and lengths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from tradespace.graph.readers.torch.calls import Call, tensors_in

#: Elements up to which integers and booleans, and floats, carry their value.
_VALUES_UP_TO = 1 << 18
_FLOATS_UP_TO = 1 << 12
_ASKING = {torch.Tensor.tolist, torch.Tensor.numpy, torch.Tensor.__array__}


def is_small(tensor: torch.Tensor) -> bool:
    """Return whether a tensor is small enough to carry its elements along."""
    if tensor.is_floating_point() or tensor.is_complex():
        return bool(tensor.numel() <= _FLOATS_UP_TO)
    return bool(tensor.numel() <= _VALUES_UP_TO)


class KnownElements(dict[int, torch.Tensor]):
    """Id of a stand-in -> its elements, in real memory that aliases as the stand-ins do."""

    def evaluate(
        self,
        func: Any,
        call: Call,
        given: tuple[tuple[Any, ...], dict[str, Any]],
        tensors: list[torch.Tensor],
    ) -> Any:
        """Return the result on real elements, if all operands have them and it is small."""
        args, kwargs = given
        for t in tensors:
            if id(t) not in self:
                if call.written:
                    self._forget(call, args)
                return None
        if call.random or call.empty or (not tensors and _announced(args) > _VALUES_UP_TO):
            return None
        try:
            return func(
                *(self._real(x) for x in args), **{k: self._real(v) for k, v in kwargs.items()}
            )
        except (RuntimeError, NotImplementedError, TypeError, IndexError):
            # What is wrong with the call comes out when it runs on stand-ins.
            return None

    def _real(self, item: Any) -> Any:
        """Return an argument with what is known in place of stand-ins."""
        if isinstance(item, torch.Tensor):
            return self[id(item)]
        kind = type(item)
        if kind is list or kind is tuple:
            return kind(self._real(x) for x in item)
        return torch.device("cpu") if kind is torch.device else item

    def _forget(self, call: Call, args: tuple[Any, ...]) -> None:
        """Forget the elements of what is written into, seen from wherever."""
        for t in tensors_in(args[i] for i in call.written if i < len(args)):
            value = self.pop(id(t), None)
            if value is not None:
                memory = _memory(value)
                for key in [key for key, v in self.items() if _memory(v) == memory]:
                    del self[key]

    def remember(self, result: Any, values: Any) -> Iterator[torch.Tensor]:
        """Note the elements of a result; give the stand-ins, which the caller must hold."""
        for tensor, value in zip(tensors_in([result]), tensors_in([values]), strict=False):
            if is_small(value) and value.device.type == "cpu":
                self[id(tensor)] = value
                yield tensor
            else:
                self.pop(id(tensor), None)


def _memory(tensor: torch.Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)  # noqa: SLF001 - its identity


def _announced(args: tuple[Any, ...]) -> int:
    """Return about how many elements a factory makes."""
    total = 1
    for argument in args[:1]:
        if isinstance(argument, list | tuple):
            for n in argument:
                total *= n if isinstance(n, int) else 1
        elif isinstance(argument, int | float):
            total = int(argument)
    ends = [a for a in args if isinstance(a, int | float)]
    return max(total, int(max(ends)) if ends else 0)


class KnownValues(TorchFunctionMode):  # type: ignore[misc]  # torch is read without its types
    """Answers ``tolist`` and ``numpy`` of small tensors whose elements a recorder knows."""

    def __init__(self, known: Callable[[torch.Tensor], torch.Tensor | None]) -> None:
        super().__init__()
        self.known = known

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run a function of torch."""
        del types
        if func in _ASKING:
            known = self.known(args[0])
            if known is not None:
                # The recorder must not see what happens to elements.
                with torch._C._DisableTorchDispatch():  # noqa: SLF001 - no public name
                    found = func(known, *args[1:], **(kwargs or {}))
                return found if isinstance(found, list | int | float) else found.copy()
        return func(*args, **kwargs) if kwargs else func(*args)
