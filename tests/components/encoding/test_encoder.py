"""Preprocessing: arrays and exported graph agree to the bit, whatever the table."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import StandardScaler

from tradespace.components.encoding.encoder import Encoder, fit_encoder, resolve_preprocessing
from tradespace.components.encoding.numbers import date_part
from tradespace.components.encoding.text import words
from tradespace.components.export.builder import DOUBLE, FLOAT, STRING, GraphBuilder
from tradespace.core.errors import DataError, SettingError
from tradespace.data.inputs import InputColumn, Inputs, InputSchema, StringColumn
from tradespace.runtime.onnx import open_session
from tradespace.runtime.rows import packed
from tradespace.testing.tables import mixed_inputs, tables


def through_onnx(encoder: Encoder, inputs: Inputs) -> np.ndarray:
    graph = GraphBuilder()
    X = encoder.emit(graph)
    ins = []
    if inputs.schema.numbers:
        ins.append(("numbers", DOUBLE, ["N", len(inputs.schema.numbers)]))
    if inputs.schema.strings:
        ins.append(("strings", STRING, ["N", len(inputs.schema.strings)]))
    model = graph.model(inputs=ins, outputs=[(X, "X", FLOAT, ["N", encoder.width])])
    return open_session(model.SerializeToString()).run(["X"], packed(inputs))[0]


def numbers_only(*columns: list[float], kind: str = "number") -> Inputs:
    schema = InputSchema(tuple(InputColumn(f"c{i}", kind) for i in range(len(columns))))
    return Inputs(schema, np.array(columns, dtype=float).T, ())


def category(levels: list[str], codes: list[int], kind: str = "category") -> Inputs:
    schema = InputSchema((InputColumn("c", kind),))
    column = StringColumn(np.array(codes, dtype=np.int32), np.array(levels, dtype=object))
    return Inputs(schema, np.empty((len(codes), 0)), (column,))


@settings(max_examples=60, deadline=None)
@given(
    train=tables(),
    scale=st.sampled_from(["standard", "none"]),
    categories=st.sampled_from(["one_hot", "ordinal"]),
    impute=st.sampled_from(["median", "mean", "constant"]),
    drop=st.booleans(),
)
def test_graph_and_arrays_agree_to_the_bit_on_any_table(
    train: Inputs, scale: str, categories: str, impute: str, drop: bool
) -> None:
    chosen = {"scale": scale, "categories": categories, "impute": impute, "drop_constant": drop}
    encoder = fit_encoder(train.take(slice(0, 7)), resolve_preprocessing(chosen))
    X = encoder.transform(train)

    assert np.isfinite(X).all()
    assert np.array_equal(X, through_onnx(encoder, train))


@pytest.mark.parametrize("size", [2.7e-70, 1e-39, 3e-38, 1e-30, 5e-324, 1e300])
def test_graph_and_arrays_agree_on_numbers_near_the_ends_of_formats(size: float) -> None:
    train = numbers_only([0.0, size])
    encoder = fit_encoder(train, resolve_preprocessing({}))

    assert np.array_equal(encoder.transform(train), through_onnx(encoder, train))


@pytest.mark.parametrize("scale", ["standard", "none"])
def test_graph_and_arrays_agree_on_unseen_levels_and_texts(scale: str) -> None:
    encoder = fit_encoder(mixed_inputs(200, seed=0), resolve_preprocessing({"scale": scale}))
    rows = mixed_inputs(300, seed=1, unseen=True)

    assert np.array_equal(encoder.transform(rows), through_onnx(encoder, rows))


def test_standard_scaling_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(100.0, 3.0, size=(500, 3))
    inputs = numbers_only(*values.T.tolist())
    X = fit_encoder(inputs, resolve_preprocessing({"scale": "standard"})).transform(inputs)
    wanted = StandardScaler().fit_transform(values)

    np.testing.assert_allclose(X, wanted, rtol=1e-6, atol=1e-6)


def test_gaps_are_filled_from_training_rows_and_marked() -> None:
    train = numbers_only([1.0, 2.0, np.nan, 9.0])
    later = numbers_only([np.nan, np.inf, 5.0, -np.inf])
    encoder = fit_encoder(train, resolve_preprocessing({}))

    assert encoder.transform(later).tolist() == [[2.0, 1.0], [2.0, 1.0], [5.0, 0.0], [2.0, 1.0]]


def test_dates_become_the_parts_that_the_calendar_gives() -> None:
    rng = np.random.default_rng(0)
    seconds = rng.integers(-62_000_000_000, 250_000_000_000, 3000).astype(float)
    epoch = dt.datetime(1970, 1, 1)
    dates = [epoch + dt.timedelta(seconds=s) for s in seconds]
    wanted = {
        "year": [d.year for d in dates],
        "month": [d.month for d in dates],
        "day": [d.day for d in dates],
        "weekday": [d.weekday() for d in dates],
        "hour": [d.hour for d in dates],
    }

    for part, values in wanted.items():
        assert date_part(seconds, part, 0.0).tolist() == values, part


def test_date_parts_of_the_graph_are_those_of_the_arrays() -> None:
    rng = np.random.default_rng(1)
    inputs = numbers_only(rng.uniform(-6e10, 2.5e11, 2000).tolist(), kind="date")
    encoder = fit_encoder(inputs, resolve_preprocessing({}))

    assert encoder.width == 6
    assert np.array_equal(encoder.transform(inputs), through_onnx(encoder, inputs))


def test_rare_and_new_levels_become_other() -> None:
    train = category(["a", "b", "c", "new"], [0, 0, 0, 1, 1, 2, -1])
    encoder = fit_encoder(train, resolve_preprocessing({"min_frequency": 2}))
    rows = category(["a", "b", "c", "new"], [0, 1, 2, 3, -1])

    assert encoder.names == ("c = a", "c = b", "c is another", "c is missing")
    assert encoder.transform(rows).argmax(axis=1).tolist() == [0, 1, 2, 2, 3]


def test_texts_are_weighed_as_scikit_learn_does() -> None:
    texts = ["the cat", "the Dog, the cat", "über allen Gipfeln", "the 9 lives", "dog"]
    inputs = category(texts, list(range(5)), kind="text")
    encoder = fit_encoder(inputs, resolve_preprocessing({}))
    oracle = TfidfVectorizer(tokenizer=words, token_pattern=None, lowercase=False)
    wanted = oracle.fit_transform(texts).toarray()

    assert [name.removeprefix("c has ") for name in encoder.names] == sorted(oracle.vocabulary_)
    np.testing.assert_allclose(encoder.transform(inputs), wanted, rtol=1e-6)


def test_a_table_in_which_nothing_varies_gives_one_column_of_zeros() -> None:
    inputs = numbers_only([1.0, 1.0], [np.nan, np.nan])
    encoder = fit_encoder(inputs, resolve_preprocessing({}))

    assert encoder.transform(inputs).tolist() == [[0.0], [0.0]]
    assert through_onnx(encoder, inputs).tolist() == [[0.0], [0.0]]


def test_a_million_coded_rows_need_little_memory_beyond_the_matrix() -> None:
    import tracemalloc

    codes = np.zeros(1_000_000, dtype=np.int32)
    codes[::2] = 1
    column = StringColumn(codes, np.array(["a", "b"], dtype=object))
    inputs = Inputs(
        InputSchema((InputColumn("c", "category"),)), np.empty((1_000_000, 0)), (column,)
    )
    encoder = fit_encoder(inputs, resolve_preprocessing({}))
    tracemalloc.start()
    X = encoder.transform(inputs)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < X.nbytes + 4_000_000


def test_round_trip_through_json() -> None:
    encoder = fit_encoder(mixed_inputs(100, seed=0), resolve_preprocessing({}))
    again = Encoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    rows = mixed_inputs(50, seed=1, unseen=True)

    assert np.array_equal(encoder.transform(rows), again.transform(rows))


def test_other_columns_than_those_fitted_are_named() -> None:
    encoder = fit_encoder(numbers_only([1.0, 2.0]), resolve_preprocessing({}))

    with pytest.raises(
        DataError, match=r"missing \['c0 \(number\)'\], unexpected \['c0 \(date\)'\]"
    ):
        encoder.transform(numbers_only([1.0], kind="date"))


def test_no_rows_is_an_error() -> None:
    with pytest.raises(DataError, match="got 0 rows"):
        fit_encoder(numbers_only([]), resolve_preprocessing({}))


def test_unknown_date_part_and_setting_are_named() -> None:
    with pytest.raises(SettingError, match="date part 'minute'"):
        resolve_preprocessing({"date_parts": ["minute"]})
    with pytest.raises(SettingError, match="Did you mean 'scale'"):
        resolve_preprocessing({"scales": "none"})
