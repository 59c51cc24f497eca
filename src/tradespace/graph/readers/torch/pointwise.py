"""Element by element, reductions, views: by name, or by what torch says of an operator."""

from __future__ import annotations

from typing import Any

import torch

from tradespace.graph.operators import named
from tradespace.graph.readers.torch.calls import bound, call_of, operands, tensors_in
from tradespace.graph.readers.torch.handlers import HANDLERS, Recording

#: torch's names of what it has too.
_NAMED = named("torch")
#: Element by element, though torch does not say so.
_UNTAGGED = ("complex", "polar", "floor_divide", "nan_to_num", "angle", "sgn", "lerp", "clip")
#: Views that change a tensor itself.
_TURNED = ("transpose", "squeeze", "unsqueeze", "t", "swapaxes", "swapdims", "as_strided")
# These must not be taken apart before they are seen.
for _packet in _NAMED:
    for _form in (_packet, f"{_packet}_"):
        HANDLERS.setdefault(
            f"aten.{_form}",
            lambda r, func, args, kwargs, result: record_by_tags(r, func, args, kwargs, result),
        )


def record_by_tags(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
    """Record an operator by its name or by what torch says of it; name it if that says nothing."""
    call = call_of(func)
    inplace, short = call.inplace, call.plain
    tensors = operands(args, kwargs)
    outputs = [result] if isinstance(result, torch.Tensor) else tensors_in([result])
    if not outputs:
        return
    if short in ("max", "min") and len(args) > 1 and isinstance(args[1], torch.Tensor):
        short = f"{short}imum"
    shape = tuple(outputs[0].shape)
    rule = _NAMED.get(short)
    if rule is not None:
        if rule.kind == "reduction":
            _reduction(r, func, rule.name, args, kwargs, outputs)
        else:
            extra: dict[str, Any] = {"shape": shape} if rule.attributes else {}
            r.add(rule.name, tensors, outputs[0], inplace=inplace, **extra)
        return
    if call.view or (inplace and short in _TURNED):
        record_view(r, short, tensors[0], outputs)
        return
    if call.pointwise or short in _UNTAGGED:
        r.add("pointwise", tensors, outputs[0], inplace=inplace, function=short)
        return
    if short in (
        "zeros_like",
        "ones_like",
        "full_like",
        "empty_like",
        "new_zeros",
        "new_ones",
        "new_full",
        "new_empty",
        "zero",
        "fill",
        "rand_like",
        "randn_like",
        "bernoulli",
        "new_empty_strided",
        "detach",
        "lift_fresh",
    ):
        if short == "detach":
            record_view(r, short, tensors[0], outputs)
        else:  # a constant of a shape: nothing flows from the input
            r.constant(call, (), result)
        return
    r.add(
        "unknown",
        tensors,
        outputs,
        shape=tuple(tuple(t.shape) for t in outputs),
        function=call.name.removeprefix("aten."),
    )


def record_view(r: Recording, function: str, x: torch.Tensor, outputs: list[torch.Tensor]) -> None:
    """Record another look at the memory of a signal."""
    shapes = tuple(tuple(t.shape) for t in outputs)
    r.add("view", [x], outputs, shape=shapes if len(shapes) > 1 else shapes[0], function=function)


def _reduction(
    r: Recording, func: Any, name: str, args: Any, kwargs: Any, outputs: list[torch.Tensor]
) -> None:
    a = bound(func, args, kwargs)
    axes = a.get("dim")
    axes = None if axes is None or axes == [] else axes if isinstance(axes, int) else tuple(axes)
    keep = bool(a.get("keepdim", False))
    r.add(name, [args[0]], outputs[0], axes=axes, keep_dimensions=keep)
    for other in outputs[1:]:
        r.add("view", [outputs[0]], other, shape=tuple(other.shape), function="indices")
