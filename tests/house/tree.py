"""The checkout as the house tests see it: files, rooms, syntax trees and comments."""

import ast
import io
import os
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "pgproof"
LEFT_OUT = {".git", ".venv", ".venv.lock", "out", "dist", "build", "node_modules", "__pycache__"}


def files(*suffixes: str, under: Path = ROOT) -> list[Path]:
    """Every file of ours below a folder with one of these suffixes (all files without any), sorted."""
    found = []
    for folder, folders, names in os.walk(under):
        folders[:] = [
            name for name in folders if name not in LEFT_OUT and not name.endswith(("_cache", ".egg-info"))
        ]
        folders[:] = [name for name in folders if name != ".hypothesis"]
        found += [Path(folder, name) for name in names if not suffixes or name.endswith(suffixes)]
    return sorted(found)


def shown(path: Path) -> str:
    """The path as a reader of the checkout writes it."""
    return path.relative_to(ROOT).as_posix()


def rooms() -> list[Path]:
    """The folders of src/pgproof that are rooms: the top-level ones and each stage."""
    above = [SOURCE, SOURCE / "stages"]
    return sorted(path.parent for folder in above for path in folder.glob("*/__init__.py"))


def parsed(path: Path) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def comments(path: Path) -> Iterator[tuple[int, str]]:
    """Each comment of a Python file with its line (strings that look like comments are left out)."""
    text = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Each imported module with its line, dotted as written; relative imports keep their dots."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")
