"""Predicted beside measured, as people see it on terminal and page, and as programs read it."""

import html
import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from pgproof.frontends.competition_documents import competition_document
from pgproof.frontends.report import terminal
from pgproof.frontends.report.page import Page, render_page
from pgproof.model.prediction import Exactness, Predictions, StatementPrediction
from pgproof.model.trial import ArmResult, ArmRole, Competition
from pgproof.model.units import Interval
from tests.unit.test_report_page import COMPETITION, CONTROL, HOSTILE, arm

PREDICTIONS = Predictions(
    (
        StatementPrediction("orders of a customer", 0.7, -0.65, -0.48, interval=Interval(-0.55, -0.4)),
        StatementPrediction("stopped before", 0.2, -0.9, -0.8, Exactness.AT_MOST),
        StatementPrediction("not priced", 0.0996, None, 0.03),
        StatementPrediction("small", 0.0004, 0.0, -0.01),
        StatementPrediction("not measured", None, -0.3, None),
    ),
    compared=2,
    cost_change_frac=-0.6496,
    time_change_frac=-0.4797,
    median_error_frac=0.09,
    worst="orders of a customer",
)
LEAN = replace(arm("lean", ArmRole.VARIANT, 0.5, Interval(0.4, 0.6)), predictions=PREDICTIONS)
OWN = arm("own", ArmRole.VARIANT, 0.8, Interval(0.7, 0.9))
SUMMARY = (
    "lean: predicted -65 %, measured -48 % (2 of 5 statements); off by 9 points in the median, most for "
    "orders of a customer: predicted -65 %, measured -48 %"
)
ROWS = {
    "orders of a customer": ("70.0 %", "-65 %", "-48 %", "17 points"),
    "stopped before": ("20.0 %", "-90 %", "-80 % or less", "-"),
    "not priced": ("10.0 %", "-", "+3 %", "-"),
    "small": ("< 0.1 %", "0 %", "-1 %", "1 point"),
    "not measured": ("-", "-30 %", "-", "-"),
}


def among(*variants: ArmResult) -> Competition:
    return replace(COMPETITION, arms=(CONTROL, *variants), winner=variants[0].name)


def on_terminal(competition: Competition, width: int = 200) -> str:
    screen = io.StringIO()
    terminal.print_competition(Console(file=screen, width=width), "r-1", competition)
    return screen.getvalue()


def table_of(text: str) -> dict[str, tuple[str, ...]]:
    """Rows below the heading, by statement, in order."""
    lines = (line.strip() for line in text[text.index("predicted and measured") :].splitlines())
    heading = ["statement", "share", "predicted", "measured", "off by"]
    assert any(re.split(r"\s{2,}", line) == heading for line in lines)
    next(lines)
    rows = {}
    for line in lines:
        if not line:
            break
        name, *cells = re.split(r"\s{2,}", line)
        rows[name] = tuple(cells)
    return rows


@pytest.mark.parametrize("width", [80, 200])
def test_terminal_shows_both_figures_heaviest_first_and_a_line_for_each_variant(width: int) -> None:
    text = on_terminal(among(LEAN, OWN), width)
    found = table_of(text)
    assert list(found.items()) == list(ROWS.items())
    lines = text.splitlines()
    assert SUMMARY in lines
    assert "own: predicted -, measured -20 %" in lines, "hand-written, among others"


def test_page_shows_the_same() -> None:
    page = render_page(Page("r-1", among(LEAN, OWN)))
    section = page[page.index("<h2>Predicted and measured</h2>") :]
    section = html.unescape(section[: section.index("</section>")])
    rows = [
        [re.sub(r"<[^>]*>", "", cell).strip() for cell in row.split("</td>")[:-1]]
        for row in re.findall(r"<tr>(<td.*?)</tr>", section, re.DOTALL)
    ]
    shown = {name: tuple(cells) for name, *cells in rows}
    assert shown["orders of a customer"] == ("70.0 %", "-65 %", "-48 %-55 to -40 %", "17 points")
    assert {**shown, "orders of a customer": ROWS["orders of a customer"]} == ROWS
    assert SUMMARY in section
    assert "own: predicted -, measured -20 %" in section
    assert "planner cost, which is no time" in section


def test_a_long_table_is_cut_on_the_terminal_with_a_count() -> None:
    many = tuple(StatementPrediction(f"s{number}", 0.05, -0.5, -0.5) for number in range(20))
    lean = replace(LEAN, predictions=replace(PREDICTIONS, statements=many, worst="s0", compared=20))
    text = on_terminal(among(lean))
    assert list(table_of(text)) == [f"s{number}" for number in range(12)]
    assert "  ... and 8 more; the report has all" in text
    assert '<td class="text">s19</td>' in render_page(Page("r-1", among(lean)))


def test_nothing_is_said_of_blueprints_without_predictions() -> None:
    assert "predicted" not in on_terminal(among(OWN))
    assert "Predicted" not in render_page(Page("r-1", among(OWN)))


def test_where_none_is_off_beyond_noise_none_is_named() -> None:
    lean = replace(LEAN, predictions=replace(PREDICTIONS, worst=""))
    assert "off by 9 points in the median, none by more than the noise\n" in on_terminal(among(lean))


def test_a_variant_that_was_not_raced_is_left_out() -> None:
    broken = ArmResult("broken", ArmRole.VARIANT, "can't be built")
    assert "broken: predicted" not in on_terminal(among(LEAN, broken))


def test_where_no_statement_can_be_compared_it_says_so() -> None:
    rows = (StatementPrediction("s", 1.0, -0.5, 3.1, Exactness.AT_LEAST),)
    text = on_terminal(among(replace(LEAN, predictions=Predictions(rows, compared=0))))
    assert table_of(text) == {"s": ("100.0 %", "-50 %", "+310 % or more", "-")}
    assert "lean: no statement was both priced and measured to its end" in text


def test_names_stay_text() -> None:
    rows = (StatementPrediction(HOSTILE, 1.0, -0.5, -0.4),)
    found = Predictions(rows, 1, -0.5, -0.4, 0.1, HOSTILE)
    competition = among(replace(LEAN, name="[red]lean", predictions=found))
    assert "<script" not in render_page(Page("r-1", competition))
    assert "[red]lean: predicted -50 %" in on_terminal(competition)


def test_the_document_has_them_by_variant() -> None:
    document = competition_document("r-1", among(LEAN, OWN))
    assert [variant.predictions for variant in document.variants] == [PREDICTIONS, None]
    assert document.control.predictions is None
