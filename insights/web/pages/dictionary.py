"""Metrics: the dictionary of all numbers, in words. Its address is /dictionary, since /metrics is what Prometheus reads."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from insights.asked.child import NoAnswer
from insights.web.crowd.dictionary import page_of
from insights.web.crowd.found import WEEK
from insights.web.filters import text_of
from insights.web.frame import draw, language
from insights.web.parts import Has, Parts, spec_of
from insights.web.who import needs
from insights.words import Words, words

router = APIRouter(dependencies=[needs("viewer")])


@router.get("/dictionary")
def dictionary(request: Request, parts: Has) -> HTMLResponse:
    """Show it; with `q` what holds these words."""
    w = words(language(request))
    try:
        entries, notices = list(parts.asked.catalog().values()), []
    except NoAnswer:
        entries, notices = [], [w.t("dictionary.none")]
    page = page_of(entries, _ground(parts, w), text_of(request, "q") or "", w)
    return draw(request, "dictionary.html", "Metrics", page=page, notices=notices)


def _ground(parts: Parts, w: Words) -> list[tuple[str, str]]:
    """Return what holds for all numbers of the history."""
    spec, first = spec_of(parts.engine.view(), parts.settings), parts.settings.definitions[0]
    return [
        (w.t("dictionary.zone"), spec.timezone),
        (w.t("dictionary.week"), w.t(f"choice.{WEEK[0]}")),
        (w.t("dictionary.activity"), ", ".join(first.activity) or w.t("dictionary.activity.all")),
        (w.t("dictionary.horizon"), w.duration(first.horizon_ms / 1000)),
        (w.t("dictionary.gap"), w.duration(spec.session_gap_ms / 1000)),
        (w.t("dictionary.revenue"), ", ".join(spec.revenue_events) or w.t("dictionary.revenue.none")),
    ]
