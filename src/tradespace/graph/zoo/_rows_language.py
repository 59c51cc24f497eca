"""Rows of the zoo: LLaMA and its relatives, T5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tradespace.graph.zoo._catalogue import NetworkRow

_LLAMA = "H. Touvron et al., LLaMA: open and efficient foundation language models, 2023, table 2"
_LLAMA2 = "H. Touvron et al., Llama 2: open foundation and fine-tuned chat models, 2023"
_LLAMA3 = "A. Dubey et al., The Llama 3 herd of models, 2024"
_MISTRAL = "A. Jiang et al., Mistral 7B, 2023, table 1"
_RAFFEL = (
    "C. Raffel et al., Exploring the limits of transfer learning with a unified text-to-text "
    "transformer, 2020"
)


def _decoder(
    name: str,
    title: str,
    year: int,
    source: str,
    settings: Mapping[str, Any],
    facts: Mapping[str, Any],
    aliases: tuple[str, ...] = (),
) -> NetworkRow:
    return NetworkRow(
        name=name,
        path="llama:llama",
        settings=settings,
        title=title,
        family="llama",
        year=year,
        task="language model",
        input=f"{settings.get('context', 2048)} tokens",
        source=source,
        facts=facts,
        aliases=aliases,
    )


def _size(layers: int, width: int, heads: int, hidden: int, **more: int) -> dict[str, int]:
    return {"layers": layers, "width": width, "heads": heads, "hidden": hidden, **more}


def _t5(
    size: str,
    layers: int,
    width: int,
    heads: int,
    hidden: int,
    glue: float,
    *,
    head_width: int = 64,
) -> NetworkRow:
    return NetworkRow(
        name=f"t5-{size}",
        path="t5:t5",
        settings={**_size(layers, width, heads, hidden), "head_width": head_width},
        title=f"T5 {size.upper() if size[0].isdigit() else size}",
        family="t5",
        year=2019,
        task="text to text",
        input="512 tokens to 114 tokens",
        source=_RAFFEL,
        facts={"glue_average": glue},
        aliases=("t5",) if size == "base" else (),
    )


_7B = _size(32, 4096, 32, 11008)
_13B = _size(40, 5120, 40, 13824)
_70B = _size(80, 8192, 64, 28672, kv_heads=8)

ROWS: tuple[NetworkRow, ...] = (
    _decoder(
        "llama-7b",
        "LLaMA 7B",
        2023,
        _LLAMA,
        _7B,
        {"training_tokens": 1.0e12, "mmlu_5_shot": 35.1},
        ("llama", "llama-1-7b"),
    ),
    _decoder(
        "llama-13b",
        "LLaMA 13B",
        2023,
        _LLAMA,
        _13B,
        {"training_tokens": 1.0e12, "mmlu_5_shot": 46.9},
    ),
    _decoder(
        "llama-33b",
        "LLaMA 33B",
        2023,
        _LLAMA,
        _size(60, 6656, 52, 17920),
        {"training_tokens": 1.4e12, "mmlu_5_shot": 57.8},
        ("llama-30b",),
    ),
    _decoder(
        "llama-65b",
        "LLaMA 65B",
        2023,
        _LLAMA,
        _size(80, 8192, 64, 22016),
        {"training_tokens": 1.4e12, "mmlu_5_shot": 63.4},
    ),
    _decoder(
        "llama-2-7b",
        "Llama 2 7B",
        2023,
        _LLAMA2,
        {**_7B, "context": 4096},
        {"training_tokens": 2.0e12, "mmlu_5_shot": 45.3},
        ("llama2-7b",),
    ),
    _decoder(
        "llama-2-13b",
        "Llama 2 13B",
        2023,
        _LLAMA2,
        {**_13B, "context": 4096},
        {"training_tokens": 2.0e12, "mmlu_5_shot": 54.8},
        ("llama2-13b",),
    ),
    _decoder(
        "llama-2-70b",
        "Llama 2 70B, grouped queries",
        2023,
        _LLAMA2,
        {**_70B, "context": 4096},
        {"training_tokens": 2.0e12, "mmlu_5_shot": 68.9},
        ("llama2-70b",),
    ),
    _decoder(
        "llama-3-8b",
        "Llama 3 8B, grouped queries",
        2024,
        _LLAMA3,
        _size(32, 4096, 32, 14336, kv_heads=8, vocabulary=128256, context=8192),
        {"training_tokens": 15.0e12},
        ("llama3-8b",),
    ),
    _decoder(
        "llama-3-70b",
        "Llama 3 70B, grouped queries",
        2024,
        _LLAMA3,
        {**_70B, "vocabulary": 128256, "context": 8192},
        {"training_tokens": 15.0e12},
        ("llama3-70b",),
    ),
    _decoder(
        "mistral-7b",
        "Mistral 7B, grouped queries",
        2023,
        _MISTRAL,
        _size(32, 4096, 32, 14336, kv_heads=8, context=4096),
        {"mmlu_5_shot": 60.1},
        ("mistral",),
    ),
    _t5("small", 6, 512, 8, 2048, 77.4),
    _t5("base", 12, 768, 12, 3072, 82.7),
    _t5("large", 24, 1024, 16, 4096, 86.4),
    _t5("3b", 24, 1024, 32, 16384, 88.5, head_width=128),
    _t5("11b", 24, 1024, 128, 65536, 90.3, head_width=128),
)
