"""A batch of payloads as columns, one row a record: what the compiled pass works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import msgspec
import numpy as np
import numpy.typing as npt
import xxhash

from features.event import (
    MAX_DEPTH,
    MAX_FUTURE_MS,
    MAX_PAYLOAD_BYTES,
    MAX_TS_MS,
    MAX_USER_BYTES,
    Event,
    Reason,
    Rejected,
    check_user,
    decode_event,
    decode_plain,
    time_of,
)
from features.spec import FeatureSpec

NAN = float("nan")
UNKNOWN = -1
"""Type word of an event type that a strict spec does not name."""
MAX_WORDS = 65_536
"""Types remembered; they are few, and a flood of them must not fill the memory."""
_NOBODY = Event(user="", ts=0, type="")
_user, _ts, _event_id, _value = (attrgetter(name) for name in ("user", "ts", "event_id", "value"))


@dataclass(slots=True)
class Columns:
    """One row a record, rejected ones included.

    Attributes
    ----------
    n : int
    user : list of str
        "" where rejected or a tick.
    ts, append : int64 (n,)
        Event time and broker stamp, ms.
    word : int64 (n,)
        `FeatureSpec.type_word` with the channel's bits.
    value : float64 (n,)
        NaN for none.
    eid : uint64 (n,)
        Hash of the event id, 0 for none.
    code : uint8 (n,)
        `Reason`; the pass adds late and duplicate.
    tick : bool (n,)
        Carries time and nothing else.
    """

    n: int
    user: list[str]
    ts: npt.NDArray[np.int64]
    append: npt.NDArray[np.int64]
    word: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    eid: npt.NDArray[np.uint64]
    code: npt.NDArray[np.uint8]
    tick: npt.NDArray[np.bool_]


def tick_columns(time_ms: int) -> Columns:
    """One row that carries time and nothing else."""
    now = np.array([time_ms], np.int64)
    return Columns(1, [""], now, now, np.zeros(1, np.int64), np.full(1, NAN), np.zeros(1, np.uint64), np.zeros(1, np.uint8), np.ones(1, np.bool_))


class ColumnReader:
    """Decodes batches for one feature spec; remembers what each event type and channel means.

    >>> reader = ColumnReader(FeatureSpec())
    >>> columns = reader.read([b'{"user": "ann", "ts": 5, "type": "click"}', b"{"], [10, 10])
    >>> columns.user, columns.ts.tolist(), [Reason(code).name for code in columns.code]
    (['ann', ''], [5, 0], ['ok', 'not_json'])
    """

    def __init__(self, spec: FeatureSpec) -> None:
        self._spec = spec
        self._words: dict[tuple[str, str | None], int] = {}
        self._allowed = None if spec.strict_types is None else frozenset(spec.strict_types)

    def read(self, payloads: Sequence[bytes | None], append_ms: Sequence[int]) -> Columns:
        """Decode a batch; never raises, whatever the bytes."""
        n = len(payloads)
        append = np.array(append_ms, np.int64)
        code = np.zeros(n, np.uint8)
        plain = self._all_plain(payloads)
        events = plain if plain is not None else self._one_by_one(payloads, code)
        users = list(map(_user, events))
        ts = np.fromiter(map(_ts, events), np.int64, n)
        word = np.fromiter(map(self._word, events), np.int64, n)
        ok = code == Reason.ok
        code[ok & ((ts < 0) | (ts > MAX_TS_MS))] = Reason.ts_out_of_range
        code[(code == Reason.ok) & (ts > append + MAX_FUTURE_MS)] = Reason.future
        code[(code == Reason.ok) & (word == UNKNOWN)] = Reason.unknown_type
        for i in np.flatnonzero(code).tolist():
            users[i] = ""
        digest = xxhash.xxh3_64_intdigest
        eid = np.fromiter([digest(e.encode()) or 1 if e is not None else 0 for e in map(_event_id, events)], np.uint64, n)
        value = np.fromiter([NAN if v is None else v for v in map(_value, events)], np.float64, n)
        return Columns(n, users, ts, append, word, value, eid, code, np.zeros(n, np.bool_))

    @staticmethod
    def _all_plain(payloads: Sequence[bytes | None]) -> list[Event] | None:
        """Return the events of a batch in which nothing needs a closer look, else None."""
        try:
            if not payloads or min(map(len, payloads)) == 0 or max(map(len, payloads)) > MAX_PAYLOAD_BYTES:  # type: ignore[arg-type]  # None raises TypeError below
                return None
            events = list(map(decode_plain, payloads))
        except (TypeError, ValueError, RecursionError):
            return None
        for payload in payloads:
            if len(payload) >= 2 * MAX_DEPTH and payload.count(b"{") + payload.count(b"[") > MAX_DEPTH:  # type: ignore[arg-type,union-attr]  # no None left
                return None
        lengths = list(map(len, map(_user, events)))
        if lengths and (min(lengths) == 0 or max(lengths) > MAX_USER_BYTES // 4):
            return None
        return events if set(map(type, map(_ts, events))) == {int} and max(map(_ts, events)) <= MAX_TS_MS else None

    def _one_by_one(self, payloads: Sequence[bytes | None], code: npt.NDArray[np.uint8]) -> list[Event]:
        events = []
        for i, payload in enumerate(payloads):
            try:
                event = decode_event(payload)
                check_user(event.user)
                events.append(msgspec.structs.replace(event, ts=time_of(event.ts)))
            except Rejected as verdict:
                code[i] = verdict.reason
                events.append(_NOBODY)
        return events

    def _word(self, event: Event) -> int:
        key = (event.type, event.channel)
        word = self._words.get(key)
        if word is None:
            word = UNKNOWN
            if self._allowed is None or event.type in self._allowed or event is _NOBODY:
                word = self._spec.type_word(event.type) | self._spec.channel_bits(event.channel)
            if len(self._words) < MAX_WORDS:
                self._words[key] = word
        return word
