"""Masked statistics keep order, length and equality, and nothing that can be read."""

import json
import re

from pgproof.model.relation import Constraint, ConstraintKind, Index, IndexKey, RelationName
from pgproof.model.synthesis import (
    JointStatistics,
    SourceColumn,
    SourceTable,
    SynthesisSource,
    WholeStatistics,
)
from pgproof.stages.synth.masking import mask_source

PERSON, ORDER = RelationName("public", "person"), RelationName("public", "orders")
NAMES = ("Ada Lovelace", "Alan Turing", "Barbara Liskov", "Edsger Dijkstra", "Grace Hopper")


def text(name: str, values: tuple[str, ...], bounds: tuple[str, ...] = ()) -> SourceColumn:
    freqs = tuple(0.1 for _ in values)
    known = WholeStatistics(0, -0.5, 12, 0.0, values, freqs, bounds)
    return SourceColumn(name, 1, "text", "text", category="S", statistics=known)


def typed(base_type: str, bounds: tuple[str, ...], **more: str) -> SourceColumn:
    known = WholeStatistics(0, -1, 12, 0.0, (), (), bounds)
    return SourceColumn(f"a {base_type}", 2, base_type, base_type, statistics=known, **more)  # type: ignore[arg-type] # facts by name


SOURCE = SynthesisSource(
    tables=(
        SourceTable(
            PERSON,
            (
                text("name", NAMES[:2], NAMES),
                typed("date", ("1990-01-01", "1990-03-07", "1991-12-24"), category="D"),
                typed("jsonb", ('{"city": "London", "n": 3}', '{"city": "Paris"}'), category="U"),
                typed("_text", ("{London,Rome}", "{}"), category="A", element="text"),
                typed("uuid", ("12345678-1234-4234-8234-123456789abc",), category="U"),
                text("status", ("new", "secret")),
            ),
            100,
            1,
        ),
        SourceTable(ORDER, (text("buyer", ("Grace Hopper", "Alan Turing"), ()),), 100, 1),
    ),
    constraints=(
        Constraint("c", PERSON, ConstraintKind.CHECK, ("status",), "CHECK (status <> 'new'::text)"),
    ),
    indexes=(Index(PERSON, PERSON, "btree", (IndexKey("name"),)),),
    joint=(JointStatistics(PERSON, PERSON, ("name", "status"), (("Ada Lovelace", "new"),), (0.1,)),),
)


def test_nothing_readable_is_left() -> None:
    masked, _ = mask_source(SOURCE, seed=1)
    shown = repr(masked.tables) + repr(masked.joint)
    for word in (
        *" ".join(NAMES).split(),
        "London",
        "Paris",
        "Rome",
        "secret",
        "12345678-1234",
        "1990-03-07",
    ):
        assert word not in shown


def test_order_length_and_equality_are_kept() -> None:
    masked, masking = mask_source(SOURCE, seed=1)
    name, buyer = masked.tables[0].columns[0].statistics, masked.tables[1].columns[0].statistics
    assert name is not None
    assert buyer is not None
    assert list(name.bounds) == sorted(name.bounds)
    assert [len(value) for value in name.bounds] == [len(value) for value in NAMES]
    assert buyer.values == (name.bounds[4], name.bounds[1])
    assert name.values == name.bounds[:2]
    assert masked.joint[0].combinations == ((name.bounds[0], "new"),)
    assert masking.for_copy("Grace Hopper") == name.bounds[4]
    assert masking.for_source(name.bounds[4]) == "Grace Hopper"
    assert masking.for_copy("somebody else") == "somebody else"
    assert masking.for_copy(None) is None


def test_what_the_schema_names_stays() -> None:
    masked, _ = mask_source(SOURCE, seed=1)
    status = masked.tables[0].columns[5].statistics
    assert status is not None
    assert status.values[0] == "new"


def test_forms_stay_valid() -> None:
    masked, _ = mask_source(SOURCE, seed=1)
    documents, tokens = masked.tables[0].columns[2].statistics, masked.tables[0].columns[4].statistics
    assert documents is not None
    assert tokens is not None
    assert [set(json.loads(value)) for value in documents.bounds] == [{"city", "n"}, {"city"}]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", tokens.bounds[0])


def test_times_move_without_passing_each_other() -> None:
    masked, _ = mask_source(SOURCE, seed=1)
    days = masked.tables[0].columns[1].statistics
    assert days is not None
    assert list(days.bounds) == sorted(set(days.bounds))
    assert "1990-01-01" <= days.bounds[0] < "1990-03-07" < days.bounds[2]


def test_the_same_seed_masks_alike() -> None:
    assert mask_source(SOURCE, seed=3) == mask_source(SOURCE, seed=3)
