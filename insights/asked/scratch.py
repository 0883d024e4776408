"""Where does a process that computes put what it cannot keep in memory? Into a folder that whoever started it owns and removes, however the process ended.

The owner holds a lock on the folder as long as it lives, so that a later start can tell folders that are in use from those whose owner was killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "churnwatch-asked-"


class Scratch:
    """A folder of one process, and our lock on it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = os.open(self.folder, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Remove it with all that is in it, once the process is gone. A second time does nothing."""
        if self._lock >= 0:
            shutil.rmtree(self.folder, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1


def clear_left() -> int:
    """Remove folders of ours whose owner is gone; return how many. Those of other users, and such as somebody uses, stay."""
    removed = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # another start removes it, or it is not ours
            lock = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
                removed += 1
            finally:
                os.close(lock)
    return removed
