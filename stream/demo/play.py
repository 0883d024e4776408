"""`churnwatch demo`: the whole engine, its page and its history on a made-up product, first many days in about a minute, then live."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from pathlib import Path

from rich.progress import TaskID, TextColumn

from stream.alerts.spoken import Lang
from stream.demo.days import LIVE_DAYS, LIVE_SPEED, Days, seconds_a_day
from stream.demo.engine import Engine
from stream.demo.folder import demo_folder
from stream.demo.heard import Heard
from stream.demo.history import DemoHistory
from stream.demo.page import DemoPage
from stream.demo.product import DAY_MS, HOUR_MS
from stream.demo.scene import Crowd, Scene
from stream.demo.score import Score, score
from stream.demo.servers import servers, settings_in
from stream.demo.words import said
from stream.kafka.connection import connection_of, sender
from stream.processes.warm import warm
from stream.screen import Screen
from stream.settings import Settings
from stream.shown import Styled

LEARNING_LAG_S = 1.5
"""What was learned last may lie so many seconds of the fast days back."""
AHEAD_DAYS = 7
"""Days of the product beyond today, for whoever lets the demo run on."""


def play(scene: Scene, crowd: Crowd, *, stay: bool) -> int:
    """Run the demo; return the exit code.

    Parameters
    ----------
    stay : bool
        Whether time goes on live after the fast days, until somebody asks for the end.
    """
    screen = Screen()
    logging.basicConfig(level=logging.ERROR)
    logging.disable(logging.WARNING)
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.suppress(KeyboardInterrupt))  # asked to end before there is anything to end
        config = stack.enter_context(servers(stack.enter_context(demo_folder()), scene))
        settings = settings_in(config)
        history = stack.enter_context(DemoHistory(config, crowd.held, Path(settings["history.dir"])))
        page = stack.enter_context(DemoPage(config, settings))
        demo = _Demo(screen, settings, scene, crowd, page, history, stay)
        demo.prepare()
        return asyncio.run(demo.run())
    return 0


class _Demo:
    def __init__(
        self, screen: Screen, settings: Settings, scene: Scene, crowd: Crowd, page: DemoPage, history: DemoHistory, stay: bool
    ) -> None:
        self._screen, self._settings, self._scene, self._crowd, self._stay = screen, settings, scene, crowd, stay
        self._page, self._history, self._lang = page, history, scene.lang
        self._began = time.monotonic()
        self._heard = Heard(screen, self._began, settings.spec(scene.key_events), scene.lang)
        self._start_ms = int(time.time() * 1000) // DAY_MS * DAY_MS - (scene.days + LIVE_DAYS) * DAY_MS
        self._end_ms = self._start_ms + scene.days * DAY_MS

    def prepare(self) -> None:
        """Say where the page is, and make the product meanwhile."""
        lang, days = self._lang, self._scene.days
        at = self._page.url if lang == "en" else f"{self._page.url}/at-risk?lang={lang}"  # whoever comes by it stays in that language
        self._screen.line(Styled(said("page", lang), "bold"), Styled(at, "bold underline"), said("fills", lang))
        warm()
        self._product = self._scene.make(self._start_ms, days + LIVE_DAYS + AHEAD_DAYS)
        then = said("then.live" if self._stay else "then.end", lang)
        self._screen.line(said("product", lang, title=self._scene.title, users=self._product.users, days=days, then=then))

    async def run(self) -> int:
        """Play until the end; return the exit code."""
        self._engine = Engine(self._settings, self._scene.key_events, self._lang, lag_days=LEARNING_LAG_S / seconds_a_day(self._scene.days))
        return await self._engine.run((self._listen, self._play), self._leave)

    def _leave(self) -> None:
        self._page.leave()
        self._history.leave()

    async def _listen(self) -> None:
        await self._heard.listen(self._settings)

    async def _play(self) -> None:
        await self._page.answers()
        self._screen.line(Styled(said("answers", self._lang, seconds=time.monotonic() - self._began), "dim"))
        producer = sender(connection_of(self._settings), {"linger.ms": 5, "partitioner": "murmur2_random", "log_level": 2})
        days = Days(self._product.clicks, producer, self._start_ms, self._passed)
        with self._screen.progress(TextColumn("{task.fields[status]}", markup=False)) as self._progress:
            self._task: TaskID | None = self._progress.add_task(said("day", self._lang, day=0), total=self._scene.days, status="")
            await days.fast(self._scene.days, self._engine.has_learned)
            await self._engine.has_taken(days.sent)
            self._task = None
        await self._sum_up(days.sent)
        if self._stay:
            self._heard.every = True
            await days.live()

    def _passed(self, now_ms: int) -> None:
        if self._task is None:
            return
        day = (now_ms - self._start_ms) / DAY_MS
        status = said("status", self._lang, alerts=self._heard.opened, model=self._engine.scored_by(now_ms))
        self._progress.update(self._task, completed=day, description=said("day", self._lang, day=day), status=status)

    async def _sum_up(self, clicks: int) -> None:
        """Say how well the engine did, and what the pages show."""
        screen, lang = self._screen, self._lang
        at_risk = await self._page.agrees(sorted({click.user for click in self._product.clicks}))
        for line in summary(score(self._heard.alerts, self._product.left_ms, self._settings.definitions[0].horizon_ms, self._end_ms), lang):
            screen.line(line)
        await self._history.holds(clicks)
        screen.line(said("history", lang, events=clicks))
        for parts in await asyncio.to_thread(self._crowd.seen, self._page.url, self._page.shows):
            screen.entry(parts, "", margin=0)
        screen.line(said("at_risk", lang, count=at_risk, seconds=time.monotonic() - self._began))
        if self._stay:
            hours = LIVE_SPEED * 1000 / HOUR_MS
            screen.line(Styled(said("live", lang, url=self._page.url), "bold"), said("pace", lang, hours=hours))
        else:
            screen.line(said("next", lang))


def summary(found: Score, lang: Lang) -> list[Styled | str]:
    """Say how well the alerts found the leavers."""
    share = found.caught / found.leavers if found.leavers else 0.0
    return [
        "",
        Styled(said("caught", lang, caught=found.caught, leavers=found.leavers, share=share, early=found.median_early_days), "bold"),
        said("right", lang, right=found.right, opened=found.opened, returned=found.returned),
    ]
