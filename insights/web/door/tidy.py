"""What the store need not keep: sessions that have ended, tries that are forgiven, and lines of the audit log that are old."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from insights.store import attempts, audit, sessions
from insights.store.store import Store, StoreFault

log = logging.getLogger(__name__)

EVERY_S = 600
AUDIT_MS = 400 * 86_400_000
"""So long are lines of the audit log kept: a year and a month, as auditors ask for a year."""


def tidy(store: Store, now_ms: int) -> int:
    """Delete them; return how many."""
    with store.write() as db:
        return sessions.forget_expired(db, now_ms) + attempts.forget_attempts(db, now_ms) + audit.forget_lines(db, now_ms - AUDIT_MS)


async def tidy_beside(store: Store, now_ms: Callable[[], int]) -> None:
    """Do it beside the requests. When the store is away there will be another time."""
    try:
        await asyncio.to_thread(tidy, store, now_ms())
    except StoreFault as error:
        log.warning("the store was not tidied", extra={"error": type(error).__name__})
