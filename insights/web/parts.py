"""What a page is made from: everything that the program opens once and every page reads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, cast
from zoneinfo import ZoneInfo

from fastapi import Depends, Request

from features.users.spec import FeatureSpec
from insights.asked.ahead import Ahead
from insights.asked.asked import Asked
from insights.asked.messages import Setup
from insights.live.clicks import Intake
from insights.live.engine import Engine, EngineView
from insights.live.keeper import Keeper
from insights.live.models import Models
from insights.live.status import Status
from insights.past.past import Past
from insights.store.store import Store
from insights.web.crowd.questions import asked_daily
from insights.web.kept import Kept
from insights.web.metrics import PageMetrics
from stream.ownership.served import model_key
from stream.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """What the program has opened.

    Attributes
    ----------
    settings : Settings
    engine : Engine
        What the engine says of itself.
    store : Store
        The page's own database.
    past : Past
        What was, read from the store.
    keeper : Keeper
        Who is at risk now: `keeper.board`.
    models : Models
        Which models there are, and which one serves.
    intake : callable
        Returns what was last seen of Kafka; None before it was asked.
    status : Status
        In what state the page is.
    asked : Asked
        What the history tells of the crowd.
    ahead : Ahead
        What is asked of it when a day is over.
    now_ms : callable
        The clock on the wall, ms since the epoch. Figures follow event time (`EngineView.as_of_ms`); this is for sessions and for what is late.
    live : bool
        Whether there is an engine; without one the pages tell of the history only.
    kept : Kept
        Pages that were put together a moment ago.
    metrics : PageMetrics
        What the process says to Prometheus.
    """

    settings: Settings
    engine: Engine
    store: Store
    past: Past
    keeper: Keeper
    models: Models
    intake: Callable[[], Intake | None]
    status: Status
    asked: Asked
    ahead: Ahead
    now_ms: Callable[[], int]
    live: bool = True
    kept: Kept = field(default_factory=Kept)
    metrics: PageMetrics = field(default_factory=PageMetrics)

    def look_ahead(self, stop: threading.Event) -> None:
        """Compute what is due since a day is over, and tell Prometheus how far it is."""
        self.metrics.gauge("churnwatch_page_ahead_due").set(self.ahead.look(stop).due)


def parts_over(
    settings: Settings, engine: Engine, store: Store, intake: Callable[[], Intake | None], now_ms: Callable[[], int], *, live: bool = True
) -> Parts:
    """Put together what pages read, over an open Redis and an open store; see `Parts`.

    Raises
    ------
    SettingsError
        Models cannot be verified: no key is set, and Redis is on another machine.
    """
    models = Models(engine.client, engine.app, model_key(settings))
    past = Past(store, lambda: spec_of(engine.view(), settings))
    keeper = Keeper(past, engine)
    status = Status(engine, models, past, intake, settings, now_ms)
    asked, metrics = asked_over(settings, store, now_ms), PageMetrics()

    def spec() -> FeatureSpec:
        return spec_of(engine.view(), settings)

    ahead = Ahead(
        asked, lambda: asked_daily(spec().funnel), lambda: ZoneInfo(spec().timezone),
        lambda outcome: metrics.counter("churnwatch_page_ahead").labels(outcome).inc(),
    )  # fmt: skip
    return Parts(settings, engine, store, past, keeper, models, intake, status, asked, ahead, now_ms, live, metrics=metrics)


def asked_over(settings: Settings, store: Store, now_ms: Callable[[], int]) -> Asked:
    """Return what asks the history that the settings name. Processes that compute are started when somebody asks."""
    definition = settings.definitions[0]
    setup = Setup(
        folder=settings["history.dir"],
        complete_from_ms=settings["history.complete_from"] or 0,
        activity=tuple(definition.activity),
        horizon_ms=definition.horizon_ms,
        memory_mb=settings["page.analyses_memory"],
        releases=tuple(one.text for one in settings.releases),
    )
    return Asked(
        setup,
        store,
        seconds=settings["page.analyses_time"] / 1000,
        kept_bytes=settings["page.analyses_kept"] << 20,
        now_ms=now_ms,
        least_group=settings["page.least_group"],
    )


def spec_of(view: EngineView, settings: Settings) -> FeatureSpec:
    """Return what the app runs with, as the workers stored it; before that, or while Redis is away from the start, as it is configured here."""
    return settings.spec() if view.spec is None else view.spec.spec


def as_of(parts: Parts, view: EngineView) -> int | None:
    """Return the events' present time, ms: by the engine, or by the past while Redis has never answered; None before the first event."""
    return view.as_of_ms or parts.past.as_of_ms


async def parts_of(request: Request) -> Parts:
    """Return what the program has opened. Async, because FastAPI would give a thread to anything else, at each request."""
    return cast("Parts", request.app.state.parts)


Has = Annotated[Parts, Depends(parts_of)]
"""For the signature of a page: `def page(parts: Has)`."""
