"""Rows of the families that boost trees."""

from __future__ import annotations

from tradespace.core.registry._rows import FamilyRow
from tradespace.core.settings import SettingSpec as S
from tradespace.core.settings import limit, positive, share

_BASE = "tradespace.components"
#: Trees cut anywhere, so that ranks of levels do.
_RANKED: dict[str, object] = {"scale": "none", "categories": "ordinal"}

BOOSTING: tuple[FamilyRow, ...] = (
    FamilyRow(
        name="hist_gradient_boosting",
        path=f"{_BASE}._hist_gradient_boosting:HistGradientBoosting",
        title="Histogram gradient boosting",
        summary="Trees on binned inputs, each correcting the sum of those before.",
        preprocessing=_RANKED,
        settings=(
            S("max_iter", "int", 100, low=1, help="Number of rounds."),
            positive("learning_rate", 0.1, "Share of each tree that is added."),
            S(
                "max_leaf_nodes",
                "int",
                31,
                low=2,
                optional=True,
                help="Most leaves of a tree; null: no limit.",
            ),
            limit("max_depth", None, "Greatest depth of a tree; null: no limit."),
            S("min_samples_leaf", "int", 20, low=1, help="Fewest rows in a leaf."),
            S(
                "l2_regularization",
                "float",
                0.0,
                low=0.0,
                help="Strength of the L2 penalty on leaves.",
            ),
            S("max_bins", "int", 255, low=2, high=255, help="Most bins that an input is cut into."),
        ),
        grid=({"max_iter": 25}, {"max_iter": 100}),
    ),
    FamilyRow(
        name="xgboost",
        path=f"{_BASE}._xgboost:XGBoost",
        title="XGBoost",
        summary="Regularized gradient boosting of trees.",
        extra="boosting",
        library="xgboost",
        distributions=("xgboost-cpu", "xgboost", "onnxmltools"),
        preprocessing=_RANKED,
        settings=(
            S("n_estimators", "int", 100, low=1, help="Number of trees (rounds)."),
            S("max_depth", "int", 6, low=1, help="Greatest depth of a tree."),
            positive("learning_rate", 0.3, "Share of each tree that is added."),
            S(
                "tree_method",
                "choice",
                "hist",
                choices=("hist", "exact", "approx"),
                help="How splits are looked for: in bins, at every value, at quantiles.",
            ),
            S(
                "base_score",
                "float",
                None,
                optional=True,
                help="Prediction before the first tree; null: estimated from the rows.",
            ),
            share("subsample", 1.0, "Share of the rows that a tree sees."),
            share("colsample_bytree", 1.0, "Share of the inputs that a tree sees."),
            S(
                "min_child_weight",
                "float",
                1.0,
                low=0.0,
                help="Least sum of second derivatives (about: of weights) in a leaf.",
            ),
            S("reg_lambda", "float", 1.0, low=0.0, help="Strength of the L2 penalty on leaves."),
            S("reg_alpha", "float", 0.0, low=0.0, help="Strength of the L1 penalty on leaves."),
            positive("scale_pos_weight", 1.0, "Weight of positive rows."),
        ),
    ),
    FamilyRow(
        name="lightgbm",
        path=f"{_BASE}._lightgbm:LightGBM",
        title="LightGBM",
        summary="Gradient boosting of leaf-wise trees on binned inputs.",
        extra="boosting",
        library="lightgbm",
        distributions=("lightgbm", "onnxmltools"),
        preprocessing=_RANKED,
        settings=(
            S("n_estimators", "int", 100, low=1, help="Number of trees (rounds)."),
            S("num_leaves", "int", 31, low=2, help="Most leaves of a tree."),
            S("max_depth", "int", -1, low=-1, help="Greatest depth of a tree; -1: no limit."),
            positive("learning_rate", 0.1, "Share of each tree that is added."),
            S("min_child_samples", "int", 20, low=0, help="Fewest rows in a leaf."),
            S("reg_lambda", "float", 0.0, low=0.0, help="Strength of the L2 penalty on leaves."),
            positive("scale_pos_weight", 1.0, "Weight of positive rows."),
        ),
    ),
    FamilyRow(
        name="explainable_boosting",
        path=f"{_BASE}._ebm:ExplainableBoosting",
        title="Explainable boosting machine",
        summary="A sum of one curve per input, learned by boosting; readable as pictures.",
        extra="ebm",
        library="interpret",
        distributions=("interpret-core", "interpret"),
        default=False,
        preprocessing=_RANKED,
        settings=(
            S("interactions", "int", 0, low=0, help="Number of pairwise terms."),
            S("max_rounds", "int", 5000, low=1, help="Most rounds of boosting over all inputs."),
            positive("learning_rate", 0.015, "Share of each step that is added."),
            S("max_bins", "int", 256, low=2, help="Most bins that an input is cut into."),
        ),
    ),
)
