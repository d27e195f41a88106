"""Wrong usage of the command ends in a message that says what to do, never in a traceback."""

import json
from pathlib import Path

import pytest

from pgproof.frontends.cli.app import run


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["chekc"], "No such command 'chekc'", "See: pgproof --help"),
        (["check", "--nonsense"], "No such option: --nonsense", "See: pgproof check --help"),
        (["demo", "--scale", "big"], "Invalid value for '--scale'", "See: pgproof demo --help"),
        (["demo", "--scale", "0"], "--scale 0: must be above 0", "takes about"),
        (["compete"], "Missing argument", "See: pgproof compete --help"),
    ],
)
def test_wrong_usage(
    arguments: list[str], message: str, hint: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    shown = capfd.readouterr()
    assert shown.out == ""
    assert message in shown.err
    assert hint in shown.err
    assert "Traceback" not in shown.err


def test_no_arguments_show_help(capfd: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert "demo" in capfd.readouterr().out


def test_wrong_usage_is_json_where_json_was_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--nonsense", "--json", "-"]) == 2
    document = json.loads(capfd.readouterr().out)
    assert (document["code"], document["exit_code"]) == ("usage", 2)


def test_output_that_finds_no_room_is_no_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PGPROOF_HOME", str(tmp_path))
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr("sys.stdout", full)
        assert run(["runs"]) == 2
    shown = capfd.readouterr().err
    assert shown == (
        "error: The output can't be written: No space left on device.\n"
        "Free some space, or send the output elsewhere. Files that were written stay.\n"
    )
