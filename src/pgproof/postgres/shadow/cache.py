"""Keeps the data folders of restored shadows, so that the next one of the same target needs no restore.

::

    home/shadows/.lock        shared while one is copied from, exclusive while some are removed
    home/shadows/<key>/data   a stopped cluster; nothing ever runs in it, it is only copied
    home/shadows/<key>/made.json   written last: a folder without it, or that differs from it, is not used
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from pgproof.postgres.template import is_whole

KEPT_MAX = 6
"""Shadows kept at most. **Source**: judgement; one takes 40 MB and more."""
KEPT_MAX_BYTES = 2 * 1024**3
"""Room they may take together. **Source**: judgement."""
_FORMAT = 5
_KEY_DIGITS = 24


def cache_key(*facts: str) -> str:
    """Name the shadow that is made from such facts."""
    digest = hashlib.sha256(str(_FORMAT).encode())
    for fact in facts:
        digest.update(b"\0" + fact.encode())
    return digest.hexdigest()[:_KEY_DIGITS]


@contextlib.contextmanager
def kept_shadow(home: Path, key: str) -> Iterator[Path | None]:
    """Hold on to a kept shadow while it is copied from.

    Yields:
        Its folder; None if there is none, or not a whole one.
    """
    folder = home / "shadows" / key
    with _locked(home, fcntl.LOCK_SH):
        whole = folder if is_whole(folder) else None
        if whole:
            with contextlib.suppress(OSError):
                os.utime(folder)  # the ones used last are kept
        yield whole


def place_for(home: Path, key: str) -> Path:
    """Return where a new shadow is to be kept, older ones cleared away."""
    with _locked(home, fcntl.LOCK_EX):
        _clear(home / "shadows", key)
    return home / "shadows" / key


def discard(home: Path, key: str) -> None:
    """Remove a kept shadow that turned out to be damaged."""
    with _locked(home, fcntl.LOCK_EX):
        shutil.rmtree(home / "shadows" / key, ignore_errors=True)


def _clear(shadows: Path, key: str) -> None:
    kept = sorted((path for path in shadows.iterdir() if _is_shadow(path)), key=_used_at, reverse=True)
    room_bytes, places = KEPT_MAX_BYTES, KEPT_MAX - 1
    for path in kept:
        room_bytes -= _bytes_of(path)
        places -= 1
        if path.name == key or room_bytes < 0 or places < 0:
            shutil.rmtree(path, ignore_errors=True)


def _is_shadow(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _used_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _bytes_of(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(parent, name).lstat().st_size
    return total


@contextlib.contextmanager
def _locked(home: Path, how: int) -> Iterator[None]:
    shadows = home / "shadows"
    shadows.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (shadows / ".lock").open("wb") as handle:
        fcntl.flock(handle, how)
        yield
