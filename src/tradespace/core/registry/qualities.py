"""Rows of the qualities."""

from __future__ import annotations

from typing import Any

from tradespace.core.quantities import Direction
from tradespace.core.registry._rows import CLASSIFICATION, QualityRow
from tradespace.core.settings import SettingSpec as S
from tradespace.core.studies import Task

_BASE = "tradespace.qualities"
_MIN, _MAX = Direction.MINIMIZE, Direction.MAXIMIZE
_BINARY = (Task.BINARY,)
_NUMBERS = (Task.REGRESSION,)
_THRESHOLD = S(
    "threshold", "float", 0.5, low=0.0, high=1.0, help="Score from which a row counts as positive."
)
_MLIP = "C. Kaestner, Machine Learning in Production, MIT Press 2025, chapter 9"
_NETWORKS = "V. Sze et al., Efficient Processing of Deep Neural Networks: A Tutorial and Survey, Proceedings of the IEEE 105(12), 2017"
_SKLEARN = "F. Pedregosa et al., Scikit-learn: machine learning in Python, JMLR 12, 2011"

#: What every interval of predictions depends on.
_DRAWN = ("confidence", "bootstrap", "groups")

#: What several rows have alike: shares of rows, errors of numbers, records of the fit, counts.
_SHARE: dict[str, Any] = {
    "unit": "1",
    "direction": _MAX,
    "depends": _DRAWN,
    "high": 1.0,
    "tasks": CLASSIFICATION,
}
_ERROR: dict[str, Any] = {
    "unit": "1",
    "direction": _MIN,
    "depends": _DRAWN,
    "tasks": _NUMBERS,
    "source": _SKLEARN,
}
_OF_THE_FIT: dict[str, Any] = {"direction": _MIN, "needs": ("fit",), "source": _MLIP}
_OF_A_NETWORK: dict[str, Any] = {
    "direction": _MIN,
    "needs": ("network",),
    "default": False,
    "source": _NETWORKS,
}

QUALITIES: tuple[QualityRow, ...] = (
    QualityRow(
        **_SHARE,
        name="accuracy",
        path=f"{_BASE}._classification:Accuracy",
        title="Accuracy",
        definition="Share of rows whose predicted class is the true one.",
        source=_SKLEARN,
    ),
    QualityRow(
        **_SHARE,
        name="precision",
        path=f"{_BASE}._classification:Precision",
        title="Precision",
        settings=(_THRESHOLD,),
        definition="Share of rows called positive that are positive (macro mean over classes if there are several).",
        source=_SKLEARN,
    ),
    QualityRow(
        **_SHARE,
        name="recall",
        path=f"{_BASE}._classification:Recall",
        title="Recall",
        settings=(_THRESHOLD,),
        definition="Share of positive rows that are called positive (macro mean over classes if there are several).",
        source=_SKLEARN,
    ),
    QualityRow(
        **_SHARE,
        name="f1",
        path=f"{_BASE}._classification:F1",
        title="F1",
        settings=(_THRESHOLD,),
        definition="Harmonic mean of precision and recall (macro mean over classes if there are several).",
        source="C. J. van Rijsbergen, Information Retrieval, 1979",
    ),
    QualityRow(
        **_SHARE,
        name="roc_auc",
        path=f"{_BASE}._ranking:RocAuc",
        title="ROC AUC",
        definition="Probability that a random positive row scores above a random negative one, ties half (one against the rest, macro mean, if there are several classes).",
        source="T. Fawcett, An introduction to ROC analysis, Pattern Recognition Letters 27, 2006",
    ),
    QualityRow(
        **_SHARE,
        name="average_precision",
        path=f"{_BASE}._ranking:AveragePrecision",
        title="Average precision",
        definition="Sum over thresholds of precision times gain in recall, without interpolation.",
        source="M. Zhu, Recall, precision and average precision, 2004; as in scikit-learn",
    ),
    QualityRow(
        name="log_loss",
        path=f"{_BASE}._probability:LogLoss",
        title="Log loss",
        unit="1",
        direction=_MIN,
        depends=_DRAWN,
        tasks=CLASSIFICATION,
        definition="Mean negative logarithm (natural) of the probability given to the true class.",
        source="I. J. Good, Rational decisions, JRSS B 14, 1952",
    ),
    QualityRow(
        name="brier_score",
        path=f"{_BASE}._probability:BrierScore",
        title="Brier score",
        unit="1",
        direction=_MIN,
        depends=_DRAWN,
        high=2.0,
        tasks=CLASSIFICATION,
        definition="Mean squared difference between probability and outcome (positive class only if binary, summed over classes otherwise).",
        source="G. W. Brier, Verification of forecasts expressed in terms of probability, Monthly Weather Review 78, 1950",
    ),
    QualityRow(
        name="top_k_precision",
        path=f"{_BASE}._top_k:TopKPrecision",
        title="Top-k precision",
        unit="1",
        direction=_MAX,
        depends=_DRAWN,
        high=1.0,
        tasks=_BINARY,
        settings=(
            S("k", "int", 100, low=1, help="How many can be looked at in a period."),
            S(
                "entity",
                "str",
                None,
                optional=True,
                help="Column that is looked at as one (a card); null: rows.",
            ),
            S(
                "per",
                "choice",
                "all",
                choices=("all", "hour", "day", "week", "month"),
                help="Period.",
            ),
            S(
                "drop_detected",
                "bool",
                False,
                help="Leave out entities found in an earlier period.",
            ),
        ),
        definition="Share of positives among the k highest scored, mean over periods; an entity has its largest score and label of the period.",
        source="Y.-A. Le Borgne et al., Reproducible Machine Learning for Credit Card Fraud Detection, 2022, chapter 4 (card precision top-k)",
    ),
    QualityRow(
        name="expected_cost",
        path=f"{_BASE}._cost:ExpectedCost",
        title="Expected cost of mistakes",
        unit="USD",
        direction=_MIN,
        depends=(*_DRAWN, "mistakes"),
        tasks=CLASSIFICATION,
        settings=(
            S(
                "false_positive_usd",
                "float",
                None,
                low=0.0,
                optional=True,
                help="Null: from the study's mistakes.",
            ),
            S(
                "false_negative_usd",
                "float",
                None,
                low=0.0,
                optional=True,
                help="Null: from the study's mistakes.",
            ),
            S(
                "threshold",
                "float",
                None,
                low=0.0,
                high=1.0,
                optional=True,
                help="Null: the threshold of least expected cost for calibrated scores, c_fp / (c_fp + c_fn).",
            ),
        ),
        definition="Mean cost of wrong decisions per row, each kind of mistake at its own price.",
        source="C. Elkan, The foundations of cost-sensitive learning, IJCAI 2001",
    ),
    QualityRow(
        **_ERROR,
        name="rmse",
        path=f"{_BASE}._regression:RootMeanSquaredError",
        title="Root mean squared error",
        definition="Square root of the mean squared difference, in the target's unit.",
    ),
    QualityRow(
        **_ERROR,
        name="mae",
        path=f"{_BASE}._regression:MeanAbsoluteError",
        title="Mean absolute error",
        definition="Mean absolute difference, in the target's unit.",
    ),
    QualityRow(
        name="r2",
        path=f"{_BASE}._regression:R2",
        title="R²",
        unit="1",
        direction=_MAX,
        depends=_DRAWN,
        low=float("-inf"),
        high=1.0,
        tasks=_NUMBERS,
        definition="1 minus the ratio of squared error to the variance around the mean.",
        source=_SKLEARN,
    ),
    QualityRow(
        name="retraining_disagreement",
        path=f"{_BASE}._refits:RetrainingDisagreement",
        title="Disagreement after retraining",
        unit="1",
        direction=_MIN,
        needs=("refits", "predictions"),
        depends=_DRAWN,
        high=1.0,
        tasks=CLASSIFICATION,
        default=False,
        settings=(
            S("trainings", "int", 5, low=2, help="How often the candidate is trained again."),
            _THRESHOLD,
        ),
        definition="Share of rows that the candidate decides otherwise after it was trained again with another seed on a bootstrap sample of the same rows, mean over trainings.",
        source="M. Milani Fard, Q. Cormier, K. Canini, M. Gupta, Launch and iterate: reducing prediction churn, NeurIPS 2016",
    ),
    QualityRow(
        **_OF_THE_FIT,
        name="training_time",
        path=f"{_BASE}._training:TrainingTime",
        title="Training time (CPU)",
        unit="s",
        definition="CPU time of preprocessing and fitting, all threads.",
    ),
    QualityRow(
        **_OF_THE_FIT,
        name="training_time_wall",
        path=f"{_BASE}._training:TrainingTimeWall",
        title="Training time (wall)",
        unit="s",
        definition="Wall time of preprocessing and fitting on one thread.",
    ),
    QualityRow(
        **_OF_THE_FIT,
        name="training_memory",
        path=f"{_BASE}._training:TrainingMemory",
        title="Peak memory of training",
        unit="B",
        definition="Largest resident memory while fitting, beyond what was resident before.",
    ),
    QualityRow(
        **_OF_THE_FIT,
        name="training_cost",
        path=f"{_BASE}._training:TrainingCost",
        title="Cost of a training",
        unit="USD",
        depends=("price_per_hour",),
        default=False,
        definition="Price of the machine's hour times the wall time of preprocessing and fitting.",
    ),
    QualityRow(
        name="model_size",
        path=f"{_BASE}._size:ModelSize",
        title="Model size",
        unit="B",
        direction=_MIN,
        needs=("artifact",),
        definition="Bytes of the exported artifact, preprocessing included.",
        source=_MLIP,
    ),
    QualityRow(
        **_OF_A_NETWORK,
        name="parameters",
        path=f"{_BASE}._network:Parameters",
        title="Parameters",
        unit="1",
        definition="Weights, biases, scales and offsets of a network that training sets, shared ones once; unknown for what is no network.",
    ),
    QualityRow(
        **_OF_A_NETWORK,
        name="macs",
        path=f"{_BASE}._network:Macs",
        title="Multiply-accumulates of one row",
        unit="1",
        definition="Multiply-accumulates of a network's products for one row, each counted 1; unknown for what is no network.",
    ),
    QualityRow(
        **_OF_A_NETWORK,
        name="inference_memory",
        path=f"{_BASE}._network:InferenceMemory",
        title="Memory of one prediction",
        unit="B",
        definition="Bytes of a network's weights and of the activations that live at one time, for one row; unknown for what is no network.",
    ),
    *(
        QualityRow(
            name=f"latency_{which}",
            path=f"{_BASE}._latency:Latency{which.upper()}",
            title=f"Latency {which} of one row",
            unit="s",
            direction=_MIN,
            needs=("artifact", "timing"),
            depends=("confidence", "machine"),
            settings=(S("runs", "int", 2000, low=100, help="Timed calls in all."),),
            definition=f"{words} of the wall time in which the exported artifact answers one row on one thread, after warm-up.",
            source="J. Dean, L. A. Barroso, The tail at scale, CACM 56(2), 2013",
        )
        for which, words in (
            ("p50", "Median"),
            ("p95", "95th percentile"),
            ("p99", "99th percentile"),
        )
    ),
    QualityRow(
        name="throughput",
        path=f"{_BASE}._latency:Throughput",
        title="Batch throughput",
        unit="1/s",
        direction=_MAX,
        needs=("artifact", "timing"),
        depends=("confidence", "machine", "rows_per_batch"),
        definition="Rows per second of the exported artifact on one thread, in batches of the environment's size.",
        source=_MLIP,
    ),
    QualityRow(
        name="cost_per_million_predictions",
        path=f"{_BASE}._price:CostPerMillionPredictions",
        title="Cost of a million predictions",
        unit="USD",
        direction=_MIN,
        needs=("readings",),
        depends=("confidence", "machine", "rows_per_batch", "price_per_hour"),
        settings=(
            S(
                "mode",
                "choice",
                "batch",
                choices=("batch", "single"),
                help="Rows in batches, or one request a row.",
            ),
        ),
        definition="Price of the machine's hour times the time for a million rows, plus the price of calls to others.",
        source=_MLIP,
    ),
)
