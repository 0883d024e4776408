"""The history of the demo: its writer follows the clicks and what the engine says, in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from stream.demo.page import in_time
from stream.demo.process import Beside
from stream.faults import ServerMissing

PROGRAM = "stream.cli.demo_history"
CATCH_UP_S = 120.0
"""Longest time until it holds what was sent; it commits every few seconds."""


class DemoHistory(Beside):
    """The writer's process, while the block runs.

    Parameters
    ----------
    config : Path
        File with the settings of the demo.
    held : callable
        How many events of the clicks are in the history in a folder.
    folder : Path
        That of the history.
    """

    def __init__(self, config: Path, held: Callable[[Path], int], folder: Path) -> None:
        super().__init__(PROGRAM, config)
        self._held, self._folder = held, folder

    async def holds(self, clicks: int) -> None:
        """Wait until it has taken so many clicks.

        Raises
        ------
        ServerMissing
            It does not come to that, or has ended.
        """

        async def there() -> bool:
            return await asyncio.to_thread(self._held, self._folder) >= clicks

        if not await in_time(there, CATCH_UP_S, lambda: self.has_ended):
            raise ServerMissing(f"the history does not hold all {clicks} events; its writer said last: {self.last_words}")
