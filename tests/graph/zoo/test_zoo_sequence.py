"""Published counts of language, speech and recurrent networks, and what must hold for all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tradespace.core.errors import GraphError
from tradespace.graph.counts import (
    forward_macs,
    node_counts,
    parameters,
    parameters_by_role,
)
from tradespace.graph.zoo import network
from tradespace.graph.zoo.bert import bert
from tradespace.graph.zoo.gpt import gpt
from tradespace.graph.zoo.llama import llama
from tradespace.graph.zoo.recurrent import language_model
from tradespace.graph.zoo.t5 import t5
from tradespace.graph.zoo.transformer import transformer

GOLDEN: list[dict[str, Any]] = YAML(typ="safe").load(
    Path(__file__).parents[2] / "golden" / "networks_sequence.yaml"
)
WITH_MACS = [row for row in GOLDEN if "macs" in row]
WITH_NORMS = [row for row in GOLDEN if "norm_affine" in row]


def by_id(row: dict[str, Any]) -> str:
    return str(row["id"])


# ------------------------------------------------------------------------ published figures


@pytest.mark.parametrize("row", GOLDEN, ids=by_id)
def test_a_network_has_exactly_the_published_parameters(row: dict[str, Any]) -> None:
    made = network(row["network"], **row.get("settings", {}))

    assert parameters(made, row.get("convention", "trainable")) == row["parameters"]


@pytest.mark.parametrize("row", WITH_MACS, ids=by_id)
def test_a_network_has_exactly_the_published_multiply_accumulates(row: dict[str, Any]) -> None:
    chosen = dict(row.get("settings", {}))
    if row.get("without_pooler"):
        chosen["pooler"] = False

    assert forward_macs(network(row["network"], **chosen)) == row["macs"]


@pytest.mark.parametrize("row", WITH_NORMS, ids=by_id)
def test_a_network_has_exactly_the_published_scales_and_offsets(row: dict[str, Any]) -> None:
    roles = parameters_by_role(network(row["network"], **row.get("settings", {})))

    assert roles["norm_scale"] + roles.get("norm_offset", 0) == row["norm_affine"]


def test_running_the_pooler_adds_one_square_matrix() -> None:
    encoder, whole = network("bert-base", pooler=False), network("bert-base")

    assert forward_macs(whole) - forward_macs(encoder) == 768 * 768
    assert forward_macs(whole) == 11_174_215_680


def test_gpt_3_takes_700_gigabytes_in_single_precision() -> None:
    made = network("gpt-3")
    size = sum(p.size_bytes for p in made.parameters)

    assert size == 4 * 174_604_259_328
    assert round(size / 1e9, -1) == 700
    assert sum(p.size_bytes for p in made.with_format("fp16").parameters) == size // 2


# -------------------------------------------------------------------------- closed formulas

LAYERS = st.integers(1, 3)
HEADS = st.integers(1, 4)
HEAD_WIDTH = st.integers(1, 8)
LENGTH = st.integers(1, 12)


@given(layers=LAYERS, heads=HEADS, each=HEAD_WIDTH, length=LENGTH, vocabulary=st.integers(2, 50))
def test_gpt_follows_the_closed_formulas(
    layers: int, heads: int, each: int, length: int, vocabulary: int
) -> None:
    d, n, size = heads * each, 12, vocabulary
    made = gpt(layers=layers, width=d, heads=heads, vocabulary=size, positions=n, length=length)

    assert parameters(made) == 12 * layers * d**2 + 13 * layers * d + (size + n) * d + 2 * d
    assert forward_macs(made) == length * (layers * (12 * d**2 + 2 * length * d) + size * d)


@given(layers=LAYERS, heads=HEADS, each=HEAD_WIDTH, length=LENGTH)
def test_bert_follows_the_closed_formulas(layers: int, heads: int, each: int, length: int) -> None:
    d = heads * each
    made = bert(layers=layers, width=d, heads=heads, vocabulary=30, positions=12, length=length)
    tables = (30 + 12 + 2) * d + 2 * d
    blocks = layers * (4 * (d**2 + d) + 8 * d**2 + 5 * d + 4 * d)

    assert parameters(made) == tables + blocks + d**2 + d
    assert forward_macs(made) == length * layers * (12 * d**2 + 2 * length * d) + d**2


@given(layers=LAYERS, heads=HEADS, each=HEAD_WIDTH, source=LENGTH, target=LENGTH)
def test_the_transformer_follows_the_closed_formulas(
    layers: int, heads: int, each: int, source: int, target: int
) -> None:
    d, size = heads * each, 40
    made = transformer(
        layers=layers, width=d, heads=heads, vocabulary=size, length=source, target_length=target
    )
    dense = 8 * d**2 + 5 * d
    encoder = layers * (4 * d**2 + dense + 4 * d)
    decoder = layers * (8 * d**2 + dense + 6 * d)
    # Keys and values of the memory are projected from the source.
    crossing = 2 * target * d**2 + 2 * source * d**2 + 2 * target * source * d
    encoded = layers * source * (12 * d**2 + 2 * source * d)
    decoded = layers * (target * (12 * d**2 + 2 * target * d) + crossing)

    assert parameters(made) == size * d + encoder + decoder
    assert forward_macs(made) == encoded + decoded + target * size * d


@given(layers=LAYERS, keys=HEADS, shared=st.integers(1, 3), each=HEAD_WIDTH, length=LENGTH)
def test_llama_follows_the_closed_formulas(
    layers: int, keys: int, shared: int, each: int, length: int
) -> None:
    d, k, f, size = keys * shared * each, keys * each, 11, 30
    made = llama(
        layers=layers,
        width=d,
        heads=keys * shared,
        kv_heads=keys,
        hidden=f,
        vocabulary=size,
        length=length,
    )
    block = 2 * d**2 + 2 * d * k + 3 * d * f

    assert parameters(made) == layers * (block + 2 * d) + 2 * size * d + d
    assert forward_macs(made) == length * (layers * (block + 2 * length * d) + size * d)


@given(layers=LAYERS, heads=HEADS, each=HEAD_WIDTH, source=LENGTH, target=LENGTH)
def test_t5_follows_the_closed_formulas(
    layers: int, heads: int, each: int, source: int, target: int
) -> None:
    d, e, f, size = 10, heads * each, 7, 30
    made = t5(
        layers=layers,
        width=d,
        heads=heads,
        head_width=each,
        hidden=f,
        vocabulary=size,
        length=source,
        target_length=target,
    )
    encoder, decoder = 4 * d * e + 2 * d * f, 8 * d * e + 2 * d * f
    norms, distances = layers * 5 * d + 2 * d, 2 * 32 * heads
    # Queries and outputs of the crossing attention see the target, keys and values the source.
    crossing = 2 * d * e * (target + source) + 2 * target * source * e
    decoded = target * (4 * d * e + 2 * d * f + 2 * target * e) + crossing

    assert parameters(made) == size * d + layers * (encoder + decoder) + norms + distances
    assert forward_macs(made) == (
        layers * (source * (encoder + 2 * source * e) + decoded) + target * size * d
    )


@given(
    layers=LAYERS,
    width=st.integers(1, 9),
    size=st.integers(1, 40),
    steps=LENGTH,
    tied=st.booleans(),
)
def test_a_recurrent_language_model_follows_the_closed_formulas(
    layers: int, width: int, size: int, steps: int, *, tied: bool
) -> None:
    made = language_model(layers=layers, width=width, vocabulary=size, length=steps, tied=tied)
    tables = size * width * (1 if tied else 2) + size

    assert parameters(made) == tables + layers * (8 * width**2 + 4 * width)
    assert forward_macs(made) == steps * (layers * 8 * width**2 + size * width)


# ------------------------------------------------------------------------------------- laws

#: Every family, small, with the names of its settings for what the laws vary.
SMALL: dict[str, tuple[str, dict[str, Any]]] = {
    "transformer": ("transformer-base", {"width": 16, "hidden": 32, "heads": 2, "vocabulary": 50}),
    "bert": ("bert-base", {"width": 16, "heads": 2, "vocabulary": 50}),
    "distilbert": ("distilbert", {"width": 16, "heads": 2, "vocabulary": 50}),
    "gpt": ("gpt-2", {"width": 16, "heads": 2, "vocabulary": 50}),
    "llama": ("llama-7b", {"width": 16, "heads": 2, "hidden": 24, "vocabulary": 50}),
    "t5": ("t5-small", {"width": 16, "heads": 2, "hidden": 24, "vocabulary": 50}),
    "whisper": ("whisper-tiny", {"width": 16, "heads": 2, "vocabulary": 50, "target_length": 5}),
    "recurrent": ("lstm-zaremba-small", {"width": 16, "vocabulary": 50}),
}
FAMILIES = pytest.mark.parametrize("family", SMALL)


def small(family: str, **more: Any) -> Any:
    name, chosen = SMALL[family]
    return network(name, **{"layers": 2, "length": 8, **chosen, **more})


@FAMILIES
@settings(max_examples=40)
@given(length=st.integers(1, 20), more=st.integers(1, 20))
def test_a_longer_sequence_takes_more_products_and_no_more_parameters(
    family: str, length: int, more: int
) -> None:
    # Two spectra make a position that Whisper's encoder sees.
    step = 2 if family == "whisper" else 1
    short = small(family, length=step * length)
    long = small(family, length=step * (length + more))

    assert forward_macs(short) < forward_macs(long)
    assert parameters(short) == parameters(long)


@FAMILIES
@given(batch=st.integers(1, 9))
def test_products_grow_in_proportion_to_the_batch(family: str, batch: int) -> None:
    one, many = small(family), small(family, batch=batch)

    assert forward_macs(many) == batch * forward_macs(one)
    assert parameters(many) == parameters(one)


@FAMILIES
@given(layers=st.integers(1, 3), width=st.integers(1, 4))
def test_more_layers_and_wider_ones_take_more_of_everything(
    family: str, layers: int, width: int
) -> None:
    base = small(family, layers=layers, width=16 * width)
    for other in (
        small(family, layers=layers + 1, width=16 * width),
        small(family, layers=layers, width=16 * width + 16),
    ):
        assert forward_macs(other) > forward_macs(base)
        assert parameters(other) > parameters(base)


# ------------------------------------------------------------------------------- generation


def attention_macs(made: Any) -> int:
    return sum(row.macs for row in node_counts(made) if row.node.operator == "attention")


@settings(max_examples=25)
@given(steps=st.integers(1, 8), heads=HEADS, each=HEAD_WIDTH)
def test_decoding_step_by_step_sums_to_the_triangle_of_scores(
    steps: int, heads: int, each: int
) -> None:
    d = heads * each
    made = [
        gpt(layers=2, width=d, heads=heads, vocabulary=20, positions=12, length=1, past=past)
        for past in range(steps)
    ]
    whole = gpt(layers=2, width=d, heads=heads, vocabulary=20, positions=12, length=steps)

    assert sum(map(attention_macs, made)) == 2 * 2 * d * steps * (steps + 1) // 2
    assert sum(forward_macs(m) - attention_macs(m) for m in made) == (
        forward_macs(whole) - attention_macs(whole)
    )
    assert {parameters(m) for m in made} == {parameters(whole)}


def test_a_decoding_step_reads_every_key_and_value_and_writes_one() -> None:
    made = network("gpt-3", past=2047)
    kept = [made.tensors[i] for i in made.inputs[1:]]
    appended = [row for row in node_counts(made) if row.node.operator == "append"]

    assert sum(t.size_bytes for t in kept) == 2 * 96 * 2048 * 12288 * 4
    assert made.notes == (
        "Keys and values kept for 2,048 positions: 19,327,352,832 bytes in fp32, "
        "9,663,676,416 in 16 bits.",
    )
    assert sum(row.traffic_bytes for row in appended) == 2 * 2 * 96 * 12288 * 4


def test_a_step_of_translation_leaves_the_encoder_out_but_not_its_weights() -> None:
    whole, step = network("transformer-base"), network("transformer-base", past=7)

    assert parameters(step) == parameters(whole)
    assert not any(node.name.startswith("encoder") for node in step)
    # One token: 4 projections and 2 crossing ones a layer, 8 keys and 128 of the source.
    assert forward_macs(step) == 6 * (14 * 512**2 + 2 * (8 + 128) * 512) + 37000 * 512


@pytest.mark.parametrize("name", ["t5-small", "whisper-tiny", "llama-7b"])
def test_a_decoding_step_holds_all_weights_and_takes_fewer_products(name: str) -> None:
    whole, step = network(name), network(name, past=16)

    assert parameters(step, "all") == parameters(whole, "all")
    assert forward_macs(step) < forward_macs(whole) / 50


def test_keys_shared_among_queries_shrink_what_a_decoding_step_keeps() -> None:
    made = network("llama-2-70b", past=4095)
    kept = [made.tensors[i] for i in made.inputs[1:]]

    assert sum(t.size_bytes for t in kept) == 2 * 80 * 4096 * 8 * 128 * 4
    assert made.notes[0].startswith("Keys and values kept for 4,096 positions: 2,684,354,560 bytes")


def test_a_turbo_whisper_differs_from_its_large_one_by_28_decoder_layers() -> None:
    large, turbo = network("whisper-large-v3"), network("whisper-large-v3-turbo")
    layer = 8 * 1280**2 + 6 * 1280 + 8 * 1280**2 + 5 * 1280 + 6 * 1280

    assert parameters(large) - parameters(turbo) == 28 * layer


# ---------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        ("bert-base", {"length": 513}, "knows 512 positions; got a sequence of 513"),
        ("roberta-base", {"length": 513}, "knows 512 positions; got a sequence of 513"),
        ("gpt-2", {"length": 1, "past": 1024}, "knows 1024 positions; got a sequence of 1025"),
        ("gpt-2", {"past": -1}, "cannot have -1 positions"),
        ("transformer-big", {"heads": 7}, "7 heads, which do not divide its width 1024"),
        ("llama-2-70b", {"kv_heads": 7}, "64 heads of queries, which 7 of keys cannot share"),
        ("llama-7b", {"past": -1}, "cannot have -1 positions"),
        ("whisper-tiny", {"length": 3001}, "hears 1 to 3000 spectra; got 3001"),
        ("whisper-tiny", {"past": 448}, "knows 448 positions; got a sequence of 449"),
        ("wav2vec2-base", {"length": 399}, "needs at least 400 samples; got 399"),
        ("wav2vec2-base", {"width": 36}, "a width that is a multiple of 16; got 36"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(
    name: str, wrong: dict[str, int], said: str
) -> None:
    with pytest.raises(GraphError, match=said):
        network(name, **wrong)
