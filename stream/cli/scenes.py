"""What `demo` plays: a scenario of `insights/scenarios` as a scene, and what is asked of its history and its pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from insights.history.faults import HistoryMissing
from insights.history.status import status
from insights.scenarios.play import play
from insights.scenarios.scenario import Cause, Scenario
from insights.scenarios.seen import StandsFirst, seen_on
from insights.scenarios.write import frame_of, json_lines, truth_of
from insights.web.printed import PAGES
from insights.words import Words, words
from stream.alerts.spoken import Lang
from stream.demo.product import DAY_MS, Click, Product
from stream.demo.scene import Crowd, Scene
from stream.shown import Part, Styled, visible

USERS = 1_500
"""Users of a scenario unless told otherwise: enough for every planted cause to stand out."""
LONGEST_S, LOOK_S = 120.0, 0.5
"""So long the pages may compute what they show, and how often they are looked at meanwhile."""


def scene_of(scenario: Scenario, *, days: int, users: int, seed: int, lang: Lang) -> Scene:
    """Return a scenario as what the demo plays."""

    def make(start_ms: int, more: int) -> Product:
        played = play(scenario, end_ms=start_ms + more * DAY_MS, days=more, users=users, seed=seed)
        frame = frame_of(scenario, played)
        rows = zip(frame["ts"].to_list(), frame["user"].to_list(), json_lines(frame), strict=True)
        clicks = [Click(ts, user, line.encode()) for ts, user, line in rows]
        return Product(clicks, {user: left_ms for user, left_ms, _ in truth_of(scenario, played, seed).leavers}, users)

    return Scene(
        title=scenario.title[lang],
        lang=lang,
        days=days,
        timezone=scenario.timezone,
        horizon_days=scenario.horizon_days,
        key_events=tuple(scenario.steps),
        channels=tuple(scenario.channels),
        revenue_events=scenario.revenue,
        funnel=scenario.funnel,
        make=make,
    )


def crowd_of(causes: Sequence[Cause], lang: Lang) -> Crowd:
    """Return what the demo is told of its history: how much it holds, and which planted causes its pages found."""
    w = words(lang)

    def seen(url: str, shows: Callable[[str], str]) -> list[list[Part]]:
        for path in PAGES:  # whoever opens them next does not wait
            _computed(path, shows)
        found = [_is_found(cause, shows) for cause in causes]
        lines = [line for cause, is_found in zip(causes, found, strict=True) for line in _told(cause, is_found, url, w)]
        return [*lines, [Styled(w.t("scene.found.all", found=sum(found), planted=len(causes)), "bold")]] if causes else []

    return Crowd(held=_held, seen=seen)


def _held(folder: Path) -> int:
    try:
        offsets = status(folder)["offsets"]
    except HistoryMissing:
        return 0
    return sum(offset for source, offset in offsets.items() if source.startswith("clicks/"))


def _computed(path: str, shows: Callable[[str], str]) -> StandsFirst:
    """Return what a page says once all that it asks is there, or as much as there is when the time is over."""
    until = time.monotonic() + LONGEST_S
    while True:
        page = StandsFirst()
        page.feed(shows(path))
        if page.is_computed or time.monotonic() > until:
            return page
        time.sleep(LOOK_S)


def _is_found(cause: Cause, shows: Callable[[str], str]) -> bool:
    return cause.shown is not None and seen_on(_computed(cause.shown.page.partition("#")[0], shows), cause.shown)


def _told(cause: Cause, is_found: bool, url: str, w: Words) -> list[list[Part]]:
    shown = cause.shown
    if shown is None:
        return []
    address, mark, place = shown.page.partition("#")
    page = w.t(address.partition("?")[0].strip("/").capitalize())
    link = f"{url}{address}{'&' if '?' in address else '?'}lang={w.lang}{mark}{place}"
    first = w.list_of([visible(one) for one in shown.named or shown.first])
    said = w.t("scene.found", first=first, page=page) if is_found else w.t("scene.not_found", page=page)
    return [
        [w.t("scene.planted", what=cause.says[w.lang])],
        [Styled(said, "green" if is_found else "yellow")],
        ["  ", Styled(link, "underline")],
    ]
