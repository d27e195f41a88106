"""The journal's hash chain: whatever happens to a line, it shows."""

from dataclasses import fields, replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from pgproof.ledger.codec import from_json, to_json
from pgproof.model.journal import first_broken_line, next_entry
from pgproof.model.rollout import JournalEntry, JournalEvent

LINES = st.lists(
    st.tuples(
        st.sampled_from(JournalEvent),
        st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1)),
        st.text(max_size=20),
        st.text(max_size=20),
        st.floats(0, 1e9),
    ),
    min_size=1,
    max_size=8,
)


def _chain(lines: list[tuple[JournalEvent, datetime, str, str, float]]) -> list[JournalEntry]:
    chain: list[JournalEntry] = []
    for event, at, sql, detail, elapsed_ms in lines:
        previous = chain[-1] if chain else None
        chain.append(
            next_entry(
                previous,
                event,
                at=at,
                direction="forward",
                change=0,
                step=0,
                sql=sql,
                detail=detail,
                elapsed_ms=elapsed_ms,
            )
        )
    return chain


@given(LINES)
def test_chain_holds_and_survives_storage(
    lines: list[tuple[JournalEvent, datetime, str, str, float]],
) -> None:
    chain = _chain(lines)
    stored = [from_json(JournalEntry, to_json(line)) for line in chain]
    assert stored == chain
    assert first_broken_line(stored) is None


@given(LINES, st.data())
def test_any_changed_field_breaks_the_chain_at_its_line(
    lines: list[tuple[JournalEvent, datetime, str, str, float]], data: st.DataObject
) -> None:
    chain = _chain(lines)
    place = data.draw(st.integers(0, len(chain) - 1))
    name = data.draw(st.sampled_from([field.name for field in fields(JournalEntry)]))
    old = getattr(chain[place], name)
    new = {
        "event": JournalEvent.STATE if old is not JournalEvent.STATE else JournalEvent.DONE,
        "at": datetime(1999, 1, 1, tzinfo=UTC),
    }.get(name, old + 1 if isinstance(old, int | float) else f"{old}x")
    chain[place] = replace(chain[place], **{name: new})
    assert first_broken_line(chain) == place + 1


@given(LINES, st.data())
def test_missing_doubled_or_moved_line_breaks_the_chain(
    lines: list[tuple[JournalEvent, datetime, str, str, float]], data: st.DataObject
) -> None:
    chain = _chain(lines)
    place = data.draw(st.integers(0, len(chain) - 1))
    doubled = [*chain[: place + 1], chain[place], *chain[place + 1 :]]
    assert first_broken_line(doubled) == place + 2
    if place < len(chain) - 1:
        assert first_broken_line([*chain[:place], *chain[place + 1 :]]) == place + 1
        moved = [*chain[:place], chain[place + 1], chain[place], *chain[place + 2 :]]
        assert first_broken_line(moved) == place + 1
