"""A temporary folder that its owner holds: a later start can tell folders that are in use from those whose owner was killed.

The owner locks a file in it, and the system lets go of the lock however the owner ends. A folder without that file is just being made, and nobody's to remove.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

LOCK = "running"
"""The file that the owner holds locked as long as it lives."""


def hold(folder: Path) -> int:
    """Hold a folder; return the descriptor that does, until it is closed or this process is gone."""
    lock = os.open(folder / LOCK, os.O_WRONLY | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def left_behind(place: Path, prefix: str) -> Iterator[Path]:
    """Yield each folder in a place, with such a beginning of its name, whose owner is gone; nobody else is given it meanwhile. Those of other users are passed over."""
    for folder in place.glob(f"{prefix}*"):
        with contextlib.ExitStack() as stack:
            try:
                lock = os.open(folder / LOCK, os.O_WRONLY | os.O_NOFOLLOW)
                stack.callback(os.close, lock)
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # held, not ours, or gone
                continue
            yield folder
