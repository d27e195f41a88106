"""A rollout as two files for people who apply changes by their own tools."""

from __future__ import annotations

from pgproof.changes import backward_steps, describe, forward_steps, render_sql
from pgproof.model.catalog import Catalog
from pgproof.model.change import Change, Step


def write_migration(
    changes: tuple[Change, ...], *, variant: str, run_id: str, catalog: Catalog | None = None
) -> tuple[str, str]:
    """Write the text of an up file and a down file, for ``psql -v ON_ERROR_STOP=1 -f FILE``.

    Args:
        changes: In order.
        variant: Their variant.
        run_id: The competition that speaks for them.
        catalog: Of the target; needed where one of the tables is partitioned.

    Returns:
        Up and down; comments say what each statement does.
    """
    what = [describe(change) for change in changes]
    return (
        _file("apply", variant, run_id, what, forward_steps(changes, catalog)),
        _file("take back", variant, run_id, what, backward_steps(changes, catalog)),
    )


def _file(verb: str, variant: str, run_id: str, what: list[str], steps: tuple[Step, ...]) -> str:
    lines = [f"pgproof: {verb} variant {variant}", f"Evidence: competition {run_id}", *what]
    if any(not step.transactional for step in steps):
        lines += [
            "",
            "CONCURRENTLY can't run inside a transaction: run this with",
            "  psql -v ON_ERROR_STOP=1 -f FILE",
            "without --single-transaction, one statement at a time. If a build fails, drop the INVALID index",
            "it leaves before running it again.",
        ]
    header = "".join(f"-- {' '.join(line.split()) if line.strip() else ''}".rstrip() + "\n" for line in lines)
    return f"{header}\n{render_sql(steps)}"
