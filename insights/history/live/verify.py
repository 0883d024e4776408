"""Is everything there, and nothing twice? The topic is read again from its beginning, and held against the rows of the history."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import polars as pl

from features.events.columns import ColumnReader
from insights.history.derived import Snapshot, snapshot, views
from insights.history.duck import connected, lend, quoted
from insights.history.erasures import ERASE, Erasures
from insights.history.joined import ALIAS, persons_of, settled
from insights.history.live.clicks import Clicks, Topic, open_clicks
from insights.history.live.rows import NEVER, joined, read_rows
from insights.history.persons import told_of
from insights.history.tables import TIME
from stream.kafka.connection import Connection
from stream.shard.records import LogRecords

PART_ROWS = 500_000
WAIT_S = 20.0
"""A topic that yields nothing for so long, seconds, does not hold what the history says it has read."""
KEPT = ("part", "off", "user", "ts", "event_id", "type")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a recount found.

    Attributes
    ----------
    days : list of (int, str, int, int, int)
        Of each partition and day: good events in the topic, how many of these the history holds, and how many are repeats.
    lost : int
        Events of the topic that the history neither holds, nor holds an equal of.
    foreign : int
        Rows from the topic's range that the topic does not hold like that.
    doubled : int
        Rows too many at one place in the topic, or of one user, day and event id.
    other_days : int
        Events that came again with a time of another day, which count twice.
    erased : int
        Events of the topic that are of erased users, or erase somebody: they are not asked for.
    to_erase : int
        Rows of erased users that are still there; the next pass takes them out.
    gone : int
        Rows from before the first record that the topic still has; they cannot be held against anything.
    joined, misjoined : int
        Ids that count under another by the alias events that are held; and those of which the derived tables say something else.
    other_ids : int
        Events that came under several ids of one person, which count under each.
    """

    days: list[tuple[int, str, int, int, int]]
    lost: int
    foreign: int
    doubled: int
    other_days: int
    gone: int
    erased: int = 0
    to_erase: int = 0
    joined: int = 0
    misjoined: int = 0
    other_ids: int = 0

    @property
    def sound(self) -> bool:
        """Whether nothing is lost, foreign, doubled or joined otherwise."""
        return not (self.lost or self.foreign or self.doubled or self.misjoined)


async def verify(
    folder: Path, spill: Path, connection: Connection, topic: Topic, reader: ColumnReader, progress: Callable[[int], None] = lambda _: None
) -> Verdict:
    """Recount the topic up to where the history has read it.

    Parameters
    ----------
    spill : Path
        An empty folder for the topic's events, about 60 bytes each.
    reader : ColumnReader
        Judges records by the rules of now; if these have changed since, what they would now reject is found to be foreign, and the other way round.

    Raises
    ------
    TimeoutError
        If the topic does not hold what the history has read.
    """
    at = snapshot(folder)
    erasures = Erasures.find(folder) if ERASE in at.rules.set_aside else None
    ends = {number: at.events.position(topic.source(number)) for number in range(topic.partitions)}
    async with open_clicks(connection, topic) as clicks:
        await clicks.look()
        left_out = await _spill(clicks, ends, reader, spill, progress, erasures)
        first = dict(clicks.first)
    con = connected()
    try:
        con.execute(f"set temp_directory = {quoted(str(spill / 'sorting'))}")
        views(con, at, as_they_came=True)
        told = told_of(at.events)
        lend(con, "named_ids", told.select("id", "user", "ts", "part", "off"))
        gone = _erased_users(con, erasures)
        found = _compared(con, spill, at.rules.timezone, first, ends, gone)
    finally:
        con.close()
    joined, misjoined, other_ids = joins(at, told)
    return replace(found, erased=left_out, joined=joined, misjoined=misjoined, other_ids=other_ids)


def joins(at: Snapshot, told: pl.DataFrame) -> tuple[int, int, int]:
    """Recount which ids are joined, from the alias events alone; return `joined`, `misjoined` and `other_ids` of a verdict."""
    wanted = persons_of(settled(told)) if ALIAS in at.rules.set_aside else {}
    con = connected()
    try:
        views(con, at)
        said = dict(con.execute("select id, person from ids").fetchall())
        twice = """select sum(n - 1) from (select count(*) as n from events where event_id is not null and "user" in (select person from ids)
            group by "user", day, event_id) where n > 1"""
        ((other_ids,),) = con.execute(twice).fetchall() if said else ((0,),)
        return len(wanted), sum(wanted.get(one) != said.get(one) for one in {*wanted, *said}), int(other_ids or 0)
    finally:
        con.close()


def _erased_users(con: duckdb.DuckDBPyConnection, erasures: Erasures | None) -> pl.DataFrame:
    """Return what of the rows of each user may not be there."""
    users = (
        []
        if erasures is None
        else [user for (user,) in con.execute('select distinct "user" from events union select id from named_ids').fetchall()]
    )
    theirs = {} if erasures is None else erasures.of(users)
    schema = {"name": pl.String(), "until": TIME, "back": pl.Boolean(), "in_part": pl.Int32(), "from_off": pl.Int64()}
    return pl.DataFrame([(user, one.until, one.back, one.part, one.off) for user, one in theirs.items()], schema=schema, orient="row")


async def _spill(
    clicks: Clicks, ends: dict[int, int], reader: ColumnReader, spill: Path, progress: Callable[[int], None], erasures: Erasures | None
) -> int:
    """Write the good events below `ends` into files, without those of erased users; return how many these are."""
    erased = 0
    parts: list[pl.DataFrame] = []
    number = rows = read = 0

    def write() -> None:
        nonlocal parts, number, rows
        joined(parts).select(KEPT).write_parquet(spill / f"{number}.parquet")
        parts, rows, number = [], 0, number + 1

    async for partition, records in read_below(clicks, ends):
        good = read_rows(partition, records.offset, reader.read(records.values, records.append_ms), NEVER, 0).rows
        parts.append(good if erasures is None else good.filter(~erasures.covered(good, "ts") & (good["type"] != ERASE)))
        erased += good.height - parts[-1].height
        rows, read = rows + parts[-1].height, read + len(records)
        progress(read)
        if rows >= PART_ROWS:
            write()
    write()
    return erased


async def read_below(topic: Clicks, ends: Mapping[int, int]) -> AsyncIterator[tuple[int, LogRecords]]:
    """Yield all records that the topic still has below `ends`, with their partition.

    Raises
    ------
    TimeoutError
        If the topic does not hold them.
    """
    topic.seek(topic.first)

    def left(at: Mapping[int, int]) -> bool:
        return any(at[partition] < end for partition, end in ends.items() if topic.first[partition] < end)

    at = await topic.positions()
    while left(at):
        before, found = at, await topic.some(WAIT_S)
        at = await topic.positions()
        if not found and at == before:
            raise TimeoutError("the topic does not hold what the history has read of it")
        for partition, records in found:
            below = records[: int(records.offset.searchsorted(ends[partition]))]
            if len(below):
                yield partition, below


def _compared(
    con: duckdb.DuckDBPyConnection, spill: Path, zone: str, first: dict[int, int], ends: dict[int, int], gone: pl.DataFrame
) -> Verdict:
    lend(con, "gone", gone)
    barred = "not back or ts <= until or (part = in_part and off < from_off)"
    by_name = 'select e.* from events e join named_ids n using ("user", ts, part, off) join gone g on n.id = g.name'
    con.execute(
        f"""create view to_erase as select e.* from events e join gone g on e."user" = g.name where {barred} union {by_name} where {barred}"""
    )
    con.execute(
        'create view kept as select * from events e anti join to_erase g on e.part = g.part and e.off = g.off and e."user" = g."user"'
    )
    con.execute(
        f"""create view topic as select *, (ts at time zone {quoted(zone)})::date as day from read_parquet({quoted(str(spill / "*.parquet"))})"""
    )
    ranges = " or ".join(f"(part = {number} and off >= {first[number]} and off < {end})" for number, end in ends.items()) or "false"
    con.execute(f"create view range as select * from kept where {ranges}")
    con.execute("create view named as select * from kept where event_id is not null")
    same = 'r.part = t.part and r.off = t.off and r."user" = t."user" and r.ts = t.ts'
    con.execute(f"""create view missing as select * from topic t anti join range r on {same}""")
    equal = 'r."user" = t."user" and r.event_id = t.event_id and r.day = t.day'

    def count(sql: str) -> int:
        (found,) = con.execute(sql).fetchall()[0]
        return int(found or 0)

    days = con.execute(
        """select t.part, t.day::text, count(*), count(*) - count(m.off), count(m.off) from topic t
        left join missing m on m.part = t.part and m.off = t.off group by t.part, t.day order by t.part, t.day"""
    ).fetchall()
    places = "select count(*) - count(distinct (part, off)) from kept where part >= 0"
    ids = 'select count(*) - count(distinct ("user", day, event_id)) from named'
    return Verdict(
        days=[(int(part), str(day), int(good), int(held), int(again)) for part, day, good, held, again in days],
        lost=count(f"select count(*) from missing t anti join named r on {equal}"),
        foreign=count(f"select count(*) from range r anti join topic t on {same}"),
        doubled=count(places) + count(ids),
        other_days=count('select sum(n - 1) from (select count(distinct day) as n from named group by "user", event_id) where n > 1'),
        gone=count(f"select count(*) from kept where part >= 0 and not ({ranges})"),
        to_erase=count("select count(*) from to_erase"),
    )
