"""Settings of the fitted preprocessing, the same for every family, and how they resolve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tradespace.core.errors import SettingError
from tradespace.core.registry._rows import FamilyRow
from tradespace.core.settings import SettingSpec as S
from tradespace.core.settings import resolve_settings
from tradespace.core.suggest import unknown

#: What a date can become; "elapsed" is days since the first training date.
DATE_PARTS = ("year", "month", "day", "weekday", "hour", "elapsed")

PREPROCESSING: tuple[S, ...] = (
    S("raw", "bool", False, help="Hand raw columns to one's own estimator; nothing is encoded."),
    S(
        "impute",
        "choice",
        "median",
        choices=("median", "mean", "constant"),
        help="What replaces a missing number.",
    ),
    S("impute_value", "float", 0.0, help="The replacement of impute: constant."),
    S("missing_indicators", "bool", True, help="Add a 0/1 column where training rows have gaps."),
    S(
        "scale",
        "choice",
        "auto",
        choices=("auto", "standard", "none"),
        help="standard: mean 0, deviation 1; auto: as the family needs.",
    ),
    S(
        "categories",
        "choice",
        "auto",
        choices=("auto", "one_hot", "ordinal"),
        help="auto: as the family needs.",
    ),
    S(
        "max_levels",
        "int",
        50,
        low=1,
        help="Most levels kept of a category; the rest become 'other'.",
    ),
    S("min_frequency", "int", 1, low=1, help="Fewest training rows of a level that is kept."),
    S("text", "choice", "tfidf", choices=("tfidf", "drop"), help="What becomes of texts."),
    S("text_max_features", "int", 200, low=1, help="Most words kept of a text column."),
    S("date_parts", "list", DATE_PARTS, help="What a date becomes."),
    S(
        "drop_constant",
        "bool",
        True,
        help="Leave out columns that are constant in the training rows.",
    ),
)


def resolve_preprocessing(
    given: Mapping[str, Any] | str | None, *, family: FamilyRow | str | None = None
) -> dict[str, Any]:
    """Return complete preprocessing settings: the given ones, the family's wishes, defaults.

    Parameters
    ----------
    given : Mapping, str or None
        As written in the study file; the word "none" means raw columns.
    family : FamilyRow or str, optional
        Whose wishes replace "auto".

    Raises
    ------
    SettingError
        If a name is unknown or a value impossible.

    Examples
    --------
    >>> resolve_preprocessing({"scale": "standard"})["scale"]
    'standard'
    >>> resolve_preprocessing("none")["raw"]
    True

    """
    if isinstance(family, str):
        from tradespace.core import registry

        family = registry.family(family)
    if given == "none":
        given = {"raw": True}
    if given is not None and not isinstance(given, Mapping):
        msg = f"Preprocessing must be a mapping of settings, or the word none; got {given!r}."
        raise SettingError(msg)
    wishes = family.preprocessing if family is not None else {}
    settings = resolve_settings(PREPROCESSING, {**wishes, **(given or {})}, owner="preprocessing")
    for name, fallback in (("scale", "none"), ("categories", "one_hot")):
        if settings[name] == "auto":
            settings[name] = wishes.get(name, fallback)
    parts = list(settings["date_parts"])
    for part in parts:
        if part not in DATE_PARTS:
            raise unknown(SettingError, "date part", str(part), DATE_PARTS)
    settings["date_parts"] = [part for part in DATE_PARTS if part in parts]
    return settings
