"""Synthetic data: a database like another one, made from its statistics alone, and how alike it plans."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pgproof.config import Settings
from pgproof.errors import Refused, UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.relation import RelationName
from pgproof.model.synthesis import MadeTable, SourceTable, Synthesis, SynthesisSource
from pgproof.pipeline.agreeing import compare_plans
from pgproof.pipeline.looking import open_target
from pgproof.pipeline.memory import demand_memory, remember
from pgproof.postgres.binaries import Binaries, find_binaries, list_binaries
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.dsn import address_of
from pgproof.postgres.dump import choose_dumper, create_database_like
from pgproof.postgres.embedded import start_server
from pgproof.postgres.session import Row, Session, open_session
from pgproof.postgres.synthetic.copying import Content, copy_tables, is_seen_by_all, settle
from pgproof.postgres.synthetic.destination import (
    demand_empty,
    emptied_on_failure,
    return_checks,
    take_checks,
)
from pgproof.postgres.synthetic.facts import read_synthesis_source
from pgproof.postgres.synthetic.files import demand_empty_folder, write_files
from pgproof.postgres.synthetic.schema import Schema, read_schema, restore_schema
from pgproof.sqltext.quote import qualify, quote_identifier
from pgproof.stages.synth.density import fill_percent
from pgproof.stages.synth.masking import NO_MASKING, Masking, mask_source
from pgproof.stages.synth.planning import SynthesisPlan, plan_synthesis
from pgproof.stages.synth.tables import TablePlan

_PAGE_BYTES = 8192
_ROOM = 1.4
"""Disk demanded, of what tables and indexes take in the source. **Source**: judgement; WAL, sorting."""
_OWN_DATABASES = ("postgres", "template0", "template1")
"""That every server comes with."""
_SERVED_SETTINGS = {"max_wal_size": "4GB", "maintenance_work_mem": "256MB", "autovacuum": "off"}


@dataclass(frozen=True, slots=True)
class SynthesisWishes:
    """What somebody wants made. Exactly one of the first three is given.

    Args:
        to: Connection string of an empty database.
        serve: Make it on a server of our own, for as long as the block lasts.
        out: An empty folder for files.
        scale: Rows, of the source's; > 0.
        seed: Of all chance.
        masked: Replace the values that statistics hold, too.
        workload: File with the statements to compare plans of; None takes pg_stat_statements.
        compare: Compare plans at all.
        keep: Leave what is half made where the making fails.
    """

    to: str = ""
    serve: bool = False
    out: Path | None = None
    scale: float = 1.0
    seed: int = 1
    masked: bool = False
    workload: Path | None = None
    compare: bool = True
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Synthesised:
    """A synthetic database that stands ready.

    Args:
        synthesis: What was made.
        dsn: Where it is; empty for files.
    """

    synthesis: Synthesis
    dsn: str


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of the source, and what is to be made of it."""

    catalog: Catalog
    source: SynthesisSource
    masking: Masking
    plan: SynthesisPlan
    schema: Schema
    settings: Mapping[str, str]
    locale: Row
    major: int


@contextmanager
def synthesised(
    settings: Settings, dsn: str, wishes: SynthesisWishes, *, progress: Progress = ignore_progress
) -> Iterator[Synthesised]:
    """Make a synthetic database, or files for one, from the statistics of another.

    Of the source only the catalog is read: statistics, and by pg_dump the schema. No row.

    Args:
        settings: Home, guards, ledger.
        dsn: The source.
        wishes: What to make, and where.
        progress: Told what is being done.

    Yields:
        The database; a server of ours stops at the end of the block.

    Raises:
        UsageError: None or several places were named.
        Refused: The place is not empty, is the source itself, or has no room; or some column needs a value
            of a type that none can be made of.
        CapabilityMissing, Unreachable, ServerError: As a server says.
        EmbeddedServerError: No server of ours, or no pg_dump, fits.
    """
    if sum((bool(wishes.to), wishes.serve, wishes.out is not None)) != 1:
        raise UsageError(
            "Say where the rows are to go, in one way.",
            hint="--to DSN for an empty database, --serve for a server of our own, --out FOLDER for files.",
        )
    demand_memory(settings)
    started = time.monotonic()
    with ExitStack() as stack:
        if wishes.out is not None:
            demand_empty_folder(wishes.out)
        with open_target(settings, dsn) as session:
            if wishes.to:
                with open_session(wishes.to, read_only=False) as destination:
                    demand_empty(session, destination)
            read = _read(session, dsn, wishes, progress)
        progress(f"making about {_expected_bytes(read, wishes.scale) / 1e9:.2f} GB")
        if wishes.out is not None:
            made, copy_dsn = _write_out(read, wishes, wishes.out, progress), ""
        else:
            copy_dsn, notes = wishes.to, tuple[str, ...]()
            if wishes.serve:
                copy_dsn, notes = stack.enter_context(_server(settings, read, wishes, progress))
            made = _fill(copy_dsn, read, wishes, progress)
            made = replace(made, notes=(*notes, *made.notes))
            if wishes.compare:
                made = _compared(settings, dsn, copy_dsn, made, read, wishes, progress)
        made = replace(made, seconds=time.monotonic() - started)
        remember(settings, "synth", made.database, made)
        yield Synthesised(made, copy_dsn)


def _read(session: Session, dsn: str, wishes: SynthesisWishes, progress: Progress) -> _Read:
    progress("reading the catalog")
    catalog = read_catalog(session)
    progress("reading the statistics")
    source, masking = read_synthesis_source(session, catalog), NO_MASKING
    if wishes.masked:
        source, masking = mask_source(source, seed=wishes.seed)
    progress("planning the rows")
    plan = plan_synthesis(source, scale=wishes.scale, seed=wishes.seed)
    if plan.refusals:
        raise Refused(
            f"No value can be made for {', '.join(plan.refusals)}, and NULL is not allowed there.",
            hint="Give such a column a default, or allow NULL in it, in the source or a copy of its schema.",
        )
    progress("reading the schema")
    dumper = choose_dumper(session, _binaries_like(session.major))
    return _Read(
        catalog=catalog,
        source=source,
        masking=masking,
        plan=plan,
        schema=read_schema(dsn, dumper),
        settings={row.name: row.value for row in session.query("settings")},
        locale=session.query("database_locale")[0],
        major=session.major,
    )


def _binaries_like(major: int) -> Binaries:
    """Return the install of that version, else the oldest newer one."""
    installs = sorted((found for found in list_binaries() if found.major >= major), key=lambda one: one.major)
    return installs[0] if installs else find_binaries()


@contextmanager
def _server(
    settings: Settings, read: _Read, wishes: SynthesisWishes, progress: Progress
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Start a server of ours with an empty database, after a look at the disk."""
    _demand_room(read, wishes, settings.home)
    binaries = find_binaries(bindir=settings.bindir) if settings.bindir else _binaries_like(read.major)
    notes = []
    if binaries.major != read.major:
        notes.append(f"the copy runs PostgreSQL {binaries.major}, the source {read.major}: planners differ")
    progress("starting PostgreSQL")
    with start_server(
        binaries, home=settings.home, label="synth", settings=_SERVED_SETTINGS, durable=False
    ) as server:
        name = read.catalog.database
        name = f"{name}_synthetic" if name in _OWN_DATABASES else name
        with open_session(server.dsn(), read_only=False, statement_timeout_ms=0) as admin:
            locale_note = create_database_like(admin, quote_identifier(name), read.locale)
        yield server.dsn(name), (*notes, *((locale_note,) if locale_note else ()))


def _demand_room(read: _Read, wishes: SynthesisWishes, folder: Path) -> None:
    needed = round(_expected_bytes(read, wishes.scale) * _ROOM)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Refused(
            f"The copy needs about {needed / 1e9:.1f} GB, and {folder} has {free / 1e9:.1f} GB free.",
            hint="Free some space, name a folder on another disk, or make fewer rows with --scale.",
        )


def _expected_bytes(read: _Read, scale: float) -> float:
    tables = sum(table.pages for table in read.source.tables) * _PAGE_BYTES
    indexes = sum(index.size_bytes for index in read.catalog.indexes if index.parent is None)
    return float((tables + indexes) * scale)


def _fill(dsn: str, read: _Read, wishes: SynthesisWishes, progress: Progress) -> Synthesis:
    """Make schema, rows, indexes and statistics; nothing of it stays where that fails."""
    with emptied_on_failure(dsn, keep=wishes.keep or wishes.serve):
        notes = restore_schema(dsn, read.schema.before, progress)
        contents = _contents(dsn, read)
        with open_session(dsn, read_only=False, statement_timeout_ms=0) as session:
            checks = take_checks(session)
            began = time.monotonic()
            copy_tables(dsn, contents, progress)
            generation_s = time.monotonic() - began
            violated = return_checks(session, checks, progress)
        after = restore_schema(dsn, read.schema.after, progress)
        unsettled = settle(dsn, read.source.tables, read.settings, progress)
        with open_session(dsn, read_only=False) as session:
            pages = {
                RelationName(row.schema_name, row.table_name): row.pages
                for row in session.query("synthesis_tables")
            }
    told = (*read.source.notes, *read.plan.notes, *notes, *violated, *after, *unsettled)
    return _outcome(read, wishes, address_of(dsn), pages, generation_s, told)


def _compared(
    settings: Settings,
    dsn: str,
    copy_dsn: str,
    made: Synthesis,
    read: _Read,
    wishes: SynthesisWishes,
    progress: Progress,
) -> Synthesis:
    """Add how alike the two plan, in a new session: the first one would have idled for hours."""
    with open_target(settings, dsn) as session:
        compared = compare_plans(
            settings,
            session,
            dsn,
            copy_dsn,
            catalog=read.catalog,
            settings_of_source=read.settings,
            masking=read.masking,
            workload_file=wishes.workload,
            seed=wishes.seed,
            progress=progress,
        )
    return replace(made, agreement=compared.found, notes=(*made.notes, *compared.notes))


def _contents(dsn: str, read: _Read) -> list[Content]:
    """Return what to copy into tables that are there; one whose type is missing here may not be."""
    with open_session(dsn) as session:
        there = {RelationName(row.schema_name, row.table_name) for row in session.query("synthesis_tables")}
    by_name = {table.relation: table for table in read.source.tables}
    return [
        _content(plan, by_name[plan.relation])
        for plan in read.plan.tables
        if plan.rows and plan.relation in there
    ]


def _content(plan: TablePlan, table: SourceTable) -> Content:
    filled = table.fillfactor if table.partitioned else fill_percent(table)
    return Content(
        relation=plan.relation,
        columns=plan.columns,
        pieces=plan.pieces(),
        rows=plan.rows,
        frozen=not table.partitioned and is_seen_by_all(table),
        fillfactor=filled if filled != table.fillfactor else 0,
        own_fillfactor=table.fillfactor,
    )


def _write_out(read: _Read, wishes: SynthesisWishes, folder: Path, progress: Progress) -> Synthesis:
    _demand_room(read, wishes, folder)
    contents = [
        Content(plan.relation, plan.columns, plan.pieces(), plan.rows, frozen=False)
        for plan in read.plan.tables
        if plan.rows
    ]
    analysed = [
        qualify(table.relation.schema, table.relation.name) for table in read.source.tables if table.analysed
    ]
    began = time.monotonic()
    write_files(folder, read.schema, contents, analysed, progress)
    generation_s = time.monotonic() - began
    return _outcome(read, wishes, str(folder), {}, generation_s, (*read.source.notes, *read.plan.notes))


def _outcome(
    read: _Read,
    wishes: SynthesisWishes,
    destination: str,
    pages: Mapping[RelationName, int],
    generation_s: float,
    notes: tuple[str, ...],
) -> Synthesis:
    of_source = {table.relation: table.pages for table in read.source.tables}
    tables = tuple(
        MadeTable(
            relation=plan.relation,
            rows=plan.rows,
            source_rows=plan.source_rows,
            pages=pages.get(plan.relation, 0),
            source_pages=of_source.get(plan.relation, 0),
        )
        for plan in read.plan.tables
    )
    return Synthesis(
        database=read.catalog.database,
        destination=destination,
        scale=wishes.scale,
        seed=wishes.seed,
        masked=wishes.masked,
        tables=tables,
        rows=sum(table.rows for table in tables),
        generation_s=generation_s,
        seconds=0.0,
        notes=tuple(dict.fromkeys(notes)),
    )
