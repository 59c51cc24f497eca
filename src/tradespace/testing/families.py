"""The laws of families of components: every registered family passes them.

Call them from a test of one's own for a family that comes from elsewhere::

    for law in FAMILY_LAWS:
        law("my_family", task=Task.BINARY, settings={"rounds": 5})
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tradespace.components.component import Component, family_named, train_component
from tradespace.components.export.component import export_component
from tradespace.components.sizes import shape_of
from tradespace.core import registry
from tradespace.core.candidates import Candidate
from tradespace.core.registry.preprocessing import resolve_preprocessing
from tradespace.core.settings import resolve_settings
from tradespace.core.studies import Task
from tradespace.testing.checks import holds
from tradespace.testing.tables import labels_for, mixed_inputs

_ROWS = 300


def candidate_of(family: str, settings: Mapping[str, Any] | None = None) -> Candidate:
    """Return a candidate of a family, everything not given at its default."""
    row = registry.family(family)
    return Candidate(
        family,
        resolve_settings(row.settings, settings or {}, owner=family),
        resolve_preprocessing({}, family=row),
    )


def trained(
    family: str, *, task: Task, settings: Mapping[str, Any] | None = None, seed: int = 0
) -> Component:
    """Return a component trained on the mixed table."""
    inputs = mixed_inputs(_ROWS, seed=1)
    return train_component(
        candidate_of(family, settings),
        inputs,
        labels_for(inputs, task, seed=2),
        task=task,
        n_classes=3 if task is Task.MULTICLASS else 2,
        classes={Task.BINARY: ("no", "yes"), Task.MULTICLASS: ("a", "b", "c")}.get(task, ()),
        seed=seed,
    )


def same_seed_same_scores(family: str, *, task: Task, settings: Mapping[str, Any]) -> None:
    """Two fits with one seed score alike; so do two seeds where the facts say deterministic."""
    rows = mixed_inputs(100, seed=3, unseen=True)
    first = trained(family, task=task, settings=settings, seed=7).predict(rows)
    deterministic = (
        family_named(family).facts(candidate_of(family, settings).settings).deterministic
    )
    seed = 8 if deterministic else 7
    again = trained(family, task=task, settings=settings, seed=seed).predict(rows)

    np.testing.assert_array_equal(first, again)


def input_is_untouched(family: str, *, task: Task, settings: Mapping[str, Any]) -> None:
    """Fitting and predicting leave matrix and labels as they are."""
    inputs = mixed_inputs(_ROWS, seed=1)
    component = trained(family, task=task, settings=settings)
    encoder = component.encoder
    if encoder is None:
        msg = f"{family} takes raw columns; this law is about encoded ones."
        raise AssertionError(msg)
    X, y = encoder.transform(inputs), labels_for(inputs, task, seed=2)
    kept_X, kept_y = X.copy(), y.copy()
    X.flags.writeable = y.flags.writeable = False
    model = component.family.fit(
        X,
        y,
        task=task,
        n_classes=component.n_classes,
        settings=component.candidate.settings,
        seed=0,
    )
    component.family.predict(model, X, task=task)

    np.testing.assert_array_equal(X, kept_X)
    np.testing.assert_array_equal(y, kept_y)


def scores_are_scores(family: str, *, task: Task, settings: Mapping[str, Any]) -> None:
    """Probabilities are from 0 to 1 and sum to 1; every score is a number; shapes are right."""
    component = trained(family, task=task, settings=settings)
    scores = component.predict(mixed_inputs(100, seed=3, unseen=True))
    wanted = (100, 3) if task is Task.MULTICLASS else (100,)

    holds(scores.shape == wanted, f"{family}: scores of shape {scores.shape}, wanted {wanted}")
    holds(scores.dtype == np.float64, f"{family}: scores are {scores.dtype}, wanted float64")
    holds(bool(np.isfinite(scores).all()), f"{family}: a score is not a number")
    if task is not Task.REGRESSION:
        inside = (scores >= 0).all() and (scores <= 1 + 1e-6).all()
        holds(bool(inside), f"{family}: a score is not a probability")
    if task is Task.MULTICLASS:
        np.testing.assert_allclose(scores.sum(axis=1), 1.0, atol=1e-5)


def export_agrees(family: str, *, task: Task, settings: Mapping[str, Any]) -> None:
    """Check that the artifact agrees with the estimator on gaps, unseen levels and single rows."""
    from tradespace.runtime.artifact import open_artifact

    component = trained(family, task=task, settings=settings)
    rows = mixed_inputs(400, seed=3, unseen=True)
    exported = export_component(component, check_on=rows)
    artifact = open_artifact(exported.content, sample=rows)
    one = np.asarray(artifact(artifact.prepare(5, 6)), dtype=np.float64)

    holds(exported.facts["agreement"]["share_differing"] == 0.0, f"{family}: rows differ")
    holds(artifact.size_bytes == len(exported.content), f"{family}: the size is wrong")
    scale = 1000.0 if task is Task.REGRESSION else 1.0
    np.testing.assert_allclose(one[0], artifact.predict(rows)[5], atol=1e-5 * scale)


def predicted_bounds_hold(family: str, *, task: Task, settings: Mapping[str, Any]) -> None:
    """Check that the size of the artifact is inside the interval predicted before training."""
    component = trained(family, task=task, settings=settings)
    size = len(export_component(component).content)
    shape = shape_of(mixed_inputs(_ROWS, seed=1), n_classes=component.n_classes)
    readings = component.family.predict_readings(
        component.candidate.settings, task=task, shape=shape
    )
    for reading in readings:
        if reading.quality == "model_size":
            inside = reading.low <= size <= reading.high
            holds(inside, f"{family}: {size} bytes, predicted {reading.low} to {reading.high}")


def network_is_the_one_exported(family: str, *, task: Task, settings: Mapping[str, Any]) -> None:
    """Check that the network told before training is that of the exported graph, and grows."""
    from tradespace.components.networks import n_outputs_of
    from tradespace.graph.counts import forward_macs, parameters
    from tradespace.graph.readers.onnx.read import read_onnx

    component = trained(family, task=task, settings=settings)
    told, encoder = component.network, component.encoder
    if told is None or encoder is None:
        return
    graph = component.family.to_onnx(component.model, n_inputs=encoder.width, task=task)
    found = read_onnx(graph)
    wider = component.family.network(
        component.candidate.settings,
        n_inputs=encoder.width + 1,
        n_outputs=n_outputs_of(task, n_classes=component.n_classes),
        task=task,
    )

    for count in (parameters, forward_macs):
        pair = (count(told), count(found))
        holds(pair[0] == pair[1], f"{family}: {count.__name__} told {pair[0]}, found {pair[1]}")
        grows = wider is not None and count(wider) >= count(told)
        holds(grows, f"{family}: {count.__name__} shrink with another input")


def derived_equals_fitted(family: str, *, task: Task, settings: Mapping[str, Any]) -> None:
    """Check that a smaller candidate out of a bigger fit is, to the bit, the one fitted alone."""
    row = registry.family(family)
    kind = family_named(family)
    big = candidate_of(family, settings)
    if kind.sharing_key(big.settings) is None:
        return
    size = kind.size_of(big.settings)
    changed = [
        spec.name
        for spec in row.settings
        if big.settings[spec.name] == size and spec.type == "int" and size > 1
    ]
    small = {**settings, changed[0]: max(1, size // 2)}
    rows = mixed_inputs(100, seed=3, unseen=True)
    derived = trained(family, task=task, settings=settings).derive(candidate_of(family, small))
    alone = trained(family, task=task, settings=small)

    holds(
        kind.sharing_key(big.settings) == kind.sharing_key(candidate_of(family, small).settings),
        f"{family}: candidates that share a fit have different keys",
    )
    np.testing.assert_array_equal(derived.predict(rows), alone.predict(rows))
    holds(
        bool(
            (export_component(derived, check_on=rows).facts["agreement"]["share_differing"]) == 0.0
        ),
        f"{family}: the derived model is exported wrongly",
    )


FAMILY_LAWS = (
    same_seed_same_scores,
    input_is_untouched,
    scores_are_scores,
    export_agrees,
    predicted_bounds_hold,
    network_is_the_one_exported,
    derived_equals_fitted,
)
