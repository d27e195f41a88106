"""What GIN keeps of a jsonb document, for either operator class."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from pgproof.stages.estimate.sizes.texts import text_key_bytes

HASH_BYTES = 4


Parts = dict[str, dict[str, int]]
"""By place in the document: the keys found there, each with its width."""


def keys_and_values(document: str) -> Parts:
    """Return what ``jsonb_ops`` keeps of a document: each key and each scalar, with its width.

    **Source**: documentation of PostgreSQL 18, 8.14.4: one entry for each key and each value.
    """
    found: Parts = defaultdict(dict)
    for path, value in _leaves(_read(document), ()):
        for key in path:
            found[""][f"K{key}"] = text_key_bytes(f"K{key}")
        if value is not None:
            found[json.dumps(path)][f"V{value}"] = text_key_bytes(f"V{value}")
    return found


def paths_with_values(document: str) -> Parts:
    """Return what ``jsonb_path_ops`` keeps: a hash for each scalar together with the keys that lead to it."""
    found: Parts = defaultdict(dict)
    for path, value in _leaves(_read(document), ()):
        if value is not None:
            found[json.dumps(path)][value] = HASH_BYTES
    return found


def _read(document: str) -> Any:
    try:
        return json.loads(document)
    except ValueError:
        return None


def _leaves(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str | None]]:
    """Yield each scalar in its text form behind the keys that lead to it; an empty container has none."""
    if isinstance(node, dict):
        for key, below in node.items():
            yield from _leaves(below, (*path, key))
        if not node:
            yield path, None
    elif isinstance(node, list):
        for below in node:
            yield from _leaves(below, path)
        if not node:
            yield path, None
    else:
        yield path, "null" if node is None else str(node)
