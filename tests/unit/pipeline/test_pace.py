"""What a listener hears of a search whose own figures start anew: only how the time goes by."""

import pytest

from pgproof.pipeline import pace


def test_only_the_clock_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter((100.0, 103.0, 104.5, 180.0))
    monkeypatch.setattr(pace, "monotonic", lambda: next(times))
    heard: list[tuple[str, float, float]] = []
    listener = pace.by_time(lambda task, done=0, total=0: heard.append((task, done, total)), "choosing", 60.0)
    listener("at most 50 % from the best", 7)
    listener("at most 90 % from the best", 1, 2)
    listener("at most 0 % from the best")
    assert heard == [("choosing", 3.0, 60.0), ("choosing", 4.5, 60.0), ("choosing", 60.0, 60.0)]
