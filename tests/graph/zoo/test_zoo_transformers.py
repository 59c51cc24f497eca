"""The zoo against the implementations of Hugging Face: weight by weight, product by product."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra 'deep' is not installed")
hub = pytest.importorskip("transformers", reason="transformers is not installed")

from tradespace.graph.counts import forward_macs, unknown_nodes  # noqa: E402
from tradespace.graph.readers.torch.read import read_torch  # noqa: E402
from tradespace.graph.zoo import network  # noqa: E402

pytestmark = pytest.mark.slow


def llama(layers: int, width: int, heads: int, hidden: int, **more: int) -> Any:
    config = hub.LlamaConfig(
        num_hidden_layers=layers,
        hidden_size=width,
        num_attention_heads=heads,
        intermediate_size=hidden,
        **more,
    )
    return hub.LlamaForCausalLM(config)


def t5(layers: int, width: int, heads: int, hidden: int, each: int) -> Any:
    config = hub.T5Config(num_layers=layers, d_model=width, num_heads=heads, d_ff=hidden, d_kv=each)
    return hub.T5ForConditionalGeneration(config)


def whisper(layers: int, width: int, above: int = 0, **more: int) -> Any:
    config = hub.WhisperConfig(
        d_model=width,
        encoder_layers=layers,
        decoder_layers=above or layers,
        encoder_attention_heads=width // 64,
        decoder_attention_heads=width // 64,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
        **more,
    )
    return hub.WhisperForConditionalGeneration(config)


def wav2vec2(layers: int, width: int, heads: int) -> Any:
    config = hub.Wav2Vec2Config(
        num_hidden_layers=layers,
        hidden_size=width,
        num_attention_heads=heads,
        intermediate_size=4 * width,
    )
    return hub.Wav2Vec2Model(config)


def bert(layers: int, width: int, **more: int) -> Any:
    heads = width // 64
    config = hub.BertConfig(
        num_hidden_layers=layers,
        hidden_size=width,
        num_attention_heads=heads,
        intermediate_size=4 * width,
        **more,
    )
    return hub.BertModel(config)


def roberta(layers: int, width: int) -> Any:
    config = hub.RobertaConfig(
        num_hidden_layers=layers,
        hidden_size=width,
        num_attention_heads=width // 64,
        intermediate_size=4 * width,
        vocab_size=50265,
        max_position_embeddings=514,
        type_vocab_size=1,
    )
    return hub.RobertaModel(config)


def gpt2(layers: int, width: int, heads: int, **more: int) -> Any:
    config = hub.GPT2Config(n_layer=layers, n_embd=width, n_head=heads, **more)
    return hub.GPT2LMHeadModel(config)


GROUPED = {"num_key_value_heads": 8}
#: Name in the zoo -> the same network there, made on meta.
WHOLE = {
    "llama-7b": lambda: llama(32, 4096, 32, 11008),
    "llama-65b": lambda: llama(80, 8192, 64, 22016),
    "llama-2-70b": lambda: llama(80, 8192, 64, 28672, **GROUPED),
    "llama-3-8b": lambda: llama(32, 4096, 32, 14336, vocab_size=128256, **GROUPED),
    "llama-3-70b": lambda: llama(80, 8192, 64, 28672, vocab_size=128256, **GROUPED),
    "mistral-7b": lambda: hub.MistralForCausalLM(hub.MistralConfig()),
    "t5-small": lambda: t5(6, 512, 8, 2048, 64),
    "t5-base": lambda: t5(12, 768, 12, 3072, 64),
    "t5-large": lambda: t5(24, 1024, 16, 4096, 64),
    "t5-3b": lambda: t5(24, 1024, 32, 16384, 128),
    "t5-11b": lambda: t5(24, 1024, 128, 65536, 128),
    "whisper-tiny": lambda: whisper(4, 384),
    "whisper-base": lambda: whisper(6, 512),
    "whisper-small": lambda: whisper(12, 768),
    "whisper-medium": lambda: whisper(24, 1024),
    "whisper-large": lambda: whisper(32, 1280),
    "whisper-large-v3": lambda: whisper(32, 1280, num_mel_bins=128, vocab_size=51866),
    "whisper-large-v3-turbo": lambda: whisper(32, 1280, 4, num_mel_bins=128, vocab_size=51866),
    "wav2vec2-base": lambda: wav2vec2(12, 768, 12),
    "wav2vec2-large": lambda: wav2vec2(24, 1024, 16),
    "bert-base": lambda: bert(12, 768),
    "bert-base-cased": lambda: bert(12, 768, vocab_size=28996),
    "bert-large": lambda: bert(24, 1024),
    "distilbert": lambda: hub.DistilBertModel(hub.DistilBertConfig()),
    "roberta-base": lambda: roberta(12, 768),
    "roberta-large": lambda: roberta(24, 1024),
    "gpt-2": lambda: gpt2(12, 768, 12),
    "gpt-2-medium": lambda: gpt2(24, 1024, 16),
    "gpt-2-large": lambda: gpt2(36, 1280, 20),
    "gpt-2-xl": lambda: gpt2(48, 1600, 25),
    "gpt-3": lambda: gpt2(96, 12288, 96, n_positions=2048),
}
#: The convolution of places is a product of two weights, named otherwise there.
RENAMED = {
    "parametrizations.weight.original0": "weight_g",
    "parametrizations.weight.original1": "weight_v",
}


@pytest.mark.parametrize("name", WHOLE)
def test_weights_have_the_names_and_shapes_of_the_usual_implementation(name: str) -> None:
    with torch.device("meta"):
        module = WHOLE[name]()
    theirs = {}
    for path, p in module.named_parameters():
        for old, new in RENAMED.items():
            path = path.replace(old, new)
        theirs[path] = tuple(p.shape)
    ours = {p.name: p.shape for p in network(name).parameters}
    if name.startswith("gpt"):
        # Written there as (inputs, outputs).
        theirs = {k: tuple(sorted(v)) for k, v in theirs.items()}
        ours = {k: tuple(sorted(v)) for k, v in ours.items()}

    assert ours == theirs


def tokens(count: int, key: str = "input_ids") -> dict[str, Any]:
    return {key: torch.zeros(2, count, dtype=torch.long)}


#: Name in the zoo, what is asked of it, the same there with its inputs, all of two layers.
SMALL: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "llama-2-70b": (
        {"width": 32, "heads": 4, "kv_heads": 2, "hidden": 48, "length": 7},
        lambda: llama(2, 32, 4, 48, num_key_value_heads=2),
        lambda: tokens(7),
    ),
    "t5-small": (
        {"width": 32, "heads": 4, "head_width": 16, "hidden": 48, "length": 7, "target_length": 5},
        lambda: t5(2, 32, 4, 48, 16),
        lambda: {**tokens(7), **tokens(5, "decoder_input_ids")},
    ),
    "whisper-tiny": (
        {"width": 64, "heads": 1, "decoder_layers": 3, "target_length": 5},
        lambda: whisper(2, 64, 3),
        lambda: {"input_features": torch.zeros(2, 80, 3000), **tokens(5, "decoder_input_ids")},
    ),
    "wav2vec2-base": (
        {"width": 32, "heads": 4, "length": 4000},
        lambda: wav2vec2(2, 32, 4),
        lambda: {"input_values": torch.zeros(2, 4000)},
    ),
    "bert-base": (
        {"width": 64, "heads": 1, "length": 9},
        lambda: bert(2, 64),
        lambda: tokens(9),
    ),
    "gpt-2": (
        {"width": 32, "heads": 4, "length": 9},
        lambda: gpt2(2, 32, 4),
        lambda: tokens(9),
    ),
}


@pytest.mark.parametrize("name", SMALL)
def test_products_are_those_that_the_usual_implementation_runs(name: str) -> None:
    settings, make, inputs = SMALL[name]
    with torch.device("meta"):
        module, given = make().eval(), inputs()
    seen = read_torch(module, given)

    assert not unknown_nodes(seen)
    assert forward_macs(seen) == forward_macs(network(name, batch=2, layers=2, **settings))
