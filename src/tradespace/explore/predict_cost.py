"""A rough prediction of the CPU time of a fit, for ``tradespace check``.

Each family's work grows as its algorithm says: rows times inputs for a pass over the data,
times log2 of the rows where it sorts, times trees or iterations. The seconds per unit of work
were measured on one core of a 2-core cloud machine; expect the right order of magnitude, not
more.
"""

from __future__ import annotations

import math

from tradespace.components._base import Shape, TrainingRun
from tradespace.core import registry
from tradespace.core.candidates import Candidate
from tradespace.core.studies import Task

#: Seconds for one value (a row of one input) in one pass, by family.
_PER_VALUE_S = {
    "constant": 1e-9,
    "logistic_regression": 3e-9,
    "linear_regression": 2e-8,
    "gaussian_naive_bayes": 1e-8,
    "bernoulli_naive_bayes": 1e-8,
    "k_nearest_neighbors": 2e-8,
    "decision_tree": 4e-8,
    "random_forest": 1e-8,
    "hist_gradient_boosting": 1.2e-8,
    "xgboost": 1.2e-8,
    "lightgbm": 1.0e-8,
    "explainable_boosting": 1e-9,
}
#: Seconds for one multiply-accumulate of a network's training, and for one step beside them.
_PER_MAC_S, _PER_STEP_S = 5e-11, 4e-4
#: What every fit costs: starting, exporting, checking the export.
_START_S = 0.15


def fit_cpu_s(candidate: Candidate, *, shape: Shape, task: Task) -> float:
    """Return about how many CPU seconds a fit takes.

    Parameters
    ----------
    candidate : Candidate
        Family and settings.
    shape : Shape
        Rows, inputs and classes.
    task : Task
        Several classes multiply the work of boosting.

    Examples
    --------
    >>> c = Candidate("random_forest", {"n_estimators": 100})
    >>> 1 < fit_cpu_s(c, shape=Shape(67_240, 15), task=Task.BINARY) < 100
    True

    """
    if candidate.family not in _PER_VALUE_S:
        return _START_S + _network_cpu_s(candidate, shape=shape, task=task)
    rows, inputs = max(2, shape.n_rows), max(1, shape.n_inputs)
    work = float(rows * inputs)
    settings = candidate.settings
    classes = shape.n_classes if task is Task.MULTICLASS else 1
    match candidate.family:
        case "logistic_regression":
            work *= 0.5 * float(settings.get("max_iter") or 100) * classes
        case "decision_tree":
            work *= math.log2(rows) * _depth_share(settings.get("max_depth"), rows)
        case "random_forest":
            tried = math.sqrt(inputs) / inputs
            work *= tried * math.log2(rows) * float(settings.get("n_estimators") or 100)
            work *= _depth_share(settings.get("max_depth"), rows)
        case "xgboost":
            exact = 4.0 if settings.get("tree_method") == "exact" else 1.0
            work *= exact * float(settings.get("n_estimators") or 100) * classes
        case "lightgbm" | "hist_gradient_boosting":
            rounds = settings.get("n_estimators") or settings.get("max_iter") or 100
            work *= float(rounds) * classes
        case "explainable_boosting":
            work *= float(settings.get("max_rounds") or 5000)
        case _:
            pass
    return _START_S + work * _PER_VALUE_S[candidate.family]


def _depth_share(depth: object, rows: int) -> float:
    """Return the share of a full tree's levels that a limit leaves."""
    full = math.log2(rows)
    return min(1.0, depth / full) if isinstance(depth, int) else 1.0


def _network_cpu_s(candidate: Candidate, *, shape: Shape, task: Task) -> float:
    """Return about how long the training of a network takes, 0 for what is none.

    Forward and backward multiply-accumulates of every row in every pass, of which half of the
    most are expected, and what each step takes beside its arithmetic.
    """
    from tradespace.components.component import family_named
    from tradespace.components.networks import n_outputs_of
    from tradespace.graph.counts import backward_macs, forward_macs

    if registry.family(candidate.family).library:
        return 0.0
    family = family_named(candidate.family)
    run = family.training_run(candidate.settings, n_rows=max(2, shape.n_rows))
    if run is None:
        return 0.0
    network = family.network(
        candidate.settings,
        n_inputs=max(1, shape.n_inputs),
        n_outputs=n_outputs_of(task, n_classes=shape.n_classes),
        task=task,
    )
    if network is None:
        return 0.0
    return training_cpu_s(run, macs=forward_macs(network), backward=backward_macs(network))


def training_cpu_s(run: TrainingRun, *, macs: int, backward: int) -> float:
    """Return about how long the training of a network takes on one core.

    Parameters
    ----------
    run : TrainingRun
        How it is trained.
    macs, backward : int
        Multiply-accumulates of the forward and of the backward pass of one row.

    Examples
    --------
    >>> from tradespace.components._base import TrainingRun
    >>> run = TrainingRun(optimizer="adam", batch=200, rows=1000, least_epochs=12, most_epochs=200)
    >>> round(training_cpu_s(run, macs=4544, backward=5184), 3)  # 100 passes of 5 steps
    0.249

    """
    epochs = max(run.least_epochs, run.most_epochs / 2)
    steps = math.ceil(run.rows / run.batch)
    return epochs * (run.rows * (macs + backward) * _PER_MAC_S + steps * _PER_STEP_S)
