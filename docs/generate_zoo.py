"""Write the tables of zoo.md from the code: ``python docs/generate_zoo.py``.

A test compares the page with what this writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from tables import filled

from tradespace.graph.counts import forward_macs, neurons, node_counts, parameters
from tradespace.graph.zoo import NetworkRow, network, networks
from tradespace.graph.zoo._catalogue import sections

PAGE = Path(__file__).with_name("zoo.md")
GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
#: Lists of published counts: file -> what its networks are.
LISTS = {
    "networks_vision.yaml": "Pictures, and small networks",
    "networks_keras.yaml": "Keras Applications",
    "networks_sequence.yaml": "Language, speech, sequences",
}
#: Names of published figures other than accuracy on ImageNet: -> how they are printed.
FIGURES = {
    "box_map": "box mAP {} %",
    "mask_map": "mask mAP {} %",
    "mean_iou": "mean IoU {} %",
    "pixel_accuracy": "pixels {} %",
    "bleu_en_de": "BLEU {} (English to German)",
    "bleu_en_fr": "BLEU {} (English to French)",
    "glue_average": "GLUE {}",
    "wikitext2_perplexity": "perplexity {} (WikiText-2)",
    "ptb_perplexity": "perplexity {} (Penn Treebank)",
    "mmlu_5_shot": "MMLU {} %",
    "wer_librispeech_clean": "word errors {} % (LibriSpeech clean)",
}


def accuracy(facts: Mapping[str, Any]) -> str:
    """Return the published figures of a network as the table prints them."""
    found = []
    if "top1" in facts and "top5" in facts:
        found.append(f"{facts['top1']:g} / {facts['top5']:g} %")
    elif "top1" in facts:
        found.append(f"{facts['top1']:g} %")
    elif "top5" in facts:
        found.append(f"- / {facts['top5']:g} %")
    found += [text.format(f"{facts[f]:g}") for f, text in FIGURES.items() if f in facts]
    return ", ".join(found)


def sources() -> list[str]:
    """Return all sources, in the order in which networks name them."""
    return list(dict.fromkeys(row.source for row in networks().values()))


def line(row: NetworkRow, number: int) -> str:
    """Return the line of a network."""
    made = network(row.name)
    rows = node_counts(made)
    cells = (
        f"`{row.name}`",
        row.title,
        str(row.year),
        row.input,
        f"{parameters(made):,}",
        f"{neurons(made, rows=rows):,}",
        f"{forward_macs(made):,}",
        accuracy(row.facts),
        f"[{number}]",
    )
    return f"| {' | '.join(cells)} |"


_HEAD = (
    "| name | network | year | input | parameters | neurons | MACs | published | source |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def networks_table() -> str:
    """Return the tables of all networks and the list of their sources."""
    numbers = {source: i for i, source in enumerate(sources(), start=1)}
    parts = []
    for heading, rows in sections().items():
        lines = [line(row, numbers[row.source]) for row in rows]
        parts.append("\n".join((f"### {heading}\n", _HEAD, *lines)))
    parts.append("\n".join(f"{number}. {source}" for source, number in numbers.items()))
    return "\n\n".join(parts)


def published(file: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of a list that are met and those that are not."""
    held = YAML(typ="safe").load(GOLDEN / file)
    if isinstance(held, list):
        return held, []
    return held["rows"], held["unmet"]


def published_line(row: Mapping[str, Any]) -> str:
    """Return the line of a published row."""
    chosen = ", ".join(f"{k}={v}" for k, v in row.get("settings", {}).items())
    macs = f"{row['macs']:,}" if "macs" in row else ""
    if not macs and "macs_published" in row:
        macs = f"{row['macs_published'] / 1e9:g} G"
    if not macs and "macs_millions" in row:
        macs = f"{row['macs_millions']:,} M"
    remark = str(row.get("cause", ""))
    if row.get("convention", "trainable") != "trainable":
        remark = f"parameters by the convention `{row['convention']}`"
    if "trainable" in row:
        remark = "parameters by the convention `all`"
    if row.get("neuron_convention"):
        remark = f"neurons by `{row['neuron_convention']}`: {remark}"
    if row.get("without_pooler"):
        remark = "MACs without the pooler"
    cells = (
        f"`{row['id']}`",
        f"`{row.get('network', row['id'])}`",
        f"`{chosen}`" if chosen else "",
        f"{row['parameters']:,}",
        f"{row['neurons']:,}" if "neurons" in row else "",
        macs,
        remark,
    )
    return f"| {' | '.join(cells)} |"


def published_table() -> str:
    """Return the tables of published counts, and what is not met."""
    parts, missing, total = [], [], 0
    for file, heading in LISTS.items():
        met, unmet = published(file)
        total += len(met)
        head = (
            f"### {heading}\n\n"
            "| row | network | settings | parameters | neurons | MACs | remark |\n"
            "|---|---|---|---|---|---|---|"
        )
        parts.append("\n".join((head, *map(published_line, met))))
        missing += [f"- `{row['id']}`: {row['cause']}" for row in unmet]
    left = "\n".join(missing) if missing else "No published row is left out."
    parts.append(f"{total} rows are met. {left}")
    return "\n\n".join(parts)


#: Name of a table in the page -> what writes it.
TABLES = {"networks": networks_table, "published": published_table}


def page(text: str) -> str:
    """Return the page with its tables written anew."""
    return filled(text, TABLES)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
