"""The history as those see it who ask: DuckDB over one snapshot, with a view of each table.

A snapshot is a list of files that are never changed, so it stays as it is while a writer goes on. A writer removes a file no earlier than
`maintenance.GRACE_HOURS` after the last snapshot that names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from insights.history.derived import snapshot, views
from insights.history.duck import connected

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class AsOf:
    """As of what an answer holds. It belongs to every number that is taken from the log.

    Attributes
    ----------
    zone : str
        IANA zone of all days, weeks and months.
    week_start : str
        Name of the day with which a week begins.
    watermark : datetime or None
        Up to this time all is known; None if there are no events.
    offsets : dict of str to int
        Of each source that was read, its next offset or row.
    version : int
        Of the table of events.
    events, repeats, late, rejected : int
        Events there are; repeats that were dropped, events that were late and count all the same, records that were no events. Of a log that is cut the
        last two are not known, and are 0.
    complete_from : datetime or None
        Whoever was first seen before it may have been there earlier (left-censored); None if the log is complete from its beginning.
    activity : tuple of str
        Event types that make somebody active; empty: all.
    horizon : timedelta
        A silence this long is churn.
    session_gap_ms : int
        A pause this long begins another visit, ms.
    revenue : tuple of str
        Event types whose value is money.
    releases : tuple of str
        What changed in the product, and when, as `insights.analyses.release` reads it.
    """

    zone: str = "UTC"
    week_start: str = "monday"
    watermark: datetime | None = None
    offsets: dict[str, int] | None = None
    version: int = 0
    events: int = 0
    repeats: int = 0
    late: int = 0
    rejected: int = 0
    complete_from: datetime | None = None
    activity: tuple[str, ...] = ()
    horizon: timedelta = timedelta(days=14)
    session_gap_ms: int = 1_800_000
    revenue: tuple[str, ...] = ("purchase",)
    releases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Log:
    """An open history: a connection with the views, and as of what they are. Close the connection when done."""

    con: duckdb.DuckDBPyConnection
    as_of: AsOf


def open_log(
    folder: Path, *, week_start: str = "monday", complete_from_ms: int = 0, activity: tuple[str, ...] = (), horizon_ms: int = 14 * DAY_MS,
    releases: tuple[str, ...] = (), threads: int = 2, memory: str = "2GB", before_ms: int | None = None,
) -> Log:  # fmt: skip
    """Open a history at its newest snapshot, while writers may go on.

    Parameters
    ----------
    complete_from_ms : int
        From here on the log is known to be complete, ms since the epoch; 0: as the writer found it.
    activity, horizon_ms
        Of the definition of churn that is asked about.
    releases : tuple of str
        Those that the settings name.
    threads, memory
        What DuckDB may use.
    before_ms : int, optional
        As if the log had been cut at this time, ms since the epoch: nothing of it or later is there, and all before it is known. What came late to before it counts.

    Raises
    ------
    HistoryMissing
        If there is no history in the folder.
    """
    at = snapshot(folder)
    standing, rules = at.events.standing, at.rules
    con = connected(threads=threads, memory=memory)
    if before_ms is not None and before_ms > (standing.watermark_ms or before_ms):
        before_ms = None  # nothing is left out, and no more is known than there is
    views(con, at, before_ms)
    since = complete_from_ms or standing.complete_from_ms
    return Log(
        con,
        AsOf(
            zone=rules.timezone,
            week_start=week_start,
            watermark=_time(before_ms if before_ms is not None and standing.watermark_ms is not None else standing.watermark_ms),
            offsets=dict(standing.ends),
            version=at.events.version,
            events=standing.rows if before_ms is None else int(con.execute("select count(*) from events").fetchall()[0][0]),
            repeats=standing.repeats,
            late=standing.late if before_ms is None else 0,
            rejected=sum(standing.rejected.values()) if before_ms is None else 0,
            complete_from=_time(since or None),
            activity=activity,
            horizon=timedelta(milliseconds=horizon_ms),
            session_gap_ms=rules.session_gap_ms,
            revenue=rules.revenue,
            releases=releases,
        ),
    )


def _time(ms: int | None) -> datetime | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)
