"""What people read on a terminal: hints that lead somewhere, commands that can be copied."""

import io

from rich.console import Console

from pgproof.frontends.report import terminal
from pgproof.model.finding import STATEMENTS, Diagnosis, Skipped
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
