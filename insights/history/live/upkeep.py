"""When is merged, derived and tidied beside the writing? In small pieces, and never for more than a share of the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from insights.history.derived import derive
from insights.history.erasing import erase_all, pending
from insights.history.events import Events
from insights.history.maintenance import compact, tidy

SHARE = 0.25
"""Most of the time that goes into upkeep while there is something to read."""
DERIVE_EVERY_S = 600.0
VACUUM_EVERY_S = 3_600.0
ERASE_EVERY_S = 12 * 3_600.0
"""Erased users are taken out together, since every file that holds one of them is written anew."""
GRACE_S = 3_600.0
"""How long the files stay that held them: a question may still read these."""


class Upkeep:
    """Does one piece at a time.

    Parameters
    ----------
    note : callable
        Is told what was done, and how many seconds it took.
    derive_every_s : float
        Pause between two derivations, seconds; days that are over become one file each then, too.
    erase_every_s : float
        Pause before erased users are taken out, seconds.
    """

    def __init__(
        self,
        folder: Path,
        events: Events,
        note: Callable[[str, float], None],
        derive_every_s: float = DERIVE_EVERY_S,
        erase_every_s: float = ERASE_EVERY_S,
    ) -> None:
        self._folder, self._events, self._note = folder, events, note
        self._derive_every_s = derive_every_s
        now = time.monotonic()
        self._not_before, self._derive_at, self._vacuum_at = now, now + derive_every_s, now + VACUUM_EVERY_S
        self._erase_at, self._left, self._delete_at = now + erase_every_s, list[Path](), 0.0
        self._over = ""
        self._erase_every_s = erase_every_s

    def piece(self) -> bool:
        """Do what is due, if anything is, and if enough time has passed since the last piece; return whether something was done.

        Raises
        ------
        HistoryStale
            If another writer committed meanwhile.
        """
        began = time.monotonic()
        if began < self._not_before:
            return False
        what = self._due(began)
        took = time.monotonic() - began
        self._not_before = began + took / SHARE
        if what:
            self._note(what, took)
        return bool(what)

    def _due(self, now: float) -> str:
        if compact(self._events.table, over_before=self._over):
            return "merge"
        self._over = ""
        if now >= self._derive_at:
            self._derive_at = now + self._derive_every_s
            self._over = self._open_day()
            derive(self._folder)
            return "derive"
        if now >= self._vacuum_at:
            self._vacuum_at = now + VACUUM_EVERY_S
            tidy(self._folder, self._events.table)
            return "tidy"
        if self._left and now >= self._delete_at:
            for one in self._left:
                one.unlink(missing_ok=True)
            self._left = []
            return "erase"
        if now >= self._erase_at:
            self._erase_at = now + self._erase_every_s
            if pending(self._folder):
                self._left, self._delete_at = erase_all(self._folder).left, now + GRACE_S
                return "erase"
        return ""

    def _open_day(self) -> str:
        """Return the day that events are still expected in."""
        known = self._events.table.standing.watermark_ms
        return "" if known is None else self._events.day_of(known)
