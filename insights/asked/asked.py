"""What is the answer? What is kept at once, with as of when it holds; and where it is not the newest, the same question again behind it.

::

    nothing kept  ──ask──> running ──────> ready
    kept, of an older version of the history, and old enough ──ask behind──> refreshing ──> ready
    a day up to which every cell is the last word: the stamp of its days is compared, and only if one was rewritten is it computed again

An answer that is asked for all the time is made again no sooner than `REST` times as long as it took, at least `FRESH_MS`: a writer commits every few seconds.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import threading
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import wait
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec

from insights.analyses.plain import Cell, Entry, Found, Known, Members, segments_in
from insights.asked.child import NoAnswer
from insights.asked.crew import WORDS, Crew, Job
from insights.asked.messages import (
    Answered,
    Ask,
    AskParquet,
    AskPeople,
    AskSql,
    AskTimeline,
    Faulted,
    Listed,
    Question,
    Reason,
    Reply,
    Same,
    Setup,
    Told,
    Unless,
    Written,
)
from insights.asked.questions import entry_named, read
from insights.asked.version import LOG, code, followed_version, version_of
from insights.made.shelf import members
from insights.store import answers
from insights.store.store import Store
from stream.faults import UsageFault

State = Literal["ready", "refreshing", "running", "refused", "no_history"]
FRESH_MS, REST = 30_000, 20
LARGEST = 16 << 20
"""Most bytes of one answer, packed: a larger one is of no use on a page."""
REFUSED_MS = 60_000
"""So long a question that was refused is not tried again by itself."""
NO_HISTORY = (
    "there is no history in {0}: `churnwatch history import FILES` makes one of files, `churnwatch history run` one of the clicks; "
    "history.dir in churnwatch.toml (or CHURNWATCH_HISTORY) says where it is"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is said to a question.

    Attributes
    ----------
    state : State
        `ready`; `refreshing`: there is a result, and a newer one is made; `running`: none yet; `refused` and `no_history`: none, `words` say why.
    result : Found or None
    words : str
        In English, for `refused` and `no_history`.
    reason : Reason or None
        The same for programs.
    running_s : float
        For how long it has been computed, seconds.
    key : str
        Names the question, for `Asked.cancel`; "" if it is none.
    parameters : dict
        The question as it was read, defaults too.
    """

    state: State
    result: Found | None = None
    words: str = ""
    reason: Reason | None = None
    running_s: float = 0.0
    key: str = ""
    parameters: dict[str, Any] | None = None

    @property
    def as_of(self) -> Known | None:
        """As of what the result holds."""
        return None if self.result is None else self.result.as_of


class _Kept(msgspec.Struct, frozen=True):
    """An answer as it is stored."""

    found: Found
    version: str
    stamp: str
    until: str
    made_ms: int
    took_s: float


class _Entries(msgspec.Struct, frozen=True):
    entries: tuple[Entry, ...]


_encode = msgspec.msgpack.Encoder(enc_hook=str).encode
_KEPT = msgspec.msgpack.Decoder(_Kept)
_ENTRIES = msgspec.msgpack.Decoder(_Entries)


class Asked:
    """Asks, and keeps what was found. Threads may share it.

    Parameters
    ----------
    setup : Setup
        The history, and the memory that all processes together may take.
    store : Store
        Where answers are kept.
    seconds : float
        Longest time of one question.
    kept_bytes : int
        Most bytes of all answers that are kept.
    now_ms : callable
        The clock on the wall, ms since the epoch.
    """

    def __init__(self, setup: Setup, store: Store, *, seconds: float, kept_bytes: int, now_ms: Callable[[], int]) -> None:
        self._setup, self._store, self._now_ms, self._kept_bytes = setup, store, now_ms, kept_bytes
        self.crew = Crew(setup, seconds)
        self._me = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._lock = threading.Lock()
        self._running: dict[str, Job] = {}
        self._refused: dict[str, tuple[Faulted, int]] = {}
        self._catalog: dict[str, Entry] | None = None

    @property
    def has_history(self) -> bool:
        """Whether there is a history to ask."""
        return (Path(self._setup.folder) / LOG).is_dir()

    def catalog(self) -> Mapping[str, Entry]:
        """Return all analyses by name: as this build last stored them, else as a process says, which takes some seconds.

        Raises
        ------
        NoAnswer
            No process could be started.
        """
        if self._catalog is None:
            key = _hash("catalog", code())
            with self._store.read() as db:
                body, _ = answers.body_of(db, key)
            if body is None:
                child = self.crew.child()
                self.crew.give_back(child)
                body = _packed(_Entries(child.entries))
                with self._store.write() as db:
                    answers.keep(db, key, body, self._now_ms(), self._kept_bytes)
            self._catalog = {one.name: one for one in _ENTRIES.decode(zlib.decompress(body)).entries}
        return self._catalog

    async def ask(self, name: str, parameters: Mapping[str, object], *, wait_s: float = 0.0) -> Answer:
        """Return the answer to a question; where there is none yet, wait for it at most `wait_s` seconds. See `Answer`."""
        answer = await asyncio.to_thread(self.look, name, parameters)
        if answer.state != "running" or not wait_s:
            return answer
        job = self._running.get(answer.key)
        if job is not None:  # else it has ended meanwhile, or another page computes it
            await asyncio.wait([asyncio.wrap_future(job.future)], timeout=wait_s)
        return await asyncio.to_thread(self.look, name, parameters)

    def look(self, name: str, parameters: Mapping[str, object], *, wait_s: float = 0.0) -> Answer:
        """Do what `ask` does, in a thread that may wait."""
        if not self.has_history:
            return Answer(state="no_history", words=NO_HISTORY.format(self._setup.folder), reason="no_history")
        try:
            entry = entry_named(name, self.catalog())
            asked = read(entry, parameters)
            segments = self._segments(asked)
        except UsageFault as error:
            return Answer(state="refused", words=str(error), reason="usage")
        except NoAnswer as error:
            return Answer(state="refused", words=WORDS[error.reason], reason=error.reason)
        key = self._key(entry.name, asked, segments)
        question = Ask(entry.name, asked, segments=segments)
        answer = self._answer(key, entry, question)
        if answer.state == "running" and wait_s:
            job = self._running.get(key)
            if job is not None:
                wait([job.future], wait_s)
            answer = self._answer(key, entry, question)
        return replace(answer, key=key, parameters=asked)

    def _answer(self, key: str, entry: Entry, question: Ask) -> Answer:
        folder = Path(self._setup.folder)
        kept = self._kept(key)
        refused = self._refusal(key)
        if kept is None:
            if refused is not None:
                return Answer(state="refused", words=refused.words, reason=refused.reason)
            return self._begun(key, question)
        version = version_of(folder) + (followed_version(folder) if entry.followed else "")
        if kept.version == version or refused is not None:
            return Answer(state="ready", result=kept.found)
        if key not in self._running:
            if self._now_ms() - kept.made_ms < max(FRESH_MS, REST * kept.took_s * 1000):
                return Answer(state="ready", result=kept.found)
            unless = Unless(kept.stamp, kept.until) if kept.until else None
            self._begun(key, msgspec.structs.replace(question, unless=unless), behind=True)
        return Answer(state="refreshing", result=kept.found)

    def _begun(self, key: str, question: Ask, *, behind: bool = False) -> Answer:
        """Let a question be computed, unless it is already, here or elsewhere."""
        with self._lock:
            job = self._running.get(key)
            if job is None and not (behind and self.crew.waiting):
                now_ms = self._now_ms()
                with self._store.write() as db:
                    is_mine = answers.claim(db, key, self._me, now_ms, now_ms + int(self.crew.seconds * 2000))
                if is_mine:
                    try:
                        job = self._running[key] = self.crew.ask(question, partial(self._ended, key))
                    except NoAnswer as error:
                        with self._store.write() as db:
                            answers.release(db, key, self._me)
                        return Answer(state="refused", words=WORDS[error.reason], reason=error.reason)
        return Answer(state="running", running_s=0.0 if job is None else self.crew.clock() - job.since_s)

    def _ended(self, key: str, job: Job, reply: Reply) -> None:
        """Keep what was found, in the thread that waited for it."""
        try:
            if isinstance(reply, Faulted):
                self._refused[key] = (reply, self._now_ms())
            else:
                self._keep(key, reply, self.crew.clock() - job.since_s)
        finally:
            with self._store.write() as db:
                answers.release(db, key, self._me)
            with self._lock:
                self._running.pop(key, None)

    def _keep(self, key: str, reply: Reply, took_s: float) -> None:
        if isinstance(reply, Same):
            kept = self._kept(key)
            if kept is None:
                return
            kept = msgspec.structs.replace(kept, version=reply.version, made_ms=self._now_ms())
        elif isinstance(reply, Answered):
            kept = _Kept(reply.found, reply.version, reply.stamp, reply.until, self._now_ms(), took_s)
        else:
            raise TypeError(f"an analysis is not answered by {type(reply).__name__}")
        body = _packed(kept)
        if len(body) > LARGEST:
            self._refused[key] = (Faulted("too_big", "the answer is too large to be shown: ask of fewer days or groups"), self._now_ms())
            return
        with self._store.write() as db:
            answers.keep(db, key, body, self._now_ms(), self._kept_bytes)

    def _kept(self, key: str) -> _Kept | None:
        now_ms = self._now_ms()
        with self._store.read() as db:
            body, asked_ms = answers.body_of(db, key)
        if body is None:
            return None
        if asked_ms <= now_ms - answers.SEEN_EVERY_MS:
            with self._store.write() as db:
                answers.seen(db, key, now_ms)
        return _KEPT.decode(zlib.decompress(body))

    def _refusal(self, key: str) -> Faulted | None:
        found = self._refused.get(key)
        if found is None:
            return None
        refused, at_ms = found
        if self._now_ms() - at_ms > REFUSED_MS:
            self._refused.pop(key, None)
            return None
        return refused

    def _key(self, name: str, asked: Mapping[str, Any], segments: tuple[Members, ...]) -> str:
        one = self._setup
        return _hash(
            "answer",
            code(),
            one.folder,
            one.complete_from_ms,
            one.activity,
            one.horizon_ms,
            one.releases,
            name,
            sorted(asked.items()),
            segments,
        )

    def _segments(self, asked: Mapping[str, Any]) -> tuple[Members, ...]:
        """Return who is in the segments that a question speaks of, as they are now. Raises UsageFault if there is none of a name."""
        names = segments_in(asked)
        if not names:
            return ()
        with self._store.read() as db:
            return members(db, names)

    async def people(self, name: str, parameters: Mapping[str, object], cell: Cell, most: int) -> Listed | Faulted:
        """Return the people behind a cell. Nothing of them is kept."""
        try:
            entry = entry_named(name, await asyncio.to_thread(self.catalog))
            asked = read(entry, parameters)
            segments = await asyncio.to_thread(self._segments, asked)
        except UsageFault as error:
            return Faulted("usage", str(error))
        return _listed(await self._now(AskPeople(entry.name, asked, cell, most, segments)))

    async def sql(self, text: str, most: int) -> Listed | Faulted:
        """Run one SELECT (`insights.analyses.sql`). Nothing of it is kept."""
        return _listed(await self._now(AskSql(text, most)))

    async def timeline(self, user: str, kind: str, skip: int, most: int) -> Told | Faulted:
        """Return events of a person, the newest first (`insights.analyses.timeline`). Nothing of them is kept."""
        reply = await self._now(AskTimeline(user, kind, skip, most))
        return reply if isinstance(reply, Told) else _faulted(reply)

    async def parquet(self, found: Found) -> bytes | Faulted:
        """Return a result as a file of Parquet."""
        reply = await self._now(AskParquet(found))
        return reply.data if isinstance(reply, Written) else _faulted(reply)

    async def _now(self, question: Question) -> Reply:
        """Ask something of which nothing is kept, and wait for it. Whoever goes away stops it."""
        if not self.has_history:
            return Faulted("no_history", NO_HISTORY.format(self._setup.folder))
        try:
            job = self.crew.ask(question)
        except NoAnswer as error:
            return Faulted(error.reason, WORDS[error.reason])
        try:
            await asyncio.wait([asyncio.wrap_future(job.future)])
        except asyncio.CancelledError:
            self.crew.cancel(job)
            raise
        return job.future.result()

    def cancel(self, key: str) -> None:
        """Stop a question that is computed here."""
        job = self._running.get(key)
        if job is not None:
            self.crew.cancel(job)

    def again(self, key: str) -> None:
        """Let a question be tried again that was refused."""
        self._refused.pop(key, None)

    def close(self) -> None:
        """End all processes."""
        self.crew.close()


def _listed(reply: Reply) -> Listed | Faulted:
    return reply if isinstance(reply, Listed) else _faulted(reply)


def _faulted(reply: Reply) -> Faulted:
    if not isinstance(reply, Faulted):
        raise TypeError(f"this question is not answered by {type(reply).__name__}")
    return reply


def _packed(one: msgspec.Struct) -> bytes:
    return zlib.compress(_encode(one), 3)


def _hash(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
