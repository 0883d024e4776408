"""What a report is made from, without a served page: the store, the history and the engine, as far as they are there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from features.store.redis import connect
from insights.live.engine import Engine
from insights.store.store import open_store
from insights.web.boards.seeds import plant_seeds
from insights.web.parts import Parts, parts_over
from insights.web.program import REDIS_S, now_ms
from stream.settings import Settings


@contextmanager
def opened(settings: Settings) -> Iterator[Parts]:
    """Give what reports are made from, over what the settings name; the page need not run, nor Kafka, nor Redis.

    Raises
    ------
    stream.faults.UsageFault
        The store cannot be opened.
    """
    store = open_store(settings["page.store"])
    try:
        engine = Engine(connect(settings["redis.url"], timeout_s=REDIS_S), settings["app.name"], now_ms)
        parts = parts_over(settings, engine, store, lambda: None, now_ms, live=engine.view().reached)
        try:
            parts.keeper.look()
            plant_seeds(parts)
            yield parts
        finally:
            parts.asked.close()
    finally:
        store.close()
