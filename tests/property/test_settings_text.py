"""Whatever settings, options and statistics are called: what we write as SQL, we read as the same change."""

from hypothesis import given
from hypothesis import strategies as st

from pgproof.changes import apply_steps
from pgproof.changes.setting_text import stored_value
from pgproof.model.change import (
    CreateStatistics,
    SetSetting,
    SetStatisticsTarget,
    SetTableOption,
    SettingScope,
    StatisticsKind,
)
from pgproof.model.relation import RelationName
from pgproof.sqltext.ddl import parse_change

TEXTS = st.text(
    st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), min_size=1, max_size=12
)
TABLES = st.builds(RelationName, TEXTS, TEXTS)
NAMES = st.sampled_from(["work_mem", "jit", "DateStyle", "myapp.level", "TimeZone"])


@given(name=NAMES, value=TEXTS, database=TEXTS, scope=st.sampled_from(SettingScope))
def test_settings(name: str, value: str, database: str, scope: SettingScope) -> None:
    change = SetSetting(name, value, scope, database if scope is SettingScope.DATABASE else "")
    assert parse_change(apply_steps(change)[0].sql) == change


@given(names=st.lists(TEXTS, min_size=2, max_size=4))
def test_lists_of_names_come_back_as_the_server_keeps_them(names: list[str]) -> None:
    written = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
    change = SetSetting("search_path", written, SettingScope.SYSTEM)
    back = parse_change(apply_steps(change)[0].sql)
    assert isinstance(back, SetSetting)
    assert back.value == stored_value("search_path", written)
    assert stored_value("search_path", back.value) == back.value


@given(table=TABLES, column=TEXTS, target=st.integers(0, 10_000))
def test_targets(table: RelationName, column: str, target: int) -> None:
    change = SetStatisticsTarget(table, column, target)
    assert parse_change(apply_steps(change)[0].sql) == change


@given(table=TABLES, value=TEXTS)
def test_options(table: RelationName, value: str) -> None:
    change = SetTableOption(table, "fillfactor", value)
    assert parse_change(apply_steps(change)[0].sql) == change


@given(
    table=TABLES,
    name=TEXTS,
    columns=st.lists(TEXTS, min_size=2, max_size=4, unique=True),
    kinds=st.lists(st.sampled_from(StatisticsKind), min_size=1, unique=True),
)
def test_statistics(table: RelationName, name: str, columns: list[str], kinds: list[StatisticsKind]) -> None:
    change = CreateStatistics(table, name, tuple(columns), (), tuple(kinds))
    assert parse_change(apply_steps(change)[0].sql) == change
