"""Decides which dead letters to send again, and in which form, and says what will become of them. Pure; `stream.cli.dlq` does the sending.

A letter is worth sending only if it would be accepted now. If its event has no event id, it is given one, `dlq-<partition>-<offset>`, so that
the shard drops a repeat that comes soon after. For later repeats, `stream.kafka.replayed` remembers what was sent.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np

from features.definitions.rules import Rules
from features.events.columns import ColumnReader
from features.events.event import Reason, field_of
from features.users.spec import FeatureSpec
from features.users.state import NEVER
from stream.shard.dead_letters import KEPT_BYTES, DeadLetter

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Again:
    """One record to send."""

    letter: DeadLetter
    key: bytes
    value: bytes


@dataclass(slots=True)
class Plan:
    """What a replay would do with the letters of one reason.

    Attributes
    ----------
    send : list of Again
        Records worth sending.
    late : int
        How many of them are behind the watermark of their shard.
    sent_before, cut, applied : int
        How many are left out because an earlier replay sent them, because they are longer than what a letter keeps, or because they were late
        and so have been applied already, as far as a late event is.
    rejected : Counter of (reason, field)
        How many are left out because they would be rejected again.
    """

    send: list[Again] = field(default_factory=list)
    late: int = 0
    sent_before: int = 0
    cut: int = 0
    applied: int = 0
    rejected: Counter[tuple[str, str | None]] = field(default_factory=Counter)


def plan_replay(
    letters: Iterable[DeadLetter],
    rules: Rules,
    now_ms: int,
    watermarks: Mapping[int, int],
    known: Collection[tuple[str, int, int]],
) -> Plan:
    """Decide what becomes of dead letters of clicks, all of one reason.

    Parameters
    ----------
    rules : Rules
        The rules by which the workers judge now.
    now_ms : int
        The stamp that a record sent now will have, ms since the epoch.
    watermarks : mapping of partition to int
        Watermark of each shard, ms since the epoch.
    known : collection of (topic, partition, offset)
        Letters that an earlier replay sent.

    >>> from stream.shard.dead_letters import dead_letter, decode_dead_letter
    >>> letter = decode_dead_letter(dead_letter(2, 7, Reason.unknown_type, 5, b'{"user": "ann", "ts": 1, "type": "c"}').value)
    >>> plan = plan_replay([letter], Rules(), 9, {2: 100}, ())
    >>> plan.send[0].value, plan.late
    (b'{"user":"ann","ts":1,"type":"c","event_id":"dlq-2-7"}', 1)
    """
    plan, whole = Plan(), []
    for letter in letters:
        if (letter.topic, letter.partition, letter.offset) in known:
            plan.sent_before += 1
        elif letter.reason == Reason.late.name:
            plan.applied += 1
        elif letter.payload_bytes > KEPT_BYTES:
            plan.cut += 1
        else:
            whole.append((letter, None if letter.payload is None else base64.b64decode(letter.payload)))
    if not whole:
        return plan
    columns = ColumnReader(FeatureSpec(), rules.for_senders()).read(
        [payload for _, payload in whole], np.full(len(whole), now_ms, np.int64)
    )
    for (letter, payload), code, ts, user in zip(whole, columns.code.tolist(), columns.ts.tolist(), columns.users, strict=True):
        if code or payload is None or user is None:
            plan.rejected[Reason(code).name, field_of(Reason(code), payload)] += 1
            continue
        plan.send.append(Again(letter, user, with_event_id(payload, f"dlq-{letter.partition}-{letter.offset}")))
        plan.late += ts < watermarks.get(letter.partition, NEVER)
    return plan


def with_event_id(payload: bytes, event_id: str) -> bytes:
    """Return an event that has an event id: its own, else the given one.

    >>> with_event_id(b'{"user": "ann", "event_id": "7"}', "dlq-0-1")
    b'{"user": "ann", "event_id": "7"}'
    """
    fields = _fields.decode(payload)
    if bytes(fields.get("event_id", b"null")) != b"null":
        return payload
    return msgspec.json.encode({**fields, "event_id": event_id})


def in_words(plan: Plan, reason: str, anew: str = "") -> list[str]:
    """Say what a replay would do, a sentence for each point; `anew` says how to begin a new app.

    >>> in_words(Plan(sent_before=3), "unknown_type")
    ['nothing to send', '3 were sent by an earlier replay: left out']
    """
    said = [f"{len(plan.send)} to send, to the partition each came from" if plan.send else "nothing to send"]
    if plan.late:
        said.append(
            f"{plan.late} of them are behind their shard's watermark: they count as late, so they move totals, the last activity and open alerts, "
            "but no other feature, and each makes a dead letter of reason late"
        )
    if plan.sent_before:
        said.append(f"{plan.sent_before} were sent by an earlier replay: left out")
    if plan.applied:
        said.append(
            f"{plan.applied} came too late, and were applied as far as a late event is when they came: a replay would be late again and count "
            f"them a second time, so they are left out. To have them counted in full, load the log into a new app: {anew}"
        )
    if plan.cut:
        said.append(f"{plan.cut} are longer than {KEPT_BYTES} bytes, and a dead letter keeps no more: left out")
    for (again, blamed), count in plan.rejected.most_common():
        said.append(f"{count} would be rejected again ({again}{f', {blamed}' if blamed else ''}): left out")
    if reason in {Reason.unknown_type.name, Reason.user_reserved.name, Reason.ts_implausible.name} and plan.rejected:
        said.append("change the rules in [features] and restart the workers first")
    return said
