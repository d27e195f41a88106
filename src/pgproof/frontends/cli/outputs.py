"""Find out before the work, not after it, that its result can't be written."""

from __future__ import annotations

from pathlib import Path

from pgproof.errors import ConfigError


def demand_writable_file(path: Path, option: str) -> None:
    """Make a file's folder and see whether the file can be written; a file that is there stays as it is.

    Args:
        path: Of the file.
        option: That named it, for the message.

    Raises:
        ConfigError: It can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
        with path.open("a", encoding="utf-8"):
            pass
        if new:
            path.unlink()
    except OSError as error:
        raise ConfigError(
            f"{option}: {path} can't be written: {error.strerror}.",
            hint="Name a file in a folder you may write to.",
        ) from error


def demand_writable_folder(path: Path, option: str) -> None:
    """Make a folder and see whether files can be made in it.

    Args:
        path: Of the folder.
        option: That named it, for the message.

    Raises:
        ConfigError: It can't be made or written.
    """
    probe = path / ".pgproof-probe"
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigError(
            f"{option}: the folder {path} can't be written: {error.strerror}.",
            hint="Name a folder you may write to.",
        ) from error
