"""Events over HTTP, for those who have no producer: answered only after Kafka has them."""

from __future__ import annotations

import asyncio
import math
from typing import Annotated, Any

import msgspec
from starlette.requests import Request

from churnwatch.answers import Batch, Event, Verdict
from insights.web.api import examples
from insights.web.api.behind import Behind
from insights.web.api.body import UNREADABLE, body_of, read_as
from insights.web.api.clicks import Message
from insights.web.api.limits import whose
from insights.web.api.operation import Nothing, Operation
from insights.web.api.problems import Refused, wrong

MOST_BYTES, MOST_EVENTS = 512_000, 2_500
"""Of a batch, as Segment has it."""


class Events(msgspec.Struct, frozen=True):
    """Events as this API has them."""

    events: Annotated[list[Event], msgspec.Meta(max_length=MOST_EVENTS)]


class SegmentBatch(msgspec.Struct, frozen=True):
    """Events as Segment's libraries send them."""

    batch: Annotated[
        list[dict[str, Any]], msgspec.Meta(max_length=MOST_EVENTS, description="calls: track, page, screen, identify, group, alias")
    ]


class _Body(msgspec.Struct, frozen=True):
    """Either of the two, with each event as it stands: one that is wrong spoils no other."""

    events: list[msgspec.Raw] | None = None
    batch: list[msgspec.Raw] | None = None
    sentAt: Any = None  # noqa: N815 - Segment's name


_read = msgspec.json.Decoder(_Body)


async def batch(behind: Behind, request: Request, _asked: Nothing) -> Batch:
    """Send up to 2,500 events or 500 kB at once, in this API's shape or in Segment's; `Content-Encoding: gzip` is read.

    A batch that is answered by 503, or not at all, may be sent again as it is: an event keeps its id, and what Kafka has already is not counted twice.
    """
    given = read_as(await body_of(request, MOST_BYTES), _read)
    payloads = _payloads_of(given)
    wait_s = behind.events.take(whose(request.scope), len(payloads), behind.monotonic())
    if wait_s:
        raise Refused(
            "too-many",
            "too many events in this moment, and none of this batch was taken: send it again after Retry-After",
            retry_s=math.ceil(wait_s),
        )
    verdicts, messages = await asyncio.get_running_loop().run_in_executor(behind.judging, _judged, behind, given, payloads)
    await behind.clicks.send(messages)
    return Batch(accepted=len(messages), rejected=len(verdicts) - len(messages), events=verdicts)


def _payloads_of(given: _Body) -> list[bytes]:
    """Return the events of a batch as they stand in it. Raises Refused where there is not one list of events, or a list that is too long."""
    one, other = given.events, given.batch
    found = other if one is None else one
    if found is None or (one is not None and other is not None):
        says = "say `events` with a list of events, or `batch` with a list of Segment's calls"
        raise wrong("body", says)
    if len(found) > MOST_EVENTS:
        raise Refused("too-large", f"a batch may have {MOST_EVENTS:,} events, this one has {len(found):,}: send it in several parts")
    return list(map(bytes, found))


def _judged(behind: Behind, given: _Body, payloads: list[bytes]) -> tuple[list[Verdict], list[Message]]:
    # here, because polars comes with them: 36 MB that a page has no use for while nobody sends events
    from insights.web.api.events import judged
    from insights.web.api.segment import event_of, name_of

    now_ms = behind.parts.now_ms()
    if given.batch is None:
        return judged(payloads, behind.reader, now_ms)
    verdicts, messages = judged([event_of(one, given.sentAt) for one in payloads], behind.reader, now_ms)
    return [one if one.field is None else msgspec.structs.replace(one, field=name_of(one.field)) for one in verdicts], messages


OPERATIONS = (
    Operation(
        name="batch",
        method="POST",
        path="/batch",
        summary="Send events",
        scope="write:events",
        asked=Nothing,
        bodies=(Events, SegmentBatch),
        answers=Batch,
        words="What became of each event. Those that are accepted are in Kafka; those that are rejected would be rejected again.",
        example=examples.BATCH,
        does=batch,
        problems=("no-kafka", *UNREADABLE),
    ),
)
