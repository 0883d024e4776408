"""How a batch is written: rows, and where the topics are read on, in one transaction or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, select, update

from features.definitions.definition import DAY_MS
from insights.past import erased, hold
from insights.past.fold.batch import Batch
from insights.past.fold.days import day_of
from insights.past.fold.landmarks import LEFT, PARTS, Entries, Merged, entry_of, first_place, hash_of, merge, outcome_of, place_of
from insights.past.fold.outcomes import tallies
from insights.past.fold.standing import Standing
from insights.past.hold import Source
from insights.past.stored import Ends, by_many, read_standing, rows_at, write_ends, write_standing
from insights.past.tables import ALERTS, LANDMARKS, OUTCOMES, READER
from insights.store.store import Store
from insights.store.upsert import insert_into
from stream.alerts.message import Alert

_SPARE_MS = 2 * DAY_MS
"""Entries are kept a little longer than what is counted of them, so that one that is said again is never counted twice."""
HOLD_MS = 15_000


class Writer:
    """Writes the past while it holds it (`insights.past.hold`).

    Parameters
    ----------
    holder : str
        A name that no other writer has.
    hold_ms : int
        How long the hold lasts without a commit, ms.
    """

    def __init__(self, store: Store, source: Source, holder: str, hold_ms: int = HOLD_MS) -> None:
        self._store, self._source, self._holder, self._hold_ms = store, source, holder, hold_ms

    def take(self, now_ms: int) -> Standing | None:
        """Take the hold; return where to read on, or None while another process has it. What comes from elsewhere is deleted.

        Raises
        ------
        insights.past.hold.OtherApp
        """
        with self._store.write() as db:
            hold.refuse_other_app(db, self._source.app)
            if not hold.take(db, self._holder, now_ms, self._hold_ms):
                return None
            if not hold.is_from(db, self._source):
                hold.begin_anew(db, self._source)
            return read_standing(db)

    def begin_anew(self, now_ms: int) -> Standing:
        """Delete the past, because the topics no longer fit it. Raises `insights.past.hold.HoldLost`."""
        with self._store.write() as db:
            hold.renew(db, self._holder, now_ms, self._hold_ms)
            hold.begin_anew(db, self._source)
        return Standing()

    def renew(self, now_ms: int, ends: Ends) -> None:
        """Keep the hold when there is nothing to commit. Raises `insights.past.hold.HoldLost`."""
        with self._store.write() as db:
            hold.renew(db, self._holder, now_ms, self._hold_ms)
            write_ends(db, ends)

    def release(self) -> None:
        """Give the hold up, if it is ours."""
        with self._store.write() as db:
            hold.release(db, self._holder)

    def commit(self, batch: Batch, now_ms: int, ends: Ends) -> None:
        """Write a batch.

        Raises
        ------
        insights.past.hold.HoldLost
            Another process writes now. Nothing was written.
        """
        opened = [alert for alert in batch.alerts if alert.type == "opened"]
        resolved = [alert for alert in batch.alerts if alert.type == "resolved" and alert.cause != "erased"]
        with self._store.read() as db:  # whatever another process writes meanwhile, it has the hold then, and the next transaction fails
            merged = {name: merge(rows_at(db, name, set(new["place"].tolist())), new) for name, new in batch.items().items()}
            left = _outcomes_of(db, opened, merged)
        with self._store.write() as db:
            hold.renew(db, self._holder, now_ms, self._hold_ms)
            numbers = _Numbers(db)
            erased.note(db, batch.erased)
            barred = erased.barred(db, opened)
            for name, one in merged.items():
                _write_landmarks(db, name, one)
                _count(db, name, one, self._source.timezone)
                _tell(db, name, one.now, numbers)
            kept = [(alert, outcome) for alert, outcome, out in zip(opened, left, barred, strict=True) if not out]
            self._open(db, [alert for alert, _ in kept], [outcome for _, outcome in kept], numbers)
            self._resolve(db, resolved, numbers)
            erased.remove(db, batch.erased, batch.standing.kept_from_ms)
            numbers.write()
            write_standing(db, batch.standing, ends)
            self._prune(db, list(merged), batch.standing.kept_from_ms)

    def _open(self, db: Connection, alerts: Sequence[Alert], left: Sequence[bool | None], numbers: _Numbers) -> None:
        rows = [
            {
                **{name: getattr(alert, name) for name in _OF_ALERT},
                "reasons": _json(alert.reasons),
                "reason_codes": _json(alert.reason_codes),
                "opened_day": day_of(alert.landmark_ms, self._source.timezone),
                "really_left": None if outcome is None else int(outcome),
                "change_no": numbers.next(),
            }
            for alert, outcome in zip(alerts, left, strict=True)
        ]
        if rows:
            db.execute(insert_into(db, ALERTS).on_conflict_do_nothing(index_elements=["alert_id"]), rows)

    def _resolve(self, db: Connection, alerts: Sequence[Alert], numbers: _Numbers) -> None:
        rows = [
            {
                "id": alert.alert_id,
                "ended_ms": alert.event_time_ms,
                "ended_day": day_of(alert.event_time_ms, self._source.timezone),
                "cause": alert.cause,
                "change_no": numbers.next(),
            }
            for alert in alerts
        ]
        if rows:
            db.execute(update(ALERTS).where(ALERTS.c.alert_id == bindparam("id"), ALERTS.c.ended_ms.is_(None)), rows)

    def _prune(self, db: Connection, definitions: Iterable[str], before_ms: int) -> None:
        db.execute(delete(ALERTS).where(ALERTS.c.valid_until_ms < before_ms))
        first_day = day_of(before_ms, self._source.timezone)
        for name in definitions:
            db.execute(delete(LANDMARKS).where(LANDMARKS.c.definition == name, LANDMARKS.c.place < first_place(before_ms - _SPARE_MS)))
            db.execute(delete(OUTCOMES).where(OUTCOMES.c.definition == name, OUTCOMES.c.day < first_day))


_OF_ALERT = (
    "alert_id", "user", "definition", "partition", "risk", "threshold", "landmark_ms", "valid_until_ms", "scored_ms", "model", "model_version",
)  # fmt: skip


class _Numbers:
    """Numbers the changes of a commit, from where the last one ended."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._last: int = db.execute(select(READER.c.change_no)).scalar_one()

    def next(self) -> int:
        self._last += 1
        return self._last

    def write(self) -> None:
        self._db.execute(update(READER).values(change_no=self._last))


def _outcomes_of(db: Connection, alerts: Sequence[Alert], merged: Mapping[str, Merged]) -> list[bool | None]:
    """Return what is known already of the users of new alerts: examples and alerts are two topics, and either may be read first."""
    hashes = [hash_of(alert.user) for alert in alerts]
    places = [place_of(hashed, alert.landmark_ms) for hashed, alert in zip(hashes, alerts, strict=True)]
    rows: dict[tuple[str, int], bytes] = {}
    for name in {alert.definition for alert in alerts}:
        fresh = merged[name].rows if name in merged else {}
        mine = {place for place, alert in zip(places, alerts, strict=True) if alert.definition == name}
        found = rows_at(db, name, mine - fresh.keys()) | {place: fresh[place] for place in mine & fresh.keys()}
        rows |= {(name, place): row for place, row in found.items()}
    entries = [
        entry_of(rows.get((alert.definition, place), b""), hashed) for alert, place, hashed in zip(alerts, places, hashes, strict=True)
    ]
    return [None if entry is None else outcome_of(int(entry["flags"][0])) for entry in entries]


def _write_landmarks(db: Connection, definition: str, merged: Merged) -> None:
    statement = insert_into(db, LANDMARKS)
    statement = statement.on_conflict_do_update(index_elements=["definition", "place"], set_={"packed": statement.excluded.packed})
    if merged.rows:
        db.execute(statement, [{"definition": definition, "place": place, "packed": packed} for place, packed in merged.rows.items()])


def _count(db: Connection, definition: str, merged: Merged, zone: str) -> None:
    statement = insert_into(db, OUTCOMES)
    sums = {name: OUTCOMES.c[name] + statement.excluded[name] for name in ("n", "gone", "said")}
    statement = statement.on_conflict_do_update(index_elements=["definition", "day", "step"], set_=sums)
    rows = [{"definition": definition, "day": day, "step": step, **one._asdict()} for (day, step), one in tallies(merged, zone).items()]
    if rows:
        db.execute(statement, rows)


def _tell(db: Connection, definition: str, known: Entries, numbers: _Numbers) -> None:
    """Write into the alerts what came true of their users."""
    left = dict(zip(zip(known["place"].tolist(), known["user"].tolist(), strict=True), (known["flags"] & LEFT != 0).tolist(), strict=True))
    rows = []
    for some in by_many({place // PARTS for place, _ in left}):
        wanted = select(ALERTS.c.alert_id, ALERTS.c.user, ALERTS.c.landmark_ms, ALERTS.c.really_left).where(
            ALERTS.c.definition == definition, ALERTS.c.landmark_ms.in_(some)
        )
        for alert_id, user, landmark_ms, before in db.execute(wanted):
            hashed = hash_of(user)
            now = left.get((place_of(hashed, landmark_ms), hashed), before)
            if now != before:
                rows.append({"id": alert_id, "really_left": int(now), "change_no": numbers.next()})
    if rows:
        db.execute(update(ALERTS).where(ALERTS.c.alert_id == bindparam("id")), rows)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
