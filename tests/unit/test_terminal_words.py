"""What people read on a terminal: hints that lead somewhere, commands that can be copied."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from pgproof.frontends.report import terminal
from pgproof.model.finding import STATEMENTS, Diagnosis, Skipped
from pgproof.model.rollout import Rollout, RolloutState, TargetIdentity
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
