"""Which processes run, and how are they? Only what can be known from outside: members of the consumer group, what was written, and what answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import Literal, NamedTuple

from insights.asked.ahead import Standing
from insights.live.clicks import Intake
from insights.live.engine import EngineView
from insights.live.models import Served
from insights.past.rows import PartitionRead
from insights.web.saying import Saying
from stream.shown import visible

Health = Literal["good", "warn", "bad", "quiet"]
NOTHING = Standing()
LATE_READS = 1_000
"""Records that the page itself has not read, from which on its figures of the past are still growing."""


class Process(NamedTuple):
    """One process: what it is, how it is, and what is known of it."""

    name: str
    health: Health
    state: str
    about: str


def processes_of(
    view: EngineView,
    intake: Intake | None,
    served: Sequence[tuple[str, Served]],
    reads: Sequence[PartitionRead],
    now_ms: int,
    say_it: Saying,
    ahead: Standing = NOTHING,
) -> list[Process]:
    """Return what is known of each process.

    Parameters
    ----------
    served : sequence of (definition name, Served)
    reads : sequence of PartitionRead
        How far this page has read.
    ahead : Standing
        How far the answers of its pages are.
    """
    return [
        *_workers(intake, say_it),
        *(_trainer(name, one, say_it) for name, one in served),
        _page(reads, say_it),
        *_ahead(ahead, say_it),
        _redis(view, now_ms, say_it),
        _kafka(intake, say_it),
    ]


def _workers(intake: Intake | None, say_it: Saying) -> list[Process]:
    w, name = say_it.w, say_it.w.t("Worker")
    members = None if intake is None or intake.look is None else intake.look.members
    if members is None:
        return [Process(name, "quiet", w.t("process.unknown"), w.t("process.worker.unknown"))]
    if not members:
        return [Process(name, "bad", w.t("process.none"), w.t("process.none.is"))]
    return [
        Process(
            name,
            "good" if one.partitions else "quiet",
            w.t("process.ok") if one.partitions else w.t("process.spare"),
            w.t("process.worker.is", host=visible(one.host), shards=w.list_of(map(str, one.partitions)) or w.t("None")),
        )
        for one in members
    ]


def _trainer(definition: str, served: Served, say_it: Saying) -> Process:
    w, newest = say_it.w, next(iter(served.headers), None)
    name = w.t("process.trainer", definition=definition)
    if newest is None:
        return Process(name, "quiet", w.t("process.trainer.none"), w.t("process.trainer.none.is"))
    about = w.t("process.trainer.is", version=str(newest.number), moment=w.moment(newest.learned_until_ms, say_it.zone))
    return Process(name, "good", w.t("process.trainer.learned", ago=w.ago(newest.learned_until_ms, say_it.as_of_ms)), about)


def _page(reads: Sequence[PartitionRead], say_it: Saying) -> Process:
    w, name, lag = say_it.w, say_it.w.t("Page"), sum(one.lag for one in reads)
    if not reads:
        return Process(name, "quiet", w.t("process.page.not_yet"), w.t("process.page.is"))
    state = w.t("process.page.behind", n=lag) if lag >= LATE_READS else w.t("process.ok")
    return Process(name, "warn" if lag >= LATE_READS else "good", state, w.t("process.page.read", n=lag))


def _ahead(ahead: Standing, say_it: Saying) -> list[Process]:
    w, of = say_it.w, ahead.ready + ahead.due
    if ahead.day is None or not of:
        return []
    noon = datetime.combine(ahead.day, time(12), say_it.zone)
    day = w.date(round(noon.timestamp() * 1000), say_it.zone)
    state = w.t("process.ahead.due", n=ahead.due, of=of) if ahead.due else w.t("process.ahead.ready")
    return [Process(w.t("process.ahead"), "warn" if ahead.due else "good", state, w.t("process.ahead.is", day=day))]


def _redis(view: EngineView, now_ms: int, say_it: Saying) -> Process:
    w = say_it.w
    if view.reached:
        return Process("Redis", "good", w.t("process.answers"), w.t("process.redis.is"))
    about = w.t("process.never") if not view.answered_ms else w.t("process.last", ago=w.ago(view.answered_ms, now_ms))
    return Process("Redis", "bad", w.t("process.unreachable"), about)


def _kafka(intake: Intake | None, say_it: Saying) -> Process:
    w = say_it.w
    if intake is None:
        return Process("Kafka", "quiet", w.t("process.unknown"), w.t("data.kafka.not_yet"))
    if intake.reached:
        return Process("Kafka", "good", w.t("process.answers"), w.t("process.kafka.is"))
    about = w.t("process.never") if not intake.looked_ms else w.t("data.kafka.lost", moment=w.moment(intake.looked_ms, say_it.zone))
    return Process("Kafka", "bad", w.t("process.unreachable"), about)
