"""What was, for whoever asks: the one seam between the page and what it remembers.

Every time is event time, ms, and every answer goes back 90 days from the newest of it. A figure about whether alerts were right counts only those
whose time is up, which is after their horizon and the allowed lateness. A return shortens an alert, so before its time is up an alert that ended
early would be counted and one that goes on would not, and any figure would look better than it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, overload

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, case, func, select

from features.definitions.definition import DAY_MS
from features.users.spec import FeatureSpec
from insights.past.bands import BANDS, NAMES
from insights.past.fold.days import day_of
from insights.past.fold.landmarks import MOST_RISK, STATED, entry_of, hash_of, landmark_ms_of, landmarks_of, outcome_of, place_of
from insights.past.fold.outcomes import STEPS
from insights.past.fold.standing import KEPT_MS
from insights.past.rows import AlertRow, CameBack, DayOfAlerts, JudgedBand, JudgedDay, JudgedRisk, Labels, PartitionRead, RiskPoint
from insights.past.stored import read_standing, rows_at
from insights.past.tables import ALERTS, LANDMARKS, OUTCOMES, POSITIONS, READER
from insights.store.store import Store
from stream.alerts.message import ReasonCode

_SUMS = (func.sum(OUTCOMES.c.n), func.sum(OUTCOMES.c.said), func.sum(OUTCOMES.c.gone))
_codes = msgspec.json.Decoder(list[ReasonCode])
_COLUMNS = [column for column in ALERTS.c if column.name not in {"opened_day", "ended_day"}]
_TENTHS = 10


class Past:
    """Reads the past of an app; any number of processes and threads may.

    Parameters
    ----------
    spec : callable
        Returns what the app was started with, which says the lateness it allows and the time zone of its days. It is asked at each read, because the
        page may be there before the app.
    """

    def __init__(self, store: Store, spec: Callable[[], FeatureSpec]) -> None:
        self._store, self._spec = store, spec

    @property
    def as_of_ms(self) -> int | None:
        """How far event time has come in every shard that is alive; None before the first event."""
        with self._store.read() as db:
            return read_standing(db).as_of_ms

    def day_of(self, time_ms: int) -> int:
        """Return the day of a time by the app's calendar; see `insights.past.fold.days`."""
        return day_of(time_ms, self._spec().timezone)

    def open_alerts(self, definition: str | None = None) -> list[AlertRow]:
        """Return the alerts that are open, newest landmark first; of one definition or of all."""
        with self._store.read() as db:
            return self._alerts(db, ALERTS.c.ended_ms.is_(None), *_of(definition))

    def alert(self, alert_id: str) -> AlertRow | None:
        """Return one alert; None if there is none, or it is too long ago."""
        with self._store.read() as db:
            return next(iter(self._alerts(db, ALERTS.c.alert_id == alert_id)), None)

    def alerts_of(self, user: str) -> list[AlertRow]:
        """Return all alerts of a user, newest landmark first."""
        with self._store.read() as db:
            return self._alerts(db, ALERTS.c.user == user)

    def changes_since(self, change_no: int, limit: int = 1_000) -> tuple[list[AlertRow], int]:
        """Return alerts that changed after a change, oldest change first, and the number to ask with next.

        An alert changes when it is opened, when it ends, and when it becomes known what came true; one that changed twice comes once, as it is
        now. Numbers only grow, also when the past is made anew from the topics. In a new store they begin at 1: when the number that comes back
        is less than the one asked with, begin again from 0.
        """
        with self._store.read() as db:
            rows = self._alerts(db, ALERTS.c.change_no > change_no, order=ALERTS.c.change_no, limit=limit)
            newest: int = db.execute(select(READER.c.change_no)).scalar_one()
            return rows, rows[-1].change_no if len(rows) == limit else newest

    def risk_lines(
        self, users: Sequence[str], definition: str, days: int = 14, until_ms: int | None = None
    ) -> dict[str, list[tuple[int, float]]]:
        """Return the stated risks of some users, (landmark in ms, risk) each, oldest first.

        Parameters
        ----------
        days : int
            How many days of landmarks.
        until_ms : int, optional
            The end of these days; by default, now.
        """
        lines = self._lines(users, definition, days, until_ms)
        return {user: [(point.landmark_ms, point.risk) for point in line] for user, line in lines.items()}

    def risk_line(self, user: str, definition: str) -> list[RiskPoint]:
        """Return all stated risks of one user, oldest first, with what came true."""
        return self._lines([user], definition, KEPT_MS // DAY_MS, None)[user]

    def open_by_day(self, definition: str, first_day: int, last_day: int) -> list[DayOfAlerts]:
        """Return what happened to alerts on each local day from the first to the last."""
        opened, ended = ALERTS.c.opened_day, ALERTS.c.ended_day
        with self._store.read() as db:
            # those of the first days may have been opened before the time that is kept
            mine = and_(ALERTS.c.definition == definition, ALERTS.c.valid_until_ms >= read_standing(db).kept_from_ms)
            before = db.execute(
                select(func.count()).where(mine, opened < first_day, ended.is_(None) | (ended >= first_day))
            ).scalar_one()  # fmt: skip
            openings = select(opened, func.count().label("n")).where(mine, opened.between(first_day, last_day))
            flagged = {row.opened_day: row.n for row in db.execute(openings.group_by(opened))}
            endings = select(ended, ALERTS.c.cause, func.count()).where(mine, ended.between(first_day, last_day))
            by_cause = {(day, cause): n for day, cause, n in db.execute(endings.group_by(ended, ALERTS.c.cause))}
        days = []
        for day in range(first_day, last_day + 1):
            came_back, expired = by_cause.get((day, "returned"), 0), by_cause.get((day, "horizon"), 0)
            before += flagged.get(day, 0) - came_back - expired
            days.append(DayOfAlerts(day, before, flagged.get(day, 0), came_back, expired))
        return days

    def how_right(self, definition: str, first_ms: int, last_ms: int) -> list[JudgedBand]:
        """Return how right alerts were, by band, highest first: those with a landmark in [first, last) whose time is up.

        Who came back early is counted too, but not before their time is up, and then by what came true: somebody may come back and leave.
        """
        risk, left = ALERTS.c.risk, ALERTS.c.really_left
        band = case(*((risk >= one.least, one.name) for one in BANDS))
        wanted = select(band, func.count(), func.sum(risk), func.sum(left)).where(
            ALERTS.c.definition == definition, ALERTS.c.landmark_ms >= first_ms, ALERTS.c.landmark_ms < last_ms, left.is_not(None)
        )
        with self._store.read() as db:
            found = {name: (n, said, gone) for name, n, said, gone in db.execute(wanted.where(_kept(db)).group_by(band))}
        return [JudgedBand(n, said / n if n else 0.0, gone, name) for name in NAMES for n, said, gone in [found.get(name, (0, 0.0, 0))]]

    def came_back_share(self, definition: str, first_ms: int, last_ms: int) -> CameBack:
        """Return how many came back, of the alerts with a landmark in [first, last) whose time is up."""
        with self._store.read() as db:
            up_before = (read_standing(db).as_of_ms or 0) - self._spec().lateness_ms
            wanted = select(func.count(), func.count().filter(ALERTS.c.cause == "returned")).where(
                ALERTS.c.definition == definition,
                ALERTS.c.landmark_ms >= first_ms,
                ALERTS.c.landmark_ms < last_ms,
                ALERTS.c.valid_until_ms < up_before,
                _kept(db),
            )
            n, came_back = db.execute(wanted).one()
        return CameBack(n, came_back)

    @overload
    def calibration(self, definition: str, by: Literal["day"]) -> list[JudgedDay]: ...
    @overload
    def calibration(self, definition: str, by: Literal["risk"]) -> list[JudgedRisk]: ...
    def calibration(self, definition: str, by: Literal["day", "risk"]) -> list[JudgedDay] | list[JudgedRisk]:
        """Return stated risks against what came true, of everybody at all their landmarks whose time is up, not only of those flagged.

        Parameters
        ----------
        by : {"day", "risk"}
            By local day of the landmark, or by tenths of the stated risk. Days and tenths without outcomes are left out.
        """
        key = OUTCOMES.c.day if by == "day" else OUTCOMES.c.step // (STEPS // _TENTHS)
        wanted = select(key, *_SUMS).group_by(key).order_by(key)
        with self._store.read() as db:
            rows = [
                (at, int(n), int(said) / MOST_RISK / int(n), int(gone))
                for at, n, said, gone in db.execute(self._known(db, wanted, definition))
            ]
        if by == "day":
            return [JudgedDay(n, said, gone, at) for at, n, said, gone in rows]
        return [JudgedRisk(n, said, gone, at / _TENTHS, (at + 1) / _TENTHS) for at, n, said, gone in rows]

    def labels_known(self, definition: str) -> Labels:
        """Return how many outcomes are known."""
        with self._store.read() as db:
            n, _, gone = db.execute(self._known(db, select(*_SUMS), definition)).one()
        return Labels(int(gone or 0), int(n or 0) - int(gone or 0))

    def first_outcome_ms(self, definition: str) -> int | None:
        """Return when the first outcome became known, or will: when the time of the oldest judgement is up. None before the first judgement."""
        spec = self._spec()
        waits_ms = next((one.horizon_ms for one in spec.definitions if one.name == definition), 0) + spec.lateness_ms
        with self._store.read() as db:
            first = db.execute(select(func.min(LANDMARKS.c.place)).where(LANDMARKS.c.definition == definition)).scalar_one()
        return None if first is None else landmark_ms_of(first) + waits_ms

    def positions(self) -> list[PartitionRead]:
        """Return how far each partition has been read."""
        with self._store.read() as db:
            order = (POSITIONS.c.topic, POSITIONS.c.partition)
            return [PartitionRead(**row) for row in db.execute(select(POSITIONS).order_by(*order)).mappings()]

    def lag(self) -> int:
        """Return how many records are not read yet. While it is large, the past is being made anew, and figures are still growing."""
        return sum(one.lag for one in self.positions())

    def _alerts(self, db: Connection, *where: ColumnElement[bool], order: Any = None, limit: int | None = None) -> list[AlertRow]:
        order = [ALERTS.c.landmark_ms.desc(), ALERTS.c.alert_id] if order is None else [order]
        wanted = select(*_COLUMNS).where(*where, _kept(db)).order_by(*order).limit(limit)
        return [_alert(row) for row in db.execute(wanted).mappings()]

    def _known(self, db: Connection, wanted: Select[Any], definition: str) -> Select[Any]:
        first = self.day_of(read_standing(db).kept_from_ms)
        return wanted.where(OUTCOMES.c.definition == definition, OUTCOMES.c.day >= first)

    def _lines(self, users: Sequence[str], definition: str, days: int, until_ms: int | None) -> dict[str, list[RiskPoint]]:
        with self._store.read() as db:
            standing = read_standing(db)
            until = standing.newest_ms if until_ms is None else until_ms
            after = max(until - days * DAY_MS, standing.kept_from_ms - 1)
            hashes = {user: hash_of(user) for user in users}
            places = {user: [place_of(one, at) for at in landmarks_of(one, after, until)] for user, one in hashes.items()}
            rows = rows_at(db, definition, {place for some in places.values() for place in some})
        return {user: list(_points(rows, places[user], hashes[user])) for user in users}


def _points(rows: Mapping[int, bytes], places: Sequence[int], hashed: int) -> Iterator[RiskPoint]:
    for place in places:
        entry = entry_of(rows.get(place, b""), hashed)
        if entry is not None and (flags := int(entry["flags"][0])) & STATED:
            yield RiskPoint(landmark_ms_of(place), int(entry["risk"][0]) / MOST_RISK, int(entry["version"][0]), outcome_of(flags))


def _alert(row: RowMapping) -> AlertRow:
    left = row["really_left"]
    return AlertRow(**{
        **row,
        "reasons": msgspec.json.decode(row["reasons"]),
        "reason_codes": _codes.decode(row["reason_codes"]),
        "really_left": None if left is None else bool(left),
    })  # fmt: skip


def _of(definition: str | None) -> list[ColumnElement[bool]]:
    return [] if definition is None else [ALERTS.c.definition == definition]


def _kept(db: Connection) -> ColumnElement[bool]:
    """Return the condition that leaves out alerts from before the time that is kept: which of them are deleted already must not show."""
    return ALERTS.c.landmark_ms >= read_standing(db).kept_from_ms
