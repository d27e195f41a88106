"""What people read on a terminal: hints that lead somewhere, commands that can be copied."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from pgproof.frontends.report import terminal
from pgproof.frontends.report.scoreboard import print_verdict
from pgproof.model.finding import STATEMENTS, Diagnosis, Skipped
from pgproof.model.rollout import Rollout, RolloutState, TargetIdentity
from pgproof.model.trial import (
    ArmResult,
    ArmRole,
    CloneInfo,
    Comparison,
    Competition,
    Score,
    TargetResult,
    Verdict,
)
from pgproof.model.units import Interval
from pgproof.model.workload import Workload
from tests.unit.diagnose.builders import catalog, table


def screen() -> Console:
    return Console(file=io.StringIO(), width=160)


def shown(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_checks_that_wait_for_one_grant_are_named_below_it() -> None:
    cure = "GRANT pg_read_all_stats TO reader;"
    names = (STATEMENTS, "missing-index", "deep-offset")
    console = screen()
    terminal.print_diagnosis(
        console,
        catalog(table()),
        Diagnosis((), tuple(Skipped(name, "all are hidden", cure) for name in names), ()),
    )
    assert (
        "not checked statements: all are hidden\n"
        f"  {cure}\n"
        "  These checks wait for it: missing-index, deep-offset\n"
    ) in shown(console)


@pytest.mark.parametrize(
    ("dsn", "line"),
    [
        ("", "next: pgproof advise --workload 'my w.json'\n"),
        ("service=shop", "next: pgproof advise --workload 'my w.json' service=shop\n"),
        (
            "host=db1 password=geheim",
            "next: pgproof advise --workload 'my w.json' host=db1\n"
            "  (the password is left out: give it in PGPASSWORD or ~/.pgpass)\n",
        ),
    ],
)
def test_the_next_command_can_be_copied(dsn: str, line: str) -> None:
    console = screen()
    terminal.print_workload(console, Workload((), "file"), Path("my w.json"), dsn)
    assert shown(console).endswith(line)


def test_the_way_back_names_the_database() -> None:
    target = TargetIdentity("1", "shop", 5, "18.1", "db1:5432/shop")
    rollout = Rollout("d-1", "r-1", "lean", target, (), RolloutState.APPLIED)
    console = screen()
    terminal.print_rollout(console, rollout, (), (), "host=db1 dbname=shop")
    assert shown(console).endswith("undo: pgproof revert d-1 --to 'host=db1 dbname=shop'\n")


@pytest.mark.parametrize("width", [90, 140])
def test_the_scoreboard_marks_the_winner_and_shows_how_sure_that_is(width: int) -> None:
    console = Console(file=io.StringIO(), width=width)
    arms = (
        ArmResult("control", ArmRole.CONTROL, "as it is"),
        raced("lean", Score(82.0, 100, 100, 60, 0.61)),
        raced("broad", Score(81.4, 100, 100, 58, 0.004)),
    )
    print_verdict(console, competition(arms, "lean"))
    lines = {line.split()[0]: line for line in shown(console).splitlines() if line.strip()}
    assert lines["lean"].split()[:2] == ["lean", "*"]
    assert lines["lean"].split()[-3:] == ["82.0", "61", "%"]
    assert lines["broad"].split()[-4:] == ["81.4", "<", "1", "%"]
    assert lines["control"].split()[-2:] == ["-", "-"]
    assert all(len(line.rstrip()) <= width for name, line in lines.items() if name in ("lean", "broad"))


def raced(name: str, score: Score) -> ArmResult:
    compared = Comparison(name, "control", 0.5, Interval(0.4, 0.6), Verdict.BETTER, 30)
    return ArmResult(name, ArmRole.VARIANT, "a title", comparison=compared, score=score)


def competition(arms: tuple[ArmResult, ...], winner: str | None) -> Competition:
    return Competition(
        blueprint="shop",
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        seconds=1.0,
        clone=CloneInfo("made up", "for a test", "18.0", "18.0", 0.0),
        arms=arms,
        winner=winner,
        decision=f"{winner} wins.",
        interval=None,
        void=False,
        rounds=30,
        detectable_effect_frac=0.1,
        seed=1,
    )


def test_missed_targets_of_the_winner_come_with_figures_the_others_by_name() -> None:
    missed = (TargetResult("search", False, "byName 41 % faster"), TargetResult("page", True, "fine"))
    score = Score(82.0, 50, 100, 60, 0.6)
    arms = (
        ArmResult("control", ArmRole.CONTROL, "as it is"),
        replace(raced("lean", score), targets=missed),
        replace(raced("broad", score), targets=missed),
    )
    console = screen()
    print_verdict(console, competition(arms, "lean"))
    told = [line for line in shown(console).splitlines() if "search" in line]
    assert told == [
        "lean misses 1 of 2 targets: search",
        "  search: byName 41 % faster",
        "broad misses 1 of 2 targets: search",
    ]
