"""Whose secret is this? Tokens are looked up in memory, sessions in the store.

Programs ask thousands of times a second, so all tokens are read at once, and again when they are asked for `RENEW_S` later. A token that was
revoked by another process is refused after `STALE_S` at the latest, and so is everything when the store is away for that long.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from insights.store import people, sessions, tokens
from insights.store.people import Person
from insights.store.secrets import hash_of
from insights.store.store import Store, StoreFault
from insights.store.tokens import Token
from insights.web.who import MAY, Scope, Who

log = logging.getLogger(__name__)

RENEW_S = 2.0
"""Older than this, and what is known is read again, beside the requests."""
STALE_S = 4.5
"""Older than this, and requests wait for it."""
AGAIN_S = 0.25
"""A token that is not known was perhaps made just now: what is known is read again for it, unless it is younger than this."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What the store said at one moment."""

    at_s: float = float("-inf")
    tokens: dict[str, Token] = field(default_factory=dict)
    people: bool = True
    passwords: bool = True


class Known:
    """Who the store knows.

    Parameters
    ----------
    store : Store
    now_ms : callable
        The clock on the wall, ms.
    idle_ms : int
        A session that nobody used for so long has ended, ms.

    Attributes
    ----------
    clock_s : callable
        By which the age of what is known is told, s.
    """

    def __init__(self, store: Store, now_ms: Callable[[], int], idle_ms: int) -> None:
        self._store, self._now_ms, self._idle_ms = store, now_ms, idle_ms
        self.clock_s: Callable[[], float] = time.monotonic
        self._read = _Read()
        self._one = asyncio.Lock()
        self._renewal: asyncio.Task[None] | None = None
        self._used: dict[int, Token] = {}

    async def token(self, secret: str) -> Who | None:
        """Return whose token this is; None when it does not hold, or holds no more."""
        hashed = hash_of(secret)
        found = (await self._fresh()).tokens.get(hashed)
        if found is None and self.clock_s() - self._read.at_s > AGAIN_S:
            await self._renew()
            found = self._read.tokens.get(hashed)
        if found is None or not found.holds(self._now_ms()):
            return None
        self._used[found.id] = found
        return Who(f"token {found.name}", f"token {found.id}", frozenset(cast("tuple[Scope, ...]", found.scopes)))

    async def session(self, secret: str) -> Who | None:
        """Return whose session this is; None when there is none, or it has ended. A role that was changed holds at once."""
        return await asyncio.to_thread(self._session, secret)

    async def people(self) -> bool:
        """Whether anybody has an account."""
        return (await self._fresh()).people

    async def passwords(self) -> bool:
        """Whether anybody signs in by a password of ours."""
        return (await self._fresh()).passwords

    def forget(self) -> None:
        """Read anew at the next request: something has just been changed here."""
        self._read = _Read()

    async def _fresh(self) -> _Read:
        age_s = self.clock_s() - self._read.at_s
        if age_s >= STALE_S:
            await self._renew()
        elif age_s >= RENEW_S and (self._renewal is None or self._renewal.done()):
            self._renewal = asyncio.create_task(self._renew_beside())
        return self._read

    async def _renew(self) -> None:
        before = self._read
        async with self._one:
            if self._read is before:  # else somebody else has read it while this one waited
                at_s, used, self._used = self.clock_s(), list(self._used.values()), {}
                self._read = await asyncio.to_thread(self._look, at_s, used)

    async def _renew_beside(self) -> None:
        try:
            await self._renew()
        except StoreFault:
            log.warning("the store does not answer")

    def _look(self, at_s: float, used: list[Token]) -> _Read:
        now_ms = self._now_ms()
        due = [one for one in used if one.last_used_ms is None or one.last_used_ms <= now_ms - tokens.USED_EVERY_MS]
        if due:
            with self._store.write() as db:
                for one in due:
                    tokens.used(db, one, now_ms)
        with self._store.read() as db:
            held = {one.hash: one for one in tokens.tokens(db) if one.holds(now_ms)}
            return _Read(at_s, held, people.is_anybody(db), people.is_anybody(db, with_password=True))

    def _session(self, secret: str) -> Who | None:
        now_ms = self._now_ms()
        with self._store.read() as db:
            found = sessions.session_of(db, secret, now_ms, self._idle_ms)
        if found is None:
            return None
        if found.last_seen_ms <= now_ms - sessions.SEEN_EVERY_MS:
            with self._store.write() as db:
                sessions.seen(db, found, now_ms)
        return Who(said_name(found.person), f"person {found.person.id}", MAY[found.person.role], found.csrf)


def said_name(person: Person) -> str:
    """Return how the page and the audit log call a person: by login, or by what their provider calls them."""
    return person.login or person.email or person.name
