"""Variants of a file: changes as SQL, statements replaced, caches, refreshes, patches."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from pgproof.changes import apply_steps
from pgproof.errors import ConfigError, ParseError, UsageError
from pgproof.frontends.blueprint.decode import Decoder, Path
from pgproof.frontends.blueprint.document import CacheDocument, RefreshDocument, VariantDocument
from pgproof.frontends.blueprint.problems import nearest
from pgproof.frontends.blueprint.yaml_tree import Scalar
from pgproof.model.change import Change
from pgproof.model.freshness import CachedStatement, CachePolicy, Refresh
from pgproof.model.relation import RelationName
from pgproof.model.variant import ExpectedStatement, ReplacedStatement, Variant
from pgproof.model.workload import WorkloadStatement
from pgproof.sqltext.ddl import DEFAULT_SCHEMA, parse_change
from pgproof.sqltext.parameters import parameter_numbers
from pgproof.sqltext.parse import parse_statement

CACHE_SCHEMES = ("redis", "rediss", "unix")
_PREFIX = re.compile(r"^(line \d+, column \d+: |: )")

Statements = Mapping[str, WorkloadStatement]


def assemble_variant(
    document: VariantDocument, decoder: Decoder, path: Path, statements: Statements
) -> Variant:
    """Make a variant of its keys.

    Args:
        document: The keys.
        decoder: Read them; told what is wrong.
        path: Of the variant.
        statements: Of the workload, by name; empty where the workload could not be read.
    """
    parts = _Parts(decoder, path, statements)
    cache = document.cache
    empty = not (document.changes or document.statements or cache or document.patch)
    # A change that could not be read was there all the same, and so was one behind a misspelt key.
    meant = (
        getattr(decoder.trees.get((*path, "changes")), "items", ()) or (*path, "changes") in decoder.misspelt
    )
    if empty and not meant:
        decoder.problems.add(
            decoder.place((*path, "changes")),
            f"variant {document.name!r} changes nothing.",
            "The control is added by the competition; list a change.",
        )
    return Variant(
        name=document.name,
        title=document.title or document.name,
        changes=parts.changes(document.changes),
        why=document.why,
        expected=tuple(ExpectedStatement(name, share) for name, share in document.expected.items()),
        details=document.details,
        statements=parts.replaced(document.statements),
        cache=parts.cache(cache) if cache else None,
        refreshes=tuple(
            parts.refresh(each, place) for place, each in decoder.placed(document.refresh, *path, "refresh")
        ),
        max_staleness_s=document.max_staleness_s,
        patch=document.patch,
    )


class _Parts:
    """The parts of one variant."""

    def __init__(self, decoder: Decoder, path: Path, statements: Statements) -> None:
        self._decoder = decoder
        self._path = path
        self._statements = statements

    def changes(self, written: tuple[str | Change, ...]) -> tuple[Change, ...]:
        """Read each change that stands there as SQL."""
        made: list[Change] = []
        for path, change in self._decoder.placed(written, *self._path, "changes"):
            try:
                read = parse_change(change) if isinstance(change, str) else change
                with suppress(UsageError):  # what only the database knows is not known yet
                    apply_steps(read)  # a mapping may hold SQL as well
                made.append(read)
            except (ConfigError, ParseError) as error:
                self._sql_problem(error, path)
        return tuple(made)

    def replaced(self, written: Mapping[str, str]) -> tuple[ReplacedStatement, ...]:
        """Check statements that the application sends instead."""
        for name, sql in written.items():
            path = (*self._path, "statements", name)
            self._known(name, path)
            try:
                statement = parse_statement(sql)
            except (ConfigError, ParseError) as error:
                self._sql_problem(error, path)
                continue
            old = self._statements.get(name)
            if old is None:
                continue
            had, has = (max(parameter_numbers(text), default=0) for text in (old.query.sql, sql))
            if had != has:
                told = f"this has {has} placeholders, and {name!r}, which it replaces, has {had}."
                self._add(path, told, "It is sent with the same values: $1 for the same value as before.")
            if statement.kind != old.query.kind.value:
                told = f"{name!r} is a {old.query.kind.value}, and what replaces it is a {statement.kind}."
                self._add(path, told, "Only a statement of the same kind can give the same answer.")
        return tuple(ReplacedStatement(name, sql) for name, sql in written.items())

    def cache(self, written: CacheDocument) -> CachePolicy:
        """Check that what is cached only reads, and that no password is in the file."""
        place = (*self._path, "cache")
        if not written.ttl_s:
            self._add(place, "the cache names no statement.", "Write ttl_s: {statement: seconds}.")
        for name, ttl_s in written.ttl_s.items():
            self._known(name, (*place, "ttl_s", name))
            statement = self._statements.get(name)
            if statement is not None and not statement.query.read_only:
                told = f"{name!r} writes, and a cache would swallow the write."
                self._add((*place, "ttl_s", name), told, "Leave it out.")
            if ttl_s <= 0:
                self._add((*place, "ttl_s", name), f"the TTL of {name!r} must be above 0.")
        self._cache_url(written.url, (*place, "url"))
        return CachePolicy(tuple(CachedStatement(n, ttl) for n, ttl in written.ttl_s.items()), written.url)

    def _cache_url(self, url: str, place: Path) -> None:
        if not url:
            return
        try:
            parts = urlsplit(url)
        except ValueError:
            self._add(place, "the cache's url can't be read.", "Write redis://host:port.")
            return
        if parts.password:
            self._add(
                place,
                "a password stands in the file, where everybody who reads the blueprint sees it.",
                "Leave it out of the url, and change it.",
            )
        elif parts.scheme not in CACHE_SCHEMES:
            told = f"a cache's url begins with {', '.join(f'{s}://' for s in CACHE_SCHEMES)}."
            self._add(place, told, "Write redis://host:port.")

    def refresh(self, written: RefreshDocument, place: Path) -> Refresh:
        """Check a schedule, and read its view's name."""
        if written.every_s <= 0:
            self._add((*place, "every_s"), "every_s must be above 0.")
        view = written.view
        if isinstance(view, str):
            schema, _, name = view.rpartition(".")
            if not name or "." in schema:
                told = f"{view!r} is no name of a view."
                self._add((*place, "view"), told, "Write schema.name, or view: {schema: ..., name: ...}.")
            view = RelationName(schema or DEFAULT_SCHEMA, name)
        return Refresh(view, written.every_s, written.concurrently)

    def _known(self, name: str, path: Path) -> None:
        if self._statements and name not in self._statements:
            told = f"the workload has no statement {name!r}."
            self._add(path, told, nearest(name, tuple(self._statements)))

    def _sql_problem(self, error: ConfigError | ParseError, path: Path) -> None:
        tree = self._decoder.trees[path]
        place = tree.place
        if isinstance(error, ParseError) and isinstance(tree, Scalar):
            place = tree.place_of(_offset(tree.text, error.line, error.column))
        message = _PREFIX.sub("", error.message)
        self._decoder.problems.add(place, message, error.hint)

    def _add(self, path: Path, message: str, hint: str = "") -> None:
        self._decoder.problems.add(self._decoder.place(path), message, hint)


def _offset(text: str, line: int, column: int) -> int:
    """Return the 0-based position of a place in a text; line and column are 1-based."""
    return sum(len(each) + 1 for each in text.split("\n")[: line - 1]) + column - 1
