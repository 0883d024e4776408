"""Are all scores and outcomes there, and none twice? The topic of examples is read again, and each row held against those of the two tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import msgspec
import numpy as np
import polars as pl

from insights.history.derived import snapshot, views
from insights.history.duck import connected, lend, quoted
from insights.history.erasures import Erasures
from insights.history.live.clicks import Topic, open_clicks
from insights.history.live.example_rows import labels_of, numbers_of, outcomes_of, scores_of
from insights.history.live.verify import read_below
from insights.history.tables import OUTCOMES, SCORES, TIME, TableSpec
from online_models.example_blocks import unpack_record
from online_models.external_labels import LabelBlock
from stream.kafka.connection import Connection

NUMBERED = '"lineage", "shard", "number"'


@dataclass(frozen=True, slots=True)
class Recount:
    """What a recount of one table found.

    Attributes
    ----------
    rows : int
        Rows that the topic says there are, each once.
    lost : int
        Of these, how many the table does not hold as they are.
    foreign : int
        Rows of the table that the topic does not hold, though it still has others of their time.
    doubled : int
        Rows too many.
    gone : int
        Rows from before the first example of their shard that the topic still has; they cannot be held against anything.
    """

    rows: int
    lost: int
    foreign: int
    doubled: int
    gone: int

    @property
    def sound(self) -> bool:
        """Whether nothing is lost, foreign or doubled."""
        return not (self.lost or self.foreign or self.doubled)


async def verify_examples(folder: Path, spill: Path, connection: Connection, topic: Topic) -> dict[str, Recount]:
    """Recount the topic up to where each table has read it; without a table that was ever followed there is nothing to say.

    Parameters
    ----------
    spill : Path
        An empty folder for the topic's examples.

    Raises
    ------
    TimeoutError
        If the topic does not hold what the history has read.
    """
    at, erasures = snapshot(folder), Erasures.find(folder)
    found: dict[str, Recount] = {}
    for spec in (SCORES, OUTCOMES):
        if (table := at.followed.get(spec.name)) is None:
            continue
        ends = {number: table.position(topic.source(number)) for number in range(topic.partitions)}
        await _spill(spill, connection, topic, ends, spec, erasures)
        con = connected()
        try:
            con.execute(f"set temp_directory = {quoted(str(spill / 'sorting'))}")
            views(con, at, as_they_came=True)
            found[spec.name] = _compared(con, spec, spill, erasures)
        finally:
            con.close()
    return found


async def _spill(
    spill: Path, connection: Connection, topic: Topic, ends: dict[int, int], spec: TableSpec, erasures: Erasures | None
) -> None:
    """Write what the topic says below `ends` into one file a fetch, repeats and all, without what is of erased users."""
    pl.DataFrame(schema=spec.in_files).write_parquet(spill / f"{spec.name}-0.parquet")
    async with open_clicks(connection, topic) as records:
        await records.look()
        number = 0
        async for _, some in read_below(records, ends):
            number += 1
            rows = pl.concat([_rows(value or b"", spec) for value in some.values])
            kept = rows if erasures is None else rows.filter(~erasures.covered(rows, spec.measured))
            kept.write_parquet(spill / f"{spec.name}-{number}.parquet")


def _rows(value: bytes, spec: TableSpec) -> pl.DataFrame:
    try:
        block = unpack_record(value)
        if not isinstance(block, LabelBlock):
            every = np.ones(len(numbers_of(block)), np.bool_)
            return scores_of(block, every) if spec is SCORES else outcomes_of(block, every)
        if spec is OUTCOMES:
            return labels_of(block.labels)
    except (msgspec.MsgspecError, ValueError):
        pass  # no example of ours; the writer passes it over, too
    return pl.DataFrame(schema=spec.in_files)


def _compared(con: duckdb.DuckDBPyConnection, spec: TableSpec, spill: Path, erasures: Erasures | None) -> Recount:
    users = [] if erasures is None else [user for (user,) in con.execute(f'select distinct "user" from {spec.name}').fetchall()]
    theirs = {} if erasures is None else erasures.of(users)
    schema = {"name": pl.String(), "until": TIME, "back": pl.Boolean()}
    lend(con, "gone", pl.DataFrame([(user, one.until, one.back) for user, one in theirs.items()], schema=schema, orient="row"))
    columns = ", ".join(f'"{name}"' for name in spec.in_files)
    con.execute(f"create view topic as select distinct {columns} from read_parquet({quoted(str(spill / f'{spec.name}-*.parquet'))})")
    erased = f'said."user" = gone.name and (not back or {spec.measured} <= until)'
    con.execute(f"create view held as select {columns} from {spec.name} as said where not exists (select * from gone where {erased})")
    first = 'select "lineage", "shard", min("number") as "first" from topic group by all'
    con.execute(
        f'create view range as select held.* from held join ({first}) as begins using ("lineage", "shard") where "number" >= "first"'
    )

    def count(sql: str) -> int:
        (found,) = con.execute(f"select count(*) from ({sql})").fetchall()[0]
        return int(found)

    rows, held = count("from topic"), count("from held")
    return Recount(
        rows=rows,
        lost=count("from topic except from held"),
        foreign=count("select distinct * from range except from topic"),
        doubled=held - count(f"select distinct {NUMBERED} from held"),
        gone=held - count("from range"),
    )
