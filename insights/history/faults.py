"""What can go wrong with a history.

::

    HistoryStale       somebody else committed first; everything read so far is forgotten, and one begins from the newest snapshot
    HistoryMissing     there is none where one is to be read
    HistoryUnwritable  the folder cannot be written now: a full disk, a missing right
    HistoryRefused     what is there contradicts the settings or the log
"""

from __future__ import annotations

from stream.faults import Refused, UsageFault


class HistoryStale(Exception):
    """Another writer committed after the snapshot that this one stands on; nothing was written."""


class HistoryMissing(UsageFault):
    """There is no history in this folder; the message says which command makes one."""


class HistoryUnwritable(UsageFault):
    """The folder cannot be written; a later try may succeed, so a writer waits.

    Attributes
    ----------
    away : bool
        As of a server that is away: a supervisor may start the command again.
    """

    away = True


class HistoryRefused(Refused):
    """The stored history and the settings, or the topic, contradict each other; the message says what to do."""
