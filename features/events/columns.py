"""A batch of payloads as columns with one row a record, which the compiled pass over users works on.

A payload of the usual shape is read by a compiled pass (`features.events.plain_event`), and only its event id becomes an object. All others go this
way: bytes -> `screen` -> a list of `Event`, with a placeholder for each rejected one -> one array a field. So one bad record spoils no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import cast

import msgspec
import numpy as np
import numpy.typing as npt
import xxhash

from features.compiled.texts import Places, Texts, as_bytes, differing, ids_of
from features.definitions.rules import NO_RULES, Rules
from features.events.event import (
    MAX_TS_MS,
    MAX_USER_BYTES,
    PLAIN_BYTES,
    Event,
    Reason,
    Rejected,
    check_user,
    decode_plain,
    reason_of,
    screen,
    time_of,
)
from features.events.judge import ASIDE, CONSENT, ERASE, UNKNOWN, judge
from features.events.plain_event import CHANNEL, EVENT_ID, ITEM, PROPS, SESSION, TYPE, USER, Plain, detail_places, read_plain
from features.users.spec import FeatureSpec

NAN = float("nan")
MAX_WORDS = 65_536
"""Most pairs of event type and channel that are remembered. There are few, but a flood of them must not fill the memory."""
_NOBODY = Event(user="?", ts=0, type="")
_user, _ts, _event_id, _value = (attrgetter(name) for name in ("user", "ts", "event_id", "value"))
_kind = attrgetter("type", "channel")


class Consent(msgspec.Struct):
    """What is read in `props` of a `consent`."""

    granted: bool = True


_TEXTS = {TYPE: "type", EVENT_ID: "event_id", CHANNEL: "channel", SESSION: "session", ITEM: "item"}


def _detail(event: Event, of: int) -> bytes | None:
    if of == PROPS:
        props = bytes(event.props)
        return None if props in {b"", b"null"} else props
    text: str | None = getattr(event, _TEXTS[of])
    return None if text is None else text.encode()


@dataclass(frozen=True, slots=True)
class Details:
    """The payloads of a batch, from which fields that most readers never look at are taken on demand.

    Attributes
    ----------
    payloads : Texts
        The payloads, n of them.
    found : Plain
        What the compiled pass found in them.
    rows : int (m,)
        The rows that were left to the decoder.
    events : sequence of m Event
        What the decoder made of these rows.
    """

    payloads: Texts
    found: Plain
    rows: npt.NDArray[np.intp]
    events: Sequence[Event]

    def texts(self, of: int, code: npt.NDArray[np.uint8]) -> Texts:
        """Return one field of all rows; None where it is missing or null, or where the row is rejected."""
        rejected = ((code != Reason.ok) & (code < Reason.late)).nonzero()[0]
        at, end = detail_places(self.found, self.payloads, of) if of >= SESSION else _places(self.found, of)
        at[rejected] = end[rejected] = -1
        usual = Texts(self.payloads.buffer, at, end)
        if not len(self.rows):
            return usual
        place = np.arange(len(at))
        place[self.rows] = len(at) + np.arange(len(self.rows))
        left_out = set(rejected.tolist())
        others = [None if row in left_out else _detail(event, of) for row, event in zip(self.rows.tolist(), self.events, strict=True)]
        return Texts.join([usual, Texts.of(others)]).take(place)


def _places(found: Plain, of: int) -> tuple[Places, Places]:
    """Return where a field that has its place in the buffer kept begins and ends, each (n,); -1 where the pass did not read the payload."""
    return np.where(found.usual, found.at[:, of], -1), np.where(found.usual, found.end[:, of], -1)


@dataclass(slots=True)
class Columns:
    """A batch of records as columns, rejected records included.

    Attributes
    ----------
    n : int
        How many records there are.
    users : Texts
        User ids; None where the record is rejected or a tick. Records that erase a user, or let them be known again, have their user.
    ts, append : int64 (n,)
        Event time and broker stamp, ms; the event time is 0 where the record is rejected.
    word : int64 (n,)
        `FeatureSpec.type_word` with the channel's bits; 0 where the record is rejected.
    value : float64 (n,)
        NaN for none.
    eid : uint64 (n,)
        xxh3_64 of the event id, which is never 0; 0 for an event without an id.
    code : uint8 (n,)
        The `Reason` of each record; the pass over users adds late and duplicate.
    tick : bool (n,)
        Whether the record is a tick, which carries time and nothing else.
    ask : bool (n,)
        Whether the record is no event, but asks for a landmark of its user at its time.
    foreign : int
        How many records have a key that is not their user. Rejected records do not count, because they have no user.
    details : Details or None
        Where all texts but the user are looked up; the engine itself needs none of them.
    """

    n: int
    users: Texts
    ts: npt.NDArray[np.int64]
    append: npt.NDArray[np.int64]
    word: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    eid: npt.NDArray[np.uint64]
    code: npt.NDArray[np.uint8]
    tick: npt.NDArray[np.bool_]
    ask: npt.NDArray[np.bool_]
    foreign: int = 0
    details: Details | None = None

    @property
    def session(self) -> Texts:
        """Session ids; None for an event without one, a tick and a rejected record. Each access makes them anew, as for all that follow."""
        return self._detail(SESSION)

    @property
    def item(self) -> Texts:
        """Item ids."""
        return self._detail(ITEM)

    @property
    def props(self) -> Texts:
        """The JSON of `props` as it stands in the payload."""
        return self._detail(PROPS)

    @property
    def event_type(self) -> Texts:
        """Event types."""
        return self._detail(TYPE)

    @property
    def channel(self) -> Texts:
        """Channels."""
        return self._detail(CHANNEL)

    @property
    def event_id(self) -> Texts:
        """Event ids."""
        return self._detail(EVENT_ID)

    def _detail(self, of: int) -> Texts:
        return Texts.of([None] * self.n) if self.details is None else self.details.texts(of, self.code)

    @property
    def newest_ms(self) -> int | None:
        """Newest event time (ms) of the accepted events that were not late, each at most its broker stamp; None if there are none."""
        fine = (self.code == Reason.ok) & ~self.ask
        return int(np.minimum(self.ts, self.append)[fine].max()) if fine.any() else None


def tick_columns(time_ms: int) -> Columns:
    """Return columns of one tick: a record that carries a time (ms) and nothing else.

    >>> tick_columns(7).ts.tolist(), tick_columns(7).tick.tolist()
    ([7], [True])
    """
    now = np.array([time_ms], np.int64)
    return Columns(
        1,
        Texts.of([None]),
        now,
        now,
        np.zeros(1, np.int64),
        np.full(1, NAN),
        np.zeros(1, np.uint64),
        np.zeros(1, np.uint8),
        np.ones(1, np.bool_),
        np.zeros(1, np.bool_),
    )


_ASIDE_AS = {"erase": ERASE, "consent": CONSENT}
_granted = msgspec.json.Decoder(Consent)


class _Words(dict[tuple[str, str | None], int]):
    """(type, channel) -> type word, filled in as types appear."""

    def __init__(self, spec: FeatureSpec, rules: Rules) -> None:
        self._spec = spec
        self._allowed = None if rules.strict_types is None else frozenset(rules.strict_types)
        self._aside = frozenset(rules.set_aside)

    def __missing__(self, key: tuple[str, str | None]) -> int:
        event_type, channel = key
        word = UNKNOWN
        if event_type in self._aside:
            word = _ASIDE_AS.get(event_type, ASIDE)
        elif self._allowed is None or event_type in self._allowed:
            word = self._spec.type_word(event_type) | self._spec.channel_bits(channel)
        if len(self) < MAX_WORDS:
            self[key] = word
        return word


class ColumnReader:
    """Decodes batches for one feature spec and one version of the rules; remembers what each event type and channel means.

    >>> reader = ColumnReader(FeatureSpec())
    >>> columns = reader.read([b'{"user": "ann", "ts": 5, "type": "click"}', b"{"], [10, 10])
    >>> list(columns.users), columns.ts.tolist(), [Reason(code).name for code in columns.code]
    ([b'ann', None], [5, 0], ['ok', 'not_json'])
    """

    def __init__(self, spec: FeatureSpec, rules: Rules = NO_RULES) -> None:
        self._words, self.rules = _Words(spec, rules), rules

    def read(
        self, payloads: Sequence[bytes | None], append_ms: Sequence[int] | npt.NDArray[np.int64], keys: Texts | None = None
    ) -> Columns:
        """Decode a batch; never raises, whatever the bytes.

        Parameters
        ----------
        payloads : sequence of bytes or None
            Values of the n records; None is a tombstone.
        append_ms : sequence of int
            The broker's n stamps, ms.
        keys : Texts, optional
            Keys of the n records; with them `Columns.foreign` is counted.
        """
        texts = Texts.of(payloads)
        found = read_plain(texts)
        columns = self._usual(found, texts, np.array(append_ms, np.int64))
        rest = (~found.usual).nonzero()[0]
        events: Sequence[Event] = ()
        if len(rest):
            columns, events = self._with_others(columns, rest, texts)
        columns.details = Details(texts, found, rest, events)
        code = columns.code
        judge(columns, code, self.rules)
        rejected = code.nonzero()[0]
        if len(rejected):
            rejected = _rejected(columns, rejected)
        columns.ts[rejected], columns.word[rejected], columns.value[rejected], columns.eid[rejected] = 0, 0, NAN, 0
        columns.users.at[rejected] = columns.users.end[rejected] = -1
        return columns if keys is None else replace(columns, foreign=differing(keys, columns.users))

    def _usual(self, found: Plain, texts: Texts, append: npt.NDArray[np.int64]) -> Columns:
        """Return columns with the payloads that the compiled pass read; the rows of the others are still to be filled."""
        n, usual, at, end = len(texts), found.usual, found.at, found.end
        users = Texts(texts.buffer, at[:, USER].copy(), end[:, USER].copy())
        words = np.array([self._words[self._kind(texts, found, row)] for row in found.kinds.tolist()] or [0], np.int64)
        eid = np.zeros(n, np.uint64)
        named = (usual & (at[:, EVENT_ID] >= 0)).nonzero()[0]
        eid[named] = _hashed(as_bytes(texts.buffer, at[named, EVENT_ID], end[named, EVENT_ID]), len(named))
        none = np.zeros(n, np.bool_)
        return Columns(n, users, found.ts, append, words[found.kind], found.value, eid, np.zeros(n, np.uint8), none, none.copy())

    @staticmethod
    def _kind(texts: Texts, found: Plain, row: int) -> tuple[str, str | None]:
        (kind, channel) = (
            None if found.at[row, of] < 0 else texts.buffer[found.at[row, of] : found.end[row, of]].tobytes().decode()
            for of in (TYPE, CHANNEL)
        )
        return kind or "", channel

    def _with_others(self, columns: Columns, rows: npt.NDArray[np.intp], texts: Texts) -> tuple[Columns, Sequence[Event]]:
        """Fill the rows that are left to the decoder; return the columns, and the decoded events."""
        n = len(rows)
        code = np.zeros(n, np.uint8)
        events = _decode_all(_screened([texts[i] for i in rows.tolist()], code), code)
        users = ids_of(_users(events, code))
        columns.ts[rows] = _times(events, code)
        columns.word[rows] = np.fromiter(map(self._words.__getitem__, map(_kind, events)), np.int64, n)
        columns.value[rows] = _values(events)
        columns.eid[rows] = _event_ids(events)
        columns.code[rows] = code
        place = np.arange(columns.n)
        place[rows] = columns.n + np.arange(n)
        return replace(columns, users=Texts.join([columns.users, users]).take(place)), events


def _rejected(columns: Columns, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return those of some rows that touch no user: all but the ones that erase somebody, or consent to their being known again."""
    code = columns.code
    consents = rows[code[rows] == Reason.consent]
    if len(consents):
        for row, props in zip(consents.tolist(), columns.props.take(consents), strict=True):
            if not grants(props):
                code[row] = Reason.set_aside
    kept: npt.NDArray[np.intp] = rows[(code[rows] != Reason.erase) & (code[rows] != Reason.consent)]
    return kept


def grants(props: bytes | None) -> bool:
    """Whether a consent with these `props` lets an erased user be known again: unless they say ``"granted": false``, or what nobody can tell.

    >>> grants(None), grants(b'{"purpose": "mail"}'), grants(b'{"granted": false}'), grants(b'{"granted": "no"}')
    (True, True, False, False)
    """
    try:
        return props is None or _granted.decode(props).granted
    except msgspec.DecodeError:
        return False


def _screened(payloads: Sequence[bytes | None], code: npt.NDArray[np.uint8]) -> Sequence[bytes]:
    """Judge what must be judged before decoding; return the payloads, with b"" for those that the decoder must not see."""
    if None not in payloads:
        there = cast(Sequence[bytes], payloads)
        if all(there) and max(map(len, there), default=0) < PLAIN_BYTES and all(map(bytes.isascii, there)):
            return there
    present: list[bytes] = [payload if payload is not None else b"" for payload in payloads]
    lengths = np.fromiter(map(len, present), np.int64, len(present))
    plain = (lengths > 0) & (lengths < PLAIN_BYTES) & np.fromiter(map(bytes.isascii, present), np.bool_, len(present))
    for i in np.flatnonzero(~plain).tolist():
        verdict = screen(payloads[i])
        if verdict is not Reason.ok:
            code[i], present[i] = verdict, b""
    return present


def _decode_all(payloads: Sequence[bytes], code: npt.NDArray[np.uint8]) -> list[Event]:
    """Decode what can be decoded; every other payload gets a placeholder here, and its reason in `code`."""
    events: list[Event] = []
    rest = iter(payloads)
    while True:
        try:
            # When the decoder raises, the list keeps the events before: the culprit is the payload at the list's length.
            events.extend(map(decode_plain, rest))
        except (msgspec.MsgspecError, ValueError) as error:
            i = len(events)
            code[i] = code[i] or reason_of(payloads[i], error)
            events.append(_NOBODY)
        else:
            return events


def _users(events: Sequence[Event], code: npt.NDArray[np.uint8]) -> list[str]:
    users = list(map(_user, events))
    # A character takes at most 4 bytes, so a short id can be judged without being encoded.
    if all(users) and max(map(len, users), default=0) <= MAX_USER_BYTES // 4:
        return users
    for i, user in enumerate(users):
        try:
            check_user(user)
        except Rejected as verdict:
            code[i] = verdict.reason
    return users


def _values(events: Sequence[Event]) -> npt.NDArray[np.float64]:
    values = list(map(_value, events))
    if values.count(None) == len(values):
        return np.full(len(values), NAN)
    return np.array([NAN if one is None else one for one in values], np.float64)


def _event_ids(events: Sequence[Event]) -> npt.NDArray[np.uint64]:
    ids = list(map(_event_id, events))
    if None in ids:
        return np.array([0 if one is None else xxhash.xxh3_64_intdigest(one.encode()) or 1 for one in ids], np.uint64)
    return _hashed(map(str.encode, ids), len(ids))


def _hashed(ids: Iterable[bytes], count: int) -> npt.NDArray[np.uint64]:
    hashed = np.fromiter(map(xxhash.xxh3_64_intdigest, ids), np.uint64, count)
    hashed[hashed == 0] = 1
    return hashed


def _times(events: Sequence[Event], code: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    times = list(map(_ts, events))
    if set(map(type, times)) == {int} and min(times) >= 0 and max(times) <= MAX_TS_MS:
        return np.array(times, np.int64)
    for i, ts in enumerate(times):
        try:
            times[i] = time_of(ts)
        except Rejected as verdict:
            times[i] = 0
            code[i] = code[i] or verdict.reason
    return np.array(times, np.int64)
