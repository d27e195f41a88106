"""Blueprint files, read as a whole: every problem with its place, or the blueprint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pgproof import changes
from pgproof.errors import ConfigError, ParseError
from pgproof.frontends.blueprint.assemble import assemble
from pgproof.frontends.blueprint.decode import BROKEN, Decoder
from pgproof.frontends.blueprint.document import BlueprintDocument
from pgproof.frontends.blueprint.problems import TOP, Place, Problem, Problems
from pgproof.frontends.blueprint.yaml_tree import MOST_CHARACTERS, Mapping, Scalar, YamlTree, read_tree
from pgproof.model.blueprint import Blueprint
from pgproof.model.partitioning import WHAT_IF_ONLY, PartitionTable
from pgproof.model.workload import Workload, WorkloadStatement
from pgproof.stages.capture.files import load_spec
from pgproof.stages.capture.spec import WorkloadSpec

_MOST_BYTES = 4 * MOST_CHARACTERS
_PATCH_MARKS = ("--- ", "diff --git ", "Index: ")
_MADE = tuple(kind.change for kind in changes.KINDS)
_UNMADE = (
    {}
    if PartitionTable in _MADE
    else {str(PartitionTable.__dataclass_fields__["kind"].default): WHAT_IF_ONLY}
)


@dataclass(frozen=True, slots=True)
class BlueprintFile:
    """A blueprint file that was read.

    Args:
        path: Of the file.
        problems: All of them, in the order of the file.
        blueprint: None where there are problems. Its statements have no values yet where those come from a
            database: see ``spec``.
        spec: The workload file that it names; None where that could not be read.
        places: Where changes, patches and statements stand, by their path in the file.
    """

    path: Path
    problems: tuple[Problem, ...]
    blueprint: Blueprint | None
    spec: WorkloadSpec | None
    places: dict[tuple[str | int, ...], Place]


def read_file(path: Path) -> BlueprintFile:
    """Read a blueprint file and the workload file that it names.

    Raises:
        ConfigError: The file itself can't be opened; everything else is among ``problems``.
    """
    problems = Problems(str(path))
    tree = read_tree(_read_bytes(path), problems)
    if tree is None or not isinstance(tree, Mapping):
        if not problems.found:
            keys = ", ".join(BlueprintDocument.__dataclass_fields__)
            problems.add(tree.place if tree else TOP, "this is not a blueprint.", f"Its keys are: {keys}.")
        return BlueprintFile(path, problems.in_order(), None, None, {})
    decoder = Decoder(problems, unmade=_UNMADE)
    document = decoder.read(tree, BlueprintDocument)
    spec = _read_workload(tree, path, problems)
    blueprint = None
    if document is not BROKEN:
        blueprint = assemble(document, decoder, path.stem, _unresolved(spec))
        _check_patches(document, decoder, path)
    places = {key: each.place for key, each in decoder.trees.items()}
    return BlueprintFile(path, problems.in_order(), None if problems.found else blueprint, spec, places)


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES + 1)  # more than that is too much, however much it is
    except OSError as error:
        raise ConfigError(
            f"{path} can't be read: {error.strerror}.",
            hint="pgproof blueprint new or pgproof advise writes one.",
        ) from error


def _read_workload(tree: Mapping, path: Path, problems: Problems) -> WorkloadSpec | None:
    """Read the workload file, also when other keys are wrong."""
    named: YamlTree | None = next((item for key, item in tree.entries if key.text == "workload"), None)
    if not isinstance(named, Scalar) or named.value is None:
        return None
    try:
        return load_spec(path.parent / named.text)
    except (ConfigError, ParseError) as error:
        problems.add(named.place, error.message, error.hint)
        return None


def _unresolved(spec: WorkloadSpec | None) -> Workload:
    """Return the statements of a workload file without the values that a database would have to give."""
    if spec is None:
        return Workload((), source="file")
    if spec.captured is not None:
        return spec.captured
    statements = tuple(
        WorkloadStatement(each.name, each.query, each.calls, each.parameter_sets) for each in spec.statements
    )
    return Workload(statements, source="file")


def _check_patches(document: BlueprintDocument, decoder: Decoder, path: Path) -> None:
    """See that each patch is there and is one."""
    for place, variant in decoder.placed(document.variants, "variants"):
        if not variant.patch:
            continue
        at = decoder.place((*place, "patch"))
        try:
            with (path.parent / variant.patch).open(encoding="utf-8", errors="replace") as file:
                is_diff = any(line.startswith(_PATCH_MARKS) for line in file)
        except OSError as error:
            told = f"the patch {variant.patch} can't be read: {error.strerror}."
            decoder.problems.add(at, told, "Name a file relative to the blueprint.")
            continue
        if not is_diff:
            told = f"{variant.patch} holds no unified diff."
            decoder.problems.add(at, told, "Write it with git diff.")
