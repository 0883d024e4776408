"""Where does a process that computes put what it cannot keep in memory? Into a folder that whoever started it owns and removes, however the process ended.

What an owner left that was killed goes at a later start (`stream.owned_folder`).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from stream.owned_folder import hold, left_behind

PREFIX = "churnwatch-asked-"


class Scratch:
    """A folder of one process, and our lock on it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = hold(self.folder)

    def remove(self) -> None:
        """Remove it with all that is in it, once the process is gone. A second time does nothing."""
        if self._lock >= 0:
            shutil.rmtree(self.folder, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1


def clear_left() -> None:
    """Remove folders of ours whose owner is gone. Those of other users, and such as somebody uses, stay."""
    for folder in left_behind(Path(tempfile.gettempdir()), PREFIX):
        shutil.rmtree(folder, ignore_errors=True)
