"""Networks from torch modules, traced without a weight being allocated or changed."""

from __future__ import annotations

import dataclasses
import sys
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from tradespace.core.errors import GraphError, MissingExtraError
from tradespace.graph.builder import Builder
from tradespace.graph.network import Network
from tradespace.graph.readers.inputs import InputSpec, as_specs

if TYPE_CHECKING:
    import torch


def read_torch(
    module: torch.nn.Module,
    inputs: Any,
    *,
    name: str = "",
    training: bool | None = None,
) -> Network:
    """Return the network that a torch module runs on inputs of given shapes.

    The module is left as it was: parameters, buffers, hooks, mode and random numbers.

    Parameters
    ----------
    module : torch.nn.Module
        On any device, also on meta.
    inputs : tensor, shape, InputSpec, or a sequence or mapping of them
        A sequence gives positional arguments, a mapping arguments by name. Tensors are not
        read but for small integer and boolean ones, such as masks.
    name : str, optional
        Of the network; the class's name if empty.
    training : bool, optional
        Trace in training or evaluation mode; as the module is if None.

    Raises
    ------
    GraphError
        If the module cannot run on such inputs.
    MissingExtraError
        If torch is not installed.

    Examples
    --------
    >>> import torch
    >>> from tradespace.graph.counts import forward_macs
    >>> with torch.device("meta"):
    ...     module = torch.nn.Sequential(torch.nn.Linear(784, 300), torch.nn.ReLU())
    >>> forward_macs(read_torch(module, (1, 784)))
    235200

    """
    torch = require_torch()
    from tradespace.graph.readers.torch.calls import format_of
    from tradespace.graph.readers.torch.errors import cannot_run
    from tradespace.graph.readers.torch.operators import FINDERS, HANDLERS, record_by_tags
    from tradespace.graph.readers.torch.recorder import Recorder
    from tradespace.graph.readers.torch.values import KnownValues

    builder = Builder(name or type(module).__name__)
    recorder = Recorder(builder, HANDLERS, record_by_tags, FINDERS)
    _declare_parameters(module, builder, recorder)
    arguments, keywords, batch = _make_inputs(torch, inputs, builder, recorder, format_of)
    builder.batch = batch
    modes = [(m, m.training) for m in module.modules()]
    fast = torch.backends.mha.get_fastpath_enabled()
    try:
        if training is not None:
            module.train(training)
        with ExitStack() as stack:
            _run_as_written(stack)
            stack.callback(torch.backends.mha.set_fastpath_enabled, fast)
            torch.backends.mha.set_fastpath_enabled(False)
            stack.enter_context(torch.no_grad())
            # Below autograd the dispatcher hands over operators whole.
            stack.enter_context(torch._C._AutoDispatchBelowAutograd())  # noqa: SLF001 - no public name
            stack.enter_context(recorder.modules.follow(module))
            stack.enter_context(KnownValues(recorder.known))
            stack.enter_context(recorder)
            result = module(*arguments, **keywords)
    except GraphError:
        raise
    except Exception as error:
        raise cannot_run(module, recorder.modules.last_named, error) from error
    finally:
        for part, mode in modes:
            part.training = mode
    outputs = [t for t in _tensors(torch, result) if recorder.is_signal(t)]
    if not outputs:
        msg = f"{builder.name!r} gave no tensor that depends on its inputs."
        raise GraphError(msg, remedy="Inspect a module whose forward returns tensors.")
    notes = [f"Assumed: {text}." for text in dict.fromkeys(recorder.assumed)]
    return builder.build(*(recorder.value(t) for t in outputs), notes=notes, source="torch module")


def require_torch() -> Any:
    """Return torch.

    Raises
    ------
    MissingExtraError
        If it is not installed.

    """
    try:
        import torch
    except ImportError:
        what = "Reading torch modules"
        raise MissingExtraError(library="torch", extra="deep", needed_for=what) from None
    return torch


def _run_as_written(stack: ExitStack) -> None:
    """Let parts that are to be compiled run as they were written."""
    if "torch._dynamo" in sys.modules:
        import torch

        stack.enter_context(torch.compiler.set_stance("force_eager"))
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", message="Using `torch.compile")


def _declare_parameters(module: torch.nn.Module, builder: Builder, recorder: Any) -> None:
    from tradespace.graph.readers.torch.calls import format_of

    with_shapes = [*module.named_parameters(), *module.named_buffers()]
    learned = {id(p) for p in module.parameters()}
    if any(type(p).__name__.startswith("Uninitialized") for _, p in with_shapes):
        msg = f"{builder.name!r} has lazy parameters without a shape."
        raise GraphError(msg, remedy="Run the module once, or give its layers their sizes.")
    for path, tensor in with_shapes:
        weight = builder.parameter(
            path,
            tensor.shape,
            "weight" if id(tensor) in learned else "constant",
            trainable=id(tensor) in learned and tensor.requires_grad,
            format=format_of(tensor),
            absolute=True,
        )
        recorder.bind_weight(tensor, weight)


def _make_inputs(
    torch: Any, inputs: Any, builder: Builder, recorder: Any, format_of: Any
) -> tuple[list[Any], dict[str, Any], int]:
    """Return the arguments of the call on meta, bound to inputs of the network."""
    batch: list[int] = []

    def make(item: Any, label: str) -> Any:
        if isinstance(item, torch.Tensor):
            real = item if item.device.type == "cpu" and not item.is_floating_point() else None
            stand_in = torch.empty(item.shape, dtype=item.dtype, device="meta")
        elif isinstance(item, InputSpec):
            stand_in = torch.empty(item.shape, dtype=_dtype(item.format), device="meta")
            real = None
            if item.format in ("int64", "int32", "bool"):
                mask = item.format == "bool" or "mask" in label
                real = (torch.ones if mask else torch.zeros)(item.shape, dtype=stand_in.dtype)
        elif isinstance(item, Mapping):
            return {k: make(v, str(k)) for k, v in item.items()}
        elif isinstance(item, list | tuple):
            return type(item)(make(v, f"{label}{i}") for i, v in enumerate(item))
        else:
            return item
        value = builder.tensor_input(item.shape, format=format_of(stand_in), name=label)
        recorder.bind(stand_in, value)
        if real is not None and real.numel() <= 1 << 18:
            recorder.know(stand_in, real.clone())
        if len(item.shape) > 0:
            batch.append(int(item.shape[0]))
        return stand_in

    positional, named = as_specs(inputs, is_tensor=lambda x: isinstance(x, torch.Tensor))
    arguments = [make(item, f"input{i}" if i else "input") for i, item in enumerate(positional)]
    keywords = {key: make(item, key) for key, item in named.items()}
    return arguments, keywords, (batch[0] if batch and batch[0] > 0 else 1)


def _dtype(fmt: str) -> Any:
    from tradespace.graph.readers.torch.calls import FORMATS

    return next(d for d, name in FORMATS.items() if name == fmt)


def _tensors(torch: Any, result: Any, seen: set[int] | None = None) -> list[Any]:
    """Return the tensors in what a module gave, also in output records, each once."""
    seen = set() if seen is None else seen
    if id(result) in seen or isinstance(result, str | bytes | type | torch.nn.Module):
        return []
    seen.add(id(result))
    if isinstance(result, torch.Tensor):
        return [result]
    inside: Any = ()
    if isinstance(result, Mapping):
        inside = result.values()
    elif isinstance(result, Sequence):
        inside = result
    elif dataclasses.is_dataclass(result):
        inside = (getattr(result, f.name) for f in dataclasses.fields(result))
    elif hasattr(result, "__dict__"):
        inside = vars(result).values()
    return [t for value in inside for t in _tensors(torch, value, seen)]
