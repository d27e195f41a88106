"""The folder of programs named in the settings is used wherever programs are chosen."""

from pathlib import Path

import pytest

from pgproof import pipeline
from pgproof.config import Settings
from pgproof.errors import EmbeddedServerError
from pgproof.pipeline.shipping import binaries_for
from pgproof.postgres.embedded import list_binaries
from pgproof.testing.servers import session_home

pytestmark = pytest.mark.pg


def test_the_dump_of_a_schema_comes_from_the_named_folder(tmp_path: Path) -> None:
    for install in list_binaries():
        chosen = binaries_for(Settings(tmp_path, bindir=install.bindir), install.major)
        assert chosen is not None
        assert chosen.bindir == install.bindir
    with pytest.raises(EmbeddedServerError, match="holds no PostgreSQL server"):
        binaries_for(Settings(tmp_path, bindir=tmp_path), 15)


def test_programs_older_than_the_server_can_not_dump_it(tmp_path: Path) -> None:
    installs = sorted(list_binaries(), key=lambda install: install.major)
    oldest, newest = installs[0], installs[-1]
    chosen = binaries_for(Settings(tmp_path, bindir=oldest.bindir), newest.major)
    assert chosen is not None
    assert chosen.major >= newest.major
    assert binaries_for(Settings(tmp_path, bindir=oldest.bindir), newest.major + 1) is None


def test_a_selfcheck_runs_on_the_named_programs() -> None:
    install = list_binaries()[-1]
    settings = Settings(session_home(), bindir=install.bindir)
    competition = pipeline.selfcheck(settings, arms=1, time_limit_s=5)
    assert competition.clone.server_version == install.version
    assert competition.clone.target_version == install.version
