"""Write to and read from the ledger, opening and closing it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pgproof.config import Settings
from pgproof.errors import ConfigError
from pgproof.ledger import Ledger, open_ledger


@contextmanager
def ledger_of(settings: Settings) -> Iterator[Ledger]:
    """Open the configured ledger for a block; the default one's folder is made where there is none.

    Raises:
        ConfigError: It can't be opened or made.
    """
    if not settings.ledger_url:
        make_home(settings)
    ledger = open_ledger(settings.ledger)
    try:
        yield ledger
    finally:
        ledger.close()


def make_home(settings: Settings) -> None:
    """Make the folder of pgproof where there is none.

    Raises:
        ConfigError: It can't be made.
    """
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"The folder {settings.home} can't be made: {error.strerror}.",
            hint="Set PGPROOF_HOME to a folder you may write to.",
        ) from error


def demand_memory(settings: Settings) -> None:
    """See before the work, not after it, that its result can be kept.

    Raises:
        ConfigError: The ledger or the folder of pgproof can't be used.
    """
    make_home(settings)
    with ledger_of(settings):
        pass


def remember(settings: Settings, kind: str, name: str, body: object) -> str:
    """Add a run to the ledger and return its id."""
    with ledger_of(settings) as ledger:
        return ledger.record_run(kind, name, body)
