"""Reports of made decisions: complete, escaped, self-contained, and alive in a browser."""

from __future__ import annotations

import io
import json
import re
import subprocess
from pathlib import Path

import pytest
from tests.decide.conftest import evidence, reading, spread, study_of

from tradespace.core.decisions import Decision, Evidence
from tradespace.decide.decide import decide
from tradespace.report.html.page import report_data, report_html
from tradespace.report.markdown import decision_markdown
from tradespace.report.notebook import decision_html
from tradespace.report.terminal import print_candidate, print_decision
from tradespace.report.write import write_reports

CURVES = {
    "roc": {"x": [0.0, 0.1, 1.0], "y": [0.0, 0.8, 1.0]},
    "precision_recall": {"x": [0.0, 0.5, 1.0], "y": [1.0, 0.7, 0.1]},
    "calibration": {"x": [0.1, 0.9], "y": [0.2, 0.8], "n": [10, 10]},
}
TEXT = (
    "constraints: [average_precision >= 0.60, model_size <= 1 MB]\n"
    "objectives: [{maximize: average_precision, from: 0, to: 1}, "
    "{minimize: model_size, from: 1 GB, to: 0 B}]"
)
EVIL = "<script>alert('x')</script>"


def candidates(label: str = "forest") -> list[Evidence]:
    return [
        evidence(
            label,
            spread("average_precision", 0.66, 0.04, 1),
            reading("model_size", 4e5),
            reading("latency_p99", 2e-5, 1.8e-5, 2.4e-5),
            curves=CURVES,
        ),
        evidence("stump", spread("average_precision", 0.4, 0.05, 2), reading("model_size", 2e3)),
        evidence(
            "boosting",
            spread("average_precision", 0.62, 0.05, 3),
            reading("model_size", 6e4),
            curves=CURVES,
        ),
        Evidence(
            evidence("hung").candidate, {}, cause="timed out: took longer than 8 s", failed=True
        ),
    ]


def made(text: str = TEXT, label: str = "forest") -> Decision:
    context = {"study_hash": "abc", "data_hash": "def", "seeds": [0], "versions": {"numpy": "2"}}
    return decide(study_of(text), candidates(label), context=context)


OUTCOMES = {
    "recommended": made(),
    "provisional": made(TEXT.replace("0.60", "0.66")),
    "none feasible": made(TEXT.replace("1 MB", "1 B")),
    "no objective": made("constraints: [average_precision >= 0.60]"),
    "nothing asked": made(""),
    "nobody": decide(study_of(TEXT), []),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_every_outcome_renders_everywhere(name: str, tmp_path: Path) -> None:
    from rich.console import Console

    decision = OUTCOMES[name]
    console = Console(width=80, file=io.StringIO())
    print_decision(decision, console)
    for assessment in decision.assessments:
        print_candidate(decision, assessment, console)
    places = write_reports(decision, tmp_path)

    assert json.loads(places["decision.json"].read_text())["outcome"] == decision.outcome.value
    assert places["report.html"].stat().st_size > 1_000_000
    for assessment in decision.assessments:
        assert assessment.candidate.name in decision_markdown(decision)
    assert "<table" in decision_html(decision)


def test_what_a_user_wrote_cannot_become_markup() -> None:
    decision = made(label=EVIL)
    page = report_html(decision)
    body = page[: page.index("<script type=")]

    assert EVIL not in body
    assert "\\u003cscript>alert" in page
    assert EVIL not in decision_html(decision)
    assert EVIL not in decision_markdown(decision)


def test_the_page_asks_for_nothing_from_outside() -> None:
    page = report_html(made())
    own = page[: page.index("/**\n* plotly.js")] if "/**\n* plotly.js" in page else page

    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=[\"']https?:", own)


def test_the_data_of_the_page_are_json_without_nan() -> None:
    text = json.dumps(report_data(made()), allow_nan=False)

    assert "forest" in text


@pytest.mark.browser
@pytest.mark.slow
def test_the_page_draws_itself_in_a_browser_without_an_error(tmp_path: Path, chromium: str) -> None:
    place = write_reports(made(), tmp_path)["report.html"]
    probe = (
        "<script>addEventListener('load', () => setTimeout(() => {"
        "const one = (s) => document.querySelector(s);"
        "const all = (s) => [...document.querySelectorAll(s)];"
        "const t = one('#x-axis'); const was = one('#plot-tradeoff .xtitle').textContent;"
        "t.value = 'latency_p99'; t.dispatchEvent(new Event('change'));"
        "setTimeout(() => { const now = one('#plot-tradeoff .xtitle').textContent;"
        "all('#table th')[0].click();"
        "const names = all('#table tbody tr td:first-child').map(e => e.textContent);"
        "document.body.dataset.probe = JSON.stringify({was, now, names, "
        "points: all('#plot-tradeoff .points path').length,"
        "curves: all('#plot-curves .js-line').length}); }, 400); }, 400));</script>"
    )
    place.write_text(place.read_text().replace("</body>", probe + "</body>"))
    done = subprocess.run(
        [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr",
            "--virtual-time-budget=8000", "--window-size=1200,3000", "--dump-dom", f"file://{place}",
        ],
        check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    found = re.search(r'data-probe="([^"]*)"', done.stdout)
    assert found is not None, done.stderr[-2000:]
    seen = json.loads(found[1].replace("&quot;", '"'))

    assert 'data-ready="yes"' in done.stdout
    assert "Uncaught" not in done.stderr
    assert seen["was"] != seen["now"]
    assert "Latency" in seen["now"]
    assert seen["points"] >= 1
    assert seen["curves"] >= 2
    assert seen["names"] == sorted(seen["names"])
