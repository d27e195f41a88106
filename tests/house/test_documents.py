"""Documents: links lead somewhere, decisions are listed, nothing names a place that a reader doesn't have."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import ROOT, files, shown

FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?(?P<target>[^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)
DECISIONS = ROOT / "docs" / "decisions"
PROSE = (".html", ".j2", ".md")
CODE = (".cfg", ".css", ".js", ".json", ".lock", ".py", ".sh", ".sql", ".toml", ".yaml", ".yml")

# Folders of a development machine, and the addresses of package registries: a lock that names one ties every
# user to it. In pieces, so that this file does not name them either.
PLACES = re.compile(r"(?<![\w.~])/(?:work|root|farm)/|\.\./shared\b")
REGISTRIES = re.compile(
    "|".join(
        re.escape(".".join(parts))
        for parts in (
            ("pypi", "org"),
            ("files", "pythonhosted", "org"),
            ("registry", "npmjs", "org"),
            ("registry", "yarnpkg", "com"),
            ("proxy", "golang", "org"),
            ("crates", "io"),
            ("rubygems", "org"),
            ("conda", "anaconda", "org"),
        )
    )
)


def slug(heading: str) -> str:
    """The anchor of a heading as repository sites make it."""
    plain = re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", ""))
    return plain.replace(" ", "-")


def anchors(document: Path) -> set[str]:
    """Every anchor that a link into this document may name."""
    text = FENCED.sub("", document.read_text(encoding="utf-8"))
    return {slug(heading) for heading in re.findall(r"^#{1,6}\s+(.+?)\s*#*$", text, re.MULTILINE)}


def links(document: Path) -> Iterator[str]:
    """Every relative link of a Markdown file, as written."""
    for match in LINK.finditer(FENCED.sub("", document.read_text(encoding="utf-8"))):
        if not ELSEWHERE.match(match["target"]):
            yield match["target"]


def fault(document: Path, target: str) -> str:
    """What is wrong with a link, empty where nothing is."""
    name, _, anchor = target.partition("#")
    path = (document.parent / name).resolve() if name else document
    if not path.exists():
        return "leads nowhere"
    if not path.is_relative_to(ROOT):
        return "leads out of the checkout"
    if anchor and path.suffix == ".md" and anchor not in anchors(path):
        return "names no heading"
    return ""


def written() -> list[Path]:
    """Every text of ours."""
    return [*files(*PROSE, *CODE), ROOT / "dev", ROOT / ".ci" / "run", ROOT / ".gitignore"]


@pytest.mark.parametrize("document", files(".md"), ids=shown)
def test_links_lead_somewhere(document: Path) -> None:
    assert [(target, why) for target in links(document) if (why := fault(document, target))] == []


def test_decisions_are_listed_and_numbered() -> None:
    notes = sorted(path.name for path in DECISIONS.glob("[0-9]*.md"))
    listed = sorted(target for target in links(DECISIONS / "README.md") if re.match(r"\d{4}-", target))
    assert listed == notes
    numbers = [int(name[:4]) for name in notes]
    assert numbers == list(range(len(notes))), "numbers go on without gap or repetition"


@pytest.mark.parametrize("note", sorted(DECISIONS.glob("[0-9]*.md")), ids=shown)
def test_decision_has_the_parts_of_the_template(note: Path) -> None:
    parts = re.findall(r"^## (.+)$", note.read_text(encoding="utf-8"), re.MULTILINE)
    assert parts == ["Context", "Decision", "Measured", "Consequences"]


@pytest.mark.parametrize("pattern", [PLACES, REGISTRIES], ids=["one machine's folders", "registries"])
def test_nothing_names(pattern: re.Pattern[str]) -> None:
    named = [
        f"{shown(path)}:{number} {line.strip()[:80]}"
        for path in written()
        if path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert named == []


@pytest.mark.parametrize("place", ["/work/x", "cd /root/x", "see ../shared/design", '"/farm/1"'])
def test_a_place_of_one_machine_is_seen(place: str) -> None:
    assert PLACES.search(place)


@pytest.mark.parametrize("name", ["src/work/x", "rootless", "my/root/", "shared/"])
def test_other_names_are_left_alone(name: str) -> None:
    assert not PLACES.search(name)
