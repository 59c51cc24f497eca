"""Architectures of Hugging Face, small, built on meta: traced whole, products as they run.

The oracle counts products in a real forward pass on the CPU, attention computed step by step.
"""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra 'deep' is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

from tradespace.graph.counts import coverage, forward_macs, parameters  # noqa: E402
from tradespace.graph.operators import operator  # noqa: E402
from tradespace.graph.readers.inputs import parse_input  # noqa: E402
from tradespace.graph.readers.torch.read import read_torch  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

IDS = {"input_ids": "2x16:int64"}
MASKED = {**IDS, "attention_mask": "2x16:int64"}
BOTH = {**MASKED, "decoder_input_ids": "2x8:int64"}
PICTURE = {"pixel_values": (2, 3, 32, 32)}
WAVE = {"input_values": (2, 4000)}

S: dict[str, Any] = {
    "vocab_size": 100,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}
KV = {**S, "num_key_value_heads": 2}
ONE = {**S, "num_key_value_heads": 1, "head_dim": 8, "sliding_window": 8}
GPT = {"vocab_size": 100, "n_embd": 32, "n_layer": 2, "n_head": 4}
T5 = {"vocab_size": 100, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4}
BART = {
    "vocab_size": 100,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
}
SPECIAL = {f"{name}_token_id": 0 for name in ("pad", "bos", "eos", "decoder_start")}
VIT = {k: v for k, v in S.items() if k != "vocab_size"} | {"image_size": 32, "patch_size": 8}
SWIN = {"embed_dim": 16, "depths": [1, 2], "num_heads": [2, 4], "window_size": 4} | {
    "image_size": 32,
    "patch_size": 2,
}
STAGES = {"hidden_sizes": [16, 32, 64, 64], "depths": [1, 1, 1, 1], "image_size": 32}
SPEECH = {k: v for k, v in S.items() if k != "vocab_size"} | {
    "conv_dim": [16] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}
RELATIVE = {**S, "relative_attention": True, "pos_att_type": ["c2p", "p2c"]}

#: Class of the model -> (class of its configuration, settings, inputs).
MODELS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "BertForMaskedLM": ("BertConfig", S, MASKED),
    "RobertaModel": ("RobertaConfig", S, MASKED),
    "DistilBertModel": (
        "DistilBertConfig",
        {"vocab_size": 100, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64},
        MASKED,
    ),
    "AlbertModel": ("AlbertConfig", {**S, "embedding_size": 16}, MASKED),
    "ElectraModel": ("ElectraConfig", {**S, "embedding_size": 16}, MASKED),
    "DebertaV2Model": (
        "DebertaV2Config",
        {**RELATIVE, "position_buckets": 8, "share_att_key": True, "norm_rel_ebd": "layer_norm"},
        MASKED,
    ),
    "MPNetModel": ("MPNetConfig", S, MASKED),
    "XLNetModel": (
        "XLNetConfig",
        {"vocab_size": 100, "d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 64},
        MASKED,
    ),
    "GPT2LMHeadModel": ("GPT2Config", GPT, MASKED),
    "GPTNeoForCausalLM": (
        "GPTNeoConfig",
        {
            "vocab_size": 100,
            "hidden_size": 32,
            "num_layers": 2,
            "num_heads": 4,
            "intermediate_size": 64,
            "attention_types": [[["global", "local"], 1]],
            "window_size": 8,
        },
        MASKED,
    ),
    "GPTNeoXForCausalLM": ("GPTNeoXConfig", S, MASKED),
    "GPTJForCausalLM": ("GPTJConfig", {**GPT, "rotary_dim": 8}, MASKED),
    "OPTForCausalLM": (
        "OPTConfig",
        {**{k: v for k, v in S.items() if k != "intermediate_size"}, "ffn_dim": 64}
        | {"word_embed_proj_dim": 32},
        MASKED,
    ),
    "BloomForCausalLM": (
        "BloomConfig",
        {"vocab_size": 100, "hidden_size": 32, "n_layer": 2, "n_head": 4},
        MASKED,
    ),
    "FalconForCausalLM": ("FalconConfig", S, MASKED),
    "LlamaForCausalLM": ("LlamaConfig", KV, MASKED),
    "MistralForCausalLM": ("MistralConfig", {**KV, "sliding_window": 8}, MASKED),
    "Qwen2ForCausalLM": ("Qwen2Config", KV, MASKED),
    "Qwen3ForCausalLM": ("Qwen3Config", {**KV, "head_dim": 8}, MASKED),
    "Gemma2ForCausalLM": ("Gemma2Config", ONE, MASKED),
    "Gemma3ForCausalLM": ("Gemma3TextConfig", ONE, MASKED),
    "PhiForCausalLM": ("PhiConfig", S, MASKED),
    "MambaForCausalLM": (
        "MambaConfig",
        {"vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 4},
        IDS,
    ),
    "RwkvModel": (
        "RwkvConfig",
        {"vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 2}
        | {"attention_hidden_size": 32, "context_length": 32},
        IDS,
    ),
    "T5ForConditionalGeneration": ("T5Config", T5, BOTH),
    "MT5EncoderModel": ("MT5Config", T5, MASKED),
    "BartForConditionalGeneration": ("BartConfig", BART, BOTH),
    "ViTModel": ("ViTConfig", VIT, PICTURE),
    "DeiTModel": ("DeiTConfig", VIT, PICTURE),
    "BeitModel": ("BeitConfig", {**VIT, "use_relative_position_bias": True}, PICTURE),
    "SwinModel": ("SwinConfig", SWIN, PICTURE),
    "Swinv2Model": ("Swinv2Config", SWIN, PICTURE),
    "ConvNextModel": ("ConvNextConfig", STAGES, PICTURE),
    "ConvNextV2Model": ("ConvNextV2Config", STAGES, PICTURE),
    "MobileNetV2Model": (
        "MobileNetV2Config",
        {"depth_multiplier": 0.35, "image_size": 32},
        PICTURE,
    ),
    "SegformerForSemanticSegmentation": (
        "SegformerConfig",
        {"hidden_sizes": [8, 16, 32, 32], "depths": [1, 1, 1, 1]}
        | {"num_attention_heads": [1, 2, 2, 4], "decoder_hidden_size": 16},
        {"pixel_values": (2, 3, 64, 64)},
    ),
    "WhisperModel": (
        "WhisperConfig",
        {**BART, **SPECIAL, "num_mel_bins": 8, "max_source_positions": 50},
        {"input_features": (2, 8, 100), "decoder_input_ids": "2x8:int64"},
    ),
    "Wav2Vec2Model": ("Wav2Vec2Config", SPEECH, WAVE),
    "HubertModel": ("HubertConfig", SPEECH, WAVE),
    "CLIPModel": (
        "CLIPConfig",
        {"text_config": S, "vision_config": VIT, "projection_dim": 16},
        {**MASKED, **PICTURE},
    ),
    "SiglipModel": (
        "SiglipConfig",
        {"text_config": S, "vision_config": VIT},
        {**IDS, **PICTURE},
    ),
}


def _build(name: str) -> Any:
    configuration, settings, _ = MODELS[name]
    config = getattr(transformers, configuration)(**settings)
    return getattr(transformers, name)(config).eval()


def _real(inputs: dict[str, Any]) -> dict[str, Any]:
    return {
        key: torch.ones(parse_input(given)[1].shape, dtype=torch.long)
        if isinstance(given, str)
        else torch.zeros(given)
        for key, given in inputs.items()
    }


def _run(module: Any, **inputs: Any) -> int:
    """Return the multiply-accumulates that torch runs on the CPU."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    with (
        FlopCounterMode(display=False) as counter,
        torch.no_grad(),
        sdpa_kernel(SDPBackend.MATH),
    ):
        module(**inputs)
    return int(counter.get_total_flops()) // 2


@pytest.mark.parametrize("name", MODELS)
def test_an_architecture_is_traced_whole_and_counted_as_it_runs(name: str) -> None:
    inputs = MODELS[name][2]
    with torch.device("meta"):
        module = _build(name)

    network = read_torch(module, inputs)

    assert coverage(network) == 1.0
    assert not network.notes
    assert parameters(network) == sum(p.numel() for p in module.parameters() if p.requires_grad)
    assert forward_macs(network) == _run(_build(name), **_real(inputs))
    for node in network.nodes:  # the rules of our operators give the shapes that torch found
        found = operator(node.operator).shapes(network.shapes_of(node.inputs), node.attributes)
        assert found == network.shapes_of(node.outputs), node


@pytest.mark.parametrize("experts", ["grouped_mm", "batched_mm"])
@pytest.mark.parametrize("name", ["Mixtral", "Qwen2Moe"])
def test_experts_are_counted_for_the_tokens_that_they_get(name: str, experts: str) -> None:
    own = (
        {"num_local_experts": 4}
        if name == "Mixtral"
        else {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
        | {"shared_expert_intermediate_size": 16}
    )
    config = getattr(transformers, f"{name}Config")(**KV, **own)
    make = getattr(transformers, f"{name}ForCausalLM")._from_config
    with torch.device("meta"):
        module = make(config, experts_implementation=experts).eval()
    # The oracle does not know grouped products, so it runs the others.
    oracle = make(config, experts_implementation="batched_mm").eval()

    network = read_torch(module, MASKED)

    assert coverage(network) == 1.0
    assert forward_macs(network) == _run(oracle, **_real(MASKED))


def test_a_step_of_generation_is_counted_with_what_came_before() -> None:
    config = transformers.LlamaConfig(**KV)
    with torch.device("meta"):
        module = transformers.LlamaForCausalLM(config).eval()
        cache = transformers.DynamicCache(config=config)
        for layer in range(2):
            past = torch.empty(1, 2, 20, 8)
            cache.update(past, past, layer)

    network = read_torch(module, {"input_ids": "1x1:int64", "past_key_values": cache})
    weights = sum(
        p.numel() for n, p in module.named_parameters() if p.ndim == 2 and "embed_tokens" not in n
    )

    # Every weight once, and a query of 4 heads of 8 against 21 keys and values.
    assert forward_macs(network) == weights + 2 * 2 * 4 * 21 * 8
    assert coverage(network) == 1.0
