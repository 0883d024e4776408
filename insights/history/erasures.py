"""Who was erased, as the history remembers it: a salted digest of each, never the id, and which rows must not be there because of it.

A record of type `erase` is written here before the rows around it are committed, so that whoever commits later sees it. What follows from the records of
a user is the same as in the engine (`stream.shard.erasing`): after an erasure nothing of them is kept until they consent, and nothing from before it ever is.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from features.events.columns import grants
from insights.history.disk import LOG
from insights.history.faults import HistoryMissing, HistoryStale
from insights.history.joined import ALIAS, persons_of, previous_in, settled, together, told_in
from insights.history.table import Table
from insights.history.tables import ERASURES, TIME

SALT = "churnwatch.salt"
ERASE, CONSENT = "erase", "consent"
_NEVER = datetime(1, 1, 1, tzinfo=UTC)
Record: TypeAlias = tuple[str, str, datetime, datetime, int, int]
"""User, kind, when it arrived, its own time, part, offset."""
_JUDGED: dict[str, pl.DataType] = {"user": pl.String(), "until": TIME, "back": pl.Boolean(), "in_part": pl.Int32(), "from_off": pl.Int64()}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the records of one user come to.

    Attributes
    ----------
    until : datetime
        When they were last erased: nothing up to then is kept.
    part, off : int
        Where in the topic they consented to be known again; -1 if they have not, and then nothing is kept at all.
    """

    until: datetime
    part: int = -1
    off: int = -1

    @property
    def back(self) -> bool:
        """Whether they have consented since."""
        return self.off >= 0


class Erasures:
    """The table of erasures at one version; `renewed` returns the newest."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._salt = bytes.fromhex(table.properties[SALT])

    @classmethod
    def make(cls, folder: Path) -> Erasures:
        """Open the table for writing; make it, with a salt of its own, if it is not there."""
        return cls(Table.create(folder, ERASURES, {SALT: secrets.token_hex(16)}))

    @classmethod
    def find(cls, folder: Path) -> Erasures | None:
        """Open the table; None if nobody was ever erased, or it is being made at this moment: then whoever makes it will commit behind us."""
        with contextlib.suppress(HistoryMissing):
            return cls(Table.open(folder, ERASURES)) if (folder / ERASURES.name / LOG).is_dir() else None
        return None

    def renewed(self) -> Erasures:
        """Return the newest version; this one if there is none newer."""
        newest = Table.open(self.table.folder.parent, ERASURES)
        return self if newest.version == self.table.version else Erasures(newest)

    @property
    def version(self) -> int:
        """The version of the table, which tables of users name as that up to which they are free of erased users."""
        return self.table.version

    def digest(self, user: str) -> str:
        """Return what stands for a user, 32 hex digits: keyed BLAKE2b (RFC 7693) of their id."""
        return hashlib.blake2b(user.encode(), digest_size=16, key=self._salt).hexdigest()

    @cached_property
    def records(self) -> pl.DataFrame:
        """All records, in the order in which they happened."""
        return self.table.read(self.table.files()).sort("at", "part", "off")

    @cached_property
    def verdicts(self) -> Mapping[str, Verdict]:
        """What follows from the records, by digest."""
        found: dict[str, Verdict] = {}
        for digest, kind, at, ts, part, off in self.records.select(list(ERASURES.columns)).iter_rows():
            before = found.get(digest)
            if before is not None and ts <= before.until:
                continue  # sent again
            if kind == ERASE:
                found[digest] = Verdict(max(at, before.until) if before else at)
            elif before is not None and not before.back:
                found[digest] = Verdict(before.until, part, off)
        return found

    def since(self, version: int) -> set[str]:
        """Return the digests that records name which came behind a version of this table; perhaps those of some earlier ones, too."""
        files = [one for one in self.table.files() if one.changed > version]
        return set(self.table.read(files, ["digest"])["digest"].to_list())

    def of(self, users: Iterable[str]) -> dict[str, Verdict]:
        """Return those of some users who were erased."""
        if not self.verdicts:
            return {}
        found = ((user, self.verdicts.get(self.digest(user))) for user in users)
        return {user: verdict for user, verdict in found if verdict is not None}

    def covered(self, rows: pl.DataFrame, time: str) -> pl.Series:
        """Return which rows must not be kept, by their columns `user`, the one named `time` and, if they are of the clicks, `part` and `off` there: leave out those of other topics.

        A row that names another id, as alias events do, must not be kept because of that one, too.
        """
        covered = self._covered(rows, time)
        named = rows["id"] if "id" in rows.columns else previous_in(rows) if {"type", "props"} <= set(rows.columns) else None
        if named is None or named.null_count() == rows.height:
            return covered
        return covered | self._covered(rows.with_columns(user=named), time)

    def _covered(self, rows: pl.DataFrame, time: str) -> pl.Series:
        theirs = self.of(rows["user"].drop_nulls().unique().to_list())
        if not theirs:
            return pl.Series([False]).new_from_index(0, rows.height)
        judged = pl.DataFrame(
            [(user, one.until, one.back, one.part, one.off) for user, one in theirs.items()], schema=_JUDGED, orient="row"
        )
        return rows.select("user", pl.col(time).alias("when"), *_place(rows)).join(judged, on="user", how="left", maintain_order="left").select(
            (
                pl.col("until").is_not_null()
                & (~pl.col("back") | (pl.col("when") <= pl.col("until")) | ((pl.col("at_part") == pl.col("in_part")) & (pl.col("at_off") < pl.col("from_off"))))
            ).fill_null(value=False)
        ).to_series()  # fmt: skip

    def with_joined(self, rows: pl.DataFrame, told: Callable[[], pl.DataFrame]) -> Erasures:
        """Note what the records among events say, of all ids that are joined to those they name; return the version that holds it.

        An erasure is of the person: of every id that counts under theirs. An alias event that comes for somebody who is erased erases the id that it names.

        Parameters
        ----------
        told : callable
            Returns what alias events have told so far, as `joined.told_in` has it; asked only if somebody is to be erased.
        """
        records, mine = records_of(rows), told_in(rows.filter(pl.col("type") == ALIAS))
        if all(kind != ERASE for _, kind, *_ in records) and not (mine.height and self.of(mine["user"].unique())):
            return self.register(records)
        before = told()
        before = before.filter(~self.covered(before.with_columns(type=pl.lit(ALIAS)), "ts"))
        return self.register([*records, *_also_erased(self, records, rows.filter(pl.col("type") == ALIAS), before)])

    def of_persons(self, told: pl.DataFrame) -> Erasures:
        """Note who is erased because an id of theirs is, by what alias events tell that are still there; return the version that holds it."""
        known = self.of({*told["id"], *told["user"]})
        away, back = ([user for user, one in known.items() if one.back is is_back] for is_back in (False, True))
        # whoever is back is of nobody's company any more, as far as that was before
        told = told.filter(~(pl.col("id").is_in(back) | pl.col("user").is_in(back)))
        persons = persons_of(settled(told)) if away else {}
        others = {also: known[user].until for user in away for also in together(persons, [user]) if also not in known}
        return self.register([(user, ERASE, until, until, -1, 0) for user, until in others.items()])

    def register(self, records: Sequence[Record]) -> Erasures:
        """Add records that are not there yet, as (user, kind, when it arrived, its own time, part, offset); return the version that holds them."""
        now = self
        while True:
            rows = now._fresh(records)
            if not rows.height:
                return now
            with contextlib.suppress(HistoryStale):
                now.table.commit(now.table.standing, adds=[now.table.write("", rows)])
                return Erasures(now.table)
            now = now.renewed()

    def _fresh(self, records: Sequence[Record]) -> pl.DataFrame:
        known = set(self.records.select(list(ERASURES.columns)).iter_rows())
        erased = set(self.verdicts)
        fresh: list[tuple[Any, ...]] = []
        for user, kind, *when in sorted(records, key=lambda one: one[2:]):
            digest = self.digest(user)
            if kind == ERASE:
                erased.add(digest)
            row = digest, kind, *when
            if digest in erased and row not in known:  # a consent of somebody who was not erased says nothing here
                fresh.append(row)
        return pl.DataFrame(fresh, schema=dict(ERASURES.columns), orient="row").unique().sort(ERASURES.order)


def _place(rows: pl.DataFrame) -> tuple[pl.Expr, pl.Expr]:
    if "type" in rows.columns and "off" in rows.columns:
        return pl.col("part").alias("at_part"), pl.col("off").alias("at_off")
    return pl.lit(None, pl.Int32()).alias("at_part"), pl.lit(None, pl.Int64()).alias("at_off")


def _also_erased(known: Erasures, records: Sequence[Record], aliases: pl.DataFrame, before: pl.DataFrame) -> list[Record]:
    """Return a record for each other id that is to be erased because of some events, each judged by what was before it.

    Parameters
    ----------
    records, aliases
        What the events say: of whom nothing may be kept or something again, and the alias events.
    before : frame
        What was told before, as `joined.told_in` has it.
    """
    said: list[tuple[tuple[datetime, int, int], Record, pl.DataFrame | None]] = [(_place_of(record), record, None) for record in records]
    said += [(_place_of(one), one, aliases[n]) for n, one in enumerate(_as_erasures(aliases))]
    persons = _Persons(before)
    until: dict[str, datetime] = {}
    away: dict[str, bool] = {}
    found: list[Record] = []

    def is_out(user: str, ts: datetime) -> bool:
        if user not in until:
            verdict = known.of([user]).get(user)
            until[user], away[user] = (verdict.until, not verdict.back) if verdict else (_NEVER, False)
        return away[user] or ts <= until[user]

    def is_away(user: str) -> bool:
        return is_out(user, _NEVER) and away[user]

    def erase(users: Iterable[str], at: datetime) -> None:
        for user in users:
            is_out(user, at)
            until[user], away[user] = max(at, until[user]), True
        persons.forget(users)

    for _, (user, kind, at, ts, part, off), alias in sorted(said, key=lambda one: one[0]):
        is_late = is_out(user, ts) and ts <= until[user]
        if alias is None:
            if is_late:
                continue  # sent again
            if kind == ERASE:
                whole = persons.together(user)
                erase(whole, at)
                found += [(one, ERASE, at, at, part, off) for one in sorted(whole - {user})]
            else:
                away[user] = False
            continue
        named = told_in(alias)
        if not named.height:
            continue
        if is_out(user, ts):
            more = {one for one in persons.together(user, named) - {user} if not is_away(one)}
            erase(more, at)
            found += [(one, ERASE, at, at, part, off) for one in sorted(more)]
        elif not is_out(named["id"].item(), ts):
            persons.add(named)
    return found


class _Persons:
    """Who is one person, while alias events come and go."""

    def __init__(self, told: pl.DataFrame) -> None:
        self._told = told
        self._persons: dict[str, str] | None = None

    def together(self, user: str, more: pl.DataFrame | None = None) -> set[str]:
        """Return all ids of the person to whom one belongs, also by what is told in `more`."""
        if more is not None:
            return together(persons_of(settled(pl.concat([self._told, more]))), [user])
        if self._persons is None:
            self._persons = persons_of(settled(self._told))
        return together(self._persons, [user])

    def add(self, told: pl.DataFrame) -> None:
        self._told, self._persons = pl.concat([self._told, told]), None

    def forget(self, users: Iterable[str]) -> None:
        """Leave out what is told of some, or by them."""
        names = list(users)
        self._told, self._persons = self._told.filter(~(pl.col("id").is_in(names) | pl.col("user").is_in(names))), None


def _place_of(record: Record) -> tuple[datetime, int, int]:
    """Return when a record arrived, and where: of one instant the order is that of places."""
    _, _, at, _, part, off = record
    return at, part, off


def _as_erasures(rows: pl.DataFrame) -> list[Record]:
    """Return events as the records by which their users would be erased."""
    return [
        (one["user"], ERASE, one["arrived"] if one["part"] >= 0 else one["ts"], one["ts"], one["part"], one["off"])
        for one in rows.select("user", "type", "arrived", "ts", "part", "off").iter_rows(named=True)
    ]


def records_of(rows: pl.DataFrame) -> list[Record]:
    """Return the records among events that erase users or let them be known again, as `Erasures.register` takes them.

    An erasure holds from when the broker noted it; one in a file from its own time.
    """
    said = rows.filter(pl.col("type").is_in([ERASE, CONSENT]))
    return [
        (one["user"], one["type"], one["arrived"] if one["part"] >= 0 else one["ts"], one["ts"], one["part"], one["off"])
        for one in said.select("user", "type", "arrived", "ts", "part", "off", "props").iter_rows(named=True)
        if one["type"] == ERASE or grants(None if one["props"] is None else one["props"].encode())
    ]
