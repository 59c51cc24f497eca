"""Rows of the families of components."""

from __future__ import annotations

from tradespace.core.registry._rows import CLASSIFICATION, FamilyRow
from tradespace.core.settings import SettingSpec as S
from tradespace.core.studies import Task

_BASE = "tradespace.components"
_CRITERION = (
    "gini",
    "entropy",
    "log_loss",
    "squared_error",
    "absolute_error",
    "friedman_mse",
    "poisson",
)

#: Models that add or compare inputs want them on one scale, and levels as columns.
_SCALED: dict[str, object] = {"scale": "standard", "categories": "one_hot"}
#: Trees cut anywhere, so that ranks of levels do.
_RANKED: dict[str, object] = {"scale": "none", "categories": "ordinal"}

_TREE_SETTINGS = (
    S("max_depth", "int", None, low=1, optional=True, help="Greatest depth; null: no limit."),
    S("min_samples_split", "int", 2, low=2, help="Fewest rows that may be split."),
    S("min_samples_leaf", "int", 1, low=1, help="Fewest rows in a leaf."),
    S("min_impurity_decrease", "float", 0.0, low=0.0, help="Least gain of a split."),
    S("max_leaf_nodes", "int", None, low=2, optional=True, help="Most leaves; null: no limit."),
    S(
        "class_weight",
        "choice",
        None,
        choices=("balanced",),
        optional=True,
        help="Weigh classes by their inverse frequency.",
    ),
)

FAMILIES: tuple[FamilyRow, ...] = (
    FamilyRow(
        name="constant",
        path=f"{_BASE}._constant:Constant",
        title="Constant (baseline)",
        summary="Always predicts the class shares or the mean of the training rows.",
    ),
    FamilyRow(
        name="logistic_regression",
        path=f"{_BASE}._linear:LogisticRegression",
        title="Logistic regression",
        summary="Linear scores through the logistic function, with an elastic-net penalty.",
        tasks=CLASSIFICATION,
        preprocessing=_SCALED,
        settings=(
            S("C", "float", 1.0, low=0.0, open_low=True, help="Inverse strength of the penalty."),
            S("l1_ratio", "float", 0.0, low=0.0, high=1.0, help="Share of the L1 penalty."),
            S("max_iter", "int", 100, low=1, help="Most iterations of the solver."),
            S("class_weight", "choice", None, choices=("balanced",), optional=True),
        ),
    ),
    FamilyRow(
        name="linear_regression",
        path=f"{_BASE}._linear:LinearRegression",
        title="Linear regression",
        summary="Least squares with an elastic-net penalty.",
        tasks=(Task.REGRESSION,),
        preprocessing=_SCALED,
        settings=(
            S("alpha", "float", 0.0, low=0.0, help="Strength of the penalty; 0: least squares."),
            S("l1_ratio", "float", 0.0, low=0.0, high=1.0, help="Share of the L1 penalty."),
        ),
    ),
    FamilyRow(
        name="gaussian_naive_bayes",
        path=f"{_BASE}._bayes:GaussianNaiveBayes",
        title="Gaussian naive Bayes",
        summary="A Bayes net whose only parent is the class; numbers are normal within a class.",
        tasks=CLASSIFICATION,
        preprocessing=_SCALED,
        settings=(S("var_smoothing", "float", 1e-9, low=0.0, open_low=True),),
    ),
    FamilyRow(
        name="bernoulli_naive_bayes",
        path=f"{_BASE}._bayes:BernoulliNaiveBayes",
        title="Bernoulli naive Bayes",
        summary="A Bayes net whose only parent is the class; every input is above or below its mean.",
        tasks=CLASSIFICATION,
        preprocessing=_SCALED,
        settings=(S("alpha", "float", 1.0, low=0.0, open_low=True),),
    ),
    FamilyRow(
        name="k_nearest_neighbors",
        path=f"{_BASE}._neighbors:KNearestNeighbors",
        title="k nearest neighbors",
        summary="Votes or averages over the k most similar training rows.",
        preprocessing=_SCALED,
        settings=(
            S("n_neighbors", "int", 5, low=1),
            S("weights", "choice", "uniform", choices=("uniform", "distance")),
        ),
    ),
    FamilyRow(
        name="decision_tree",
        path=f"{_BASE}._tree:DecisionTree",
        title="Decision tree",
        summary="A sequence of questions about one input each.",
        preprocessing=_RANKED,
        settings=(
            S(
                "criterion",
                "choice",
                None,
                choices=_CRITERION,
                optional=True,
                help="Impurity of a split; null: gini for classes, squared error for numbers.",
            ),
            *_TREE_SETTINGS,
        ),
        grid=({}, {"max_depth": 4}, {"max_depth": 8}),
    ),
    FamilyRow(
        name="random_forest",
        path=f"{_BASE}._forest:RandomForest",
        title="Random forest",
        summary="Average of trees grown on resampled rows and random subsets of inputs.",
        preprocessing=_RANKED,
        settings=(
            S("n_estimators", "int", 100, low=1, help="Number of trees."),
            S(
                "max_features",
                "float",
                "sqrt",
                low=0.0,
                high=1.0,
                open_low=True,
                choices=("sqrt", "log2"),
                help="Inputs tried at a split.",
            ),
            S("criterion", "choice", None, choices=_CRITERION, optional=True),
            *_TREE_SETTINGS,
        ),
        grid=({"n_estimators": 25}, {"n_estimators": 100}),
    ),
    FamilyRow(
        name="hist_gradient_boosting",
        path=f"{_BASE}._hist_gradient_boosting:HistGradientBoosting",
        title="Histogram gradient boosting",
        summary="Trees on binned inputs, each correcting the sum of those before.",
        preprocessing=_RANKED,
        settings=(
            S("max_iter", "int", 100, low=1, help="Number of rounds."),
            S("learning_rate", "float", 0.1, low=0.0, open_low=True),
            S("max_leaf_nodes", "int", 31, low=2, optional=True),
            S("max_depth", "int", None, low=1, optional=True),
            S("min_samples_leaf", "int", 20, low=1),
            S("l2_regularization", "float", 0.0, low=0.0),
            S("max_bins", "int", 255, low=2, high=255),
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
        preprocessing=_RANKED,
        settings=(
            S("n_estimators", "int", 100, low=1),
            S("max_depth", "int", 6, low=1),
            S("learning_rate", "float", 0.3, low=0.0, open_low=True),
            S("tree_method", "choice", "hist", choices=("hist", "exact", "approx")),
            S(
                "base_score",
                "float",
                None,
                optional=True,
                help="Prediction before the first tree; null: estimated from the rows.",
            ),
            S("subsample", "float", 1.0, low=0.0, high=1.0, open_low=True),
            S("colsample_bytree", "float", 1.0, low=0.0, high=1.0, open_low=True),
            S("min_child_weight", "float", 1.0, low=0.0),
            S("reg_lambda", "float", 1.0, low=0.0),
            S("reg_alpha", "float", 0.0, low=0.0),
            S("scale_pos_weight", "float", 1.0, low=0.0, open_low=True),
        ),
    ),
    FamilyRow(
        name="lightgbm",
        path=f"{_BASE}._lightgbm:LightGBM",
        title="LightGBM",
        summary="Gradient boosting of leaf-wise trees on binned inputs.",
        extra="boosting",
        library="lightgbm",
        preprocessing=_RANKED,
        settings=(
            S("n_estimators", "int", 100, low=1),
            S("num_leaves", "int", 31, low=2),
            S("max_depth", "int", -1, low=-1),
            S("learning_rate", "float", 0.1, low=0.0, open_low=True),
            S("min_child_samples", "int", 20, low=0),
            S("reg_lambda", "float", 0.0, low=0.0),
            S("scale_pos_weight", "float", 1.0, low=0.0, open_low=True),
        ),
    ),
    FamilyRow(
        name="explainable_boosting",
        path=f"{_BASE}._ebm:ExplainableBoosting",
        title="Explainable boosting machine",
        summary="A sum of one curve per input, learned by boosting; readable as pictures.",
        extra="ebm",
        library="interpret",
        default=False,
        preprocessing=_RANKED,
        settings=(
            S("interactions", "int", 0, low=0, help="Number of pairwise terms."),
            S("max_rounds", "int", 5000, low=1),
            S("learning_rate", "float", 0.015, low=0.0, open_low=True),
            S("max_bins", "int", 256, low=2),
        ),
    ),
    FamilyRow(
        name="sklearn",
        path=f"{_BASE}._sklearn:OwnEstimator",
        title="One's own scikit-learn estimator",
        summary="Whatever a function of yours returns, trained and measured like the others.",
        default=False,
        preprocessing=_SCALED,
        settings=(
            S(
                "estimator",
                "str",
                None,
                required=True,
                help="package.module:function or file.py:function that returns an estimator.",
            ),
            S("arguments", "map", {}, help="Keyword arguments of the function."),
        ),
    ),
    FamilyRow(
        name="onnx",
        path=f"{_BASE}._onnx:OnnxFile",
        title="An ONNX file",
        summary="A finished component, measured like the others, not trained.",
        default=False,
        trained=False,
        settings=(S("path", "str", None, required=True, help="Path of the file."),),
    ),
    FamilyRow(
        name="http",
        path=f"{_BASE}._http:HttpService",
        title="An HTTP service",
        summary="A URL that answers rows with scores, at a price per call.",
        default=False,
        trained=False,
        settings=(
            S("url", "str", None, required=True),
            S("price_per_call_usd", "float", 0.0, low=0.0),
            S("timeout_s", "float", 10.0, low=0.0, open_low=True),
            S("rows_per_call", "int", 100, low=1),
        ),
    ),
)
