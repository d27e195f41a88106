"""An interrupt while the folder of a cluster is being made."""

import os
from pathlib import Path

import pytest

from pgproof.postgres import clusters
from pgproof.postgres.accounts import choose_account


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def folders(home: Path) -> list[Path]:
    return [path for path in (home / "clusters").iterdir() if path.is_dir()]


@pytest.mark.parametrize("place", ["_take_lock", "_write_owner"])
def test_nothing_is_left_wherever_it_strikes(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, place, interrupt)
    with pytest.raises(KeyboardInterrupt):
        clusters.make_cluster_folder(tmp_path, "test", choose_account())
    clusters.remove_unfinished()
    assert folders(tmp_path) == []


def test_nothing_is_left_before_its_maker_has_it(tmp_path: Path) -> None:
    folder = clusters.make_cluster_folder(tmp_path, "test", choose_account())
    os.close(folder.lock)
    clusters.remove_unfinished()
    assert folders(tmp_path) == []


def test_what_somebody_will_remove_stays(tmp_path: Path) -> None:
    folder = clusters.make_cluster_folder(tmp_path, "test", choose_account())
    clusters.mark_owned(folder)
    clusters.remove_unfinished()
    assert folders(tmp_path) == [folder.path]
    clusters.remove_cluster_folder(folder)
    assert folders(tmp_path) == []
