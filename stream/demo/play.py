"""`churnwatch demo`: the whole engine and its page on a made-up product, first ninety days in about a minute, then live."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
import time
from pathlib import Path

from rich.progress import TaskID, TextColumn

from stream.demo.days import LIVE_DAYS, LIVE_SPEED, Days
from stream.demo.engine import Engine
from stream.demo.heard import Heard
from stream.demo.page import DemoPage
from stream.demo.product import DAY_MS, HOUR_MS, make_product
from stream.demo.score import Score, score
from stream.demo.servers import servers, settings_in
from stream.kafka.connection import connection_of, sender
from stream.processes.warm import warm
from stream.screen import Screen
from stream.settings import Settings
from stream.shown import Styled

AHEAD_DAYS = 7
"""Days of the product beyond today, for whoever lets the demo run on."""


def play(*, days: int, users: int, seed: int, stay: bool) -> int:
    """Run the demo; return the exit code.

    Parameters
    ----------
    days : int
        Days that go by fast.
    stay : bool
        Whether time goes on live after them, until somebody asks for the end.
    """
    screen = Screen()
    logging.basicConfig(level=logging.ERROR)
    logging.disable(logging.WARNING)
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.suppress(KeyboardInterrupt))  # asked to end before there is anything to end
        config = stack.enter_context(servers(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="churnwatch-demo-")))))
        settings = settings_in(config)
        demo = _Demo(screen, settings, stack.enter_context(DemoPage(config, settings)), days, stay)
        demo.prepare(users, seed)
        return asyncio.run(demo.run())
    return 0


class _Demo:
    def __init__(self, screen: Screen, settings: Settings, page: DemoPage, days: int, stay: bool) -> None:
        self._screen, self._settings, self._page, self._fast_days, self._stay = screen, settings, page, days, stay
        self._began = time.monotonic()
        self._heard = Heard(screen, self._began)
        self._start_ms = int(time.time() * 1000) // DAY_MS * DAY_MS - (days + LIVE_DAYS) * DAY_MS
        self._end_ms = self._start_ms + days * DAY_MS

    def prepare(self, users: int, seed: int) -> None:
        """Say where the page is, and make the product meanwhile."""
        self._screen.line(Styled("The page: ", "bold"), Styled(self._page.url, "bold underline"), "  fills while the days go by")
        warm()
        self._product = make_product(self._start_ms, self._fast_days + LIVE_DAYS + AHEAD_DAYS, users, seed)
        self._screen.line(
            f"A made-up product of {self._product.users} people; who leaves is known to the simulator only. First {self._fast_days} days fast, "
            + ("then live until Ctrl-C." if self._stay else "then the end.")
            + " Times are UTC."
        )

    async def run(self) -> int:
        """Play until the end; return the exit code."""
        self._engine = Engine(self._settings)
        return await self._engine.run((self._listen, self._play), self._page.leave)

    async def _listen(self) -> None:
        await self._heard.listen(self._settings)

    async def _play(self) -> None:
        await self._page.answers()
        self._screen.line(Styled(f"the page answers {time.monotonic() - self._began:.1f} s after the start", "dim"))
        producer = sender(connection_of(self._settings), {"linger.ms": 5, "partitioner": "murmur2_random", "log_level": 2})
        days = Days(self._product.clicks, producer, self._start_ms, self._passed)
        with self._screen.progress(TextColumn("{task.fields[status]}", markup=False)) as self._progress:
            self._task: TaskID | None = self._progress.add_task("day 0", total=self._fast_days, status="")
            await days.fast(self._fast_days, self._engine.has_learned)
            await self._engine.has_taken(days.sent)
            self._task = None
        self._sum_up(await self._page.agrees(sorted({click.user for click in self._product.clicks})))
        if self._stay:
            self._heard.every = True
            await days.live()

    def _passed(self, now_ms: int) -> None:
        if self._task is None:
            return
        day = (now_ms - self._start_ms) / DAY_MS
        status = f"{self._heard.opened} alerts, scored by {self._engine.scored_by(now_ms)}"
        self._progress.update(self._task, completed=day, description=f"day {day:>2.0f}", status=status)

    def _sum_up(self, at_risk: int) -> None:
        screen = self._screen
        for line in summary(score(self._heard.alerts, self._product.left_ms, self._settings.definitions[0].horizon_ms, self._end_ms)):
            screen.line(line)
        screen.line(
            f"The page shows {at_risk} people at risk now, as many as the engine has. {time.monotonic() - self._began:.0f} s in all."
        )
        if self._stay:
            pace = LIVE_SPEED * 1000 / HOUR_MS
            screen.line(
                Styled(f"Live at {self._page.url}", "bold"),
                f": {pace:.0f} hour of the product's time a second, until it is now. Ctrl-C ends it.",
            )
        else:
            screen.line("Next: README.md shows how to run it on your own Kafka and Redis (`churnwatch topics create`, `churnwatch run`).")


def summary(found: Score) -> list[Styled | str]:
    """Say how well the alerts found the leavers."""
    share = found.caught / found.leavers if found.leavers else 0.0
    return [
        "",
        Styled(
            f"{found.caught} of {found.leavers} leavers caught ({share:.0%}), half of them {found.median_early_days:.1f} days or more before they "
            "counted as churned.",
            "bold",
        ),
        f"{found.right} of {found.opened} alerts were on users who had indeed left; {found.returned} users came back and their alerts were closed at once.",
    ]
