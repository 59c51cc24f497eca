"""What reports must not hide: marks of validation rows, unsettled readings, whole figures."""

from __future__ import annotations

import io
import json
import math
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.decide.conftest import evidence, reading, spread, study_of

from tradespace.core.decisions import Comparison, Decision
from tradespace.core.readings import Reading
from tradespace.cost.inspection import inspect
from tradespace.decide.decide import decide
from tradespace.report.html.comparison_page import page_data as comparison_data
from tradespace.report.html.network_page import page_data as network_data
from tradespace.report.html.page import report_data, report_html
from tradespace.report.markdown import decision_markdown
from tradespace.report.network_terminal import print_inspection, totals_rows
from tradespace.report.terminal import print_candidate, print_decision

INFINITE = math.inf
TEXT = (
    "constraints: [average_precision >= 0.60, model_size <= 1 MB, latency_p99 <= 10 ms, "
    "recall >= 0.01, precision >= 0.01, training_time <= 1 h]\n"
    "objectives: [{maximize: average_precision, from: 0, to: 1}]"
)
LONG = "multilayer_perceptron (hidden_layer_sizes=128, max_iter=60)"


def made() -> Decision:
    """A recommended one, one whose latency is unsettled, one left out on validation rows."""
    curves = {"roc": {"x": [0.0, 0.123456789, 1.0], "y": [0.0, 0.8, 1.0]}}
    rest = (
        Reading("recall", 0.5, 0.49, 0.51, "1"),
        Reading("precision", 0.5, 0.49, 0.51, "1"),
        Reading("training_time", 1.5, 1.5, 1.5, "s"),
    )
    left_out = evidence("stump", spread("average_precision", 0.5, 0.02, 2), curves=curves)
    candidates = [
        evidence(
            LONG,
            spread("average_precision", 0.8, 0.02, 1),
            reading("model_size", 10215.0),
            reading("latency_p99", 2e-5, 1.8e-5, 2.4e-5),
            *rest,
            curves=curves,
        ),
        evidence(
            "boosting",
            spread("average_precision", 0.7, 0.02, 3),
            reading("model_size", 351_000.0),
            reading("latency_p99", 1.6e-5, 0.0, INFINITE),
            *rest,
        ),
        replace(left_out, excluded=True, cause="not a finalist: place 3 of 3 on validation data"),
    ]
    context = {"folds": {"validation": {"train": 5}, "test": {"train": 8}}}
    return decide(study_of(TEXT), candidates, context=context)


def printed(decision: Decision, width: int) -> str:
    console = Console(width=width, file=io.StringIO())
    print_decision(decision, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def by_name(data: dict[str, Any]) -> dict[str, Any]:
    return {candidate["name"]: candidate for candidate in data["candidates"]}


def test_readings_on_validation_rows_are_marked_everywhere() -> None:
    decision = made()
    found = by_name(report_data(decision))
    console = Console(width=100, file=io.StringIO())
    print_candidate(decision, decision["stump"], console)
    assert isinstance(console.file, io.StringIO)

    assert found["stump"]["readings"]["average_precision"]["tag"] == "validation"
    assert found[LONG]["readings"]["average_precision"]["tag"] == ""
    assert "on validation rows" in console.file.getvalue()
    assert "on validation data are not comparable" in decision_markdown(decision)


def test_without_validation_rows_nothing_is_marked_as_read_on_them() -> None:
    decision = replace(made(), context={"folds": {"test": {"train": 8}}})

    assert not any(candidate["validation"] for candidate in report_data(decision)["candidates"])


def test_an_unsettled_reading_is_told_apart_from_one_with_an_end() -> None:
    found = by_name(report_data(made()))

    assert found["boosting"]["readings"]["latency_p99"]["unsettled"]
    assert not found[LONG]["readings"]["latency_p99"]["unsettled"]


def test_an_axis_writes_its_ends_as_the_tables_write_them() -> None:
    found = by_name(report_data(made()))[LONG]["readings"]["model_size"]

    assert found["short"] == "10.2 kB"
    assert found["text"].startswith(found["short"])


def test_a_difference_without_ends_is_not_known_rather_than_tied() -> None:
    decision = made()
    tie = Comparison(
        a=decision[LONG].candidate.id,
        b=decision["boosting"].candidate.id,
        quality="latency_p99",
        difference=1e-6,
        low=-INFINITE,
        high=INFINITE,
        tied=True,
        paired=False,
        unit="s",
    )
    decision = replace(decision, ties=(tie,))

    assert "| not known | undecided, unpaired |" in decision_markdown(decision)
    assert report_data(decision)["ties"][0]["word"] == "undecided"
    line = next(x for x in printed(decision, 200).splitlines() if "against boosting" in x)
    assert line.endswith(": not known")


@pytest.mark.parametrize("width", [60, 80, 100, 130, 200])
def test_no_figure_of_the_table_is_ever_cut(width: int) -> None:
    decision = made()
    text = printed(decision, width)
    head, _, _ = text.partition("candidates:")
    utility = decision[LONG].utility

    assert utility is not None
    assert "utility" in head
    assert f"{utility:.3f}" in head
    assert "…" not in head
    assert all(len(line) <= width for line in text.splitlines())
    assert all(word in head for word in ("multilayer_perceptron", "(hidden_layer_sizes=128,"))
    titles = {q["title"] for q in report_data(decision)["qualities"]}
    words = set(re.sub(r"\s+", " ", head).split())
    assert all(set(title.replace(",", " ").split()) <= words | {w.strip(",") for w in words}
               for title in titles if title != "Model size")  # fmt: skip


def test_a_narrow_terminal_says_which_columns_it_has_no_room_for() -> None:
    text = printed(made(), 80)

    assert re.search(r"too narrow for \d columns?, in the report: .*\w", text)
    assert "too narrow for" not in printed(made(), 220)


def test_a_page_is_much_smaller_than_the_plotting_library_and_holds_it_whole() -> None:
    import base64
    import gzip

    page = report_html(made())
    packed = re.search(r'id="plotly">([^<]+)<', page)

    assert packed is not None
    assert len(page) < 2_500_000
    assert b"plotly.js" in gzip.decompress(base64.b64decode(packed[1]))[:200]


def test_curves_are_as_fine_as_a_screen_shows() -> None:
    assert by_name(report_data(made()))[LONG]["curves"]["roc"]["x"] == [0.0, 0.1235, 1.0]


def test_a_comparison_starts_with_two_figures_that_trade_and_explains_what_it_shows() -> None:
    data = comparison_data([inspect("resnet18", on=chip) for chip in ("t4", "a100-40-sxm")])

    assert data["axes"]["x-axis"] == "latency"
    assert data["axes"]["y-axis"] in ("energy", "USD a million samples")
    assert data["axes"]["size"] != "latency"
    assert set(data["meanings"]) == {row["title"] for row in data["rows"]}
    assert {row["title"]: row["unit"] for row in data["rows"]}["latency"] in ("ms", "µs")


def test_accuracy_is_what_latency_is_first_held_against() -> None:
    data = comparison_data([inspect(name, on="t4") for name in ("alexnet", "resnet18")])

    assert (data["axes"]["x-axis"], data["axes"]["y-axis"]) == ("latency", "top-1 accuracy")


def test_figures_that_rest_on_a_branch_say_so_beside_them() -> None:
    found = inspect("mlp-784-300-100-10")
    note = "Assumed: the network looks at a number that depends on the data; took False."
    assumed = replace(found, network=replace(found.network, notes=(note,)))
    remarks = {name: remark for name, _, remark in totals_rows(assumed)}
    console = Console(width=120, file=io.StringIO())
    print_inspection(assumed, console)
    assert isinstance(console.file, io.StringIO)

    assert remarks["MACs"].startswith("as assumed")
    assert note in console.file.getvalue().split("parameters")[0]
    assert network_data(assumed)["assumed"] == [note]
    assert not any("assumed" in remark for _, _, remark in totals_rows(found))


PROBE = """<script>(function wait() {
  if (document.body.dataset.ready !== "yes") return setTimeout(wait, 50);
  const seen = {};
  byId("x-axis").value = "latency_p99"; drawTradeoff();
  const all = (found) => [...document.querySelectorAll(found)];
  const strokes = (id) => all("#" + id + " .errorbars path").map((p) => getComputedStyle(p).stroke);
  seen.before = strokes("plot-tradeoff").concat(strokes("plot-intervals"));
  for (const name of ["--met", "--soft", "--unknown", "--missed"])
    document.documentElement.style.setProperty(name, "rgb(1, 2, 3)");
  draw();
  seen.after = strokes("plot-tradeoff").concat(strokes("plot-intervals"));
  seen.cell = all("#table small").map((e) => e.textContent);
  seen.note = document.getElementById("table-note").textContent;
  seen.unsettled = document.getElementById("tradeoff-note").textContent;
  seen.ends = all("#plot-parallel .annotation-text").map((e) => e.textContent);
  seen.wide = document.documentElement.scrollWidth <= innerWidth;
  document.body.dataset.probe = JSON.stringify(seen);
})();</script>"""


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("flags", [(), ("--blink-settings=preferredColorScheme=0",)])
def test_plots_take_their_colors_from_the_theme_and_follow_its_change(
    tmp_path: Path, chromium: str, flags: tuple[str, ...]
) -> None:
    place = tmp_path / "report.html"
    place.write_text(report_html(made()).replace("</body>", PROBE + "</body>"))
    done = subprocess.run(
        [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr", *flags,
            "--virtual-time-budget=8000", "--window-size=1200,3000", "--dump-dom", f"file://{place}",
        ],
        check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    found = re.search(r'data-probe="([^"]*)"', done.stdout)
    assert found is not None, done.stderr[-2000:]
    seen = json.loads(found[1].replace("&quot;", '"'))

    assert seen["before"]
    assert not {"rgb(0, 0, 0)", "rgb(68, 68, 68)"} & set(seen["before"])
    assert set(seen["after"]) == {"rgb(1, 2, 3)"}
    assert "validation" in seen["cell"]
    assert "validation rows" in seen["note"]
    assert "Unsettled" in seen["unsettled"]
    assert "10.2 kB" in seen["ends"]
    assert seen["wide"]
    assert "Uncaught" not in done.stderr
