"""Output: JSON that any parser reads, streams that show every name, files tried before the work."""

import io
import json
import math
from dataclasses import dataclass
from pathlib import Path

import pytest

from pgproof.errors import ConfigError, UsageError
from pgproof.frontends.cli.options import parse_bytes
from pgproof.frontends.cli.outputs import demand_writable_file, demand_writable_folder
from pgproof.frontends.cli.screen import Screen, prepare_streams, render_json


@dataclass(frozen=True)
class Figures:
    name: str
    values: tuple[float, ...]
    by_name: dict[str, float | None]


def test_json_knows_no_infinity() -> None:
    text = render_json(Figures("größe", (1.5, math.inf, -math.inf), {"a": math.nan, "b": None}))
    assert json.loads(text, parse_constant=pytest.fail) == {
        "name": "größe",
        "values": [1.5, None, None],
        "by_name": {"a": None, "b": None},
    }
    assert "größe" in text
    assert render_json(Figures("größe", (), {}), ascii_only=True).isascii()


def test_an_error_goes_into_the_json_file(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    Screen(str(file)).fail(UsageError("That was wrong [1].", hint="Do this."))
    assert json.loads(file.read_text("utf-8")) == {
        "code": "usage",
        "message": "That was wrong [1].",
        "hint": "Do this.",
        "exit_code": 2,
    }


def test_messages_are_no_markup(capfd: pytest.CaptureFixture[str]) -> None:
    Screen().fail(UsageError("[bold]integer[][/] \\[x]", hint="use int[]"))
    assert capfd.readouterr().err == "error: [bold]integer[][/] \\[x]\nuse int[]\n"


def test_a_locale_that_lacks_a_character(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    prepare_streams()
    Screen().text.print("größe")
    assert raw.getvalue() == b"gr\\xf6\\xdfe\n"


def test_a_probe_leaves_no_trace(tmp_path: Path) -> None:
    there = tmp_path / "there.json"
    there.write_text("kept", encoding="utf-8")
    demand_writable_file(there, "--json")
    demand_writable_file(tmp_path / "new" / "x.json", "--json")
    demand_writable_folder(tmp_path / "out", "--out")
    assert there.read_text("utf-8") == "kept"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["new", "out", "there.json"]


def test_what_can_t_be_written_is_told_with_its_option(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"^--html: .*/file/x can't be written: File exists"):
        demand_writable_file(tmp_path / "file" / "x", "--html")
    with pytest.raises(ConfigError, match=r"^--out: the folder .*/file can't be written: File exists"):
        demand_writable_folder(tmp_path / "file", "--out")


@pytest.mark.parametrize(
    ("text", "expected"),
    [(None, None), ("0", 0), ("500MB", 500 * 1024**2), ("1.5 GiB", 3 * 1024**3 // 2), (" 800kB ", 819_200)],
)
def test_sizes(text: str | None, expected: int | None) -> None:
    assert parse_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "1XB", "1MB2", "nan", "1e9"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(UsageError, match="is not a size"):
        parse_bytes(text)


def test_progress_in_a_log_names_each_task_and_counts_now_and_then(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("pgproof.frontends.cli.screen.time.monotonic", lambda: now)
    with Screen().progress() as progress:
        progress("reading the catalog")
        progress("reading the catalog")
        progress("looking for candidates")
        for number in range(99):
            now += 0.25
            progress(f"timing q{number}", number, 99)
        progress("dumping", 500_000, 1_000_000)
        progress("explaining [it]")
    assert capfd.readouterr().err.splitlines() == [
        "... reading the catalog",
        "... looking for candidates",
        "... timing q0",
        "... timing q20 (20/99)",
        "... timing q40 (40/99)",
        "... timing q60 (60/99)",
        "... timing q80 (80/99)",
        "... explaining [it]",
    ]
    with Screen().progress() as progress:
        progress("dumping", 500_000, 1_000_000)
    assert capfd.readouterr().err == "... dumping (50%)\n"
