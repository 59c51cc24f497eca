"""``tradespace compare``: networks side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tradespace.cli._common import AsJson, console, print_json
from tradespace.cli._inspect import Batch, Format, Settings, read_settings, write_text

app = typer.Typer(add_completion=False)


@app.command()
def compare(
    what: Annotated[
        list[str],
        typer.Argument(
            help="Networks of the zoo, model.onnx, model.keras, my_model.py:MyNet.",
            show_default=False,
        ),
    ],
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", help="Shape of an input, for models of your own: 8x3x224x224."),
    ] = None,
    batch: Batch = None,
    settings: Settings = None,
    format: Format = None,  # noqa: A002 - the name of the option
    on: Annotated[
        list[str] | None,
        typer.Option("--on", help="Processor; several give a column for each."),
    ] = None,
    train: Annotated[
        str | None, typer.Option("--train", help="Optimizer, to compare what training takes.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write a page with a plot of the trade-off.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put networks, or processors for one network, side by side.

    Depth, parameters, neurons, multiply-accumulates, memory, published accuracy; with --on
    also latency, energy and money.

    Examples
    --------
      tradespace compare alexnet vgg19 googlenet

      tradespace compare resnet50 mobilenet-v2 efficientnet-b0 --on rpi-5 --format int8

      tradespace compare resnet50 --on t4 --on l4 --on a100-40-sxm --format fp16
    """
    from tradespace.cost.inspection import inspect
    from tradespace.graph.zoo import networks

    given = read_settings(settings)
    found = [
        inspect(
            one,
            None if one.lower() in networks() else (inputs or None),
            batch=batch,
            settings=given,
            format=format,
            on=chip or None,
            train=train,
        )
        for one in dict.fromkeys(what)
        for chip in dict.fromkeys(on or [""])
    ]
    if html is not None:
        from tradespace.core.rendering import load_object

        page = load_object("tradespace.report.html.comparison_page:comparison_page")
        write_text(html, page(found))
    if as_json:
        print_json([_without_layers(one.to_dict()) for one in found])
        return
    from tradespace.report.network_comparison import print_comparison

    print_comparison(found, console())
    if html is not None:
        console().print(f"\n[dim]written[/dim] {html}", soft_wrap=True)


def _without_layers(record: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in record.items() if key != "layers"}
