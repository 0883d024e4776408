"""Usable rows as the bytes that go to a topic: the key, and the event as JSON. Whole columns are written at once, without an object for each row.

An event without an id gets one from its content. So a file gives the same ids when it is renamed, corrected in other rows, or sent once more.
"""

from __future__ import annotations

import polars as pl
import xxhash

_ESCAPED = {chr(code): f"\\u{code:04x}" for code in range(32)} | {'"': '\\"', "\\": "\\\\"}
_NEEDS_ESCAPE = r'["\\\x00-\x1f]'
_APART = "\x1f"
CONTENT = ("user", "ts", "type", "value", "item")
"""Two events with these fields alike count as the same event."""


class EventIds:
    """Gives ids to events that come in order of time.

    An id is the hash of `CONTENT`. When a file holds several equal events, each after the first has the number of those before it appended.

    >>> frame = pl.DataFrame({"user": ["ann", "ann"], "ts": [1, 1], "type": ["x", "x"], "file": [0, 0]})
    >>> first, second = EventIds().of(frame)
    >>> second == first + "-1"
    True
    """

    def __init__(self) -> None:
        self._last_ms = -1
        self._before: dict[tuple[int, str], int] = {}

    def of(self, frame: pl.DataFrame) -> list[str]:
        """Return the id of every row. The frame has the column `file`, and those of `CONTENT` that there are."""
        present = [pl.col(name).cast(pl.String).fill_null("") if name in frame.columns else pl.lit("") for name in CONTENT]
        content = frame.select(pl.concat_str(present, separator=_APART).cast(pl.Binary)).to_series().to_list()
        ids = list(map(xxhash.xxh3_64_hexdigest, content))
        ts = frame["ts"]
        if len(set(ids)) == len(ids) and ts[0] != self._last_ms and ts[-1] != ts[0]:
            self._remember(ids, frame)
            return ids
        return self._counted(ids, frame)

    def _remember(self, ids: list[str], frame: pl.DataFrame) -> None:
        """Keep the counts of the events of the last time only, because equal events have equal times."""
        last = int(frame["ts"][-1])
        start = int(frame["ts"].search_sorted(last, side="left"))
        self._before = {} if last != self._last_ms else self._before
        self._last_ms = last
        files = frame["file"].slice(start).to_list()
        for key in zip(files, ids[start:], strict=True):
            self._before[key] = self._before.get(key, 0) + 1

    def _counted(self, ids: list[str], frame: pl.DataFrame) -> list[str]:
        ts, files = frame["ts"].to_list(), frame["file"].to_list()
        counts, at = self._before, self._last_ms
        for i, (when, key) in enumerate(zip(ts, zip(files, ids, strict=True), strict=True)):
            if when != at:
                counts, at = {}, when
            seen = counts.get(key, 0)
            counts[key] = seen + 1
            if seen:
                ids[i] = f"{ids[i]}-{seen}"
        self._before, self._last_ms = counts, at
        return ids


def with_ids(frame: pl.DataFrame, ids: EventIds) -> pl.DataFrame:
    """Return rows, which are in order of time, with an event id for each that has none of its own.

    >>> with_ids(pl.DataFrame({"user": ["a", "a"], "ts": [1, 2], "type": "x", "event_id": ["e", None], "file": 0}), EventIds())["event_id"].null_count()
    0
    """
    own = frame["event_id"] if "event_id" in frame.columns else None
    if own is not None and not own.null_count():
        return frame
    made = pl.Series("event_id", ids.of(frame))
    return frame.with_columns(made if own is None else pl.when(own.is_null()).then(made).otherwise(own).alias("event_id"))


def payloads(frame: pl.DataFrame, ids: EventIds) -> tuple[list[bytes], list[bytes]]:
    r"""Return the keys and the values (JSON) of usable rows, which are in order of time.

    >>> frame = pl.DataFrame({"user": ["a"], "ts": [1], "type": ['"'], "value": [9.5], "event_id": ["e"], "file": [0]})
    >>> payloads(frame, EventIds())
    ([b'a'], [b'{"user":"a","ts":1,"type":"\\"","value":9.5,"event_id":"e"}'])
    """
    frame = with_ids(frame, ids)
    parts = [pl.lit('{"user":"'), _text(frame, "user"), pl.lit('","ts":'), pl.col("ts").cast(pl.String), pl.lit(',"type":"'), _text(frame, "type"), pl.lit('"')]  # fmt: skip
    if "value" in frame.columns:
        parts.append(_optional("value", pl.concat_str(pl.lit(',"value":'), pl.col("value").cast(pl.String))))
    for name in ("item", "session", "channel"):
        if name in frame.columns:
            parts.append(_optional(name, pl.concat_str(pl.lit(f',"{name}":"'), _text(frame, name), pl.lit('"'))))
    if "props" in frame.columns:
        parts.append(_optional("props", pl.concat_str(pl.lit(',"props":'), pl.col("props"))))
    parts += [pl.lit(',"event_id":"'), _text(frame, "event_id"), pl.lit('"}')]
    both = frame.select(key=pl.col("user").cast(pl.Binary), value=pl.concat_str(parts).cast(pl.Binary))
    return both["key"].to_list(), both["value"].to_list()


def _text(frame: pl.DataFrame, name: str) -> pl.Expr:
    """Return a text column as it stands within quotes of JSON. Escaping costs time, so only a column that needs it is escaped."""
    column = pl.col(name)
    return column.str.replace_many(_ESCAPED) if frame[name].str.contains(_NEEDS_ESCAPE).any() else column


def _optional(name: str, written: pl.Expr) -> pl.Expr:
    return pl.when(pl.col(name).is_null()).then(pl.lit("")).otherwise(written)
