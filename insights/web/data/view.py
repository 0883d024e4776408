"""The page Data, put together: how fresh, what was not usable and why, how far each shard is, and which processes run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from features.events.event import GOOD
from features.users.state import NEVER
from insights.asked.ahead import Standing as Ahead
from insights.live.clicks import Intake
from insights.live.engine import EngineView
from insights.live.models import Served
from insights.past.rows import PartitionRead
from insights.reports.deliver import Standing
from insights.watches.core import State
from insights.web.data.causes import Cause, causes_of
from insights.web.data.processes import Process, processes_of
from insights.web.data.reports import Row, rows_of
from insights.web.saying import Saying
from insights.web.tile import Tile
from insights.web.watching.said import Row as WatchRow
from insights.web.watching.said import row_of
from insights.words import DASH
from stream.settings.watches import Watch

TAKEN = frozenset(reason.name for reason in GOOD)
"""Outcomes of records that nothing is wrong with: a duplicate is a retry."""


class Shard(NamedTuple):
    """One shard: its newest event, how far it has come, what it took and what waits, and whom it follows."""

    number: str
    newest: str
    behind: str
    taken: str
    waiting: str
    people: str
    host: str


class Page(NamedTuple):
    """What the template shows; see `insights/web/templates/data.html`."""

    tiles: list[Tile]
    shards: list[Shard]
    waiting_about: str
    causes: list[Cause]
    causes_about: str
    processes: list[Process]
    reports: list[Row]
    tables: list[Row]
    watches: list[WatchRow]


class Asked(NamedTuple):
    """What is looked at.

    Attributes
    ----------
    intake : Intake or None
        What was last seen of Kafka; None before it was asked.
    served : sequence of (definition name, Served)
    reads : sequence of PartitionRead
        How far the page itself has read.
    now_ms : int
        The clock on the wall, ms.
    reports : sequence of Standing
        How the reports stand that come by themselves.
    tables : sequence of Standing
        How the tables for other programs stand.
    watches : sequence of (Watch, State, int)
        How the watched numbers stand, and when somebody looked, ms.
    ahead : Standing
        How many answers of the pages know the newest day that is over.
    """

    view: EngineView
    intake: Intake | None
    served: Sequence[tuple[str, Served]]
    reads: Sequence[PartitionRead]
    now_ms: int
    reports: Sequence[Standing] = ()
    tables: Sequence[Standing] = ()
    watches: Sequence[tuple[Watch, State, int]] = ()
    ahead: Ahead = Ahead()


def page_of(asked: Asked, say_it: Saying) -> Page:
    """Put the page together."""
    w, view = say_it.w, asked.view
    totals = view.totals
    return Page(
        tiles=[_newest(asked, say_it), _as_of(asked, say_it), _waiting(asked, say_it), _rejected(asked, say_it)],
        shards=_shards(asked, say_it),
        waiting_about=_asked_when(asked, say_it),
        causes=causes_of(totals, {} if asked.intake is None else asked.intake.rejected, say_it),
        causes_about=w.t("data.rejected.is", n=sum(totals.values())),
        processes=processes_of(view, asked.intake, asked.served, asked.reads, asked.now_ms, say_it, asked.ahead),
        reports=rows_of(asked.reports, asked.now_ms, w),
        tables=rows_of(asked.tables, asked.now_ms, w),
        watches=[row_of(watch, state, looked_ms, w) for watch, state, looked_ms in asked.watches],
    )


def _newest(asked: Asked, say_it: Saying) -> Tile:
    w, newest_ms = say_it.w, asked.view.newest_ms
    name, means = w.t("Newest event"), w.t("data.newest.is")
    if newest_ms is None:
        return Tile(name, w.percent(None), w.t("data.newest.none"), means)
    behind_s = (asked.now_ms - newest_ms) / 1000
    about = w.t("data.behind", duration=w.duration(behind_s)) if behind_s >= 60 else w.t("data.fresh")
    return Tile(name, w.time(newest_ms, say_it.zone), f"{w.date(newest_ms, say_it.zone)} · {about}", means)


def _as_of(asked: Asked, say_it: Saying) -> Tile:
    w, view = say_it.w, asked.view
    name, lateness = w.t("data.as_of"), 0 if view.spec is None else view.spec.spec.lateness_ms
    means = w.t("data.as_of.means", duration=w.duration(lateness / 1000))
    if view.as_of_ms is None:
        return Tile(name, w.percent(None), w.t("data.newest.none"), means)
    about = w.t("data.lateness", duration=w.duration(lateness / 1000))
    return Tile(name, w.time(view.as_of_ms, say_it.zone), f"{w.date(view.as_of_ms, say_it.zone)} · {about}", means)


def _waiting(asked: Asked, say_it: Saying) -> Tile:
    w, intake = say_it.w, asked.intake
    name, means = w.t("Not yet taken"), w.t("data.lag.is")
    if intake is None or intake.look is None:
        return Tile(name, w.percent(None), w.t("data.kafka.not_yet" if intake is None or intake.reached else "data.kafka.away"), means)
    waiting = sum(intake.waiting(asked.view).values())
    rate = w.t("data.rate", n=round(intake.taken_per_s))
    return Tile(name, w.number(waiting), rate if intake.reached else _asked_when(asked, say_it), means)


def _rejected(asked: Asked, say_it: Saying) -> Tile:
    w, totals = say_it.w, asked.view.totals
    every = sum(totals.values())
    bad = every - sum(totals[name] for name in TAKEN)
    share = bad / every if every else None
    return Tile(
        w.t("data.rejected"), w.percent(share, 1 if share else 0), w.t("data.rejected.about", n=bad, of=every), w.t("data.rejected.means")
    )


def _asked_when(asked: Asked, say_it: Saying) -> str:
    w, intake = say_it.w, asked.intake
    if intake is None or not intake.looked_ms:
        return w.t("data.kafka.not_yet" if intake is None or intake.reached else "data.kafka.away")
    return w.t("data.kafka.asked" if intake.reached else "data.kafka.lost", moment=w.moment(intake.looked_ms, say_it.zone))


def _shards(asked: Asked, say_it: Saying) -> list[Shard]:
    w, view = say_it.w, asked.view
    look = None if asked.intake is None else asked.intake.look
    waiting = {} if asked.intake is None else asked.intake.waiting(view)
    hosts = {number: member.host for member in (look.members or ()) for number in member.partitions} if look is not None else {}
    newest_ms = view.newest_ms
    found = []
    for number, meta in sorted(view.metas.items()):
        has = meta.max_ms != NEVER and newest_ms is not None
        found.append(
            Shard(
                number=str(number),
                newest=w.moment(meta.max_ms, say_it.zone) if has else w.t("data.newest.none"),
                behind=_behind(newest_ms - meta.max_ms, say_it) if has and newest_ms is not None else "",
                taken=w.number(sum(meta.totals.values())),
                waiting=w.number(waiting.get(number)),
                people=w.number(meta.armed if meta.armed >= 0 else None),
                host=hosts.get(number, w.percent(None)),
            )
        )
    unread = w.t("data.shard.unreadable")
    found += [Shard(str(one), unread, "", DASH, w.number(waiting.get(one)), DASH, hosts.get(one, DASH)) for one in view.unreadable]
    return found


def _behind(ms: int, say_it: Saying) -> str:
    return say_it.w.t("data.shard.behind", duration=say_it.w.duration(ms / 1000)) if ms >= 60_000 else ""
