"""Where output goes: text and JSON to standard output, progress and errors to standard error."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pgproof.errors import ConfigError, PgproofError
from pgproof.frontends.documents import ErrorDocument
from pgproof.model.progress import Progress as ProgressCallback

STANDARD_OUTPUT = "-"
_PIPE_WIDTH = 120


class Screen:
    """One command's output.

    Args:
        json_path: File for the JSON document; "-" sends it to standard output and the human text to
            standard error; None writes none.
    """

    def __init__(self, json_path: str | None = None) -> None:
        self.json_path = json_path
        self.errors = _console(stderr=True)
        self.text = self.errors if json_path == STANDARD_OUTPUT else _console(stderr=False)

    def check_writable(self) -> None:
        """Find out before the work, not after it, that the JSON file can't be written.

        Raises:
            ConfigError: The folder does not exist or is not writable.
        """
        if self.json_path in (None, STANDARD_OUTPUT):
            return
        path = Path(str(self.json_path))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8"):
                pass
        except OSError as error:
            raise ConfigError(
                f"--json: {path} can't be written: {error.strerror}.",
                hint="Name a file in a folder you may write to.",
            ) from error

    def emit(self, document: Any) -> None:
        """Write the JSON document, if one was asked for."""
        if self.json_path is None:
            return
        text = render_json(document)
        if self.json_path == STANDARD_OUTPUT:
            sys.stdout.write(text)
            sys.stdout.flush()
        else:
            Path(self.json_path).write_text(text, encoding="utf-8")

    def fail(self, error: PgproofError) -> None:
        """Show an error: the danger first, then what to do."""
        self.errors.print(f"[bold red]error:[/] {_escape(error.message)}", soft_wrap=True)
        if error.hint:
            self.errors.print(_escape(error.hint), soft_wrap=True)
        if self.json_path == STANDARD_OUTPUT:
            self.emit(ErrorDocument(error.code, error.message, error.hint, error.exit_code))

    @contextmanager
    def progress(self) -> Iterator[ProgressCallback]:
        """Yield a callback that shows how far a verb has come, on standard error."""
        if self.errors.is_terminal:
            with _live_progress(self.errors) as callback:
                yield callback
        else:
            yield _plain_progress(self.errors)


def _console(*, stderr: bool) -> Console:
    """Return a console; one that writes to a file or a pipe is wide enough for our tables."""
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=_PIPE_WIDTH)


def render_json(document: Any) -> str:
    """Return a document as indented JSON with a final newline."""
    value = TypeAdapter(type(document)).dump_python(document, mode="json")
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


@contextmanager
def _live_progress(console: Console) -> Iterator[ProgressCallback]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task("starting", total=None, count="")

        def show(task: str, done: float = 0, total: float = 0) -> None:
            bars.update(
                bar,
                description=_escape(task),
                completed=done,
                total=total or None,
                count=f"{done:g}/{total:g}" if total else "",
            )

        yield show


def _plain_progress(console: Console) -> ProgressCallback:
    """Return a callback for logs and pipes: a line for each new task, at most one a second."""
    last: list[Any] = ["", 0.0]

    def show(task: str, done: float = 0, total: float = 0) -> None:
        del done, total
        now = time.monotonic()
        if task != last[0] and now - last[1] >= 1.0:
            last[:] = [task, now]
            console.print(f"... {_escape(task)}", soft_wrap=True)

    return show


def _escape(text: str) -> str:
    return text.replace("[", "\\[")
