"""What went wrong in a module's forward, where, and what to do."""

from __future__ import annotations

from typing import Any

from tradespace.core.errors import GraphError
from tradespace.files.python_files import described, own_place

#: Words in torch's message -> what to do. The first that is found decides.
_REMEDIES = {
    "quantized::": "Quantized kernels hide their weights: inspect the module before it is "
    "quantized, with --format int8.",
    "does not require grad": "Gradients taken inside forward cannot be followed; inspect the "
    "part of the module that computes the result.",
    "unallocated storage": "This code looks at numbers of a tensor, and only its shape is known; "
    "give the input as a tensor with its values, or inspect the part after it.",
    "to numpy": "This code hands a tensor to numpy, and only its shape is known; inspect the "
    "parts before and after it.",
    "fake impl": "torch has no shape function for this operator; inspect the parts before and "
    "after it, or export the module to ONNX and inspect that.",
    "Meta tensors": "torch has no shape function for this operator; inspect the parts before and "
    "after it, or export the module to ONNX and inspect that.",
    "missing": "Name every input: --input input_ids=8x128:int64 --input mask=8x128:int64.",
    "unexpected keyword": "Use the names of forward's arguments, or give inputs without names.",
}
_ANY = "Check shape and number format of the input (--input 8x3x224x224, --input 8x128:int64)."


def cannot_run(module: Any, where: str, error: Exception) -> GraphError:
    """Return the error of a module whose forward raised one.

    Parameters
    ----------
    module : torch.nn.Module
        The module that was traced.
    where : str
        Path of the part that ran when it happened.
    error : Exception
        What it raised.

    """
    at = f" in {where!r}" if where else ""
    part = _part(module, where)
    if part is not None:
        at += f" ({type(part).__name__})"
    msg = f"{type(module).__name__} cannot run on this input{at}: {described(error, 200)}."
    remedy = next((r for words, r in _REMEDIES.items() if words in str(error)), _ANY)
    return GraphError(msg, remedy=remedy, place=own_place(error))


def _part(module: Any, where: str) -> Any:
    try:
        return module.get_submodule(where) if where else None
    except AttributeError:
        return None
