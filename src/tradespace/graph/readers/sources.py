"""Torch modules from what a person writes: ``my_model.py:MyNet(depth=3)``.

The file runs, as any Python file that is imported: inspect only what you trust. The module is
built under the meta device, so that no weight is allocated. Arguments are literals and are
read, not run.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tradespace.core.errors import GraphError
from tradespace.core.suggest import nearest
from tradespace.files.python_files import described, import_source, own_place, short_text
from tradespace.graph.readers.torch.read import require_torch

if TYPE_CHECKING:
    import torch

_SPEC = re.compile(r"(?P<source>.+?):(?P<name>[A-Za-z_][\w.]*)\s*(?P<call>\(.*\))?", re.DOTALL)
_EXAMPLE = "Write my_model.py:MyNet, my_model.py:MyNet(depth=3) or package.module:function."
#: Elements from which a tensor is left as it is when a module has to be built in real memory.
_LARGE = 1 << 14


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """What to build: a file or a dotted module, a name in it, and literal arguments."""

    source: str
    name: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] | None = None


def parse_source(spec: str) -> SourceSpec:
    """Return what a text asks to build.

    Raises
    ------
    GraphError
        If it cannot be read, or an argument is no literal.

    Examples
    --------
    >>> parse_source("nets.py:MyNet(3, width=64, kernel=(3, 3))")
    SourceSpec(source='nets.py', name='MyNet', args=(3,), kwargs={'width': 64, 'kernel': (3, 3)})

    """
    matched = _SPEC.fullmatch(spec.strip())
    if not matched:
        msg = f"{spec!r} does not say which network of which file to build."
        raise GraphError(msg, remedy=_EXAMPLE)
    args, kwargs = _literals(spec, matched["call"] or "()")
    return SourceSpec(matched["source"], matched["name"], args, kwargs)


def _literals(spec: str, call: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    try:
        tree = ast.parse(f"f{call}", mode="eval").body
    except SyntaxError as error:
        msg = f"The arguments in {spec!r} cannot be read: {error.msg}."
        raise GraphError(msg, remedy="Close every bracket and quote: MyNet(depth=3).") from None
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        msg = f"{spec!r} has more than one pair of brackets."
        raise GraphError(msg, remedy=_EXAMPLE)

    def read(node: ast.expr) -> Any:
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError):
            msg = f"Argument {ast.unparse(node)!r} in {spec!r} is no literal."
            remedy = (
                "Give numbers, texts, True, False, None, or lists, tuples and dicts of them; for "
                "anything else write a function without arguments and name that."
            )
            raise GraphError(msg, remedy=remedy) from None

    if any(k.arg is None for k in tree.keywords):
        msg = f"{spec!r} spreads a mapping with **."
        raise GraphError(msg, remedy="Write each argument by its name.")
    named = {str(k.arg): read(k.value) for k in tree.keywords}
    return tuple(read(a) for a in tree.args), named


def load_torch(
    spec: str, settings: Mapping[str, Any] | None = None, *, notes: list[str] | None = None
) -> torch.nn.Module:
    """Return the torch module that a text asks for, without weights in memory.

    Parameters
    ----------
    spec : str
        ``my_model.py:MyNet``, with literal arguments in brackets if it takes any, or
        ``package.module:function``. A module that stands ready under the name is taken as it is.
    settings : Mapping, optional
        More arguments by name.
    notes : list of str, optional
        Receives what a reader of the counts has to know.

    Raises
    ------
    GraphError
        If there is no such file or name, it is no module, arguments are missing or wrong, or
        the code raises an exception; with its place.
    MissingExtraError
        If torch is not installed.

    Examples
    --------
    >>> module = load_torch("torch.nn:Linear(784, 300)")
    >>> module.weight.device.type, tuple(module.weight.shape)
    ('meta', (300, 784))

    """
    asked = parse_source(spec)
    torch = require_torch()
    kwargs = {**(asked.kwargs or {}), **(settings or {})}
    with _same_random_numbers(torch), import_source(asked.source, GraphError) as found:
        maker = _named(torch, found, asked)
        if isinstance(maker, torch.nn.Module):
            if asked.args or kwargs:
                msg = f"{asked.name!r} of {asked.source} is ready and takes no arguments."
                raise GraphError(msg, remedy=f"Write {asked.source}:{asked.name}.")
            return maker
        _check_arguments(asked, maker, kwargs)
        made = _build(torch, asked, maker, kwargs, [] if notes is None else notes)
    if not isinstance(made, torch.nn.Module):
        msg = f"{asked.name!r} of {asked.source} gave {type(made).__name__}, not a torch module."
        raise GraphError(msg, remedy="Name a torch.nn.Module or a function that gives one.")
    return made


def _named(torch: Any, found: Any, asked: SourceSpec) -> Any:
    """Return what stands under a name in a module of Python, dotted names followed."""
    thing: Any = found
    for part in asked.name.split("."):
        if not hasattr(thing, part):
            raise _no_such(torch, thing, part, asked)
        thing = getattr(thing, part)
    if isinstance(thing, torch.nn.Module):
        return thing
    if inspect.isclass(thing) and not issubclass(thing, torch.nn.Module):
        msg = f"{asked.name!r} of {asked.source} is a class, but no torch.nn.Module."
        raise GraphError(msg, remedy=_choices(torch, found))
    if not callable(thing):
        msg = f"{asked.name!r} of {asked.source} is {type(thing).__name__}, not a torch module."
        raise GraphError(msg, remedy=_choices(torch, found))
    return thing


def _networks(torch: Any, found: Any) -> list[str]:
    own = getattr(found, "__name__", None)

    def is_network(value: Any) -> bool:
        if isinstance(value, torch.nn.Module):
            return True
        network = inspect.isclass(value) and issubclass(value, torch.nn.Module)
        return network and value.__module__ == own

    return [name for name, value in vars(found).items() if is_network(value)]


def _choices(torch: Any, found: Any) -> str:
    names = _networks(torch, found)
    return f"It defines {', '.join(names[:8])}." if names else "It defines no torch module."


def _no_such(torch: Any, found: Any, part: str, asked: SourceSpec) -> GraphError:
    names = [n for n, v in vars(found).items() if callable(v) and not n.startswith("_")]
    near = nearest(part, _networks(torch, found)) or nearest(part, names)
    remedy = f"Did you mean {near!r}?" if near else _choices(torch, found)
    return GraphError(f"{asked.source} has no {part!r}.", remedy=remedy)


def _check_arguments(asked: SourceSpec, maker: Any, kwargs: Mapping[str, Any]) -> None:
    try:
        signature = inspect.signature(maker)
    except (TypeError, ValueError):  # written in C: it checks its arguments itself
        return
    try:
        signature.bind(*asked.args, **kwargs)
    except TypeError as error:
        known = signature.parameters
        shown = re.sub(r"\s*->.*$", "", str(signature))
        msg = f"{asked.name}{short_text(shown)} cannot take these arguments: {error}."
        missing = [
            p.name
            for p in known.values()
            if p.default is p.empty and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        ]
        wrong = next((k for k in kwargs if k not in known), None)
        near = nearest(wrong, known) if wrong else None
        if near:
            remedy = f"Did you mean {near!r}?"
        else:
            example = ", ".join(f"{name}=..." for name in missing[len(asked.args) :])
            remedy = f"Write '{asked.source}:{asked.name}({example})'."
        raise GraphError(msg, remedy=remedy) from None


def _build(
    torch: Any, asked: SourceSpec, maker: Any, kwargs: Mapping[str, Any], notes: list[str]
) -> Any:
    """Return what a class or function makes, if it can be without memory."""
    try:
        try:
            with torch.device("meta"):
                return maker(*asked.args, **kwargs)
        except Exception as error:
            if not _looks_at_numbers(error):
                raise
        # The constructor computes with numbers (rates of drop-path): give it real memory, but
        # leave large tensors untouched, so that they take none.
        made = _in_memory(torch, maker, asked.args, kwargs)
        notes.append(f"{asked.name} was built in memory: its constructor looks at numbers")
    except GraphError:
        raise
    except Exception as error:
        msg = f"Building {asked.name} failed: {described(error)}."
        remedy = "Check its arguments, or build it in Python and call tradespace.inspect(module)."
        raise GraphError(msg, remedy=remedy, place=own_place(error)) from error
    else:
        return made


@contextmanager
def _same_random_numbers(torch: Any) -> Iterator[None]:
    """Leave the state of random numbers as it was."""
    state = torch.get_rng_state()
    try:
        yield
    finally:
        torch.set_rng_state(state)


def _looks_at_numbers(error: Exception) -> bool:
    text = str(error).lower()
    return "meta" in text or "item()" in text or "unallocated storage" in text


def _in_memory(torch: Any, maker: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    from torch.overrides import TorchFunctionMode

    tensor = torch.Tensor
    names = ("uniform_", "normal_", "fill_", "zero_", "clamp_", "mul_", "add_", "erfinv_")
    filling = {getattr(tensor, name) for name in names}

    class LeaveLarge(TorchFunctionMode):  # type: ignore[misc]  # torch is read without its types
        def __torch_function__(
            self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
        ) -> Any:
            del types
            if func in filling and isinstance(args[0], tensor) and args[0].numel() > _LARGE:
                return args[0]
            return func(*args, **(kwargs or {}))

    with LeaveLarge(), torch.device("cpu"):
        return maker(*args, **kwargs)


def is_torch_source(text: str) -> bool:
    """Return whether a text looks like a torch module of a file or package.

    Examples
    --------
    >>> is_torch_source("my_model.py:MyNet(3)"), is_torch_source("resnet50")
    (True, False)

    """
    head = text.split("(")[0]
    return ":" in head or head.endswith(".py") or (head in sys.modules and "." in head)
