"""What is the page's state at this moment? Asks everybody who knows a part of it, and remembers what costs a query for a few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from insights.live.clicks import Intake
from insights.live.engine import Engine, EngineView
from insights.live.models import Models
from insights.live.state import Clock, Learning, State, state_of
from stream.settings import Settings


class Counted(Protocol):
    """How many outcomes are known."""

    @property
    def left(self) -> int:
        """Of people who left."""
        ...

    @property
    def stayed(self) -> int:
        """Of people who stayed."""
        ...


class Outcomes(Protocol):
    """What the past knows of outcomes."""

    def labels_known(self, definition: str) -> Counted:
        """Return how many outcomes are known."""
        ...

    def first_outcome_ms(self, definition: str) -> int | None:
        """Return when the first outcome became known or will be, event time, ms; None before the first judgement."""
        ...


class _Kept(NamedTuple):
    at_s: float
    learning: Learning


class Status:
    """The state of the page, for whoever draws one.

    Parameters
    ----------
    engine : Engine
    models : Models
    outcomes : Outcomes
        The past.
    intake : callable
        Returns what was last seen of Kafka; None before it was asked.
    settings : Settings
    now_ms : callable
        The clock on the wall, ms.
    """

    FRESH_S = 5.0

    def __init__(
        self,
        engine: Engine,
        models: Models,
        outcomes: Outcomes,
        intake: Callable[[], Intake | None],
        settings: Settings,
        now_ms: Callable[[], int],
    ) -> None:
        self._engine, self._models, self._outcomes, self._intake = engine, models, outcomes, intake
        self._settings, self._now_ms = settings, now_ms
        self._clock = Clock(settings["time.ticks"], settings["time.max_idle_hold"], settings["time.tick_max_behind"])
        self._kept: dict[str, _Kept] = {}

    def state(self, definition: str | None = None) -> State:
        """Return the state, as somebody sees it who looks at a definition; by default, and where there is no such one, at the first."""
        view, now_ms, intake = self._engine.view(), self._now_ms(), self._intake()
        names = view.definitions
        chosen = definition if definition in names else next(iter(names), None)
        learning = Learning() if chosen is None else self.learning(view, chosen)
        return state_of(view, learning, now_ms, intake and intake.clicks(view, now_ms), self._clock)

    def learning(self, view: EngineView, definition: str) -> Learning:
        """Return what a definition of the app has learned from, as it was a few seconds ago at most."""
        kept = self._kept.get(definition)
        if kept is None or time.monotonic() - kept.at_s >= self.FRESH_S:
            kept = self._kept[definition] = _Kept(time.monotonic(), self._learning(view, definition))
        return kept.learning

    def _learning(self, view: EngineView, definition: str) -> Learning:
        known, served = self._outcomes.labels_known(definition), self._models.served(view, definition)
        return Learning(
            left=known.left,
            stayed=known.stayed,
            needed=self._settings["learning.min_labels"],
            batch=self._settings["learning.batch"],
            rule=served is None or served.rule,
            version=0 if served is None else served.champion.version,
            pinned=served is not None and bool(served.wish.version) and served.wish.version == served.champion.version,
            first_ms=self._outcomes.first_outcome_ms(definition),
        )
