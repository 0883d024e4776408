"""How the standing and the packed rows are read from the store, and written to it; for the writer and for whoever reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict

from sqlalchemy import Connection, bindparam, select, update

from insights.past.fold.standing import ShardRead, Standing
from insights.past.tables import LANDMARKS, POSITIONS, READER, SHARDS
from insights.store.upsert import insert_into

_MANY = 500
"""Values in one list of a query."""
Ends = Mapping[tuple[str, int], int]
"""(topic, partition) -> where it ends now."""


def rows_at(db: Connection, definition: str, places: Iterable[int]) -> dict[int, bytes]:
    """Return the rows at some places, as far as there are any."""
    found: dict[int, bytes] = {}
    for some in by_many(places):
        wanted = select(LANDMARKS.c.place, LANDMARKS.c.packed).where(LANDMARKS.c.definition == definition, LANDMARKS.c.place.in_(some))
        found.update(db.execute(wanted).tuples().all())
    return found


def by_many(values: Iterable[int]) -> Iterator[list[int]]:
    """Yield values in lists that a query can take."""
    every = list(values)
    return (every[at : at + _MANY] for at in range(0, len(every), _MANY))


def read_standing(db: Connection) -> Standing:
    """Return how far the topics have been read."""
    return Standing(
        positions={(row.topic, row.partition): row.next_offset for row in db.execute(select(POSITIONS))},
        shards={
            row.partition: ShardRead(row.lineage, row.last_number, row.watermark_ms, row.stamp_ms) for row in db.execute(select(SHARDS))
        },
        told_offset=db.execute(select(READER.c.told_offset)).scalar_one(),
    )


def write_standing(db: Connection, standing: Standing, ends: Ends) -> None:
    """Write how far the topics have been read, and where they end."""
    db.execute(update(READER).values(told_offset=standing.told_offset))
    shards = [{"partition": partition, **asdict(one)} for partition, one in standing.shards.items()]
    places = [
        {"topic": topic, "partition": partition, "next_offset": offset, "end_offset": max(offset, ends.get((topic, partition), 0))}
        for (topic, partition), offset in standing.positions.items()
    ]
    for table, rows in ((SHARDS, shards), (POSITIONS, places)):
        statement = insert_into(db, table)
        values = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
        if rows:
            db.execute(statement.on_conflict_do_update(index_elements=table.primary_key.columns, set_=values), rows)


def write_ends(db: Connection, ends: Ends) -> None:
    """Write where the topics end."""
    rows = [{"t": topic, "p": partition, "end_offset": end} for (topic, partition), end in ends.items()]
    if rows:
        db.execute(update(POSITIONS).where(POSITIONS.c.topic == bindparam("t"), POSITIONS.c.partition == bindparam("p")), rows)
