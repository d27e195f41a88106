"""The door of the ``pgproof`` command, and of ``python -m pgproof``."""

from __future__ import annotations

import signal


def main() -> None:
    """Import the command line and run it; Ctrl-C ends the import without a traceback."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from pgproof.frontends.cli import app  # the import takes long enough to be interrupted

    app.main()


if __name__ == "__main__":
    main()
