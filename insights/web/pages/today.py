"""Today: the one page that is opened first; what is so, what came of it, and where to look."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from features.definitions.definition import ChurnDefinition
from insights.live.listing import Filters, chosen, sums
from insights.web.at_risk.before import OVER_DAYS, back_of
from insights.web.crowd.alerts import OfDefinition
from insights.web.crowd.asking import Asking
from insights.web.crowd.behind import behind, nobody
from insights.web.crowd.questions import OfToday
from insights.web.crowd.today import Now, answers_of, page_of
from insights.web.frame import draw, language
from insights.web.parts import Has, Parts, as_of, spec_of
from insights.web.saying import Saying
from insights.web.who import needs, who_asks
from insights.words import words

router = APIRouter(dependencies=[needs("viewer")])
WEEK = 7


@router.get("/today")
def today(request: Request, parts: Has) -> HTMLResponse:
    """Show it."""
    view, w = parts.engine.view(), words(language(request))
    as_of_ms, spec = as_of(parts, view), spec_of(view, parts.settings)
    say_it = Saying(w, spec, ZoneInfo(spec.timezone), parts.settings["page.currency"], as_of_ms or 0)
    asked = OfToday(spec.funnel)
    ask = Asking(parts.asked, w, persons=who_asks(request).may("read:people"))
    ask.begin(*asked.all)
    answers = answers_of(ask, asked)
    now = None if as_of_ms is None else now_of(parts, as_of_ms)
    page = page_of(now, answers, asked, say_it, behind if who_asks(request).may("read:people") else nobody)
    return draw(request, "today.html", "Today", page=page, notices=ask.notices, again=ask.again)


def now_of(parts: Parts, as_of_ms: int) -> Now:
    """Return what the live engine says of the first definition, and of all of them."""
    first, *_ = definitions = parts.settings.definitions
    rows = chosen(parts.keeper.board, Filters(definition=first.name))
    day = parts.past.day_of(as_of_ms)
    before = parts.past.open_by_day(first.name, day - OVER_DAYS + 1, day)[-1 - WEEK]
    return Now(rows, sums(rows), before.open_at_end, first.horizon_ms, [_of(parts, one, as_of_ms) for one in definitions])


def _of(parts: Parts, definition: ChurnDefinition, as_of_ms: int) -> OfDefinition:
    rows = chosen(parts.keeper.board, Filters(definition=definition.name))
    in_time = sum(row.alert.valid_until_ms > as_of_ms for row in rows)
    back = back_of(parts.past, definition, spec_of(parts.engine.view(), parts.settings).lateness_ms, as_of_ms)
    return OfDefinition(definition.name, ", ".join(map(str, definition.segment)), definition.horizon_ms, sums(rows), in_time, back)
