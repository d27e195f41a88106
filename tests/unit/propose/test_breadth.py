"""How wide the net of candidates is, and where it stops."""

from dataclasses import replace
from itertools import permutations

import pytest

from pgproof.model.candidate import IndexCandidate
from pgproof.model.plan import Plan, PlanNode
from pgproof.model.relation import Extension, RelationKind, RelationName
from pgproof.model.statistics import ColumnStatistics
from pgproof.model.units import PlannerCost
from pgproof.stages.propose.indexes import find_proposals, propose_indexes
from tests.builders import catalog, column, index, primary_key, proposed, shown, statement, table, workload

SALES = table(
    "sales",
    column("id"),
    column("buyer", distinct=5000),
    column("item", distinct=900),
    column("shop", distinct=40),
    column("status", "text", distinct=3, common={"open": 0.3, "paid": 0.3, "sent": 0.4}),
    column("day", "date", distinct=2000),
    column("due", "date", distinct=2000),
    column("price", "numeric", distinct=-0.5),
    column("made", "timestamptz", nulls=0.3, not_null=False),
    column("url", "text", width=900),
    column("note", "text", width=60),
)
BUYERS = table("buyers", column("id"), column("name", "text", width=20), column("city", distinct=300))
KEYS = [index("sales", "id", unique=True), index("buyers", "id", unique=True)]
KNOWN = catalog(SALES, BUYERS, indexes=KEYS, constraints=[primary_key("sales", "id")])


def found(*sql: str, max_candidates: int = 10_000) -> dict[str, IndexCandidate]:
    candidates = propose_indexes(KNOWN, workload(*sql), max_candidates=max_candidates)
    return {shown(candidate.change): candidate for candidate in candidates}


class TestPermutations:
    SQL = (
        "SELECT s.item, sum(s.price) FROM sales s JOIN buyers b ON b.id = s.buyer"
        " WHERE s.shop = $1 AND s.day > $2 AND b.city = $3 GROUP BY s.item"
    )

    def test_every_column_that_is_compared_joined_or_grouped_and_every_pair_of_them(self) -> None:
        names = found(self.SQL)
        for one, other in permutations(("buyer", "shop", "day", "item"), 2):
            assert f"sales({one}, {other})" in names
        assert {"sales(buyer)", "sales(shop)", "sales(item)", "buyers(city)"} <= set(names)

    def test_what_is_only_read_makes_no_pair(self) -> None:
        assert not any("price" in name and "include" not in name for name in found(self.SQL) if "(p" in name)

    def test_pair_of_columns_of_different_levels_of_a_statement(self) -> None:
        sql = (
            "SELECT 1 FROM sales WHERE buyer = $1 AND price > (SELECT avg(price) FROM sales WHERE item = $2)"
        )
        assert {"sales(buyer, item)", "sales(item, buyer)"} <= proposed(KNOWN, sql)

    def test_a_state_alone_never(self) -> None:
        for sql in (
            "SELECT note FROM sales WHERE status = $1",
            "SELECT note FROM sales WHERE status = $1 AND buyer = $2",
            "SELECT status, sum(price) FROM sales GROUP BY status",
        ):
            assert "sales(status)" not in proposed(KNOWN, sql)

    def test_a_state_alone_where_it_is_all_that_is_read(self) -> None:
        assert "sales(status)" in proposed(KNOWN, "SELECT status, count(*) FROM sales GROUP BY status")

    def test_no_pair_behind_a_key_that_finds_one_row(self) -> None:
        sql = "SELECT s.note FROM buyers b JOIN sales s ON s.buyer = b.id WHERE b.city = $1 AND b.name > $2"
        assert "buyers(id, city)" not in proposed(KNOWN, sql)


class TestCovering:
    def test_as_payload_and_as_trailing_keys(self) -> None:
        names = proposed(KNOWN, "SELECT sum(price) FROM sales WHERE shop = $1 AND day > $2")
        assert {"sales(shop, day) include (price)", "sales(shop, day, price)"} <= names

    def test_narrow_copy_for_who_reads_everything_of_little(self) -> None:
        assert "sales(price)" in proposed(KNOWN, "SELECT avg(price) FROM sales")
        assert proposed(KNOWN, "SELECT avg(price), min(url) FROM sales") == set()

    def test_what_a_predicate_fixes_is_not_held(self) -> None:
        names = proposed(KNOWN, "SELECT sum(price) FROM sales WHERE status = 'open' AND shop = $1")
        assert "sales(shop) include (price) where status = 'open'" in names


class TestWindows:
    def test_latest_of_each(self) -> None:
        sql = (
            "SELECT * FROM (SELECT s.*, row_number() OVER (PARTITION BY buyer ORDER BY day DESC) AS n"
            " FROM sales s WHERE shop = $1) x WHERE n = 1"
        )
        assert "sales(shop, buyer, day desc)" in proposed(KNOWN, sql)

    def test_named_window_with_all_at_hand(self) -> None:
        sql = "SELECT buyer, sum(price) OVER w FROM sales WINDOW w AS (PARTITION BY buyer ORDER BY day)"
        assert "sales(buyer, day) include (price)" in proposed(KNOWN, sql)

    def test_distinct_on_with_all_at_hand(self) -> None:
        sql = "SELECT DISTINCT ON (buyer) buyer, day, price FROM sales ORDER BY buyer, day DESC"
        assert "sales(buyer, day desc) include (price)" in proposed(KNOWN, sql)


class TestJoins:
    def test_two_columns_to_one_relation_in_both_orders(self) -> None:
        sql = "SELECT 1 FROM sales a JOIN sales b ON a.item = b.buyer AND a.shop = b.item WHERE b.day = $1"
        assert {"sales(item, shop)", "sales(shop, item)"} <= proposed(KNOWN, sql)

    def test_outer_side_of_a_semijoin(self) -> None:
        exists = "SELECT 1 FROM sales s WHERE EXISTS (SELECT FROM buyers b WHERE b.city = s.shop)"
        assert {"sales(shop)", "buyers(city)"} <= proposed(KNOWN, exists)
        inside = "SELECT 1 FROM sales WHERE shop IN (SELECT city FROM buyers WHERE name = $1)"
        assert {"sales(shop)", "buyers(city)", "buyers(name, city)"} <= proposed(KNOWN, inside)

    def test_join_within_alternatives(self) -> None:
        sql = (
            "SELECT 1 FROM sales s, buyers b WHERE (b.id = s.buyer AND s.item = 1)"
            " OR (b.id = s.buyer AND s.shop = 2)"
        )
        assert {"sales(buyer)", "sales(buyer, item)", "sales(shop, buyer)"} <= proposed(KNOWN, sql)

    def test_a_join_carries_a_value_over(self) -> None:
        sql = "SELECT s.note FROM sales s JOIN buyers b ON s.shop = b.city WHERE b.city = $1 AND s.item = $2"
        candidate = found(sql)["sales(item, shop)"]
        assert "equality on item, shop" in candidate.reason


class TestDerived:
    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT * FROM (SELECT item AS i, note FROM sales WHERE shop = $1) x WHERE x.i = $2",
            "WITH x AS (SELECT item AS i, note FROM sales WHERE shop = $1) SELECT * FROM x WHERE x.i = $2",
            "WITH x AS (SELECT item AS i FROM sales WHERE shop = $1), y AS (SELECT * FROM x)"
            " SELECT * FROM y WHERE i = $2",
        ],
    )
    def test_conditions_reach_what_is_below(self, sql: str) -> None:
        assert "sales(item, shop)" in proposed(KNOWN, sql)

    def test_not_into_a_with_that_is_read_twice(self) -> None:
        sql = "WITH x AS (SELECT item FROM sales) SELECT 1 FROM x a, x b WHERE a.item = $1"
        assert "equality on item" not in str([one.reason for one in found(sql).values()])

    def test_into_each_branch_of_a_union(self) -> None:
        sql = (
            "SELECT * FROM (SELECT item AS k FROM sales UNION ALL SELECT city FROM buyers) u"
            " JOIN sales s ON s.id = u.k WHERE s.shop = $1"
        )
        assert {"sales(item)", "buyers(city)"} <= proposed(KNOWN, sql)

    def test_recursive_with_is_left_alone(self) -> None:
        sql = (
            "WITH RECURSIVE x AS (SELECT id, item FROM sales WHERE shop = $1 UNION ALL"
            " SELECT s.id, s.item FROM sales s JOIN x ON s.item = x.id) SELECT * FROM x"
        )
        assert {"sales(shop)", "sales(item)"} <= proposed(KNOWN, sql)


class TestPartial:
    def test_comparison_of_two_columns_written_either_way(self) -> None:
        names = found(
            "SELECT note FROM sales WHERE shop = $1 AND due > day",
            "SELECT note FROM sales WHERE shop = $1 AND day < due",
        )
        assert names["sales(shop) where day < due"].statements == ("q0", "q1")

    def test_bounds_and_patterns_only_where_they_recur(self) -> None:
        one = "SELECT note FROM sales WHERE shop = $1 AND day < '2000-01-01'"
        two = "SELECT id FROM sales WHERE item = $1 AND day < '2000-01-01'"
        assert not any("where day" in name for name in found(one))
        assert "sales(shop) where day < '2000-01-01'" in found(one, two)
        like = "SELECT note FROM sales WHERE shop = $1 AND note LIKE 'return%'"
        assert not any("where note" in name for name in found(like))
        assert "sales(shop) where note LIKE 'return%'" in found(like, f"{like} LIMIT 1")

    @pytest.mark.parametrize(
        "condition",
        [
            "made > now() - interval '1 day'",
            "day < current_date",
            "made < '2026-01-01'",  # whose midnight?
            "status = $2",
            "item = 7",
            "shifty(note) = 'x'",
        ],
    )
    def test_never_what_no_index_can_hold(self, condition: str) -> None:
        sql = f"SELECT note FROM sales WHERE shop = $1 AND {condition}"
        names = found(sql, f"{sql} LIMIT 1")
        assert not any(" where " in name for name in names)

    def test_parameter_with_one_dominant_value_makes_none(self) -> None:
        asked = workload(statement("SELECT note FROM sales WHERE shop = $2 AND status = $1", ("open", "1")))
        assert not any(one.change.where for one in propose_indexes(KNOWN, asked))

    def test_never_from_a_long_list(self) -> None:
        values = ", ".join(f"'state {number}'" for number in range(60))
        sql = f"SELECT note FROM sales WHERE buyer = $1 AND status IN ({values})"
        assert not any(" where " in name for name in found(sql))

    def test_negated_state(self) -> None:
        common = {"done": 0.9, "open": 0.1}
        known = catalog(table("t", column("a", distinct=500), column("s", "text", distinct=2, common=common)))
        assert "t(a) where s <> 'done'" in proposed(known, "SELECT 1 FROM t WHERE a = $1 AND s <> 'done'")


class TestOtherMethods:
    def test_brin_where_a_big_table_lies_in_order(self) -> None:
        sql = "SELECT * FROM log WHERE at > $1"
        ordered = ColumnStatistics(0.0, -1, 8, 0.98)
        at = replace(column("at", "timestamptz"), statistics=ordered)
        assert "brin log(at)" in proposed(catalog(table("log", at, pages=20_000)), sql)
        assert "brin log(at)" not in proposed(catalog(table("log", at, pages=2_000)), sql)
        shuffled = replace(at, statistics=replace(ordered, correlation=0.2))
        assert "brin log(at)" not in proposed(catalog(table("log", shuffled, pages=20_000)), sql)

    def test_hash_for_wide_values(self) -> None:
        assert proposed(KNOWN, "SELECT id FROM sales WHERE url = $1") == {"hash sales(url)"}
        assert proposed(KNOWN, "SELECT id FROM sales WHERE url > $1") == set()
        assert {"sales(note)", "hash sales(note)"} <= proposed(KNOWN, "SELECT id FROM sales WHERE note = $1")

    def test_most_similar_first(self) -> None:
        sql = "SELECT id FROM sales ORDER BY note <-> 'abc' LIMIT 5"
        candidate = found(sql)["gist sales(note gist_trgm_ops)"]
        assert [extension.name for extension in candidate.requires] == ["pg_trgm"]

    def test_equality_before_a_range_type_needs_its_extension(self) -> None:
        rooms = table("rooms", column("room", distinct=90), column("stay", "tstzrange"))
        sql = "SELECT 1 FROM rooms WHERE room = $1 AND stay && $2"
        assert "gist rooms(room, stay)" not in proposed(catalog(rooms), sql)
        known = catalog(rooms, extensions=[Extension("btree_gist", available_version="1.7")])
        assert {"gist rooms(room, stay)", "gist rooms(stay)"} <= proposed(known, sql)


class TestMerges:
    def test_two_statements_share_one_index(self) -> None:
        names = found(
            "SELECT note FROM sales WHERE buyer = $1 AND day > $2",
            "SELECT note FROM sales WHERE buyer = $1 AND due > $2",
        )
        merged = names["sales(buyer, day, due)"]
        assert merged.statements == ("q0", "q1")
        assert dict(merged.asks).keys() == {"q0", "q1"}

    def test_payloads_are_united(self) -> None:
        names = found(
            "SELECT sum(price) FROM sales WHERE shop = $1",
            "SELECT max(due), min(due), sum(id) FROM sales WHERE shop = $1",
        )
        assert "sales(shop) include (due, id, price)" in names

    def test_prefixes(self) -> None:
        names = found("SELECT note FROM sales WHERE buyer = $1 AND item = $2 AND shop = $3")
        assert {"sales(buyer, item, shop)", "sales(buyer, item)", "sales(buyer)"} <= set(names)
        assert {f"sales({', '.join(order)})" for order in permutations(("buyer", "item", "shop"))} <= set(
            names
        )


class TestLimits:
    SQL = (
        "SELECT note FROM sales WHERE buyer = $1 AND item = $2 AND day > $3",
        "SELECT name FROM buyers WHERE city = $1 AND name > $2",
    )

    def test_a_cut_is_told_and_keeps_the_best_of_each_statement(self) -> None:
        whole = find_proposals(KNOWN, workload(*self.SQL))
        cut = find_proposals(KNOWN, workload(*self.SQL), max_candidates=2)
        assert whole.notes == ()
        assert {shown(one.change) for one in cut.candidates} == {
            "sales(buyer, item, day)",
            "buyers(city, name)",
        }
        all_of_them = len(whole.candidates)
        assert cut.notes == (
            f"{all_of_them - 2} of {all_of_them} candidate indexes were left out, those that fit their"
            " statements least: no more than 2 are looked at.",
        )
        assert find_proposals(KNOWN, workload(*self.SQL), max_candidates=0).candidates == ()

    def test_tables_of_others_are_told(self) -> None:
        foreign = replace(SALES, owned=False, owner="shop_owner")
        proposals = find_proposals(catalog(foreign), workload("SELECT note FROM sales WHERE buyer = $1"))
        assert "sales(buyer)" in [shown(one.change) for one in proposals.candidates]
        assert proposals.notes == (
            "Some of the tables belong to shop_owner: only that role can build indexes on them.",
        )

    def test_what_the_whole_table_gets_its_partition_does_not(self) -> None:
        whole = table("p", column("a", distinct=900), kind=RelationKind.PARTITIONED)
        part = table("p1", column("a", distinct=900), parent=RelationName("public", "p"))
        both = workload("SELECT 1 FROM p WHERE a = 1", "SELECT 1 FROM p1 WHERE a = 1")
        (candidate,) = propose_indexes(catalog(whole, part), both)
        assert shown(candidate.change) == "p(a)"
        assert candidate.statements == ("q0", "q1")
        assert proposed(catalog(whole, part), "SELECT 1 FROM p1 WHERE a = 1") == {"p1(a)"}

    def test_nothing_on_a_table_with_a_foreign_partition(self) -> None:
        whole = table("p", column("a", distinct=900), kind=RelationKind.PARTITIONED)
        part = table("p1", column("a"), kind=RelationKind.FOREIGN, parent=RelationName("public", "p"))
        assert proposed(catalog(whole, part), "SELECT 1 FROM p WHERE a = 1") == set()

    def test_a_reason_names_few_of_many_statements(self) -> None:
        many = [f"SELECT note FROM sales WHERE buyer = {number}" for number in range(9)]
        candidate = found(*many)["sales(buyer)"]
        assert candidate.reason == "q0, q1, q2, q3, q4 and 4 more: equality on buyer"
        assert len(candidate.statements) == len(candidate.asks) == 9

    def test_types_without_order_are_passed_over(self) -> None:
        odd = replace(column("x", "odd_type"), orderable=False)
        known = catalog(table("t", odd, column("a", distinct=700)))
        assert proposed(known, "SELECT * FROM t WHERE x = $1 AND a = $2") == {"t(a)"}

    def test_updated_columns_are_told_to_the_estimate(self) -> None:
        names = found(
            "SELECT note FROM sales WHERE buyer = $1 AND day > $2", "UPDATE sales SET day = $1 WHERE id = $2"
        )
        assert names["sales(buyer, day)"].updated == ("day",)
        assert names["sales(buyer)"].updated == ()


class TestPlans:
    SQL = "SELECT hidden()"

    def plan(self, **node: object) -> dict[str, Plan]:
        cost = PlannerCost(9.0)
        scan = PlanNode("Seq Scan", cost, cost, 40, 8, schema="public", relation="sales", alias="s")
        scan = replace(scan, **node)
        return {"q0": Plan(PlanNode("Limit", cost, cost, 10, 8, children=(scan,)))}

    def names(self, plans: dict[str, Plan]) -> set[str]:
        return {shown(one.change) for one in propose_indexes(KNOWN, workload(self.SQL), plans=plans)}

    def test_filter_of_a_node_that_throws_rows_away(self) -> None:
        plans = self.plan(filter="((s.buyer = '7'::bigint) AND (s.day > '2026-01-01'::date))")
        assert "sales(buyer, day)" in self.names(plans)

    def test_not_of_one_that_keeps_most(self) -> None:
        plans = self.plan(
            filter="(s.buyer = '7'::bigint)", actual_rows=90_000.0, rows_removed=10.0, loops=1.0
        )
        assert self.names(plans) == set()

    def test_joins_and_sorts(self) -> None:
        cost = PlannerCost(9.0)
        sales = PlanNode("Seq Scan", cost, cost, 9e4, 8, schema="public", relation="sales", alias="s")
        buyers = PlanNode("Seq Scan", cost, cost, 9e4, 8, schema="public", relation="buyers", alias="b")
        join = PlanNode(
            "Hash Join",
            cost,
            cost,
            9e4,
            8,
            children=(sales, buyers),
            extra={"Hash Cond": "(s.shop = b.city)"},
        )
        sort = PlanNode("Sort", cost, cost, 9e4, 8, sort_key=("s.day DESC", "s.id"), children=(join,))
        plan = Plan(PlanNode("Limit", cost, cost, 10, 8, children=(sort,)))
        assert {"sales(shop)", "buyers(city)", "sales(day, id desc)"} <= self.names({"q0": plan})
