"""Makes reports: what is told, as a file, as a picture, and ready to go out."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from insights.charts.png import NoFont
from insights.made.shelf import every
from insights.made.things import Board
from insights.web.app import make_pages
from insights.web.parts import Parts
from insights.web.report import told
from insights.web.report.file import html_of
from insights.web.report.inside import Inside
from insights.web.report.message import Content, lines_of
from insights.web.report.picture import picture_of
from insights.web.report.told import Told
from insights.words import Lang, words
from stream.settings.reports import ScheduledReport

log = logging.getLogger(__name__)


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

    def html(self, one: Told, lang: Lang, boards: Sequence[str] = ()) -> str:
        """Return it as one HTML document, with these boards behind Today; it says of a board that is gone that it is."""
        there = set(self.boards())
        return html_of(one, self._got, lang, [name for name in boards if name in there], [name for name in boards if name not in there])

    def boards(self) -> list[str]:
        """Return the names of the boards there are."""
        with self._parts.store.read() as db:
            return [made.name for made in every(db, Board)]

    def picture(self, one: Told, lang: Lang) -> bytes:
        """Return it as a PNG."""
        return picture_of(one, lang)

    def content(self, report: ScheduledReport) -> Content:
        """Make a report that comes by itself, and keep its numbers for the next one."""
        one = self.told(report.lang, report.name)
        try:
            picture = self.picture(one, report.lang)
        except NoFont as error:
            log.warning("a report has no picture", extra={"report": report.name, "why": str(error)})
            picture = b""
        self.keep(one)
        return Content(one.heading(words(report.lang)), lines_of(one, report.lang), self.html(one, report.lang, report.boards), picture)

    def keep(self, one: Told) -> None:
        """Keep its numbers for the next one."""
        told.keep(self._parts, one)
