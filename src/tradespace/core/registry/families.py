"""Rows of the families of components."""

from __future__ import annotations

from tradespace.core.registry._rows import CLASSIFICATION, FamilyRow
from tradespace.core.registry.boosting import BOOSTING
from tradespace.core.settings import SettingSpec as S
from tradespace.core.settings import limit, positive
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
    limit("max_depth", None, "Greatest depth; null: no limit."),
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
        baseline=True,
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
            positive("C", 1.0, "Inverse strength of the penalty."),
            S("l1_ratio", "float", 0.0, low=0.0, high=1.0, help="Share of the L1 penalty."),
            S("max_iter", "int", 100, low=1, help="Most iterations of the solver."),
            S(
                "class_weight",
                "choice",
                None,
                choices=("balanced",),
                optional=True,
                help="Weigh classes by their inverse frequency.",
            ),
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
        settings=(
            positive(
                "var_smoothing", 1e-9, "Share of the largest variance that is added to all of them."
            ),
        ),
    ),
    FamilyRow(
        name="bernoulli_naive_bayes",
        path=f"{_BASE}._bayes:BernoulliNaiveBayes",
        title="Bernoulli naive Bayes",
        summary="A Bayes net whose only parent is the class; every input is above or below its mean.",
        tasks=CLASSIFICATION,
        preprocessing=_SCALED,
        settings=(positive("alpha", 1.0, "Counts added to every level of every input."),),
    ),
    FamilyRow(
        name="k_nearest_neighbors",
        path=f"{_BASE}._neighbors:KNearestNeighbors",
        title="k nearest neighbors",
        summary="Votes or averages over the k most similar training rows.",
        preprocessing=_SCALED,
        settings=(
            S("n_neighbors", "int", 5, low=1, help="Training rows that are asked."),
            S(
                "weights",
                "choice",
                "uniform",
                choices=("uniform", "distance"),
                help="uniform: all count alike; distance: nearer ones count more.",
            ),
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
        grid=({"n_estimators": 25}, {"n_estimators": 100}),
    ),
    *BOOSTING,
    FamilyRow(
        name="multilayer_perceptron",
        path=f"{_BASE}._mlp:MultilayerPerceptron",
        title="Multilayer perceptron",
        summary="Layers of neurons, each a weighted sum of all outputs of the layer before.",
        default=False,
        preprocessing=_SCALED,
        settings=(
            S(
                "hidden_layer_sizes",
                "list",
                (100,),
                low=1,
                items="int",
                help="Neurons of each hidden layer, the first first: [64, 32]; a list of such lists is a grid.",
            ),
            S(
                "activation",
                "choice",
                "relu",
                choices=("relu", "tanh", "logistic"),
                help="What a neuron does with its sum.",
            ),
            S("alpha", "float", 0.0001, low=0.0, help="Strength of the L2 penalty."),
            positive("learning_rate_init", 0.001, "Step of Adam."),
            S("max_iter", "int", 200, low=1, help="Most passes over the training rows."),
            S(
                "batch_size",
                "int",
                "auto",
                low=1,
                choices=("auto",),
                help="Rows in a step; auto: 200, or all if there are fewer.",
            ),
            S(
                "early_stopping",
                "bool",
                False,
                help="Hold back a tenth of the training rows and stop when they stop getting better.",
            ),
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
                names="code",
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
        settings=(S("path", "str", None, required=True, names="file", help="Path of the file."),),
    ),
    FamilyRow(
        name="http",
        path=f"{_BASE}._http:HttpService",
        title="An HTTP service",
        summary="A URL that answers rows with scores, at a price per call.",
        default=False,
        trained=False,
        settings=(
            S("url", "str", None, required=True, names="url", help="Where rows are sent by POST."),
            S("price_per_call_usd", "float", 0.0, low=0.0, help="Price of a call, USD."),
            positive("timeout_s", 10.0, "How long an answer is waited for, seconds."),
            S("rows_per_call", "int", 100, low=1, help="Most rows in a call."),
        ),
    ),
)
