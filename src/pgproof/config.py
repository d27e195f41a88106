"""One frozen ``Settings``: the sole reader of environment variables and TOML files.

Order of trust: command-line option (applied by the frontend with ``dataclasses.replace``), then the
environment, then the TOML file, then the default.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import platformdirs

from pgproof.errors import ConfigError

ENVIRONMENT_PREFIX = "PGPROOF_"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set from outside, apart from a command's own options.

    Args:
        home: Folder for embedded servers, caches and the default ledger; made when needed.
        ledger_url: SQLAlchemy URL of the ledger; empty means ``ledger.sqlite`` in ``home``.
        bindir: Folder of PostgreSQL binaries to use instead of the wheel's; None means look for them.
        statement_timeout_ms: Of every statement pgproof sends to a user's database, > 0.
        lock_timeout_ms: Of every statement pgproof sends to a user's database, > 0.
    """

    home: Path
    ledger_url: str = ""
    bindir: Path | None = None
    statement_timeout_ms: int = 30_000
    lock_timeout_ms: int = 2_000

    @property
    def ledger(self) -> str:
        """The ledger's URL, with the default filled in."""
        return self.ledger_url or f"sqlite:///{self.home / 'ledger.sqlite'}"


def read_settings(
    environment: Mapping[str, str] | None = None, *, working_directory: Path | None = None
) -> Settings:
    """Read the settings.

    Args:
        environment: Instead of the process's own.
        working_directory: Where ``pgproof.toml`` is looked for, instead of the current folder.

    Returns:
        The settings, complete.

    Raises:
        ConfigError: The file does not parse, or a key or value is not one of ours.
    """
    env = os.environ if environment is None else environment
    values = _read_file(_find_file(env, working_directory or Path.cwd()))
    for field in fields(Settings):
        variable = ENVIRONMENT_PREFIX + field.name.upper()
        if env.get(variable):
            values[field.name] = (env[variable], f"environment variable {variable}")
    return _build(values)


def _find_file(env: Mapping[str, str], working_directory: Path) -> Path | None:
    if env.get(ENVIRONMENT_PREFIX + "CONFIG"):
        path = Path(env[ENVIRONMENT_PREFIX + "CONFIG"])
        if not path.is_file():
            raise ConfigError(
                f"PGPROOF_CONFIG names {path}, and there is no such file.",
                hint="Correct the path or unset PGPROOF_CONFIG.",
            )
        return path
    candidates = (
        working_directory / "pgproof.toml",
        platformdirs.user_config_path("pgproof") / "config.toml",
    )
    return next((path for path in candidates if path.is_file()), None)


def _read_file(path: Path | None) -> dict[str, tuple[Any, str]]:
    if path is None:
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} is not valid TOML: {error}", hint="Correct the file or remove it."
        ) from error
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}") from error
    known = {field.name for field in fields(Settings)}
    for key in content:
        if key not in known:
            close = get_close_matches(key, known, n=1)
            raise ConfigError(
                f"{path}: unknown setting {key!r}.",
                hint=f"Did you mean {close[0]!r}?"
                if close
                else f"Known settings: {', '.join(sorted(known))}.",
            )
    return {key: (value, str(path)) for key, value in content.items()}


def _build(values: Mapping[str, tuple[Any, str]]) -> Settings:
    def text(name: str) -> str:
        return str(values[name][0]) if name in values else ""

    def positive(name: str, default: int) -> int:
        if name not in values:
            return default
        raw, origin = values[name]
        try:
            number = int(raw)
        except (TypeError, ValueError):
            number = 0
        if number <= 0:
            raise ConfigError(f"{origin}: {name} must be a whole number above 0, not {raw!r}.")
        return number

    return Settings(
        home=Path(text("home")).expanduser() if text("home") else _default_home(),
        ledger_url=text("ledger_url"),
        bindir=Path(text("bindir")).expanduser() if text("bindir") else None,
        statement_timeout_ms=positive("statement_timeout_ms", 30_000),
        lock_timeout_ms=positive("lock_timeout_ms", 2_000),
    )


def _default_home() -> Path:
    return platformdirs.user_data_path("pgproof")
