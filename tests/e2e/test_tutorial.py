"""The tutorial's commands, run in order as a newcomer would, on each PostgreSQL at hand."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pgproof.postgres.embedded import EmbeddedServer, start_server
from pgproof.testing.servers import session_home

pytestmark = [pytest.mark.pg, pytest.mark.e2e, pytest.mark.slow]

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial" / "first-hour.md"
SHELL = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
SERVICES = {"admin": "postgres", "shop": "pgproof_reader", "shop_owner": "shop_app"}


def environment(server: EmbeddedServer, folder: Path) -> dict[str, str]:
    """What the tutorial's second step sets up: services, and the programs on the path."""
    services = folder / "services.conf"
    host = server.socket_dir
    services.write_text(
        "".join(f"[{name}]\nhost={host}\nuser={user}\ndbname=shop\n" for name, user in SERVICES.items()),
        encoding="utf-8",
    )
    programs = [Path(sys.executable).parent, server.binaries.bindir, os.environ["PATH"]]
    return {
        **os.environ,
        "PATH": os.pathsep.join(map(str, programs)),
        "PGSERVICEFILE": str(services),
        "PGPROOF_HOME": str(folder / "home"),
    }


def test_the_first_hour(pg_server: EmbeddedServer, tmp_path: Path) -> None:
    said = []
    with start_server(pg_server.binaries, home=session_home(), label="tutorial") as server:
        for block in SHELL.findall(TUTORIAL.read_text(encoding="utf-8")):
            done = subprocess.run(
                ["bash", "-e", "-o", "pipefail", "-c", block],
                cwd=tmp_path,
                env=environment(server, tmp_path),
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
            said.append(done.stdout)
    everything = "\n".join(said)
    assert "public.orders is read whole to find rows by (customer_id)" in everything
    assert re.search(r"verdict: \w+ wins", everything)
    assert ": applied" in everything
    assert "schema byte-equal to before: yes" in everything
