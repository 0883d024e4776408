"""Reports without a served page: opens the store, the history and the engine, as far as they are there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from features.store.redis import connect
from insights.live.engine import Engine
from insights.store.store import open_store
from insights.web.app import make_pages
from insights.web.parts import Parts, parts_over
from insights.web.program import REDIS_S, now_ms
from insights.web.report import told
from insights.web.report.file import html_of
from insights.web.report.inside import Inside
from insights.web.report.picture import picture_of
from insights.web.report.told import Told
from insights.words import Lang
from stream.settings import Settings


class Reports:
    """Makes reports.

    Parameters
    ----------
    parts : Parts
        Its board is loaded.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts, self._got = parts, Inside(make_pages(parts))

    def told(self, lang: Lang, name: str = "") -> Told:
        """Return what a report tells now."""
        return told.tell(self._parts, lang, name)

    def html(self, one: Told, lang: Lang) -> str:
        """Return it as one HTML document."""
        return html_of(one, self._got, lang)

    def picture(self, one: Told, lang: Lang) -> bytes:
        """Return it as a PNG."""
        return picture_of(one, lang)

    def keep(self, one: Told) -> None:
        """Keep its numbers for the next one."""
        told.keep(self._parts, one)


@contextmanager
def opened(settings: Settings) -> Iterator[Reports]:
    """Give reports over what the settings name; the page need not run, nor Kafka, nor Redis.

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
            yield Reports(parts)
        finally:
            parts.asked.close()
    finally:
        store.close()
