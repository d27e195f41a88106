"""From a file's keys to a blueprint: what no type says is checked here, each problem at its place."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from pgproof.errors import UsageError
from pgproof.frontends.blueprint.criterion_words import parse_threshold
from pgproof.frontends.blueprint.decode import Decoder, Path
from pgproof.frontends.blueprint.document import BlueprintDocument, CriterionDocument, VariantDocument
from pgproof.frontends.blueprint.problems import nearest
from pgproof.frontends.blueprint.variants import assemble_variant
from pgproof.model.blueprint import Blueprint, LoadProfile
from pgproof.model.charter import Charter, Mode, Question
from pgproof.model.criterion import OF_BUILD, Criterion, Metric
from pgproof.model.merge import MergePlan
from pgproof.model.variant import CANARY, CONTROL, Variant
from pgproof.model.workload import Workload

VERSION = 1


def assemble(document: BlueprintDocument, decoder: Decoder, name: str, workload: Workload) -> Blueprint:
    """Make a blueprint of a file's keys.

    Args:
        document: The keys.
        decoder: Read them; told what is wrong.
        name: Of the competition where the file gives none.
        workload: That the file names; without statements where it could not be read.

    Returns:
        The blueprint; not to be used when the decoder knows of problems.
    """
    checks = _Checks(decoder, workload)
    checks.sections(document)
    loads = document.load if isinstance(document.load, tuple) else (document.load,)
    merge = document.merge if isinstance(document.merge, MergePlan) else MergePlan(auto=document.merge)
    variants = checks.variants(document)
    checks.work_items(document)
    checks.loads(loads)
    checks.targets(document)
    return Blueprint(
        name=document.name or name,
        goal=document.goal,
        workload=workload,
        variants=variants,
        weights=document.weights,
        targets=document.targets,
        load=loads[0] if loads else LoadProfile(),
        limits=document.limits,
        race=document.race,
        notes=document.notes,
        version=document.version,
        criteria=checks.criteria(document, loads),
        further_loads=loads[1:],
        tests=document.tests,
        budget=document.budget,
        merge=merge,
        charter=_charter(document),
    )


def _charter(document: BlueprintDocument) -> Charter:
    return Charter(
        id=document.id,
        mode=document.mode,
        status=document.status,
        created=document.created,
        updated=document.updated,
        target=document.target,
        assumptions=document.assumptions,
        questions=tuple(q if isinstance(q, Question) else Question(q) for q in document.questions),
        work_items=document.work_items,
        risks=document.risks,
        rollback=document.rollback,
        artifacts=document.artifacts,
    )


class _Checks:
    """What a type can't say."""

    def __init__(self, decoder: Decoder, workload: Workload) -> None:
        self._decoder = decoder
        self._statements = {statement.name: statement for statement in workload.statements}

    def sections(self, document: BlueprintDocument) -> None:
        """Check what is between single keys of the file."""
        weights, race = document.weights, document.race
        if document.version != VERSION:
            told = f"version {document.version} of the format is not known."
            self._add(("version",), told, f"This pgproof reads version {VERSION}.")
        if weights.tests + weights.p95 + weights.simplicity == 0:
            self._add(("weights",), "one of the weights must be above 0.")
        if race.max_rounds < race.min_rounds:
            self._add(("race", "max_rounds"), f"max_rounds must be at least min_rounds, {race.min_rounds}.")

    def variants(self, document: BlueprintDocument) -> tuple[Variant, ...]:
        """Check names, and make every variant."""
        written = self._decoder.trees.get(("variants",))
        count = len(getattr(written, "items", ()))
        if written is not None and not count:
            self._add(("variants",), "no variant is listed.", "Write at least one, with a name and changes.")
        if document.mode is Mode.SINGLE and count > 1:
            self._add(("mode",), f"mode single has one variant, not {count}.", "Write mode: competition.")
        first: dict[str, Path] = {}
        made = []
        for path, variant in self._decoder.placed(document.variants, "variants"):
            self._variant_name(variant, path, first)
            made.append(assemble_variant(variant, self._decoder, path, self._statements))
        return tuple(made)

    def _variant_name(self, variant: VariantDocument, path: Path, first: dict[str, Path]) -> None:
        place = (*path, "name")
        if not variant.name.strip():
            self._add(place, "a variant needs a name.", "Write a short word.")
        elif variant.name in (CONTROL.name, CANARY.name):
            told = f"a variant can't be called {variant.name!r}."
            self._add(place, told, "The competition adds the control and the canary; choose another name.")
        elif variant.name in first:
            line = self._decoder.place(first[variant.name]).line
            told = f"two variants are called {variant.name!r}, the first in line {line}."
            self._add(place, told, "Names must be unique.")
        first.setdefault(variant.name, place)

    def work_items(self, document: BlueprintDocument) -> None:
        """Check that work items name variants of this file."""
        names = tuple(variant.name for variant in document.variants)
        for path, item in self._decoder.placed(document.work_items, "work_items"):
            self._known(item.variants, names, (*path, "variants"), "variant")

    def loads(self, loads: tuple[LoadProfile, ...]) -> None:
        """Check that load profiles can be told apart."""
        if not loads:
            self._add(("load",), "no load profile is listed.", "Write one, or leave the key out.")
        names = [load.name for load in loads]
        for number, load in enumerate(loads):
            place: Path = ("load", number, "name") if len(loads) > 1 else ("load",)
            if len(loads) > 1 and not load.name:
                self._add(place, "of several load profiles each needs a name.", "Write name: and a word.")
            elif load.name in names[:number]:
                self._add(place, f"two load profiles are called {load.name!r}.", "Names must be unique.")

    def targets(self, document: BlueprintDocument) -> None:
        """Check that targets ask for something of statements that there are."""
        for place, target in self._decoder.placed(document.targets, "targets"):
            if not target.statements:
                told = f"target {target.title!r} names no statement."
                self._add(place, told, "List names of the workload's statements.")
            self._known(target.statements, self._statements, (*place, "statements"), "statement")

    def criteria(self, document: BlueprintDocument, loads: tuple[LoadProfile, ...]) -> tuple[Criterion, ...]:
        """Read every threshold."""
        made = []
        for place, written in self._decoder.placed(document.criteria, "criteria"):
            long = written if isinstance(written, CriterionDocument) else CriterionDocument(written)
            at = place if long is not written else (*place, "check")
            try:
                bare = parse_threshold(long.check)
            except UsageError as error:
                self._add(at, error.message, error.hint)
                continue
            made.append(
                replace(
                    bare,
                    statements=long.statements,
                    profile=long.profile,
                    gate=long.gate,
                    title=long.title,
                )
            )
            self._criterion(made[-1], place, tuple(load.name for load in loads))
        return tuple(made)

    def _criterion(self, criterion: Criterion, place: Path, loads: Collection[str]) -> None:
        metric = criterion.metric
        if criterion.statements and not metric.of_statements:
            told = f"{metric.value} is not measured for single statements."
            self._add((*place, "statements"), told, "For statements there are p50, p95 and mean.")
        if metric is Metric.MEAN and not criterion.statements:
            self._add(
                place, "mean is measured for single statements only.", "Add statements, or ask for p50."
            )
        if criterion.profile and (metric in OF_BUILD or criterion.statements):
            told = "this figure has nothing to do with a load profile."
            self._add((*place, "profile"), told, "Leave profile out.")
        elif criterion.profile and criterion.profile not in loads:
            named = tuple(name for name in loads if name)
            told = f"there is no load profile {criterion.profile!r}."
            self._add((*place, "profile"), told, nearest(criterion.profile, named))
        self._known(criterion.statements, self._statements, (*place, "statements"), "statement")

    def _known(self, names: tuple[str, ...], known: Collection[str], path: Path, noun: str) -> None:
        if noun == "statement" and not known:
            return  # the workload itself could not be read, which is told already
        for number, name in enumerate(names):
            if name not in known:
                owner = "the workload" if noun == "statement" else "this blueprint"
                self._add((*path, number), f"{owner} has no {noun} {name!r}.", nearest(name, known))

    def _add(self, path: Path, message: str, hint: str = "") -> None:
        self._decoder.problems.add(self._decoder.place(path), message, hint)
