"""Write the commands of reference/commands.md from the code: ``python docs/generate_commands.py``.

A test compares the page with what this writes; another runs its examples.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any, get_args, get_origin

from tables import filled

from tradespace.cli import COMMANDS, _load

PAGE = Path(__file__).with_name("reference") / "commands.md"
#: Command -> an example on the files of the page, and what of its output is shown.
EXAMPLES = {
    "init": """\
$ tradespace init sales.csv --target returned --out new.yaml
200 rows, 5 columns; binary
returned: false 80.00%, true 20.00%
...
Wrote new.yaml. Next: tradespace check new.yaml""",
    "check": """\
$ tradespace check study.yaml
...
logistic_regression  model_size ≤ 16 kB; parameters 15  0.2 s
decision_tree        model_size ≤ 16.3 kB               0.2 s
...""",
    "evaluate": """\
$ tradespace evaluate study.yaml --quiet
Use logistic_regression.
  • logistic_regression meets all 2 constraints: accuracy >= 0.8 (reading 1 [0.884, 1]); ...
2 candidates: 2 feasible. ✓ met, ✗ missed, ? unknown, ★ Pareto
...""",
    "report": """\
$ tradespace report study.yaml
...report.html
...decision.md
...decision.json""",
    "show": """\
$ tradespace show study.yaml decision_tree
decision_tree  feasible
...
constraint          reading                 verdict  probability
accuracy >= 0.8     0.933 [0.833 to 1.000]  met      100 %
model_size <= 1 MB  1.99 kB                 met      100 %
...""",
    "inspect": """\
$ tradespace inspect lenet-5
lenet5-modern  MNIST, 10 classes, 1998, input 1x1x32x32, fp32

parameters          61,706  61.5 k weights, 236 biases
neurons              6,518  outputs of every convolutional and dense layer, ... excluded
MACs               416,520  forward; one multiply-accumulate is 1
...""",
    "compare": """\
$ tradespace compare alexnet vgg19
                         alexnet            vgg19
year                        2012             2014
depth                          8               19
parameters            60,965,224      143,667,240
...""",
    "price": """\
$ tradespace price transformer-big
Transformer big: 672 chip-hours, 201.1 kWh, 87.03 kg CO2e, 289 to 981.1 USD
on 8 x p100-sxm2
...""",
    "calibrate": """\
$ tradespace calibrate --list
No calibration is stored; make one with: tradespace calibrate""",
    "features build": """\
$ tradespace features build features.py --quiet
features.parquet: 2 features of 200 events in 9 slices, 9 of them computed now""",
    "features join": """\
$ tradespace features join features.py labels.parquet
joined.parquet: 200 rows, 6 columns""",
    "features verify": """\
$ tradespace features verify features.py --quiet
customer_count_1d: 0 of 200 differ, at most 0
customer_mean_eur_7d: 0 of 200 differ, at most 0""",
    "features check": """\
$ tradespace features check features.py
200 events have no contract""",
    "features skew": """\
$ tradespace features skew features.py joined.parquet
customer_count_1d: 0 of 200 differ
customer_mean_eur_7d: 0 of 200 differ""",
    "features list": """\
$ tradespace features list features.py
customer             sales                  2 features  ...  shop""",
    "features show": """\
$ tradespace features show features.py customer
customer (version ...), from sales (...sales.parquet)
owner: shop
entity: customer; freshness limit: none
...""",
    "features diff": """\
$ tradespace features diff features.parquet features.parquet
definitions: []
rows removed: 0
rows added: 0
...""",
    "dlp time": """\
$ tradespace dlp time program.dlp
time    33.0625 ns (33.0625 cycles)
bound   32.0625 ns (all of this program's work, perfectly overlapped): 3.12 % above the bound
...""",
    "dlp run": """\
$ tradespace dlp run program.dlp --data x.npz
y 1x1 float32
[[256.]]""",
    "dlp schedule": """\
$ tradespace dlp schedule 32x256x128 --out product.dlp
...
32x256x128  scheduled  4.100125 us  4.097062 us  0.075 %  compute  176 KiB  ...""",
    "dlp sweep": """\
$ tradespace dlp sweep 32x256x128 --over wram=64KiB..256KiB
...
Doubling one resource of the machine as it is saves:
  rate        31.32 % of the time
  bandwidth    0.07 % of the time
...""",
    "dlp timeline": """\
$ tradespace dlp timeline program.dlp
transfer #####################################################################+.+
 compute .....................................................................+#+
...""",
    "list": """\
$ tradespace list scenarios
name              summary
cancer-prognosis  Is a breast tumor malignant? 569 patients, 30 measurements; misses cost most.
card-fraud        Which card transactions are fraudulent? Generated, or the handbook's real files.
...""",
    "schema": """\
$ tradespace schema
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "tradespace study",
...""",
}
_WORDS = {bool: "", int: "whole number", float: "number", str: "text"}


def commands() -> Iterator[tuple[str, Any]]:
    """Give every command by its words, groups before what they hold."""
    for name, (module, _, _) in COMMANDS.items():
        command = _load(module, name)
        yield name, command
        for part, inner in getattr(command, "commands", {}).items():
            yield f"{name} {part}", inner


def _value(parameter: Any) -> str:
    """Return what kind of value a parameter takes."""
    kind = parameter.type_descriptor.annotation
    if get_origin(kind) is list:
        kind = get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, PurePath):
        return "path"
    words = _WORDS[kind]
    return words if parameter.min is None else f"{words} >= {parameter.min}"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    if parameter.default is None or isinstance(parameter.default, bool) or parameter.default == "":
        return "-"
    return f"`{parameter.default}`"


def _row(parameter: Any) -> str:
    argument = parameter.param_type_name == "argument"
    names = [parameter.name] if argument else parameter.opts
    takes = _value(parameter)
    if parameter.multiple or parameter.nargs == -1:
        takes += ", several"
    cells = (
        ", ".join(f"`{name}`" for name in names),
        takes or "-",
        _default(parameter),
        parameter.help.replace("|", "\\|"),
    )
    return f"| {' | '.join(cells)} |"


def section(name: str, command: Any) -> str:
    """Return the part of the page about one command."""
    level = "###" if " " in name else "##"
    inner = getattr(command, "commands", None)
    text = inspect.cleandoc(command.help).split("\nExamples\n")[0].strip()
    parts = [f"{level} tradespace {name}", "", text, ""]
    if inner is None:
        wanted = [p for p in command.params if p.param_type_name == "argument"]
        usage = " ".join(p.name.upper() if p.required else f"[{p.name.upper()}]" for p in wanted)
        parts += [f"    {' '.join(f'tradespace {name} {usage}'.split())} [OPTIONS]", ""]
        parts += ["| argument or option | takes | default | what it does |", "|---|---|---|---|"]
        parts += [*map(_row, command.params), ""]
        parts += ["```console", EXAMPLES[name], "```", ""]
    return "\n".join(parts)


def all_commands() -> str:
    """Return the generated part of the page."""
    return "\n".join(section(name, command) for name, command in commands())


def page(text: str) -> str:
    """Return the page with its generated part brought up to date."""
    return filled(text, {"commands": all_commands})


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
