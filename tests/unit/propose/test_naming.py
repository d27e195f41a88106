"""Names of new indexes: they say what the index is for, fit, and are free."""

from pgproof.stages.propose.naming import Names
from tests.unit.diagnose.builders import catalog, table


def test_a_partial_index_names_the_column_of_its_predicate() -> None:
    names = Names(catalog(table()))
    assert names.new("orders", ["id"], where=("status",)) == "orders_id_where_status_idx"
    assert names.new("orders", ["id"], where=("status",)) == "orders_id_where_status_idx2", "another value"
    assert names.new("orders", ["id"], where=("isOpen", "paid_at")) == "orders_id_where_isOpen_paid_at_idx"
    assert names.new("orders", ["lower(name)"], "incl_idx") == "orders_lower_name_incl_idx"


def test_a_long_name_fits_and_stays_its_own() -> None:
    names = Names(catalog(table()))
    made = [
        names.new("Bestellvorgänge", ["Lieferadresse", "Kundennummer"], where=(f"Lieferzustand_{n}",))
        for n in "ab"
    ]
    assert len(set(made)) == 2
    for name in made:
        assert len(name.encode()) <= 63
        assert name.endswith("_idx")
