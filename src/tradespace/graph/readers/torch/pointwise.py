"""Element by element, reductions, views: by name, or by what torch says of an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from tradespace.graph.operators import AXES, named
from tradespace.graph.readers.torch.calls import Use
from tradespace.graph.readers.torch.handlers import handles

if TYPE_CHECKING:
    from tradespace.graph.readers.torch.recorder import Recorder

#: What torch has too, by its names without underscores around them.
_NAMED = {theirs.strip("_"): rule for theirs, rule in named("torch").items()}
#: Element by element, though torch does not say so.
_UNTAGGED = ("complex", "polar", "floor_divide", "nan_to_num", "angle", "sgn", "lerp", "clip")
#: Views that change a tensor itself.
_TURNED = ("transpose", "squeeze", "unsqueeze", "t", "swapaxes", "swapdims", "as_strided")
#: Constants of a shape: nothing flows from the input.
_CONSTANTS = (
    *("zeros_like", "ones_like", "full_like", "empty_like", "rand_like", "randn_like", "zero"),
    *("new_zeros", "new_ones", "new_full", "new_empty", "new_empty_strided", "fill", "bernoulli"),
    "lift_fresh",
)


# These must not be taken apart before they are seen.
@handles(*named("torch"))
def record_by_tags(r: Recorder, u: Use) -> None:
    """Record an operator by its name or by what torch says of it; name it if that says nothing."""
    call, short, tensors, outputs = u.call, u.call.plain, u.operands, u.results
    if not outputs:
        return
    if short in ("max", "min") and len(u.args) > 1 and isinstance(u.args[1], torch.Tensor):
        short = f"{short}imum"
    rule = _NAMED.get(short)
    if rule is not None and rule.attributes[:1] == (AXES,):
        _reduction(r, u, rule.name)
    elif rule is not None:
        found: dict[str, Any] = {"shape": u.shape, "function": short}
        settings = {a.name: found[a.name] for a in rule.attributes if a.name in found}
        inplace = call.inplace and rule.kind == "elementwise"
        r.add(rule.name, tensors, outputs[0], inplace=inplace, **settings)
        if rule.name == "sort":
            record_indices(r, u)
    elif call.view or short == "detach" or (call.inplace and short in _TURNED):
        record_view(r, short, tensors[0], outputs)
    elif call.pointwise or short in _UNTAGGED:
        r.add("pointwise", tensors, outputs[0], inplace=call.inplace, function=short)
    elif short in _CONSTANTS:
        r.constant(call, (), u.result)
    else:
        shapes = tuple(tuple(t.shape) for t in outputs)
        name = call.name.removeprefix("aten.")
        r.add("unknown", tensors, outputs, shape=shapes, function=name)


def record_view(r: Recorder, function: str, x: torch.Tensor, outputs: list[torch.Tensor]) -> None:
    """Record another look at the memory of a signal."""
    shapes = tuple(tuple(t.shape) for t in outputs)
    r.add("view", [x], outputs, shape=shapes if len(shapes) > 1 else shapes[0], function=function)


def record_indices(r: Recorder, u: Use) -> None:
    """Record where the elements stood that were chosen, if that is given too."""
    for other in u.results[1:]:
        r.add("view", [u.first], other, shape=tuple(other.shape), function="indices")


def _reduction(r: Recorder, u: Use, name: str) -> None:
    axes = u["dim"]
    axes = None if axes is None or axes == [] else axes if isinstance(axes, int) else tuple(axes)
    keep = bool(u.get("keepdim", False))
    r.add(name, [u.args[0]], u.first, axes=axes, keep_dimensions=keep)
    record_indices(r, u)
