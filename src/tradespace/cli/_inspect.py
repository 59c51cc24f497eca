"""``tradespace inspect``: what a network costs, before anything is trained."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from tradespace.cli._common import AsJson, console, print_json

app = typer.Typer(add_completion=False)

_network = partial(typer.Option, rich_help_panel="Network")
_training = partial(typer.Option, rich_help_panel="Training")
_costs = partial(typer.Option, rich_help_panel="Costs")
_reverse = partial(typer.Option, rich_help_panel="The other way round")
_output = partial(typer.Option, rich_help_panel="Output")

Batch = Annotated[int | None, _network("--batch", help="Samples in one pass.", min=1)]
Settings = Annotated[
    list[str] | None,
    _network("--set", help="A setting of the builder or constructor: length=2048."),
]
Format = Annotated[
    str | None, _network("--format", help="Number format: fp32, tf32, bf16, fp16, fp8, int8, int4.")
]
On = Annotated[
    str | None,
    _costs(
        "--on",
        help="Processor: a name of 'tradespace list processors', a YAML file, dlp, or "
        "this-machine once it is calibrated.",
    ),
]


def read_settings(given: list[str] | None) -> dict[str, Any]:
    """Return settings written as name=value.

    Raises
    ------
    InputError
        If one is written otherwise, or twice.

    """
    import ast

    from tradespace.core.errors import InputError

    found: dict[str, Any] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name.isidentifier():
            msg = f"A setting is written name=value; got {text!r}."
            raise InputError(msg, remedy="Write --set length=2048, for example.")
        if name in found:
            msg = f"The setting {name!r} is given twice."
            raise InputError(msg, remedy="Leave one out.")
        try:
            found[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            lowered = value.strip().lower()
            found[name] = {"true": True, "false": False}.get(lowered, value)
    return found


@app.command()
def inspect(
    what: Annotated[
        str,
        typer.Argument(
            help="A network of the zoo, model.onnx, model.keras or my_model.py:MyNet(width=64).",
            show_default=False,
        ),
    ],
    inputs: Annotated[
        list[str] | None,
        _network("--input", help="Shape of an input: 8x3x224x224, ids=8x128:int64."),
    ] = None,
    batch: Batch = None,
    settings: Settings = None,
    format: Format = None,  # noqa: A002 - the name of the option
    on: On = None,
    train: Annotated[
        str | None,
        _training("--train", help="Optimizer: sgd, momentum, adam, adamw, adafactor, ..."),
    ] = None,
    checkpoint: Annotated[
        int | None,
        _training(
            "--checkpoint",
            help="Segments whose activations are computed again in the backward pass.",
            min=1,
        ),
    ] = None,
    freeze: Annotated[
        list[str] | None, _training("--freeze", help="A part that is not trained: its path.")
    ] = None,
    samples: Annotated[
        float | None,
        _training("--samples", help="Samples seen in the training run: rows times epochs."),
    ] = None,
    chips: Annotated[int, _training("--chips", help="Processors that share them.", min=1)] = 1,
    region: Annotated[
        str | None,
        _costs("--region", help="Electricity for carbon: see 'tradespace list regions'."),
    ] = None,
    efficiency: Annotated[
        float, _costs("--efficiency", help="Share of the peaks that programs reach; 1 is a bound.")
    ] = 1.0,
    budget: Annotated[
        list[str] | None,
        _reverse(
            "--budget", help='Find the largest that keeps a bound: "memory <= 8 GB". Repeatable.'
        ),
    ] = None,
    vary: Annotated[
        str | None,
        _reverse("--vary", help="What the budget varies: batch unless named; length, width, ..."),
    ] = None,
    parameters: Annotated[
        str, _output("--parameters", help="Convention: trainable, all, weights or shared-bias.")
    ] = "trainable",
    neurons: Annotated[
        str,
        _output(
            "--neurons",
            help="Convention: layers, layers+input, layers+residual, channels, activations, ...",
        ),
    ] = "layers",
    depth: Annotated[
        int | None, _output("--depth", help="Parts of a path that tell rows apart.", min=0)
    ] = None,
    every: Annotated[bool, _output("--all", help="Print every operator.")] = False,
    formulas: Annotated[
        bool, _output("--formulas", help="Print the formula of every layer's MACs.")
    ] = False,
    html: Annotated[
        Path | None,
        _output("--html", help="Write a page with a map of parameters, MACs and memory."),
    ] = None,
    csv: Annotated[Path | None, _output("--csv", help="Write the layers as CSV.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a network counts, needs and costs, before anything is trained.

    With --budget, exits with 1 if nothing keeps the bounds.

    Examples
    --------
      tradespace inspect resnet152

      tradespace inspect vgg19 --on jetson-orin-nano --format int8 --batch 8

      tradespace inspect bert-base --train adamw --format bf16 --batch 32 --on a100-40-sxm

      tradespace inspect my_model.py:MyNet --input 8x3x224x224 --html my_net.html

      tradespace inspect gpt-2 --train adamw --budget "memory <= 24 GB" --vary length
    """
    options: dict[str, Any] = {
        "batch": batch,
        "settings": read_settings(settings),
        "format": format,
        "on": on,
        "train": train,
        "checkpoint": checkpoint,
        "freeze": tuple(freeze or ()),
        "samples": samples,
        "chips": chips,
        "region": region,
        "efficiency": efficiency,
        "parameters": parameters,
        "neurons": neurons,
    }
    if budget:
        _largest(what, inputs, options, budget, vary or "batch", as_json=as_json)
        return
    if vary:
        from tradespace.core.errors import InputError

        msg = f"--vary {vary} needs a bound to keep."
        raise InputError(msg, remedy='Add --budget "memory <= 8 GB", for example.')
    from tradespace.cost.inspection import inspect as look

    found = look(what, inputs or None, **options)
    if html is not None:
        write_text(html, found.to_html())
    if csv is not None:
        write_text(csv, _csv(found))
    if as_json:
        print_json(found.to_dict())
        return
    from tradespace.report.network_terminal import print_inspection

    out = console()
    print_inspection(found, out, depth=depth, formulas=formulas, every=every)
    for path in (html, csv):
        if path is not None:
            out.print(f"\n[dim]written[/dim] {path}", soft_wrap=True)


def _csv(found: Any) -> str:
    import polars as pl

    flat = found.frame().with_columns(
        pl.col("output_shape").list.eval(pl.element().cast(pl.String)).list.join("x")
    )
    text: str = flat.write_csv()
    return text


def write_text(path: Path, text: str) -> None:
    """Write a file.

    Raises
    ------
    InputError
        If it cannot be written.

    """
    from tradespace.core.errors import InputError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        msg = f"{str(path)!r} cannot be written: {error.strerror}."
        raise InputError(msg, remedy="Choose another place.") from None


def _largest(
    what: str,
    inputs: list[str] | None,
    options: dict[str, Any],
    budget: list[str],
    vary: str,
    *,
    as_json: bool,
) -> None:
    from tradespace.cost.budget import largest, parse_budget

    bounds = [parse_budget(text) for text in budget]
    answer = largest(what, inputs or None, bounds=bounds, vary=vary, **options)
    if as_json:
        print_json(answer.to_dict())
    else:
        from tradespace.report.network_comparison import print_largest

        print_largest(answer, console())
    if answer.value is None:
        raise typer.Exit(1)
