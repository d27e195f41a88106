"""Gives the files of a stopped-at-zero relation their true length; no disk is used for it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pgproof.errors import EmbeddedServerError
from pgproof.model.estimate import GinPages
from pgproof.postgres.shadow import pages as layout

SEGMENT_PAGES = 131_072
"""Pages of a file, 1 GiB. **Source**: RELSEG_SIZE of every packaged PostgreSQL."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FREE_SPACE = "Free some space there, or set PGPROOF_HOME to a folder on another disk."
_NO_HOLES = (
    "The shadow uses files with holes, which take no space; name a home on a file system that has them"
    " (ext4, xfs, btrfs, APFS)."
)


@dataclass(frozen=True, slots=True)
class Extent:
    """How long a relation's file is to be, and what its first pages are to say.

    Args:
        path: Of the file, below its database's folder.
        pages: Its length in blocks.
        method: Access method of an index, empty for a table.
        tree_level: Level of a B-tree's root.
        gin: Of a GIN index, None where nobody knows.
        heap_pages: Of an index: length of its table.
    """

    path: str
    pages: int
    method: str = ""
    tree_level: int = 0
    gin: GinPages | None = None
    heap_pages: int = 0


def lay_out(folder: Path, extents: Iterable[Extent], give: Callable[[Path], None]) -> None:
    """Bring the files of a database nobody is connected to into shape.

    Args:
        folder: The database's own, below ``base``.
        extents: One a relation.
        give: Lets the server's account own a file that had to be made.

    Raises:
        EmbeddedServerError: The file system can't hold files with holes of that length.
    """
    for extent in extents:
        try:
            _lay_out_one(folder / extent.path, extent, give)
        except OSError as error:
            raise EmbeddedServerError(
                f"The file of a relation of {extent.pages} pages could not be given its length: "
                f"{error.strerror or error}.",
                hint=_FREE_SPACE if error.errno in _FULL else _NO_HOLES,
                context={"pages": extent.pages, "errno": error.errno},
            ) from error


def _lay_out_one(path: Path, extent: Extent, give: Callable[[Path], None]) -> None:
    pages = extent.pages
    if extent.method and pages:
        head = _head_of(path, extent)
        if head:
            with path.open("r+b") as handle:
                handle.write(head)
            pages = max(pages, len(head) // layout.PAGE_BYTES)
    for number in range(1, -(-pages // SEGMENT_PAGES)):
        segment = path.with_name(f"{path.name}.{number}")
        os.close(os.open(segment, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        os.truncate(segment, min(pages - number * SEGMENT_PAGES, SEGMENT_PAGES) * layout.PAGE_BYTES)
        give(segment)
    os.truncate(path, min(pages, SEGMENT_PAGES) * layout.PAGE_BYTES)


def _head_of(path: Path, extent: Extent) -> bytes:
    """Return what stands at the start of an index's file; empty where that can stay as it is."""
    with path.open("rb") as handle:
        metapage = handle.read(layout.PAGE_BYTES)
        second = handle.read(layout.PAGE_BYTES)
    if len(metapage) < layout.PAGE_BYTES:
        return b""
    if extent.method == "btree":
        leaf = second if len(second) == layout.PAGE_BYTES else b""
        return layout.btree_pages(metapage, leaf, extent.tree_level) if extent.pages > 1 else b""
    if extent.method == "gin" and extent.gin is not None:
        gin = extent.gin
        return layout.gin_metapage(metapage, extent.pages, gin.entry_pages, gin.data_pages, gin.entries)
    if extent.method == "brin":
        return layout.brin_metapage(metapage, layout.brin_revmap_pages(metapage, extent.heap_pages))
    return b""
