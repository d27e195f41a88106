"""Plugins: what others add to what is built in, found by the entry points of installed packages.

One kind of plugin is taken today: a check, in the group ``pgproof.checks``. A plugin that can't be used never
hides and never stops the rest: its place is kept by a check that says why it could not run.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from importlib.metadata import EntryPoint, entry_points

from pydantic import TypeAdapter, ValidationError

from pgproof.errors import PluginError
from pgproof.model.finding import Finding, Skipped
from pgproof.stages.diagnose import BUILT_IN
from pgproof.stages.diagnose.check import Check, Outcome, Subject

CHECKS = "pgproof.checks"
"""Group of the entry points that name a `Check`."""

_FINDING = TypeAdapter(Finding)
_SKIPPED = TypeAdapter(Skipped)


def load_checks() -> tuple[Check, ...]:
    """Return the built-in checks, then those of installed packages.

    Returns:
        Built-in checks in their order; foreign ones by package and entry point. One that can't be used (its
        import fails, it is no `Check`, its name is taken) is a check whose ``unusable`` says why. A usable
        one is guarded: what it raises becomes a `Skipped` that names the plugin.
    """
    checks = list(BUILT_IN)
    for entry in sorted(entry_points(group=CHECKS), key=lambda e: (_package(e), e.name, e.value)):
        try:
            checks.append(_load_check(entry, {check.name for check in checks}))
        except PluginError as error:
            reason = Skipped(entry.name, error.message, error.hint)
            checks.append(Check(entry.name, lambda _: iter(()), unusable=reason))
    return tuple(checks)


def _load_check(entry: EntryPoint, taken: set[str]) -> Check:
    """Return the guarded check that an entry point names.

    Raises:
        PluginError: It can't be used.
    """
    origin = _origin(entry)
    try:
        check = entry.load()
    except Exception as error:  # importing somebody else's code may raise anything
        raise PluginError(
            f"The plugin {origin} can't be imported: {_what_broke(error)}.", hint=_hint(entry)
        ) from error
    if not isinstance(check, Check) or not isinstance(check.name, str):
        raise PluginError(
            f"The plugin {origin} is no check: it names a value of type {type(check).__name__}.",
            hint=f"Point the entry point at a pgproof.stages.diagnose.check.Check. {_hint(entry)}",
        )
    if check.name in taken:
        raise PluginError(
            f"The plugin {origin} is left out: another check is called {check.name} already.",
            hint="Rename one of the two checks, or uninstall one of the packages.",
        )
    return replace(check, find=_Guarded(check, entry))


class _Guarded:
    """A foreign check's ``find`` whose faults are outcomes.

    Args:
        check: The foreign one.
        entry: Where it comes from.
    """

    def __init__(self, check: Check, entry: EntryPoint) -> None:
        self._check = check
        self._entry = entry

    def __call__(self, subject: Subject) -> Iterator[Outcome]:
        """Yield what the check yields, under its own name; then, if it broke, one `Skipped`."""
        name = self._check.name
        try:
            for outcome in _outcomes(self._check.find(subject)):
                yield replace(outcome, check=name)
        except ValidationError as error:
            fields = ", ".join(sorted({".".join(map(str, fault["loc"])) for fault in error.errors()}))
            yield self._skipped(f"it reports a malformed finding ({fields})")
        except Exception as error:  # noqa: BLE001 - somebody else's code may raise anything
            yield self._skipped(_what_broke(error))

    def _skipped(self, fault: str) -> Skipped:
        reason = f"The plugin {_origin(self._entry)} broke, and there may be more to find: {fault}."
        return Skipped(self._check.name, reason, _hint(self._entry))


def _outcomes(found: Iterable[object]) -> Iterator[Outcome]:
    """Yield the outcomes with every field of its type, whatever the plugin put there.

    Raises:
        TypeError: One is neither a finding nor a skipped check.
        ValidationError: A field has a value of another type.
    """
    for outcome in found:
        match outcome:
            case Finding():
                yield _FINDING.validate_python(asdict(outcome))
            case Skipped():
                yield _SKIPPED.validate_python(asdict(outcome))
            case _:
                raise TypeError("a check yields Finding and Skipped only")


def _what_broke(error: Exception) -> str:
    """Return an error's kind and place; never its text, which may hold values of the workload."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {frames[-1].filename}, line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


def _origin(entry: EntryPoint) -> str:
    version = f" {entry.dist.version}" if entry.dist else ""
    return f"{entry.name} ({_package(entry)}{version}, {entry.value})"


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else "?"


def _hint(entry: EntryPoint) -> str:
    return f"Tell its authors, or uninstall {_package(entry)}."
