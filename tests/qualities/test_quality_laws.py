"""Every registered quality keeps the laws, and the laws notice one that does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tradespace.core import registry
from tradespace.plugins import AbstractQuality, Context, QualityUse, Reading, Subject
from tradespace.testing.qualities import QUALITY_LAWS, depends_only_on_what_it_says
from tradespace.testing.qualities import looks_only_at_what_it_needs as looks_only


@pytest.mark.parametrize("name", sorted(registry.qualities()))
@pytest.mark.parametrize("law", QUALITY_LAWS, ids=lambda law: law.__name__)
def test_it_keeps_the_law(law: Callable[[str], None], name: str) -> None:
    law(name)


class Curious(AbstractQuality):
    """Looks at the artifact and at the price of an hour, and says neither."""

    def measure(self, subject: Subject, *, use: QualityUse, context: Context) -> Reading:
        value = subject.fit.cpu_s * context.environment.price_per_hour_usd
        if not use.settings.get("fair"):
            value += subject.artifact.size_bytes
        return Reading(use.name, value, value, value, use.unit, method="looked")


@pytest.mark.parametrize(
    ("law", "changes"),
    [
        (looks_only, {"needs": ("fit",), "depends": ("price_per_hour",)}),
        (depends_only_on_what_it_says, {"needs": ("fit", "artifact"), "depends": ()}),
    ],
)
def test_a_quality_that_does_not_say_all_is_caught(
    law: Callable[[str], None], changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = registry.quality("training_time")
    path = f"{__name__}:Curious"
    row = replace(honest, name="curious", path=path, **changes)
    monkeypatch.setattr(registry, "load", lambda row: Curious)
    monkeypatch.setattr(registry, "quality", lambda name: row)

    with pytest.raises(AssertionError):
        law("curious")


def test_a_row_names_only_known_needs_and_facts() -> None:
    honest = registry.quality("training_time")
    with pytest.raises(ValueError, match="cannot need 'luck'"):
        replace(honest, needs=("luck",))
    with pytest.raises(ValueError, match="cannot depend on 'weather'"):
        replace(honest, depends=("weather",))
