"""Whether an arm answers as the control does: the gate that no speed can buy.

The rule: True only when it was shown, False only when a difference can't be explained by what the statement
itself leaves open, None (with the reason) for everything between.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pgproof.errors import ParseError, ServerError, Unreachable, UsageError
from pgproof.model.trial import Equality
from pgproof.model.workload import ParameterSet, WorkloadStatement
from pgproof.postgres.session import Session
from pgproof.sqltext.determinism import Determinism, read_determinism
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.rewrite import SORT_KEY_ALIAS, with_sort_keys
from pgproof.stages.compete.digest import Digest, read_digest
from pgproof.stages.compete.measure import QUERY_CANCELED
from pgproof.stages.compete.rows import MAX_ROWS, Rows, rows_match, ties_match

_UNKNOWN = Determinism(sorted=False, limited=False, skips=False, order_dependent=())

_RETURN_ROWS = ("insert", "update", "delete")  # MERGE learnt it in PostgreSQL 17 only


@dataclass(frozen=True, slots=True)
class Answer:
    """What the control said to one parameter set.

    Args:
        digest: None where it failed.
        failure: Why not; empty when it answered.
        timed_out: It was stopped by the statement timeout.
    """

    digest: Digest | None
    failure: str = ""
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """Of one parameter set: equal, and how it was compared or why it can't be."""

    equal: bool | None
    note: str = ""


class Comparer:
    """Compares arms with the control, asking the control only once for each answer.

    Args:
        control: A session on the control's clone; may write (everything is rolled back).
        limit_s: Time that the control's answers may take, shared fairly: what a quick statement leaves of
            its share goes to those after it. Each statement gets at least one parameter set in any case.
        statements: How many will be compared.
    """

    def __init__(self, control: Session, limit_s: float, statements: int) -> None:
        self._control = control
        self._left_s = limit_s
        self._waiting = statements
        self._answers: dict[str, list[Answer]] = {}
        self.first_ms: dict[str, float] = {}
        """Time of the control's first answer to each statement; infinite where it was stopped."""

    def compare(self, statement: WorkloadStatement, arm: Session, most_sets: int | None = None) -> Equality:
        """Compare a statement's answers on an arm with the control's, parameter set by parameter set.

        Args:
            statement: What to ask.
            arm: Whom.
            most_sets: Compare no more sets than these; None compares all that the control answered.

        Raises:
            Unreachable: A connection is gone.
        """
        sets = statement.parameter_sets or (ParameterSet(()),)
        findings: list[Finding] = []
        skipped: list[str] = []
        for one, expected in zip(sets, self._expected(statement, sets)[:most_sets], strict=False):
            if expected.digest is None and not expected.timed_out:
                skipped.append(expected.failure)
                continue
            findings.append(self._compare_set(statement, one, expected, arm))
            if findings[-1].equal is False:
                break
        return summarise(statement.name, findings, skipped, len(sets))

    def failing(self, statement: WorkloadStatement) -> dict[int, str]:
        """Return which parameter sets, by place, fail on the control itself, and why; may be empty.

        Only sets that were asked for are known; one that is stopped by the timeout does not fail.
        """
        answers = self._answers.get(statement.name, [])
        return {k: a.failure for k, a in enumerate(answers) if a.digest is None and not a.timed_out}

    def _expected(self, statement: WorkloadStatement, sets: Sequence[ParameterSet]) -> list[Answer]:
        """Return the control's answers to as many sets, in order, as its share of the time allows."""
        if statement.name not in self._answers:
            share_s = self._left_s / max(self._waiting, 1)
            started = time.monotonic()
            answers: list[Answer] = []
            for one in sets:
                answers.append(ask(self._control, statement, one))
                spent_s = time.monotonic() - started
                self.first_ms.setdefault(
                    statement.name, math.inf if answers[0].timed_out else 1000.0 * spent_s
                )
                if spent_s > share_s:
                    break
            self._left_s = max(0.0, self._left_s - (time.monotonic() - started))
            self._waiting -= 1
            self._answers[statement.name] = answers
        return self._answers[statement.name]

    def _compare_set(
        self, statement: WorkloadStatement, one: ParameterSet, expected: Answer, arm: Session
    ) -> Finding:
        if expected.digest is None:
            return Finding(None, "not comparable: the control itself exceeds the statement timeout")
        got = ask(arm, statement, one)
        if got.timed_out:
            return Finding(None, "not comparable: exceeds the statement timeout on the arm")
        if got.digest is None:
            return Finding(False, f"fails on the arm only: {got.failure}")
        if not statement.query.read_only:
            return self._judge_write(statement, one, expected.digest, got.digest)
        return self._judge_read(statement, one, expected.digest, got.digest, arm)

    def _judge_write(
        self, statement: WorkloadStatement, one: ParameterSet, expected: Digest, got: Digest
    ) -> Finding:
        if got == expected:
            return Finding(True, "rows affected and returned" if expected.multiset else "rows affected")
        left_open = _determinism_of(statement)
        if left_open.rows_open:
            return Finding(None, _not_comparable(left_open))
        if got.rows != expected.rows:
            return Finding(False, f"{got.rows} rows affected, {expected.rows} on the control")
        again = ask(self._control, statement, one)
        if again.digest != expected:
            return Finding(True, "rows affected (returned values come from a sequence, the clock or chance)")
        return Finding(False, "the same number of rows affected, with other values")

    def _judge_read(
        self, statement: WorkloadStatement, one: ParameterSet, expected: Digest, got: Digest, arm: Session
    ) -> Finding:
        left_open = _determinism_of(statement)
        if got == expected:
            return Finding(True, "rows and their order" if left_open.sorted else "rows")
        if got.multiset == expected.multiset and not left_open.sorted:
            return Finding(True, "rows")
        finding = None
        if got.rows == expected.rows <= MAX_ROWS:
            finding = self._judge_values(statement, one, left_open, arm)
        if finding is not None and finding.equal:
            return finding  # the control itself may order ties in another way each time
        if not self._is_settled(statement, one, expected, left_open):
            return Finding(None, "not comparable: the control answers differently each time")
        return finding or explain_difference(left_open, expected, got)

    def _is_settled(
        self, statement: WorkloadStatement, one: ParameterSet, expected: Digest, left_open: Determinism
    ) -> bool:
        """Tell whether the control, asked again, says the same but for ties."""
        again = ask(self._control, statement, one).digest
        if again is None or again.rows != expected.rows:
            return False
        if again.multiset == expected.multiset:
            return True
        if expected.rows > MAX_ROWS:
            return False
        finding = self._judge_values(statement, one, left_open, self._control)
        return finding is not None and finding.equal is True

    def _judge_values(
        self, statement: WorkloadStatement, one: ParameterSet, left_open: Determinism, arm: Session
    ) -> Finding | None:
        """Look at the values themselves; None where they don't settle it."""
        sql = statement.query.sql
        ours, theirs = _rows(arm, sql, one), _rows(self._control, sql, one)
        if rows_match(ours, theirs, in_order=left_open.sorted):
            return Finding(True, "rows; floating-point values within 1e-9")
        keyed = _with_sort_keys(sql) if left_open.sorted else None
        if keyed is None:
            return None
        try:
            ours, theirs = _rows(arm, keyed, one), _rows(self._control, keyed, one)
        except Unreachable:
            raise
        except ServerError:
            return None  # a key can't stand among the columns; the difference is judged without it
        return judge_sorted(ours, theirs, _count_keys(keyed), left_open)


def judge_sorted(ours: Rows, theirs: Rows, keys: int, left_open: Determinism) -> Finding | None:
    """Judge two sorted results by their sort keys.

    Args:
        ours: The arm's rows, the last ``keys`` values being what they are sorted by.
        theirs: The control's.
        keys: How many, >= 1.
        left_open: What the statement leaves open.

    Returns:
        None where something else than ties may be the reason.
    """
    if left_open.limited and ties_match(ours, theirs, keys, has_offset=left_open.skips):
        return Finding(True, "sort keys in order, and all rows but ties at the LIMIT, which it leaves open")
    same_keys = rows_match([row[-keys:] for row in ours], [row[-keys:] for row in theirs], in_order=True)
    if same_keys and rows_match(ours, theirs, in_order=False):
        return Finding(True, "rows, and sort keys in order; rows with equal keys come in another order")
    if left_open.order_dependent and left_open.order_dependent != ("LIMIT",):
        return None
    return Finding(False, "other rows, or another order, than ties in the ORDER BY can explain")


def ask(session: Session, statement: WorkloadStatement, one: ParameterSet) -> Answer:
    """Run a statement and return the digest of its answer; nothing it writes stays.

    Raises:
        Unreachable: The connection is gone.
    """
    try:
        with session.rolled_back():
            if statement.query.read_only:
                return Answer(read_digest(session, statement.query.sql, one.values))
            result = session.run(_returning(statement.query.sql), one.values, as_text=True)
            returned = hash_rows(result.rows) if result.rows else ""
            return Answer(Digest(result.row_count, returned, returned))
    except Unreachable:
        raise
    except ServerError as error:
        return Answer(None, str(error), error.sqlstate == QUERY_CANCELED)


def hash_rows(rows: Sequence[Sequence[object]]) -> str:
    """Return a digest of rows in any order, for the few that a write returns."""
    return str(sum(hash(tuple(row)) for row in rows))


def explain_difference(left_open: Determinism, expected: Digest, got: Digest) -> Finding:
    """Judge a difference that nothing has explained so far.

    Args:
        left_open: What the statement leaves open.
        expected: The control's digest.
        got: The arm's.
    """
    if got.rows != expected.rows and not left_open.rows_open:
        # a LIMIT of the whole changes which rows come, never how many
        return Finding(False, f"{got.rows} rows, {expected.rows} on the control")
    if left_open.order_dependent:
        return Finding(None, _not_comparable(left_open))
    if got.multiset == expected.multiset:
        return Finding(None, "the same rows; not comparable: their order, since the sort keys can't be shown")
    return Finding(False, "other rows than the control's")


def _not_comparable(left_open: Determinism) -> str:
    return f"not comparable: {', '.join(left_open.order_dependent)} without a provable total order"


def summarise(statement: str, findings: Sequence[Finding], skipped: Sequence[str], sets: int) -> Equality:
    """Put the findings of all parameter sets together; the worst one counts.

    Args:
        statement: Its name.
        findings: Of the sets that were compared.
        skipped: Why others were not (they fail on the control itself).
        sets: How many there are.
    """
    for outcome in (False, None, True):
        notes = list(dict.fromkeys(f.note for f in findings if f.equal is outcome))
        if notes:
            compared = sum(f.equal is not None for f in findings)
            if compared + len(skipped) < sets and outcome is True:
                notes.append(f"{compared} of {sets} parameter sets, for lack of time")
            return Equality(statement, outcome, compared, "; ".join(notes))
    reason = skipped[0] if skipped else "nothing to compare"
    return Equality(statement, None, 0, f"skipped: fails on the control itself: {reason}")


def _determinism_of(statement: WorkloadStatement) -> Determinism:
    try:
        return read_determinism(statement.query.sql)
    except (ParseError, UsageError):
        return _UNKNOWN


def _rows(session: Session, sql: str, one: ParameterSet) -> list[tuple[object, ...]]:
    with session.rolled_back():
        return session.run(sql, one.values).rows


def _with_sort_keys(sql: str) -> str | None:
    try:
        return with_sort_keys(sql)
    except (ParseError, UsageError):
        return None


def _count_keys(keyed: str) -> int:
    """Count the keys that `with_sort_keys` has added: they are numbered from 1 without gaps."""
    count = 0
    while f"{SORT_KEY_ALIAS}{count + 1}" in keyed:
        count += 1
    return count


@lru_cache(maxsize=256)
def _returning(sql: str) -> str:
    """Let a write return the rows it touched, unless it returns something already."""
    extended = f"{sql}\nRETURNING *"
    try:
        return extended if parse_statement(extended).kind in _RETURN_ROWS else sql
    except (ParseError, UsageError):
        return sql
