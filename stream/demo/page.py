"""The page of the demo. It is asked whether it answers, and shows what the engine says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import httpx

from features.reader import UserReader
from stream.demo.process import Beside
from stream.faults import ServerMissing
from stream.settings import Settings

PROGRAM = "stream.cli.demo_page"
START_S = 60.0
AGREE_S = 60.0
"""Longest time until the page has read what the engine has said. It is a second on an idle machine."""


class DemoPage(Beside):
    """The page's process, while the block runs.

    Parameters
    ----------
    config : Path
        File with the settings of the demo.
    settings : Settings
        What is in it.

    Attributes
    ----------
    url : str
        Where it answers.
    """

    def __init__(self, config: Path, settings: Settings) -> None:
        super().__init__(PROGRAM, config)
        self._settings = settings
        self.url = f"http://{settings['page.address']}"

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

            if not await in_time(there, START_S, lambda: self.has_ended):
                raise ServerMissing(f"the page does not answer on {self.url}; it said last: {self.last_words}")

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

            if not await in_time(agreed, AGREE_S, lambda: self.has_ended):
                raise ServerMissing(
                    f"the page shows {seen[0]} people at risk and the engine has {seen[1]}; it said last: {self.last_words}"
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

    def shows(self, path: str) -> str:
        """Return what an address of the page shows. Raises httpx.HTTPError when it does not answer."""
        return httpx.get(self.url + path, timeout=START_S, trust_env=False).raise_for_status().text


async def in_time(condition: Callable[[], Awaitable[bool]], seconds: float, hopeless: Callable[[], bool]) -> bool:
    """Ask again and again until a condition holds; return whether it did before the time was over or all hope was gone."""
    until = time.monotonic() + seconds
    while not await condition():
        if hopeless() or time.monotonic() > until:
            return False
        await asyncio.sleep(0.2)
    return True
