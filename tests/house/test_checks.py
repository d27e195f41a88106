"""Every built-in check says what a reader must know before believing it."""

import inspect
import re

import pytest

from pgproof.stages.diagnose import BUILT_IN
from pgproof.stages.diagnose.check import Check
from tests.house.reference import FOLDER, thresholds

SAID = ("Guard", "Evidence", "Refuted by")


@pytest.mark.parametrize("check", BUILT_IN, ids=lambda check: check.name)
def test_a_check_names_its_guards_evidence_and_refutation(check: Check) -> None:
    text = inspect.getdoc(check.find) or ""
    assert [word for word in SAID if not re.search(rf"^{word}s?: \S", text, re.MULTILINE)] == []


@pytest.mark.parametrize("check", BUILT_IN, ids=lambda check: check.name)
def test_a_threshold_names_its_source(check: Check) -> None:
    assert [row for row in thresholds(inspect.getmodule(check.find)) if "Source: " not in row] == []


def test_every_check_has_its_section() -> None:
    page = (FOLDER / "checks.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == [check.name for check in BUILT_IN]
