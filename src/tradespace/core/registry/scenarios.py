"""Rows of the ready scenarios and of the rules that exclude rows."""

from __future__ import annotations

from tradespace.core.registry._rows import ExcludeRuleRow, ScenarioRow
from tradespace.core.settings import SettingSpec as S

SCENARIOS: tuple[ScenarioRow, ...] = (
    ScenarioRow(
        name="cancer-prognosis",
        path="tradespace.scenarios.cancer_prognosis:write",
        title="Cancer prognosis",
        summary="Is a breast tumor malignant? 569 patients, 30 measurements; misses cost most.",
        purpose="Help a pathologist to rank cells for a second look.",
    ),
    ScenarioRow(
        name="card-fraud",
        path="tradespace.scenarios.card_fraud:write",
        title="Card fraud",
        summary="Which card transactions are fraudulent? Generated, or the handbook's real files.",
        purpose="Tell investigators which 100 cards to look at each day.",
        settings=(
            S(
                "data",
                "str",
                None,
                optional=True,
                help="The handbook's transactions (Parquet); null: generate.",
            ),
            S("seed", "int", 0, low=0),
            S("customers", "int", 2000, low=10),
            S("terminals", "int", 4000, low=10),
            S("days", "int", 92, low=36),
        ),
    ),
)

EXCLUDE_RULES: tuple[ExcludeRuleRow, ...] = (
    ExcludeRuleRow(
        name="known_positive_entities",
        path="tradespace.data.exclude:known_positive_entities",
        title="Entities already known to be positive",
        summary="Drops the rows of entities with a positive label that was known by the row's day.",
        settings=(
            S("entity", "str", None, required=True, help="Column of the entity."),
            S("delay", "str", "0 days", help="How long after the event a label is known."),
        ),
    ),
)
