"""Which candidates a statement's plans could use at all: the planner is slower the more it is shown.

Words decide: a candidate is relevant where its table and its leading key are mentioned. That is more than can
be used, never less, but for plans that read a whole index because it is smaller than its table.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from string import ascii_lowercase, ascii_uppercase

from pgproof.model.candidate import IndexCandidate
from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateIndex
from pgproof.model.relation import RelationKind, RelationName
from pgproof.model.workload import WorkloadStatement
from pgproof.stages.estimate.costs import Relevance, Relevant

_WORD = re.compile(
    r"""--[^\n]*|/\*.*?\*/|[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'"""  # no names, but quotes among them
    r"""|("(?:[^"]|"")+")|([^\W\d][\w$]*)""",
    re.DOTALL,
)
_FOLDED = str.maketrans(ascii_uppercase, ascii_lowercase)
"""What the server makes of a word without quotes: letters beyond ASCII stay as they are."""

_ALL_COLUMNS = frozenset({"natural"})
"""Words that join by columns without naming them."""


def find_relevance(catalog: Catalog, candidates: Sequence[IndexCandidate]) -> Relevance:
    """Return the function that tells which candidates a statement's plans could use.

    Args:
        catalog: Of the database; tells what statements read without naming it: by views, children,
            policies, functions.
        candidates: To choose from.
    """
    reader = _Reader(catalog)
    marks = [(c, reader.table_words(c.change.table), _leading_words(c.change)) for c in candidates]

    def relevant(statement: WorkloadStatement) -> Relevant:
        words = reader.words_of(statement.query.sql)
        any_column = bool(words & _ALL_COLUMNS)
        proposed = frozenset(c.name for c in candidates if statement.name in c.statements)
        # A partial index serves only conditions like those it was proposed for.
        usable = frozenset(
            c.name
            for c, tables, leading in marks
            if not c.change.where and tables & words and (any_column or not leading or leading & words)
        )
        return Relevant(usable | proposed, proposed)

    return relevant


def find_tables(
    catalog: Catalog, tables: Sequence[RelationName]
) -> Callable[[str], tuple[RelationName, ...]]:
    """Return the function that tells which of some tables a statement may read, by the words in its text.

    Args:
        catalog: Of the database; need not hold the tables.
        tables: In question.
    """
    if not tables:
        return lambda _: ()
    reader = _Reader(catalog)
    marks = [(table, reader.table_words(table)) for table in tables]

    def read_by(sql: str) -> tuple[RelationName, ...]:
        words = reader.words_of(sql)
        return tuple(table for table, names in marks if names & words)

    return read_by


class _Reader:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        views = ((t.relation.name, t.definition) for t in catalog.tables if t.kind is RelationKind.VIEW)
        rewrites = ((rewrite.name, rewrite.body) for rewrite in catalog.rewrites)
        self._unfolded: defaultdict[str, set[str]] = defaultdict(set)
        for name, text in (*views, *rewrites):
            self._unfolded[name] |= words_in(text)

    def words_of(self, sql: str) -> frozenset[str]:
        """Return the words of a statement, and of the views, policies and functions behind them."""
        words = set(words_in(sql))
        waiting = list(self._unfolded.keys() & words)
        while waiting:
            new = self._unfolded[waiting.pop()] - words
            words |= new
            waiting += new & self._unfolded.keys()
        return frozenset(words)

    def table_words(self, table: RelationName) -> frozenset[str]:
        """Return the names by which a statement may come to a table: its own, and of those above it."""
        found = self._catalog.find_table(table.name, table.schema)
        above = self._catalog.ancestors_of(found) if found is not None else ()
        return frozenset({table.name, *(name.name for name in above)})


def words_in(sql: str) -> frozenset[str]:
    """Return every word of a text that could be a name, as the server would store it."""
    return frozenset(
        quoted[1:-1].replace('""', '"') if quoted else word.translate(_FOLDED)
        for quoted, word in _WORD.findall(sql)
        if quoted or word
    )


def _leading_words(change: CreateIndex) -> frozenset[str]:
    if not change.keys:
        return frozenset()
    leading = change.keys[0]
    return frozenset({leading.column}) if leading.column else words_in(leading.expression)
