"""What `web people` and `web token` share: the page's store, and who it is that changes something."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stream.cli import context

if TYPE_CHECKING:
    from insights.store.store import Store
    from insights.web.door.deeds import By


@contextmanager
def page_store() -> Iterator[Store]:
    """Open the store that the settings name."""
    from insights.store.store import open_store

    store = open_store(context.settings()["page.store"])
    try:
        yield store
    finally:
        store.close()


def by_command_line() -> By:
    """Return who it is, for the audit log: the name they have on this machine."""
    from insights.web.door.deeds import By

    return By(f"command line: {getpass.getuser()}", "", int(time.time() * 1000))


def day(at_ms: int | None) -> str:
    """Write a day for a table, in UTC.

    >>> day(1795713600000), day(None)
    ('2026-11-26', 'never')
    """
    return "never" if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()
