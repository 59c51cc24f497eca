"""Rows of the zoo: networks that hear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tradespace.graph.zoo._catalogue import NetworkRow

_RADFORD = "A. Radford et al., Robust speech recognition via large-scale weak supervision, 2022"
_TURBO = "OpenAI, Whisper model card: large-v3 of November 2023 and turbo of September 2024"
_BAEVSKI = (
    "A. Baevski et al., wav2vec 2.0: a framework for self-supervised learning of speech "
    "representations, 2020"
)


def _whisper(
    size: str,
    layers: int,
    width: int,
    *,
    year: int = 2022,
    source: str = _RADFORD,
    more: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
    aliases: tuple[str, ...] = (),
) -> NetworkRow:
    return NetworkRow(
        name=f"whisper-{size}",
        path="whisper:whisper",
        settings={"layers": layers, "width": width, "heads": width // 64, **(more or {})},
        title=f"Whisper {size}",
        family="whisper",
        year=year,
        task="speech to text",
        input="30 s as 3000 spectra to 448 tokens",
        source=source,
        facts=facts or {},
        aliases=aliases,
    )


def _wav2vec2(size: str, layers: int, width: int, heads: int, wer: float) -> NetworkRow:
    return NetworkRow(
        name=f"wav2vec2-{size}",
        path="wav2vec2:wav2vec2",
        settings={"layers": layers, "width": width, "heads": heads},
        title=f"wav2vec 2.0 {size}, without a head",
        family="wav2vec2",
        year=2020,
        task="representation of speech",
        input="10 s at 16 kHz",
        source=_BAEVSKI,
        # Fine-tuned on 960 hours, read out without a language model.
        facts={"wer_librispeech_clean": wer},
        aliases=("wav2vec2",) if size == "base" else (),
    )


_V3 = {"mels": 128, "vocabulary": 51866}

ROWS: tuple[NetworkRow, ...] = (
    _whisper("tiny", 4, 384, facts={"wer_librispeech_clean": 7.6}),
    _whisper("base", 6, 512, facts={"wer_librispeech_clean": 5.0}, aliases=("whisper",)),
    _whisper("small", 12, 768, facts={"wer_librispeech_clean": 3.4}),
    _whisper("medium", 24, 1024, facts={"wer_librispeech_clean": 2.9}),
    _whisper(
        "large",
        32,
        1280,
        facts={"wer_librispeech_clean": 2.7},
        aliases=("whisper-large-v1", "whisper-large-v2"),
    ),
    _whisper("large-v3", 32, 1280, year=2023, source=_TURBO, more=_V3),
    _whisper(
        "large-v3-turbo",
        32,
        1280,
        year=2024,
        source=_TURBO,
        more={**_V3, "decoder_layers": 4},
        aliases=("whisper-turbo",),
    ),
    _wav2vec2("base", 12, 768, 12, 3.4),
    _wav2vec2("large", 24, 1024, 16, 2.8),
)
