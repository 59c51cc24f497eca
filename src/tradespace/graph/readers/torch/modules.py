"""Which module runs, followed without touching any; it gives nodes their names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


class Modules:
    """The modules that are running, the outermost first."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._leaf = False

    @property
    def current(self) -> str:
        """The name of the innermost module; empty for the network itself."""
        return self._path[-1] if self._path else ""

    @property
    def last_named(self) -> str:
        """The innermost module with a name, where an inner one has none."""
        return next((path for path in reversed(self._path) if path), "")

    def name(self, operator: str) -> str:
        """Return the name of a node made now."""
        where = self.current
        if self._leaf and where:
            return where
        return f"{where}.{operator}" if where else operator

    @contextmanager
    def follow(self, module: torch.nn.Module) -> Iterator[None]:
        """Follow which module runs, without touching any."""
        names = {id(m): name for name, m in module.named_modules()}
        stack: list[tuple[int, str, bool]] = []
        self._path.append("")

        def enter(child: torch.nn.Module, inputs: Any) -> None:
            del inputs
            stack.append((id(child), self._path[-1], self._leaf))
            self._path.append(names.get(id(child), self._path[-1]))
            self._leaf = not any(True for _ in child.children())

        def leave(child: torch.nn.Module, inputs: Any, outputs: Any) -> None:
            del inputs, outputs
            # Modules that raised an exception, caught further up, were never left.
            while stack:
                key, _, self._leaf = stack.pop()
                self._path.pop()
                if key == id(child):
                    return

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
