"""The page of the demo: a process of its own, over the demo's servers. It is asked whether it answers, and shows what the engine says."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from features.reader import UserReader
from stream.faults import ServerMissing
from stream.settings import Settings

PROGRAM = "stream.cli.demo_page"
START_S = 60.0
AGREE_S = 60.0
"""Longest time until the page has read what the engine has said. It is a second on an idle machine."""


class DemoPage:
    """The page's process, while the block runs.

    Parameters
    ----------
    config : Path
        File with the settings of the demo. What the process says goes to `page.log` beside it.
    settings : Settings
        What is in it.

    Attributes
    ----------
    url : str
        Where it answers.
    """

    def __init__(self, config: Path, settings: Settings) -> None:
        self._config, self._settings = config, settings
        self._log = config.with_name("page.log")
        self.url = f"http://{settings['page.address']}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it; `answers` says when it is there."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CHURNWATCH_")}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a fixed command
                [sys.executable, "-m", PROGRAM, str(self._config)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Wait until it is gone."""
        self.leave()
        if self._process is not None:
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def leave(self) -> None:
        """Ask it to end, and do not wait."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    async def answers(self) -> None:
        """Wait until it answers.

        Raises
        ------
        ServerMissing
            It does not, or has ended.
        """
        async with httpx.AsyncClient(base_url=self.url, timeout=START_S, trust_env=False) as client:

            async def there() -> bool:
                try:
                    return (await client.get("/at-risk")).status_code == httpx.codes.OK
                except httpx.TransportError:
                    return False

            if not await _in_time(there, START_S, self._ended):
                raise ServerMissing(f"the page does not answer on {self.url}; it said last: {self._last_words()}")

    async def agrees(self, users: Sequence[str]) -> int:
        """Wait until the page shows as many people at risk as the engine has; return how many these are.

        Parameters
        ----------
        users : sequence of str
            Everybody.

        Raises
        ------
        ServerMissing
            It does not come to that.
        """
        seen = (-1, 0)
        async with httpx.AsyncClient(base_url=self.url, timeout=START_S, trust_env=False) as client:

            async def agreed() -> bool:
                nonlocal seen
                seen = await self._shown(client), await asyncio.to_thread(self._at_risk, users)
                return seen[0] == seen[1]

            if not await _in_time(agreed, AGREE_S, self._ended):
                raise ServerMissing(
                    f"the page shows {seen[0]} people at risk and the engine has {seen[1]}; it said last: {self._last_words()}"
                )
        return seen[1]

    async def _shown(self, client: httpx.AsyncClient) -> int:
        """Ask for the page itself, and for its list as a file, which has a line for each person beneath that of the names."""
        (await client.get("/at-risk")).raise_for_status()
        return len((await client.get("/at-risk.csv")).raise_for_status().text.splitlines()) - 1

    def _at_risk(self, users: Sequence[str]) -> int:
        """Count the open alerts in Redis, those of people included who have been away for so long that they are not looked at any more."""
        reader = UserReader(self._settings["redis.url"], self._settings["app.name"])
        try:
            return sum(one is not None and one.definitions[0].alert_open for one in reader.standings(users))
        finally:
            reader.close()

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _last_words(self) -> str:
        return (self._log.read_text(errors="replace").strip().splitlines() or ["nothing"])[-1]


async def _in_time(condition: Callable[[], Awaitable[bool]], seconds: float, hopeless: Callable[[], bool]) -> bool:
    """Ask again and again until a condition holds; return whether it did before the time was over or all hope was gone."""
    until = time.monotonic() + seconds
    while not await condition():
        if hopeless() or time.monotonic() > until:
            return False
        await asyncio.sleep(0.2)
    return True
