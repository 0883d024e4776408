"""Who was erased, as the history remembers it: a salted digest of each, never the id, and which rows must not be there because of it.

A record of type `erase` is written here before the rows around it are committed, so that whoever commits later sees it. What follows from the records of
a user is the same as in the engine (`stream.shard.erasing`): after an erasure nothing of them is kept until they consent, and nothing from before it ever is.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from features.events.columns import grants
from insights.history.disk import LOG
from insights.history.faults import HistoryMissing, HistoryStale
from insights.history.table import Table
from insights.history.tables import ERASURES, TIME

SALT = "churnwatch.salt"
ERASE, CONSENT = "erase", "consent"
_NEVER = datetime(1, 1, 1, tzinfo=UTC)
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
        """Return which rows must not be kept, by their columns `user`, the one named `time` and, if they are of the clicks, `part` and `off` there: leave out those of other topics."""
        theirs = self.of(rows["user"].unique().to_list())
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

    def register(self, records: Sequence[tuple[str, str, datetime, datetime, int, int]]) -> Erasures:
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

    def _fresh(self, records: Sequence[tuple[str, str, datetime, datetime, int, int]]) -> pl.DataFrame:
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


def records_of(rows: pl.DataFrame) -> list[tuple[str, str, datetime, datetime, int, int]]:
    """Return the records among events that erase users or let them be known again, as `Erasures.register` takes them.

    An erasure holds from when the broker noted it; one in a file from its own time.
    """
    said = rows.filter(pl.col("type").is_in([ERASE, CONSENT]))
    return [
        (one["user"], one["type"], one["arrived"] if one["part"] >= 0 else one["ts"], one["ts"], one["part"], one["off"])
        for one in said.select("user", "type", "arrived", "ts", "part", "off", "props").iter_rows(named=True)
        if one["type"] == ERASE or grants(None if one["props"] is None else one["props"].encode())
    ]
