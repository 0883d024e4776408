"""The table of events, as its writers see it: rows and positions in, each event once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from insights.history.erasures import ERASE, Erasures, records_of
from insights.history.faults import HistoryRefused, HistoryStale
from insights.history.joined import ALIAS
from insights.history.known import NO_ID, Hashes, KnownIds, held, keys
from insights.history.persons import told_of
from insights.history.standing import Standing
from insights.history.table import DataFile, Table
from insights.history.tables import EVENTS, RESERVED

TIMEZONE = "churnwatch.timezone"
SESSION_GAP = "churnwatch.session_gap_ms"
REVENUE = "churnwatch.revenue_events"
SET_ASIDE = "churnwatch.set_aside"


@dataclass(frozen=True, slots=True)
class Rules:
    """What days, visits and money mean in a history.

    Attributes
    ----------
    timezone : str
        IANA zone of calendar days; fixed for good, since the days are the folders.
    session_gap_ms : int
        A pause this long begins another visit, ms.
    revenue : tuple of str
        Event types whose value is money.
    set_aside : tuple of str
        Event types by which systems tell something of a user; they are no deeds, so they make no day of theirs.
    """

    timezone: str
    session_gap_ms: int
    revenue: tuple[str, ...]
    set_aside: tuple[str, ...] = RESERVED

    def properties(self) -> dict[str, str]:
        """Return them as properties of the table."""
        return {
            TIMEZONE: self.timezone,
            SESSION_GAP: str(self.session_gap_ms),
            REVENUE: json.dumps(self.revenue),
            SET_ASIDE: json.dumps(self.set_aside),
        }

    @classmethod
    def of(cls, properties: Mapping[str, str]) -> Rules:
        """Read what `properties` wrote."""
        revenue, set_aside = (tuple(json.loads(properties.get(name, "[]"))) for name in (REVENUE, SET_ASIDE))
        return cls(properties.get(TIMEZONE, "UTC"), int(properties.get(SESSION_GAP, "1800000")), revenue, set_aside)


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of rows: written, dropped as repeats, or as those of erased users."""

    rows: int
    repeats: int
    files: int
    erased: int = 0


class Events:
    """The table of events, open for writing. A second writer does no harm: whoever commits later loses, and begins again.

    Raises
    ------
    HistoryRefused
        If the history was made with another time zone.
    """

    def __init__(self, folder: Path, rules: Rules) -> None:
        self.table = Table.create(folder, EVENTS, rules.properties())
        stored = Rules.of(self.table.properties)
        if stored.timezone != rules.timezone:
            raise HistoryRefused(
                f"the history in {folder} has its days in {stored.timezone}, and features.timezone is {rules.timezone}: set that back, "
                "or name another folder in history.dir and fill it anew; the zone of the days cannot be changed"
            )
        if stored != rules:
            self.table.delta.alter.set_table_properties(rules.properties(), raise_if_not_exists=False)
            self.table.renew()
        self.rules, self._folder = rules, folder
        self._erasures: Erasures | None = None
        self._known = KnownIds(self._ids_of)

    def renew(self) -> None:
        """Go to the newest version, after a commit of somebody else."""
        self.table.renew()

    def day_of(self, ts_ms: int) -> str:
        """Return the day that a time, in ms since the epoch, lies in."""
        return str(datetime.fromtimestamp(ts_ms / 1000, ZoneInfo(self.rules.timezone)).date())

    def _ids_of(self, day: str) -> pl.DataFrame:
        return self.table.read(self.table.files_of(day), ["user", "event_id"])

    def append(self, rows: pl.DataFrame, starts: Mapping[str, int], ends: Mapping[str, int], standing: Standing) -> Appended:
        """Commit events with the positions up to which they were read.

        Parameters
        ----------
        rows : frame
            With the columns of the table but `day`.
        starts, ends : dict of str to int
            Of each source, where these rows begin and where the next will.
        standing : Standing
            What is to be said of the sources; the counts of rows and repeats are added here.

        Raises
        ------
        HistoryStale
            If a source is elsewhere by now, or somebody else committed meanwhile: `renew`, look at the positions, and read from there.
        """
        moved = [source for source, start in starts.items() if self.table.position(source) != start]
        if moved:
            raise HistoryStale(f"{moved[0]} is at {self.table.position(moved[0])} by now")
        kept = self._kept(rows)
        erased, rows = rows.height - kept.height, kept
        self._known.at(self.table.version)
        adds: list[DataFile] = []
        fresh: dict[str, Hashes] = {}
        for day, of_day, hashes in self._by_day(rows):
            new = ~held(hashes, self._known.of(day)) | (hashes == NO_ID)
            fresh[day] = hashes[new & (hashes != NO_ID)]
            if new.any():
                adds.append(self.table.write(day, of_day if new.all() else of_day.filter(pl.Series(new))))
        written = sum(one.rows for one in adds)
        repeats = rows.height - written
        version = self.table.version
        said = replace(
            standing,
            rows=standing.rows + written,
            repeats=standing.repeats + repeats,
            erased=standing.erased + erased,
            aliased=version + 1 if (rows["type"] == ALIAS).any() else self._aliased(),
        )
        self.table.commit(said, adds=adds, positions=ends)
        self._known.committed(version + 1, fresh)
        return Appended(written, repeats, len(adds), erased)

    def _told(self) -> pl.DataFrame:
        """Return what the alias events tell that are there."""
        return told_of(self.table)

    def _aliased(self) -> int | None:
        """Return by which version the newest alias event came that there is."""
        return 0 if self.table.standing.aliased is None and not self.table.files() else self.table.standing.aliased

    def _kept(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the events that may be kept, without those of erased users; what erases somebody is noted first.

        The erasures are read later than the snapshot that is committed upon. So whatever is not seen of them here is removed by a pass that
        commits later, or makes this commit stale.
        """
        if ERASE not in self.rules.set_aside:
            return rows
        records = records_of(rows)
        known = self._erasures
        if known is not None:
            known = known.renewed()
        else:
            known = Erasures.make(self._folder) if any(kind == ERASE for _, kind, *_ in records) else Erasures.find(self._folder)
        if known is None:
            return rows
        joins = ALIAS in self.rules.set_aside
        self._erasures = erasures = known.with_joined(rows, self._told) if joins else known.register(records)
        return rows.filter(~erasures.covered(rows, "ts") & (rows["type"] != ERASE))

    def _by_day(self, rows: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame, Hashes]]:
        """Yield each day with its rows as files hold them, each event once, and a hash of the id of each."""
        day = pl.col("ts").dt.convert_time_zone(self.rules.timezone).dt.date()
        named = rows.with_columns(day=day, _key=keys(rows))
        once = named.filter(pl.col("_key").is_null() | pl.struct("day", "_key").is_first_distinct()).sort("day", *EVENTS.order)
        columns = once.select(pl.col(name).cast(kind) for name, kind in EVENTS.columns.items())
        hashes = once["_key"].fill_null(NO_ID).to_numpy()
        days, begins = np.unique(columns["day"].to_physical().to_numpy(), return_index=True)
        for when, begin, end in zip(days, begins, np.append(begins, columns.height)[1:], strict=True):
            stretch = columns.slice(begin, end - begin)
            yield str(np.datetime64(int(when), "D")), stretch.drop("day"), hashes[begin:end]
