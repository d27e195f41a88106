"""What a blueprint may ask for and no competition does yet: refused before any work, never passed over."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.errors import Refused
from pgproof.model.blueprint import Blueprint, LoadProfile
from pgproof.model.load_phase import Start
from pgproof.model.variant import Variant


def find_unsupported(blueprint: Blueprint) -> tuple[str, ...]:
    """Return what of a blueprint is not run yet, in the order of its file; empty when all of it is."""
    found = [told for variant in blueprint.variants for told in _of_variant(variant)]
    if blueprint.tests:
        found.append("tests: commands that have to succeed against each arm")
    for load in (blueprint.load, *blueprint.further_loads):
        found += _of_load(load)
    if blueprint.merge.auto:
        found.append("merge: committing and merging the winner")
    return tuple(found)


def refuse_unsupported(blueprint: Blueprint) -> None:
    """Refuse a blueprint that a competition can't do justice to.

    Raises:
        Refused: Something in it is not run yet.
    """
    found = find_unsupported(blueprint)
    if found:
        raise Refused(
            "This blueprint asks for what a competition does not run yet: " + "; ".join(found) + ".",
            hint="Nothing was done. Take these parts out, or race the variants without them: --only NAME.",
            context={"unsupported": list(found)},
        )


def _of_variant(variant: Variant) -> Iterator[str]:
    parts = {
        "statements": "statements that the application sends instead" if variant.statements else "",
        "cache": "a cache in front of statements" if variant.cache else "",
        "refresh": "views refreshed by the clock" if variant.refreshes else "",
        "max_staleness_s": "answers that may be old" if variant.max_staleness_s is not None else "",
        "patch": "a patch of the application" if variant.patch else "",
    }
    for key, what in parts.items():
        if what:
            yield f"variant {variant.name}, {key}: {what}"


def _of_load(load: LoadProfile) -> Iterator[str]:
    named = f" {load.name}" if load.name else ""
    if load.rate is not None:
        yield f"load{named}, rate: statements that arrive whether or not others were answered (open loop)"
    if load.phases:
        yield f"load{named}, phases: busy and quiet stretches"
    if load.start is Start.COLD:
        yield f"load{named}, start: cold caches"
