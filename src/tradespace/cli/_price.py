"""``tradespace price``: what a training run costs."""

from __future__ import annotations

from typing import Annotated

import typer

from tradespace.cli._common import AsJson, console, print_json

app = typer.Typer(add_completion=False)


@app.command()
def price(
    what: Annotated[
        str | None,
        typer.Argument(help="A published run (gpt-3) or a network of the zoo (resnet50)."),
    ] = None,
    flop: Annotated[float | None, typer.Option(help="Operations of the run.")] = None,
    params: Annotated[float | None, typer.Option(help="Parameters; with --tokens.")] = None,
    tokens: Annotated[float | None, typer.Option(help="Tokens seen in training.")] = None,
    samples: Annotated[
        float | None, typer.Option(help="Samples seen in training, of a network of the zoo.")
    ] = None,
    hours: Annotated[float | None, typer.Option(help="Hours that all chips work.")] = None,
    on: Annotated[
        str | None, typer.Option("--on", help="Processor: a name of the list or a YAML file.")
    ] = None,
    chips: Annotated[float | None, typer.Option(help="Chips that share the work.")] = None,
    utilization: Annotated[
        float | None, typer.Option(help="Share of the peak that training reaches, 0 to 1.")
    ] = None,
    rate: Annotated[
        str | None, typer.Option(help="Rate of a chip in place of peak and utilization: 28TFLOP/s.")
    ] = None,
    number_format: Annotated[
        str | None, typer.Option("--format", help="Number format: bf16, fp16, tf32, fp32, ...")
    ] = None,
    power: Annotated[str | None, typer.Option(help="Average power of a chip: 330W.")] = None,
    region: Annotated[
        str | None, typer.Option(help="Electricity: a name of the list or a YAML file.")
    ] = None,
    pue: Annotated[
        float | None, typer.Option(help="Power of the data center over that of its computers.")
    ] = None,
    usd_per_hour: Annotated[
        str | None, typer.Option(help="Price of a chip's hour: 1.50, or a range: 0.43-1.46.")
    ] = None,
    usd_per_kwh: Annotated[float | None, typer.Option(help="Price of electricity.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    as_json: AsJson = False,
) -> None:
    """Price a training run: operations, hours, energy, carbon, money, every assumption.

    Examples: tradespace price transformer-big; tradespace price gpt-3 --flop 3.14e23 --on
    v100-pcie --rate 28TFLOP/s --usd-per-hour 1.50; tradespace price resnet50 --samples 1.15e8
    --on a100-40-sxm --chips 8 --region se.
    """
    from tradespace.cost.price.price import price as compute
    from tradespace.files.units import parse_quantity
    from tradespace.hardware.profiles.prices import parse_price

    cost: tuple[float, float] | None = None
    if usd_per_hour is not None:
        text = usd_per_hour.removesuffix("USD/h").strip()
        found = parse_price(f"{text} USD/h", per_hour=True, what="The price of an hour")
        cost = (found.low, found.high)
    made = compute(
        what,
        flop=flop,
        parameters=params,
        tokens=tokens,
        samples=samples,
        hours=hours,
        on=on,
        chips=chips,
        utilization=utilization,
        rate_flop_per_s=None
        if rate is None
        else parse_quantity(rate, unit="op/s", what="The rate of a chip"),
        number_format=number_format,
        power_w=None
        if power is None
        else parse_quantity(power, unit="W", what="The power of a chip"),
        region=region,
        pue=pue,
        usd_per_hour=cost,
        usd_per_kwh=usd_per_kwh,
    )
    if as_json:
        print_json(made.to_dict())
        return
    from tradespace.report.price_text import price_markdown, print_price

    if markdown:
        typer.echo(price_markdown(made), nl=False)
    else:
        print_price(made, console())
