"""Checks of other packages: found, guarded, and never in the way of the rest."""

from __future__ import annotations

import importlib
import re
import sys
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pgproof.model.catalog import Catalog
from pgproof.model.finding import Diagnosis, Skipped
from pgproof.model.relation import Constraint, ConstraintKind, RelationKind, RelationName, Table
from pgproof.plugins import CHECKS, load_checks
from pgproof.stages.diagnose import BUILT_IN, diagnose

HOWTO = Path(__file__).resolve().parents[2] / "docs" / "howto" / "write-a-check.md"

IMPORTS = """
from pgproof.model.finding import Evidence, Finding, Severity, Skipped
from pgproof.stages.diagnose.check import Check

def finding(**fields):
    given = dict(check="x", severity=Severity.LOW, title="t", explanation="e",
                 evidence=(Evidence("a", "1", "here"),), remedy="r")
    return Finding(**(given | fields))
"""

Install = Callable[..., None]


def big_table(name: str) -> Table:
    return Table(RelationName("public", name), RelationKind.TABLE, (), rows=90_000, size_bytes=50_000_000)


def catalog(tables: tuple[Table, ...] = (), constraints: tuple[Constraint, ...] = ()) -> Catalog:
    return Catalog(
        database="shop",
        version="18.0",
        version_num=180000,
        read_at=datetime(2026, 11, 20, tzinfo=UTC),
        search_path=("public",),
        user="dba",
        superuser=False,
        in_recovery=False,
        stats_reset_at=None,
        tables=tables,
        indexes=(),
        constraints=constraints,
        statistics=(),
        extensions=(),
        settings=(),
    )


def diagnosis(seen: Catalog | None = None) -> Diagnosis:
    return diagnose(seen or catalog(), None, {}, checks=load_checks())


def skipped(result: Diagnosis, name: str) -> Skipped:
    (one,) = [one for one in result.skipped if one.check == name]
    return one


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a package of one module into a folder on the path, as pip would."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(package: str, module: str, code: str, entries: dict[str, str]) -> None:
        (tmp_path / f"{module}.py").write_text(code, encoding="utf-8")
        monkeypatch.delitem(sys.modules, module, raising=False)
        info = tmp_path / f"{package.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8"
        )
        lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
        (info / "entry_points.txt").write_text(f"[{CHECKS}]\n{lines}", encoding="utf-8")
        importlib.invalidate_caches()

    return write


def test_without_plugins_there_are_the_built_in_checks() -> None:
    assert load_checks()[: len(BUILT_IN)] == BUILT_IN


def test_the_example_of_the_howto_works(install: Install) -> None:
    blocks = dict(
        re.findall(r"^```(python|toml)\n(.*?)^```", HOWTO.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    )
    project = tomllib.loads(blocks["toml"])["project"]
    install(project["name"], "house_rules", blocks["python"], project["entry-points"][CHECKS])
    keyed, bare = big_table("keyed"), big_table("bare")
    key = Constraint("keyed_pkey", keyed.relation, ConstraintKind.PRIMARY_KEY, ("id",))
    result = diagnosis(catalog((keyed, bare), (key,)))
    assert "no-primary-key" in result.checks
    assert [(f.check, f.title) for f in result.findings] == [
        ("no-primary-key", "public.bare has no primary key")
    ]


def test_a_finding_carries_the_name_of_its_check(install: Install) -> None:
    install(
        "acme",
        "acme_a",
        IMPORTS + "C = Check('acme', lambda s: [finding(check='missing-index')])",
        {"a": "acme_a:C"},
    )
    assert [f.check for f in diagnosis().findings] == ["acme"]


def test_a_check_that_raises_keeps_what_it_found_and_says_where_it_broke(install: Install) -> None:
    find = "def find(s):\n    yield finding()\n    raise KeyError('secret@example.org')\n"
    code = f"{IMPORTS}{find}C = Check('acme', find)"
    install("acme", "acme_b", code, {"b": "acme_b:C"})
    result = diagnosis()
    assert [f.title for f in result.findings] == ["t"]
    reason = skipped(result, "acme").reason
    assert re.fullmatch(
        r"The plugin b \(acme 1\.0, acme_b:C\) broke, and there may be more to find: "
        r"KeyError in .*acme_b\.py, line \d+\.",
        reason,
    )
    assert skipped(result, "acme").hint == "Tell its authors, or uninstall acme."


def test_a_malformed_finding_never_reaches_the_report(install: Install) -> None:
    code = IMPORTS + "C = Check('acme', lambda s: [finding(), finding(severity='dreadful', title=5)])"
    install("acme", "acme_c", code, {"c": "acme_c:C"})
    result = diagnosis()
    assert len(result.findings) == 1
    assert skipped(result, "acme").reason.endswith("it reports a malformed finding (severity, title).")


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("d", "import no_such_module_anywhere", "can't be imported: ModuleNotFoundError"),
        ("e", "C = 5", "is no check: it names a value of type int."),
        ("f", "", "can't be imported: AttributeError"),
        (
            "g",
            IMPORTS + "C = Check('missing-index', lambda s: iter(()))",
            "another check is called missing-index already.",
        ),
    ],
)
def test_a_plugin_that_can_not_be_used_is_told_and_the_rest_runs(
    install: Install, name: str, code: str, reason: str
) -> None:
    install("broken", f"broken_{name}", code, {name: f"broken_{name}:C"})
    install(
        "zeal", f"zeal_{name}", IMPORTS + "C = Check('zeal', lambda s: [finding()])", {"z": f"zeal_{name}:C"}
    )
    result = diagnosis()
    assert reason in skipped(result, name).reason
    assert f"{name} (broken 1.0, broken_{name}:C)" in skipped(result, name).reason
    assert name not in result.checks
    assert [f.check for f in result.findings] == ["zeal"]
    assert [c.name for c in load_checks() if not c.unusable] == [*(c.name for c in BUILT_IN), "zeal"]


def test_of_two_plugins_with_one_name_the_first_package_keeps_it(install: Install) -> None:
    for package in ("bbb", "aaa"):
        code = IMPORTS + f"C = Check('same', lambda s: [finding(title='{package}')])"
        install(package, f"{package}_h", code, {package: f"{package}_h:C"})
    result = diagnosis()
    assert [f.title for f in result.findings] == ["aaa"]
    assert "another check is called same already" in skipped(result, "bbb").reason


@pytest.mark.parametrize("outcome", ["'no finding'", "None"])
def test_what_is_no_outcome_is_told(install: Install, outcome: str) -> None:
    module = f"acme_{outcome.strip(chr(39)).replace(' ', '_')}"
    install("acme", module, IMPORTS + f"C = Check('acme', lambda s: [{outcome}])", {"i": f"{module}:C"})
    assert "TypeError" in skipped(diagnosis(), "acme").reason
