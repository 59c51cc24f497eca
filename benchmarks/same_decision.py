"""Hold the decision of one run against that of another: equal but for times, or not.

Evaluate a study with two versions of tradespace, then compare what each wrote:

    python benchmarks/same_decision.py BEFORE.tradespace AFTER.tradespace
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tradespace.core import registry

#: Facts of the record that differ between versions and machines.
_OF_THE_RUN = {"work", "versions", "machine", "data_hash", "study_hash", "unfinished"}


def timed() -> set[str]:
    """Return the qualities that are measured anew by every run."""
    needs = {"timing", "readings", "fit"}
    return {row.name for row in registry.qualities().values() if needs & set(row.needs)}


def differences(one: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    """Yield what two decisions say differently, times aside."""
    for key in ("recommended", "outcome"):
        if one[key] != other[key]:
            yield f"{key}: {one[key]}, then {other[key]}"
    for key in sorted({*one["context"], *other["context"]} - _OF_THE_RUN):
        if one["context"].get(key) != other["context"].get(key):
            yield f"{key}: {one['context'].get(key)}, then {other['context'].get(key)}"
    found = [{a["candidate"]["id"]: a for a in d["assessments"]} for d in (one, other)]
    if list(found[0]) != list(found[1]):
        yield "other candidates, or in another order"
    never = timed()
    for key in found[0].keys() & found[1].keys():
        a, b = found[0][key], found[1][key]
        name = a["candidate"]["label"]
        if a["standing"] != b["standing"]:
            yield f"{name}: {a['standing']}, then {b['standing']}"
        for quality in sorted({*a["readings"], *b["readings"]} - never):
            before, after = a["readings"].get(quality), b["readings"].get(quality)
            if before != after:
                yield f"{name}, {quality}: {before}, then {after}"


def main() -> None:
    """Print the differences, or that there are none."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    options = parser.parse_args()
    decisions = [
        json.loads((folder / "decision.json").read_text())
        for folder in (options.before, options.after)
    ]
    found = list(differences(*decisions))
    print("\n".join(found) if found else "equal but for times")
    raise SystemExit(bool(found))


if __name__ == "__main__":
    main()
