"""What is kept of what was found? Answers in the page's store, packed, by what was asked; refusals in memory, for a moment.

An answer knows the version of the history that it is of, how long it took, and, if it rests on days that are over, what those days are known by.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import zlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from insights.analyses.plain import Entry, Found, Members
from insights.asked.messages import Answered, Faulted, Reply, Same, Setup
from insights.asked.version import code
from insights.made.shelf import members
from insights.store import answers
from insights.store.store import Store

LARGEST = 16 << 20
"""Most bytes of one answer, packed: a larger one is of no use on a page."""
TOO_LARGE = "the answer is too large to be shown: ask of fewer days or groups"
REFUSED_MS = 60_000
"""So long a question that was refused is not tried again by itself."""


class Kept(msgspec.Struct, frozen=True):
    """An answer as it is stored.

    Attributes
    ----------
    version : str
        Of the history, as `insights.asked.version` names it.
    stamp, until : str
        Of the days that it rests on (`insights.asked.messages.Answered`).
    made_ms : int
        When, ms since the epoch.
    took_s : float
        How long, seconds.
    """

    found: Found
    version: str
    stamp: str
    until: str
    made_ms: int
    took_s: float


class _Entries(msgspec.Struct, frozen=True):
    entries: tuple[Entry, ...]


_encode = msgspec.msgpack.Encoder(enc_hook=str).encode
_KEPT = msgspec.msgpack.Decoder(Kept)
_ENTRIES = msgspec.msgpack.Decoder(_Entries)


class Keeping:
    """Keeps and gives back. Threads may share it.

    Parameters
    ----------
    store : Store
    kept_bytes : int
        Most bytes of all answers that are kept.
    now_ms : callable
        The clock on the wall, ms since the epoch.
    """

    def __init__(self, store: Store, kept_bytes: int, now_ms: Callable[[], int]) -> None:
        self._store, self._kept_bytes, self._now_ms = store, kept_bytes, now_ms
        self._me = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._refused: dict[str, tuple[Faulted, int]] = {}

    def entries(self) -> tuple[Entry, ...] | None:
        """Return the catalog as this build last stored it."""
        with self._store.read() as db:
            body, _ = answers.body_of(db, _catalog_key())
        return None if body is None else _ENTRIES.decode(zlib.decompress(body)).entries

    def keep_entries(self, entries: tuple[Entry, ...]) -> None:
        """Store the catalog."""
        self._write(_catalog_key(), _packed(_Entries(entries)))

    def answer(self, key: str) -> Kept | None:
        """Return what is kept, and remember that it was asked for."""
        now_ms = self._now_ms()
        with self._store.read() as db:
            body, asked_ms = answers.body_of(db, key)
        if body is None:
            return None
        if asked_ms <= now_ms - answers.SEEN_EVERY_MS:
            with self._store.write() as db:
                answers.seen(db, key, now_ms)
        return _KEPT.decode(zlib.decompress(body))

    def kept_of(self, keys: Collection[str]) -> set[str]:
        """Return of which questions there is an answer."""
        with self._store.read() as db:
            return answers.kept_of(db, keys)

    def keep(self, key: str, reply: Reply, took_s: float) -> None:
        """Keep what an analysis found, that what is kept is still so, or that there is no answer."""
        match reply:
            case Faulted():
                self._refused[key] = (reply, self._now_ms())
                return
            case Same():
                before = self.answer(key)
                if before is None:
                    return
                kept = msgspec.structs.replace(before, version=reply.version, made_ms=self._now_ms())
            case Answered():
                kept = Kept(reply.found, reply.version, reply.stamp, reply.until, self._now_ms(), took_s)
            case _:
                raise TypeError(f"an analysis is not answered by {type(reply).__name__}")
        body = _packed(kept)
        if len(body) > LARGEST:
            self._refused[key] = (Faulted("too_big", TOO_LARGE), self._now_ms())
            return
        self._write(key, body)

    def _write(self, key: str, body: bytes) -> None:
        with self._store.write() as db:
            answers.keep(db, key, body, self._now_ms(), self._kept_bytes)

    def refusal(self, key: str) -> Faulted | None:
        """Return why there was no answer a moment ago."""
        found = self._refused.get(key)
        if found is None:
            return None
        refused, at_ms = found
        if self._now_ms() - at_ms > REFUSED_MS:
            self._refused.pop(key, None)
            return None
        return refused

    def again(self, key: str) -> None:
        """Let a question be tried again that was refused."""
        self._refused.pop(key, None)

    def claim(self, key: str, seconds: float) -> bool:
        """Take it on us to compute an answer, for so long; False if another process of this page does."""
        now_ms = self._now_ms()
        with self._store.write() as db:
            return answers.claim(db, key, self._me, now_ms, now_ms + int(seconds * 1000))

    def release(self, key: str) -> None:
        """Give up what was claimed."""
        with self._store.write() as db:
            answers.release(db, key, self._me)

    def segments(self, names: list[str]) -> tuple[Members, ...]:
        """Return who is in some segments now. Raises UsageFault if there is none of a name."""
        if not names:
            return ()
        with self._store.read() as db:
            return members(db, names)


def key_of(setup: Setup, name: str, asked: Mapping[str, Any], segments: tuple[Members, ...]) -> str:
    """Return the key of a question: that of every other whose answer is the same."""
    one = setup
    rules = (one.folder, one.complete_from_ms, one.activity, one.horizon_ms, one.releases)
    return _hash("answer", code(), *rules, name, sorted(asked.items()), segments)


def _catalog_key() -> str:
    return _hash("catalog", code())


def _packed(one: msgspec.Struct) -> bytes:
    return zlib.compress(_encode(one), 3)


def _hash(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
