"""Which events of a batch are taken, and what goes to Kafka? Pure: payloads in, verdicts and messages out.

An event is judged as the engine itself judges a click, by the same code over the same bytes (`features.events.columns`). The engine judges it once
more when it reads it, with the broker's stamp in the place of this server's clock.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import polars as pl

from churnwatch.answers import Verdict
from features.events.columns import ColumnReader
from features.events.event import WORDS, Event, Reason, decode_plain, field_of
from features.files.event_json import EventIds
from insights.web.api.clicks import Message

MOST_EVENT_BYTES = 32_768
"""Of one event, as Segment has it."""


class _Sent(msgspec.Struct, omit_defaults=True):
    """An event to which an id was given."""

    user: str
    ts: int
    type: str
    event_id: str
    session: str | None = None
    item: str | None = None
    value: float | None = None
    channel: str | None = None
    props: msgspec.Raw | None = None


_encode = msgspec.json.Encoder().encode


def judged(payloads: Sequence[bytes], reader: ColumnReader, now_ms: int) -> tuple[list[Verdict], list[Message]]:
    """Judge some events.

    Parameters
    ----------
    payloads : n events, as JSON
    reader : ColumnReader
        The app's.
    now_ms : int
        This server's clock, ms since the epoch.

    Returns
    -------
    n verdicts, and the messages of those that are accepted, in order.
    """
    columns = reader.read(payloads, np.full(len(payloads), now_ms, np.int64))
    code = columns.code
    code[np.fromiter(map(len, payloads), np.int64, len(payloads)) > MOST_EVENT_BYTES] = Reason.too_large
    fine = np.flatnonzero(code == Reason.ok)
    events = {i: decode_plain(payloads[i]) for i in fine.tolist()}
    made = _ids({i: event for i, event in events.items() if event.event_id is None}, columns.ts)
    verdicts, messages = [], []
    for i, payload in enumerate(payloads):
        if (event := events.get(i)) is None:
            verdicts.append(_rejected(Reason(int(code[i])), payload))
        else:
            event_id = made[i] if event.event_id is None else event.event_id
            value = payload if event.event_id is not None else _with_id(event, int(columns.ts[i]), event_id)
            verdicts.append(Verdict(status="accepted", event_id=event_id))
            messages.append(Message(hash((event.user, event_id)), event.user.encode(), value))
    return verdicts, messages


def _rejected(reason: Reason, payload: bytes) -> Verdict:
    says = f"an event may have {MOST_EVENT_BYTES:,} bytes" if reason is Reason.too_large else WORDS[reason]
    return Verdict(status="rejected", reason=reason.name, field=field_of(reason, payload), says=says)


def _ids(events: dict[int, Event], ts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> dict[int, str]:
    """Return ids for events that have none, as a file of the same events would get them: from their content, so that a retry has the same."""
    if not events:
        return {}
    places = sorted(events, key=lambda i: int(ts[i]))  # ids are counted in order of time; equal times stay in the order of the batch
    frame = pl.DataFrame(
        {
            "user": [events[i].user for i in places],
            "ts": ts[places],
            "type": [events[i].type for i in places],
            "value": pl.Series([events[i].value for i in places], dtype=pl.Float64),
            "item": pl.Series([events[i].item for i in places], dtype=pl.String),
            "file": pl.Series([0] * len(places), dtype=pl.Int32),
        }
    )
    return dict(zip(places, EventIds().of(frame), strict=True))


def _with_id(event: Event, ts: int, event_id: str) -> bytes:
    props = event.props if bytes(event.props) else None
    return _encode(_Sent(event.user, ts, event.type, event_id, event.session, event.item, event.value, event.channel, props))
