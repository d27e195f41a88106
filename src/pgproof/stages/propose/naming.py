"""Names of new indexes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pgproof.model.catalog import Catalog
from pgproof.sqltext.names import index_name

_NOT_A_WORD = re.compile(r"\W+")


class Names:
    """Hands out index names: none twice, none that a relation of the catalog has.

    The same requests in the same order get the same names.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._taken = {table.relation.name for table in catalog.tables}
        self._taken |= {index.relation.name for index in catalog.indexes}
        self._taken |= {constraint.name for constraint in catalog.constraints}

    def new(self, table: str, parts: Iterable[str], suffix: str = "idx", *, where: Sequence[str] = ()) -> str:
        """Return a name of at most 63 bytes: ``orders_customer_id_idx``, ``orders_id_where_status_idx``.

        Args:
            table: Name of the table.
            parts: Columns and expressions in order; anything but letters, digits and ``_`` becomes ``_``.
            suffix: Last part.
            where: Columns of the predicate of a partial index; empty for a whole one.
        """
        said = (*parts, "where", *where) if where else tuple(parts)
        cleaned = (_NOT_A_WORD.sub("_", part).strip("_") for part in said)
        words = [word for word in cleaned if word]
        name, number = index_name(table, words, suffix), 1
        while name in self._taken:
            number += 1
            name = index_name(table, words, f"{suffix}{number}")
        self._taken.add(name)
        return name
