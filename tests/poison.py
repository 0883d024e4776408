"""Bad payloads of every kind, by the one reason each must be rejected for.

For whoever needs poison: the decoder's own tests, the engine's, and those on real servers. `late` and `duplicate` are no properties of a
payload and are not here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from features.events.event import MAX_DEPTH, MAX_FUTURE_MS, MAX_PAYLOAD_BYTES, MAX_TS_MS, MAX_USER_BYTES, Reason

UNNAMED_TYPE = "no-such-type"
"""Rejected only where the configuration is strict and does not name it."""


def event(ts: object, **fields: object) -> bytes:
    """Return a good event at `ts`, but for the given fields."""
    return json.dumps({"user": "ann", "ts": ts, "type": "click"} | fields).encode()


def _with(ts: int, field: str, raw: bytes) -> bytes:
    """Return a good event at `ts` with one more field, its value spelled as given."""
    return event(ts)[:-1] + b', "%s": %s}' % (field.encode(), raw)


def poison(append_ms: int) -> dict[Reason, tuple[bytes | None, ...]]:
    """Return reason -> payloads, each rejected for that reason in a record stamped `append_ms`."""
    t = append_ms
    nested = [b'[{"a":' * (MAX_DEPTH // 2) + b"1" + b"}]" * (MAX_DEPTH // 2), b"[" * MAX_DEPTH + b"]" * MAX_DEPTH]
    return {
        Reason.tombstone: (None,),
        Reason.empty: (b"",),
        Reason.too_large: (event(t, props="x" * MAX_PAYLOAD_BYTES), b"\xff" * (MAX_PAYLOAD_BYTES + 1)),
        Reason.not_utf8: (
            b"\xff\xfe",
            event(t, user="?").replace(b"?", b"\xe9"),
            _with(t, "props", b'"\x80"'),
            _with(t, "unread", b'["\xed\xa0\x80"]'),
        ),
        Reason.not_json: (
            b"{",
            b" ",
            b"ann,1,click",
            event(t)[:-1],
            event(t) + event(t),
            b"\xef\xbb\xbf" + event(t),
            _with(t, "props", b"{'a': 1}"),
            event(t, user="?").replace(b"?", b"\\ud800"),
            event(t, user="?").replace(b"?", b"\x00"),
            b'{"user": "ann", "ts": 01, "type": "click"}',
        ),
        Reason.not_finite: (
            b"NaN",
            _with(t, "value", b"NaN"),
            _with(t, "value", b"-Infinity"),
            _with(t, "value", b"1e999"),
            _with(t, "value", b"9" * 400),
            _with(t, "props", b'{"depth": [NaN]}'),
            b'{"user": "ann", "ts": 1e999, "type": "click"}',
        ),
        Reason.too_deep: (b"[" * 30_000, b'{"a":' * 10_000, *(_with(t, "props", one) for one in nested)),
        Reason.missing_field: (
            b"{}",
            b'{"user": "ann"}',
            b'{"user": "ann", "type": "click"}',
            b'{"ts": 1, "type": "click"}',
            b'{"user": "ann", "ts": 1}',
        ),
        Reason.wrong_type: (
            b"[]",
            b"7",
            b'"ann"',
            b"null",
            event(t, user=7),
            event(None),
            event(True),
            event(t + 0.5),
            event([t]),
            event("yesterday"),
            event(str(t)),
            event("2024-02-29T12:00:00"),
            event("2023-02-29T12:00:00Z"),
            event(t, type=None),
            event(t, event_id=7),
            event(t, session=[]),
            event(t, item={}),
            event(t, channel=1),
            event(t, value="12.50"),
            event(t, value=True),
        ),
        Reason.user_empty: (event(t, user=""), event("no time", user="")),
        Reason.user_too_long: (event(t, user="x" * (MAX_USER_BYTES + 1)), event(t, user="é" * (MAX_USER_BYTES // 2 + 1))),
        Reason.ts_out_of_range: (
            event(-1),
            event(MAX_TS_MS + 1),
            event(10**30),
            event(-(10**30)),
            event("1969-12-31T23:59:59.999Z"),
            event("0001-01-01T00:00:00+23:59"),
            event("9999-12-31T23:59:59-23:59"),
        ),
        Reason.future: (event(t + MAX_FUTURE_MS + 1), event(MAX_TS_MS)),
        Reason.unknown_type: (event(t, type=UNNAMED_TYPE), event(t, type="")),
        Reason.ts_implausible: (event(0), event(946_684_799_999), event("1999-12-31T23:59:59.999Z"), event(t // 1000)),
        Reason.user_reserved: (event(t, user="anonymous"), event(t, user="0"), event(t, user="0", event_id="\u00e9")),
    }


def each(append_ms: int) -> Iterator[tuple[Reason, bytes | None]]:
    """Yield every (reason, payload) of `poison`."""
    for reason, payloads in poison(append_ms).items():
        for payload in payloads:
            yield reason, payload
