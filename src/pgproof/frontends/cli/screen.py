"""Where output goes: text and JSON to standard output, progress and errors to standard error."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from pydantic import TypeAdapter
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pgproof.errors import ConfigError, PgproofError
from pgproof.frontends.cli.outputs import demand_writable_file
from pgproof.frontends.documents import ErrorDocument
from pgproof.model.progress import Progress as ProgressCallback

STANDARD_OUTPUT = "-"
_PIPE_WIDTH = 120

_PAUSE_S = 5.0
"""Between two lines about tasks that are counted. **Source**: judgement: a log that one can read."""

_READABLE = 10_000
"""Numbers from which on a share says more. **Source**: judgement; bytes of a dump, for one."""


class _PatientConsole(Console):
    """A console whose reader may leave (``pgproof check | head``): the command still finishes its work."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        discard(self.file)


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
        if self.json_path not in (None, STANDARD_OUTPUT):
            demand_writable_file(Path(str(self.json_path)), "--json")

    def emit(self, document: Any) -> None:
        """Write the JSON document, if one was asked for.

        Raises:
            ConfigError: Its file can't be written.
        """
        if self.json_path is None:
            return
        if self.json_path != STANDARD_OUTPUT:
            _write_file(Path(self.json_path), render_json(document))
            return
        try:
            sys.stdout.write(render_json(document, ascii_only=not _is_utf8(sys.stdout)))
            sys.stdout.flush()
        except BrokenPipeError:
            discard(sys.stdout)

    def fail(self, error: PgproofError) -> None:
        """Show an error: the danger first, then what to do; the JSON document tells the same."""
        self.errors.print(f"[bold red]error:[/] {escape(error.message)}", soft_wrap=True)
        if error.hint:
            self.errors.print(escape(error.hint), soft_wrap=True)
        with contextlib.suppress(ConfigError):  # the file may be what is wrong
            self.emit(ErrorDocument(error.code, error.message, error.hint, error.exit_code))

    @contextmanager
    def progress(self) -> Iterator[ProgressCallback]:
        """Yield a callback that shows how far a verb has come, on standard error."""
        if self.errors.is_terminal:
            with _live_progress(self.errors) as callback:
                yield callback
        else:
            yield _plain_progress(self.errors)


def prepare_streams() -> None:
    """Let no character of a name stop the output where the locale can't show it: it comes out escaped."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and not _is_utf8(stream):
            reconfigure(errors="backslashreplace")


def flush_output() -> None:
    """Write what is still buffered; a reader that has left must not leave a traceback at exit.

    A disk that is full was told before, when the output was printed.
    """
    try:
        sys.stdout.flush()
    except OSError:
        discard(sys.stdout)


def discard(stream: Any) -> None:
    """Send what is still written to a stream nowhere.

    **Source**: Python documentation, library/signal, "Note on SIGPIPE".
    """
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def render_json(document: Any, *, ascii_only: bool = False) -> str:
    """Return a document as indented JSON with a final newline.

    JSON has no word for infinity or "not a number": such a figure, which nobody knows, becomes null.

    Args:
        document: A dataclass.
        ascii_only: Write other characters as escapes, for an output that is not UTF-8.
    """
    value = _finite(TypeAdapter(type(document)).dump_python(document, mode="json"))
    return json.dumps(value, indent=2, ensure_ascii=ascii_only, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _console(*, stderr: bool) -> Console:
    """Return a console; one that writes to a file or a pipe is wide enough for our tables."""
    console = _PatientConsole(stderr=stderr, highlight=False)
    if console.is_terminal:
        return console
    return _PatientConsole(stderr=stderr, highlight=False, width=_PIPE_WIDTH)


def _write_file(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"--json: {path} can't be written: {error.strerror}.",
            hint="Name a file in a folder you may write to.",
        ) from error


def _is_utf8(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("-", "") in ("utf8", "utf8sig")


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
                description=escape(task),
                completed=done,
                total=total or None,
                count=_count(done, total),
            )

        yield show


def _plain_progress(console: Console) -> ProgressCallback:
    """Return a callback for logs and pipes: a line for each new task, and now and then how far one has come.

    Tasks that are counted come in quick succession ("timing q1", "timing q2"...): of those, a line now and
    then will do.
    """
    last_task, last_at, was_counted = "", -math.inf, False

    def show(task: str, done: float = 0, total: float = 0) -> None:
        nonlocal last_task, last_at, was_counted
        now, is_counted = time.monotonic(), total > 0
        is_pause_over = now - last_at >= _PAUSE_S
        is_news = task != last_task and not (is_counted and was_counted)
        if not (is_news or (is_counted and is_pause_over)):
            return
        last_task, last_at, was_counted = task, now, is_counted
        count = f" ({_count(done, total)})" if done else ""
        console.print(f"... {escape(task)}{count}", soft_wrap=True)

    return show


def _count(done: float, total: float) -> str:
    """Return how far a task has come: "3/99", a share where the numbers are too large to read."""
    if not total:
        return ""
    return f"{done:,.0f}/{total:,.0f}" if total < _READABLE else f"{done / total:.0%}"
