"""Settings: who wins, and what is refused."""

from pathlib import Path

import pytest

from pgproof.config import Settings, read_settings
from pgproof.errors import ConfigError


def read(tmp_path: Path, text: str = "", **environment: str) -> Settings:
    if text:
        (tmp_path / "pgproof.toml").write_text(text, encoding="utf-8")
    return read_settings(environment, working_directory=tmp_path)


def test_defaults(tmp_path: Path) -> None:
    settings = read(tmp_path)
    assert (settings.statement_timeout_ms, settings.lock_timeout_ms) == (30_000, 2_000)
    assert settings.bindir is None
    assert settings.ledger == f"sqlite:///{settings.home / 'ledger.sqlite'}"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        'home = "/from/file"\nlock_timeout_ms = 7\n',
        PGPROOF_HOME="/from/environment",
    )
    assert (settings.home, settings.lock_timeout_ms) == (Path("/from/environment"), 7)


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    assert read(tmp_path, "lock_timeout_ms = 7\n", PGPROOF_LOCK_TIMEOUT_MS="").lock_timeout_ms == 7


def test_a_file_named_by_the_environment(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_text('ledger_url = "postgresql://host/db"\n', encoding="utf-8")
    assert read(tmp_path, "lock_timeout_ms = 7\n", PGPROOF_CONFIG=str(elsewhere)) == Settings(
        home=read(tmp_path).home, ledger_url="postgresql://host/db"
    )


@pytest.mark.parametrize(
    ("text", "environment", "message", "hint"),
    [
        ("hom = 'x'", {}, "{file}: unknown setting 'hom'.", "Did you mean 'home'?"),
        ("zzz = 1", {}, "{file}: unknown setting 'zzz'.", "Known settings: bindir, home, "),
        ("home =", {}, "{file} is not valid TOML: ", "Correct the file or remove it."),
        ("lock_timeout_ms = 0", {}, "{file}: lock_timeout_ms must be a whole number above 0, not 0.", ""),
        (
            "",
            {"PGPROOF_STATEMENT_TIMEOUT_MS": "soon"},
            "environment variable PGPROOF_STATEMENT_TIMEOUT_MS: "
            "statement_timeout_ms must be a whole number above 0, not 'soon'.",
            "",
        ),
        (
            "",
            {"PGPROOF_CONFIG": "/no/such/file"},
            "PGPROOF_CONFIG names /no/such/file, and there is no such file.",
            "Correct the path or unset PGPROOF_CONFIG.",
        ),
    ],
)
def test_refused(text: str, environment: dict[str, str], message: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, text, **environment)
    assert raised.value.message.startswith(message.format(file=tmp_path / "pgproof.toml"))
    assert raised.value.hint.startswith(hint)
