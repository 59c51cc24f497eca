"""Features that contain what a study is to predict, refused before anything is trained."""

from __future__ import annotations

from tradespace.core.errors import FeatureError
from tradespace.features.define.features import Feature, leaves
from tradespace.features.define.views import FeatureView, View


def refuse_leaks(view: View, *, target: str, own: bool, joined: bool = False) -> None:
    """Raise FeatureError if a feature certainly contains the target of its own row.

    Parameters
    ----------
    view : view
    target : str
        The column that the study predicts.
    own : bool
        Whether the events are the rows of the study. Events of another source are as they
        were known by the time of the row, and may be labels.
    joined : bool
        Whether rows look for themselves among events of their own files, as of their time.

    Raises
    ------
    FeatureError
        With the view, the feature and what to do.

    Examples
    --------
    >>> from tradespace.features import EventSource, FeatureView, rate
    >>> late = rate("fraud", "7d", delay="7d")
    >>> view = FeatureView("shop", EventSource("sales"), "shop", [late, rate("fraud", "1d")])
    >>> refuse_leaks(view, target="fraud", own=True)
    Traceback (most recent call last):
    ...
    tradespace.core.errors.FeatureError: Feature 'shop_mean_fraud_1d' of view 'shop' contains the
    target: it reads 'fraud' without a delay, and the row's own event counts. Give it a delay as
    long as labels take to arrive, like delay='7d', or read labels from a source of their own with
    created='...'.

    """
    if not isinstance(view, FeatureView):
        for expression in view.expressions:
            if target in expression.columns:
                msg = f"Row feature {expression.name!r} of {view.name!r} contains the target: "
                msg += f"it reads {target!r} of the row itself."
                raise FeatureError(msg, place=view.place, remedy="Leave it out of the study.")
        return
    asked = view.entity if own and not joined else view.key or view.entity
    if asked == target:
        msg = f"View {view.name!r} finds the events of a row by its target, {target!r}."
        raise FeatureError(msg, place=view.place, remedy="Name another entity.")
    if not own:
        return
    where = view.source.where
    for name, feature in zip(view.names, view.features, strict=True):
        chosen = where is not None and target in where.columns
        if any(_contains(part, target, chosen=chosen, joined=joined) for part in leaves([feature])):
            msg = (
                f"Feature {name!r} of view {view.name!r} contains the target: it reads {target!r} "
                "without a delay, and the row's own event counts."
            )
            raise FeatureError(
                msg,
                place=view.place,
                remedy="Give it a delay as long as labels take to arrive, like delay='7d', or read "
                "labels from a source of their own with created='...'.",
            )


def _contains(feature: Feature, target: str, *, chosen: bool, joined: bool) -> bool:
    """Return whether a feature of a row tells the target of the row's own event.

    `chosen` says that the target decides which rows are events. The time since the last event
    leaves out the row's own, unless rows are joined, and so do values before the last one.
    """
    if feature.delay_us > 0:
        return False
    filtered = chosen or (feature.where is not None and target in feature.where.columns)
    if feature.kind == "since_last":
        return filtered and joined
    if feature.kind == "last" and feature.k > 1:
        return filtered
    return filtered or feature.column == target
