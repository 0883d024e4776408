"""Which alerts a step opens and ends: moments and risks become what `stream.alerts.policy` judges, and its verdicts become messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt

from features.users.kernel import BY_SILENCE, RETURNED
from stream.alerts.message import Alert, alert_id, entry_of
from stream.alerts.policy import Adopted, DayCount, Ending, Landmark, Opened, Resolved, Verdict, decide, may_open
from stream.alerts.reasons import reasons
from stream.outbox import Entry
from stream.position import EVENT_DUE, OPENED, RESOLVED, Position, kind_of
from stream.shard.moments import Risks, StepFacts


@dataclass(slots=True)
class Decisions:
    """What was decided for all definitions."""

    verdicts: list[Verdict] = field(default_factory=list)
    """One for each definition."""
    entries: list[Entry] = field(default_factory=list)
    alerted: list[int] = field(default_factory=list)
    """Rows of the moments at which an alert opened."""
    too_old: int = 0
    """Landmarks that opened nothing only because they lie too far back."""


def decisions(facts: StepFacts, risks: Risks, adopted: Adopted, opened_today: Sequence[DayCount]) -> Decisions:
    """Return what the policy decides of a step."""
    found = Decisions()
    for k in range(len(facts.champions)):
        landmarks, too_old = _landmarks(facts, risks, k, adopted)
        endings = [*_returns(facts, risks, k), *_horizons(facts, k)]
        states = facts.arena.states
        slots = {item.slot for item in landmarks} | {item.slot for item in endings}
        before = {slot: (bool(states["alert_open"][slot, k]), int(states["opened_ms"][slot, k])) for slot in slots}
        verdict = decide(facts.settings.policy, landmarks, endings, before, opened_today[k], k, adopted)
        found.verdicts.append(verdict)
        found.too_old += too_old
        for one in verdict.decisions:
            if isinstance(one, Opened):
                found.alerted.append(one.landmark.row)
                found.entries.append(_opened(facts, k, one.landmark))
            else:
                found.entries.append(_resolved(facts, k, one))
    return found


def ended_by_erasure(facts: StepFacts, alerts: Sequence[tuple[int, int, int, int]]) -> list[Entry]:
    """Return the ends of alerts whose users were erased, each given as (record, slot, definition index, landmark of its opening)."""
    records, users = facts.records, facts.arena.users
    entries = []
    for row, slot, k, opened_ms in alerts:
        position = Position(int(records.offsets[row]), EVENT_DUE, users[slot], kind_of(k, RESOLVED))
        entries.append(_resolved(facts, k, Resolved(position, slot, opened_ms, "erased", int(records.columns.append[row]))))
    return entries


def _landmarks(facts: StepFacts, risks: Risks, k: int, adopted: Adopted) -> tuple[list[Landmark], int]:
    """Return the landmarks by silence that may open an alert, or may have opened one that is published; and how many only their age keeps from it."""
    silent = facts.rows_of(BY_SILENCE)
    eligible = silent[risks.concerns[k, silent]]
    if not len(eligible):
        return [], 0
    moments, records, users = facts.moments, facts.records, facts.arena.users
    causes, dues = moments.cause[eligible], moments.due[eligible]
    opened_ms = facts.arena.states["opened_ms"][moments.slot[eligible], k]
    may, too_old = may_open(facts.settings.policy, risks.stated[k, eligible], dues, records.columns.append[causes] - dues, opened_ms)
    replayed = records.offsets[causes] <= adopted.until.offset
    kept = may | replayed
    rows = eligible[kept]
    cause, slot, back = moments.cause[rows], moments.slot[rows], moments.return_at[rows, k]
    returned = back >= 0
    columns = (
        rows, may[kept], cause, slot, moments.due[rows], records.offsets[cause], risks.stated[k, rows],
        np.where(returned, records.offsets[back], -1), np.where(returned, records.columns.ts[back], 0),
    )  # fmt: skip
    kind = kind_of(k, OPENED)
    found = [
        Landmark(Position(offset, due, users[who], kind), who, opens, risk, row, why, return_offset, return_ms)
        for row, opens, why, who, due, offset, risk, return_offset, return_ms in zip(*(one.tolist() for one in columns), strict=True)
    ]
    return found, int((too_old & ~replayed).sum())


def _returns(facts: StepFacts, risks: Risks, k: int) -> Iterator[Ending]:
    """Yield the first activity of each user whose alert was open before the step; later activity has nothing left to end."""
    back = facts.rows_of(RETURNED)
    rows = back[risks.concerns[k, back]]
    _, firsts = np.unique(facts.moments.slot[rows], return_index=True)
    for row in rows[np.sort(firsts)].tolist():
        slot = int(facts.moments.slot[row])
        offset = int(facts.records.offsets[facts.moments.cause[row]])
        position = Position(offset, EVENT_DUE, facts.arena.users[slot], kind_of(k, RESOLVED))
        yield Ending(position, slot, "returned", int(facts.moments.due[row]))


def _horizons(facts: StepFacts, k: int) -> Iterator[Ending]:
    """Yield the ends of alerts that were opened at a landmark which matures now."""
    matured = facts.matured
    opened_ms = facts.arena.states["opened_ms"][matured.slots, k]
    mine: npt.NDArray[np.intp] = ((matured.k == k) & (opened_ms == matured.landmark_ms)).nonzero()[0]
    if not len(mine):
        return
    horizon_ms, due_ms = facts.settings.spec.definitions[k].horizon_ms, matured.due_ms[mine]
    columns = (matured.slots[mine], matured.landmark_ms[mine], due_ms, facts.causes_of(due_ms))
    for slot, landmark, due, offset in zip(*(column.tolist() for column in columns), strict=True):
        position = Position(offset, due, facts.arena.users[slot], kind_of(k, RESOLVED))
        yield Ending(position, slot, "horizon", landmark + horizon_ms, landmark)


def _opened(facts: StepFacts, k: int, landmark: Landmark) -> Entry:
    settings, vector = facts.settings, facts.moments.vectors[landmark.row]
    why = reasons(facts.champions[k].scorer.terms(vector), vector, settings.spec)
    alert = msgspec.structs.replace(
        _alert(facts, k, landmark.slot, landmark.position, landmark.position.due_ms),
        type="opened",
        risk=round(landmark.risk, 4),
        threshold=settings.policy.threshold,
        reasons=[one.text for one in why],
        reason_codes=[one.code for one in why],
    )
    return entry_of(settings.app, landmark.position, alert)


def _resolved(facts: StepFacts, k: int, one: Resolved) -> Entry:
    alert = _alert(facts, k, one.slot, one.position, one.opened_ms)
    return entry_of(facts.settings.app, one.position, msgspec.structs.replace(alert, cause=one.cause, event_time_ms=one.time_ms))


def _alert(facts: StepFacts, k: int, slot: int, position: Position, landmark_ms: int) -> Alert:
    """Return what both messages of an alert have in common, as a `resolved` without its cause."""
    settings, user = facts.settings, facts.arena.users[slot]
    definition, champion = settings.spec.definitions[k], facts.champions[k]
    cause = int(np.searchsorted(facts.records.offsets, position.offset))
    return Alert(
        alert_id=alert_id(settings.app, definition.name, user, landmark_ms),
        type="resolved",
        cause=None,
        user=user,
        definition=definition.name,
        risk=None,
        threshold=None,
        horizon_ms=definition.horizon_ms,
        landmark_ms=landmark_ms,
        valid_until_ms=landmark_ms + definition.horizon_ms,
        event_time_ms=landmark_ms,
        scored_ms=int(facts.records.columns.append[cause]),
        reasons=[],
        model=champion.scorer.name,
        model_version=champion.version,
        partition=settings.partition,
        input_offset=position.offset,
    )
