"""Which variant is shown, tried and recommended first."""

from pgproof.model.variant import Variant
from pgproof.pipeline.recommending import recommended_first


def names(*given: str) -> list[str]:
    return [variant.name for variant in recommended_first(Variant(name, "", ()) for name in given)]


def test_the_most_ambitious_first_and_the_alternative_last() -> None:
    assert names("lean", "balanced", "broad") == ["broad", "balanced", "lean"]
    assert names("lean", "alternative") == ["lean", "alternative"]
    assert names("alternative") == ["alternative"]
    assert names("tidy") == ["tidy"]
    assert names() == []
