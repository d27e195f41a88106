"""Rules about the code that neither ruff nor import-linter can hold."""

import ast
import re
import sys
from collections.abc import Iterator

from tests.house.tree import ROOT, SOURCE, comments, files, imports, parsed, shown

PYTHON = files(".py")
SILENCERS = {
    "noqa": re.compile(r"#\s*noqa:\s*(?P<codes>[A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*)(?P<reason>.*)"),
    "type: ignore": re.compile(r"#\s*type:\s*ignore\[(?P<codes>[\w\-, ]+)\](?P<reason>.*)"),
}
WORDS_OF_A_REASON = 2
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb"}

# path -> why it may read environment variables though config.py is the one that does
READERS_OF_ENV: dict[str, str] = {
    "src/pgproof/config.py": "it is the reader",
    "src/pgproof/postgres/accounts.py": "hands a few variables on to servers it starts",
    "src/pgproof/postgres/dsn.py": "hands the environment on to libpq's own programs",
    "src/pgproof/postgres/tools.py": "hands the environment on to PostgreSQL's own programs",
    "src/pgproof/testing/pytest_plugin.py": "tests ask whether they run in CI",
}
# Where any exception may end: somebody else's code raised it, or the user must see it as a message.
BROAD_EXCEPTS = ("src/pgproof/frontends/", "src/pgproof/plugins.py")


def broad(handler: ast.ExceptHandler) -> bool:
    """Does the handler take every exception?"""
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"} for kind in kinds)


def raises_again(handler: ast.ExceptHandler) -> bool:
    """Does the handler clean up and let the exception go on?"""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def env_reads(tree: ast.Module) -> Iterator[int]:
    """Lines where a module takes hold of the process's environment."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
            if node.attr in ENVIRONMENT:
                yield node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            yield from (node.lineno for alias in node.names if alias.name in ENVIRONMENT)


def test_every_silenced_check_carries_its_reason() -> None:
    bare = []
    for path in PYTHON:
        for line, comment in comments(path):
            for word, pattern in SILENCERS.items():
                if word not in comment or not comment.lstrip("# ").startswith(word):
                    continue
                match = pattern.match(comment)
                reason = re.findall(r"\w+", match["reason"]) if match else []
                if len(reason) < WORDS_OF_A_REASON:
                    bare.append(f"{shown(path)}:{line} {comment}")
    assert bare == [], "name the code and say why, e.g. `# noqa: BLE001 - a plugin may raise anything`"


def test_exceptions_end_where_somebody_sees_them() -> None:
    swallowed = [
        f"{shown(path)}:{node.lineno}"
        for path in files(".py", under=SOURCE)
        if not shown(path).startswith(BROAD_EXCEPTS)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ExceptHandler) and broad(node) and not raises_again(node)
    ]
    assert swallowed == [], "name the exception, or raise again at the end of the handler"


def test_config_is_the_sole_reader_of_the_environment() -> None:
    readers = {
        shown(path): lines for path in files(".py", under=SOURCE) if (lines := list(env_reads(parsed(path))))
    }
    assert {name: lines for name, lines in readers.items() if name not in READERS_OF_ENV} == {}


def test_config_is_the_sole_reader_of_toml() -> None:
    readers = [
        shown(path)
        for path in files(".py", under=SOURCE)
        if any(name.split(".")[0] in {"tomllib", "tomli", "tomlkit"} for _, name in imports(parsed(path)))
    ]
    assert [name for name in readers if name != "src/pgproof/config.py"] == []


def test_nouns_need_the_standard_library_only() -> None:
    ours = ("pgproof.model", "pgproof.errors")
    foreign = [
        f"{shown(path)}:{line} {name}"
        for path in [*files(".py", under=SOURCE / "model"), SOURCE / "errors.py"]
        for line, name in imports(parsed(path))
        if not name.startswith((".", *ours)) and name.split(".")[0] not in sys.stdlib_module_names
    ]
    assert foreign == []


def test_a_test_can_fail() -> None:
    idle = []
    for path in files(".py", under=ROOT / "tests"):
        for node in ast.walk(parsed(path)):
            if (
                isinstance(node, ast.Assert)
                and isinstance(node.test, ast.Constant)
                and node.test.value is True
            ):
                idle.append(f"{shown(path)}:{node.lineno}")
    assert idle == []
