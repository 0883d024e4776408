"""What is the answer? What is kept at once, with as of when it holds; and where it is not the newest, the same question again behind it.

::

    nothing kept  ──ask──> running ──────> ready
    kept, of an older version of the history, and old enough ──ask behind──> refreshing ──> ready
    a day up to which every cell is the last word: the stamp of its days is compared, and only if one was rewritten is it computed again

An answer that is asked for all the time is made again no sooner than `REST` times as long as it took, at least `FRESH_MS`: a writer commits every few seconds.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import wait
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec

from insights.analyses.plain import Cell, Entry, Found, Known, segments_in
from insights.asked.child import NoAnswer
from insights.asked.crew import Crew, Job, no_answer
from insights.asked.keeping import Keeping, key_of
from insights.asked.messages import (
    Ask,
    AskFile,
    AskPeople,
    AskSql,
    AskTimeline,
    Faulted,
    Listed,
    Question,
    Reason,
    Reply,
    Setup,
    Told,
    Unless,
    Written,
    faulted,
)
from insights.asked.questions import entry_named, read
from insights.asked.version import LOG, followed_version, version_of, watermark_of
from insights.asked.withheld import judge_names, withheld
from insights.store.store import Store
from stream.faults import UsageFault

State = Literal["ready", "refreshing", "running", "refused", "no_history"]
FRESH_MS, REST = 30_000, 20
ELSEWHERE_S = 0.5
"""So often it is looked whether another page has an answer that somebody waits for."""
NO_HISTORY = (
    "there is no history in {folder}: `churnwatch history import FILES` makes one of files, `churnwatch history run` one of the clicks; "
    "history.dir in churnwatch.toml (or CHURNWATCH_HISTORY) says where it is"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is said to a question.

    Attributes
    ----------
    state : State
        `ready`; `refreshing`: there is a result, and a newer one is made; `running`: none yet; `refused` and `no_history`: none, `fault` says why.
    result : Found or None
    fault : Faulted or None
        Why there is none, for `refused` and `no_history`.
    running_s : float
        For how long it has been computed, seconds.
    key : str
        Names the question, for `Asked.cancel`; "" if it is none.
    parameters : dict
        The question as it was read, defaults too.
    """

    state: State
    result: Found | None = None
    fault: Faulted | None = None
    running_s: float = 0.0
    key: str = ""
    parameters: dict[str, Any] | None = None

    @property
    def words(self) -> str:
        """Why there is none, in English; else ""."""
        return "" if self.fault is None else self.fault.words

    @property
    def reason(self) -> Reason | None:
        """The same for programs."""
        return None if self.fault is None else self.fault.reason

    @property
    def as_of(self) -> Known | None:
        """As of what the result holds."""
        return None if self.result is None else self.result.as_of


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
    least_group : int
        People of the smallest group that whoever may see no persons is told of; 1: all are told of.
    """

    def __init__(
        self, setup: Setup, store: Store, *, seconds: float, kept_bytes: int, now_ms: Callable[[], int], least_group: int = 1
    ) -> None:
        self._setup, self._now_ms, self._least_group = setup, now_ms, least_group
        self.crew = Crew(setup, seconds)
        self._keeping = Keeping(store, kept_bytes, now_ms)
        self._lock = threading.Lock()
        self._running: dict[str, Job] = {}
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
            entries = self._keeping.entries()
            if entries is None:
                child = self.crew.child()
                self.crew.give_back(child)
                entries = child.entries
                self._keeping.keep_entries(entries)
            self._catalog = {one.name: one for one in entries}
        return self._catalog

    async def ask(self, name: str, parameters: Mapping[str, object], *, persons: bool, wait_s: float = 0.0) -> Answer:
        """Return the answer to a question; where there is none yet, wait for it at most `wait_s` seconds. See `Answer`.

        Parameters
        ----------
        persons : bool
            Whether whoever gets it may see persons; otherwise small groups are withheld (`withheld.py`). What is kept is whole either way.
        """
        answer = await asyncio.to_thread(self.look, name, parameters, persons=persons)
        if answer.state != "running" or not wait_s:
            return answer
        job = self._running.get(answer.key)
        if job is not None:  # else it has ended meanwhile, or another page computes it
            await asyncio.wait([asyncio.wrap_future(job.future)], timeout=wait_s)
        return await asyncio.to_thread(self.look, name, parameters, persons=persons)

    def look(self, name: str, parameters: Mapping[str, object], *, persons: bool, wait_s: float = 0.0) -> Answer:
        """Do what `ask` does, in a thread that may wait."""
        if not self.has_history:
            return Answer(state="no_history", fault=self._no_history())
        try:
            entry, question, key = self._read(name, parameters)
            asked = question.parameters
            if not persons:
                judge_names(asked, self._least_group)
        except UsageFault as error:
            return Answer(state="refused", fault=faulted(error))
        except NoAnswer as error:
            return Answer(state="refused", fault=no_answer(error))
        answer = self._answer(key, entry, question)
        if answer.state == "running" and wait_s:
            job = self._running.get(key)
            if job is not None:
                wait([job.future], wait_s)
            answer = self._answer(key, entry, question)
        if answer.result is not None and not persons:
            answer = replace(answer, result=withheld(answer.result, entry, self._least_group))
        return replace(answer, key=key, parameters=asked)

    def newest(self, name: str, parameters: Mapping[str, object], *, persons: bool, wait_s: float) -> Answer:
        """Do what `look` does, but wait for an answer that is made again, too, in a thread that may wait. After `wait_s` seconds it is what there is."""
        until_s = self.crew.clock() + wait_s
        while True:
            answer = self.look(name, parameters, persons=persons)
            left_s = until_s - self.crew.clock()
            if answer.state not in {"running", "refreshing"} or left_s <= 0:
                return answer
            job = self._running.get(answer.key)
            if job is None:  # another page computes it
                time.sleep(min(ELSEWHERE_S, left_s))
            else:
                wait([job.future], left_s)

    def _read(self, name: str, parameters: Mapping[str, object]) -> tuple[Entry, Ask, str]:
        entry = entry_named(name, self.catalog())
        asked = read(entry, parameters)
        segments = self._keeping.segments(segments_in(asked))
        return entry, Ask(entry.name, asked, segments=segments), key_of(self._setup, entry.name, asked, segments)

    def key(self, name: str, parameters: Mapping[str, object]) -> str:
        """Return what names a question. Raises UsageFault if it is none, and NoAnswer if no process could be started that knows."""
        return self._read(name, parameters)[2]

    def kept_of(self, keys: Collection[str]) -> set[str]:
        """Return of which questions, by their keys, there is an answer."""
        return self._keeping.kept_of(keys)

    def kept_until_ms(self, key: str) -> int | None:
        """Return up to when the answer that is kept knows all, ms since the epoch; None if nothing is kept, or it is of a history without events."""
        kept = self._keeping.answer(key)
        mark = None if kept is None else kept.found.as_of.watermark
        return None if mark is None else round(mark.timestamp() * 1000)

    def watermark_ms(self) -> int | None:
        """Return up to when the history knows all, ms since the epoch; None without events."""
        return watermark_of(Path(self._setup.folder))

    def renew(self, name: str, parameters: Mapping[str, object]) -> Job | None:
        """Let a question be computed of the newest history, though nobody waits for it, in a process that gives way to others.

        Returns
        -------
        Job or None
            What computes it; None while something is asked that somebody waits for, or another process of this page computes it.

        Raises
        ------
        UsageFault
            It is no question.
        NoAnswer
            No process could be started.
        """
        _, question, key = self._read(name, parameters)
        with self._lock:
            if self.crew.waiting or not self._keeping.claim(key, 2 * self.crew.seconds):
                return None
            try:
                job = self._running[key] = self.crew.ask(question, partial(self._ended, key), quiet=True)
            except NoAnswer:
                self._keeping.release(key)
                raise
        return job

    def _answer(self, key: str, entry: Entry, question: Ask) -> Answer:
        folder = Path(self._setup.folder)
        kept = self._keeping.answer(key)
        refused = self._keeping.refusal(key)
        if kept is None:
            return self._begun(key, question) if refused is None else Answer(state="refused", fault=refused)
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
            if job is None and not (behind and self.crew.waiting) and self._keeping.claim(key, 2 * self.crew.seconds):
                try:
                    job = self._running[key] = self.crew.ask(question, partial(self._ended, key))
                except NoAnswer as error:
                    self._keeping.release(key)
                    return Answer(state="refused", fault=no_answer(error))
        return Answer(state="running", running_s=0.0 if job is None else self.crew.clock() - job.since_s)

    def _ended(self, key: str, job: Job, reply: Reply) -> None:
        """Keep what was found, in the thread that waited for it."""
        try:
            self._keeping.keep(key, reply, self.crew.clock() - job.since_s)
        finally:
            self._keeping.release(key)
            with self._lock:
                self._running.pop(key, None)

    async def people(self, name: str, parameters: Mapping[str, object], cell: Cell, most: int) -> Listed | Faulted:
        """Return the people behind a cell. Nothing of them is kept."""
        try:
            entry = entry_named(name, await asyncio.to_thread(self.catalog))
            asked = read(entry, parameters)
            segments = await asyncio.to_thread(self._keeping.segments, segments_in(asked))
        except UsageFault as error:
            return faulted(error)
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
        reply = await self._now(AskFile(found, "parquet"))
        return reply.data if isinstance(reply, Written) else _faulted(reply)

    def file(self, found: Found, form: Literal["parquet", "xlsx"]) -> bytes | Faulted:
        """Return a result as a file, in a thread that may wait."""
        try:
            reply = self.crew.ask(AskFile(found, form)).future.result()
        except NoAnswer as error:
            return no_answer(error)
        return reply.data if isinstance(reply, Written) else _faulted(reply)

    async def _now(self, question: Question) -> Reply:
        """Ask something of which nothing is kept, and wait for it. Whoever goes away stops it."""
        if not self.has_history:
            return self._no_history()
        try:
            job = self.crew.ask(question)
        except NoAnswer as error:
            return no_answer(error)
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
        self._keeping.again(key)

    def _no_history(self) -> Faulted:
        folder = self._setup.folder
        return Faulted("no_history", NO_HISTORY.format(folder=folder), NO_HISTORY, {"folder": folder})

    def close(self) -> None:
        """End all processes."""
        self.crew.close()


def _listed(reply: Reply) -> Listed | Faulted:
    return reply if isinstance(reply, Listed) else _faulted(reply)


def _faulted(reply: Reply) -> Faulted:
    if not isinstance(reply, Faulted):
        raise TypeError(f"this question is not answered by {type(reply).__name__}")
    return reply
