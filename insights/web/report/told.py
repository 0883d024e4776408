"""What does one report tell? The page Today with all its answers, its numbers, and what changed since the report before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from time import monotonic
from typing import NamedTuple
from zoneinfo import ZoneInfo

from insights.asked.asked import Asked
from insights.store import reported
from insights.store.reported import Reported
from insights.web.crowd.behind import nobody
from insights.web.crowd.found import Found
from insights.web.crowd.questions import OfToday
from insights.web.crowd.today import Answers, Page, answers_of, page_of
from insights.web.pages.today import now_of
from insights.web.parts import Parts, as_of, spec_of
from insights.web.printed import LONGEST_S
from insights.web.report.changes import Change, Since, ago, changes
from insights.web.report.figures import Figures, figures_of, read, written
from insights.web.saying import Saying
from insights.words import Lang, Words, words
from stream.faults import UsageFault


class Told(NamedTuple):
    """One report.

    Attributes
    ----------
    name : str
        Of the report; "" for one that was asked for by hand.
    day : str
        That it is of, as in 2026-11-27: the last one of which events are known.
    as_of_ms : int
        Up to when events are known, ms.
    zone : ZoneInfo
    page : Page
        The page Today.
    figures : Figures
    changes : list of Change or None
        Since the report before; None if there is none.
    since : str
        In words, of when the report before is; "" if there is none.
    is_live : bool
        Whether the engine answered, where there is one.
    """

    name: str
    day: str
    as_of_ms: int
    zone: ZoneInfo
    page: Page
    figures: Figures
    changes: list[Change] | None
    since: str
    is_live: bool

    def heading(self, w: Words) -> str:
        """Return its title."""
        date = w.date(self.as_of_ms, self.zone)
        return w.t("report.named", name=self.name, date=date) if self.name else w.t("report.of", date=date)

    def known(self, w: Words) -> list[str]:
        """Return what is known: as of when, and whether the engine answered."""
        said = ("" if w.lang == "zh" else " ").join(self.page.as_of)
        if self.is_live:
            return [said]
        return [said, w.t("report.no_engine" if self.page.sentence else "report.no_engine.ever")]


def tell(parts: Parts, lang: Lang, name: str = "") -> Told:
    """Ask all that a report tells, wait for it, and compare it with the report before.

    Raises
    ------
    UsageFault
        There is no history, or an analysis was refused; the message says what to do.
    TimeoutError
        An answer took more than `LONGEST_S`.
    """
    view, w = parts.engine.view(), words(lang)
    live_ms, spec = as_of(parts, view), spec_of(view, parts.settings)
    today = OfToday(spec.funnel)
    answers = _answers(parts.asked, today)
    known = answers.rates.as_of if answers.rates is not None else None
    if known is None or known.watermark is None:
        raise UsageFault("the history holds no event yet, so there is nothing to report: `churnwatch history import FILES` puts some there")
    as_of_ms, zone = round(known.watermark.timestamp() * 1000), ZoneInfo(known.zone)
    say_it = Saying(w, spec, zone, parts.settings["page.currency"], live_ms or as_of_ms)
    now = None if live_ms is None else now_of(parts, live_ms)
    figures, day = figures_of(now, answers), datetime.fromtimestamp(as_of_ms / 1000, zone).date().isoformat()
    with parts.store.read() as db:
        before = reported.last_before(db, name, day)
    return Told(
        name, day, as_of_ms, zone, page_of(now, answers, today, say_it, nobody), figures,
        None if before is None else changes(read(before.figures), figures, Since(before.day, day, say_it.currency, zone), w),
        "" if before is None else w.t("report.changed", ago=ago(before.day, day, w), date=w.date(before.as_of_ms, zone)),
        is_live=view.reached,
    )  # fmt: skip


def keep(parts: Parts, told: Told) -> None:
    """Keep the numbers of a report for the next one."""
    with parts.store.write() as db:
        reported.keep(db, told.name, Reported(told.day, told.as_of_ms, written(told.figures)))


def _answers(asked: Asked, today: OfToday) -> Answers:
    for name, parameters in today.all:  # all of them, before the first is waited for
        asked.look(name, parameters, persons=False)  # whoever reads it, nobody knows what they may see
    return answers_of(partial(_waited, asked), today)


def _waited(asked: Asked, name: str, parameters: Mapping[str, object], *, needs_scores: bool = False) -> Found | None:
    until = monotonic() + LONGEST_S
    while True:
        answer = asked.look(name, parameters, persons=False, wait_s=1.0)
        if needs_scores and answer.reason == "usage":
            return None
        if answer.state in {"refused", "no_history"}:
            raise UsageFault(f"the report needs {name.replace('_', '-')}, which could not be computed: {answer.words}")
        if answer.result is not None and answer.state == "ready":
            return Found(answer.result.rows.dicts(), answer.result.as_of, answer.result.notes)
        if monotonic() > until:
            raise TimeoutError(f"{name} took more than {LONGEST_S:.0f} s")
