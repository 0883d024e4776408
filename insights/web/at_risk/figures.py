"""What stands above and beside the list? Figures and charts, each with its denominator or interval and its definition."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, tzinfo
from typing import NamedTuple

from markupsafe import Markup

from features.definitions.definition import ChurnDefinition
from insights.charts.columns import Counts, columns
from insights.charts.lines import lines
from insights.charts.scale import Axis
from insights.charts.series import Series
from insights.charts.small import bar
from insights.charts.svg import Drawn, Size, twice
from insights.live.board import VALUE_DAYS
from insights.live.listing import Filters, Sums
from insights.past.bands import BANDS, upper
from insights.past.fold.days import date_of
from insights.past.rows import DayOfAlerts, JudgedBand
from insights.web.at_risk.before import BACK_DAYS, RIGHT_DAYS, Before
from insights.web.at_risk.rows import topic_said
from insights.web.definitions import outcome_said
from insights.web.frame import Link
from insights.web.intervals import interval_of
from insights.web.saying import Saying
from insights.web.tile import Tile
from insights.words import DASH, Words

WEEK_DAYS = 7
WIDE, NARROW = Size(520, 170), Size(330, 150)


class Share(NamedTuple):
    """One line of a card of shares; `key` names its colour or what it is, `about` says the count behind it."""

    key: str
    name: str
    range: str
    bar: Markup
    said: str
    about: str
    href: str
    chosen: bool


class OverTime(NamedTuple):
    """Charts of the last weeks, and the table behind them."""

    about: str
    open: Drawn
    flows: Drawn
    heads: list[str]
    rows: list[list[str]]


class RightRow(NamedTuple):
    """How right the alerts of one band were."""

    name: str
    said: str
    left: str
    interval: str
    n: str


class Right(NamedTuple):
    """How right the alerts were; `none` says when the first answer comes, while there are no rows."""

    about: str
    rows: list[RightRow]
    none: str


def tiles(
    sums: Sums, before: Before, first_answer_ms: int | None, wanted: Filters, definition: ChurnDefinition, say_it: Saying
) -> list[Tile]:
    """Return the four figures on top, of the people who pass the filters.

    Parameters
    ----------
    first_answer_ms : int or None
        When the first open alert's time is up.
    """
    w = say_it.w
    back, horizon = before.back, w.duration(definition.horizon_ms / 1000)
    week_ago = before.days[-1 - WEEK_DAYS].open_at_end
    change, good = "", None
    if week_ago and not wanted.set:
        share = (sums.people - week_ago) / week_ago
        change, good = w.change(share), None if abs(share) < 0.005 else share < 0
    judged = back.n > 0
    if not sums.people:
        spent = w.t("state.no_match" if wanted.set else "state.nobody")
    else:
        spent = w.t("at_risk.value.about", n=sums.spenders, of=sums.judged) if sums.value is not None else w.t("at_risk.value.none")
    return [
        Tile(
            w.t("At risk now"), w.number(sums.people), w.t("at_risk.now.week", n=week_ago) if change else w.t("at_risk.now.is"),
            w.t("at_risk.now.means"), change=change, good=good,
        ),
        Tile(
            w.t("at_risk.likely", horizon=horizon), w.number(round(sums.leaving)), w.t("at_risk.likely.about", n=sums.people),
            w.t("at_risk.likely.means", risk=outcome_said(definition, w)),
            beside=w.t("at_risk.plus_minus", n=round(sums.plus_minus)) if sums.people else "",
        ),
        Tile(
            w.t("Came back after an alert"), w.percent(back.came_back / back.n) if judged else DASH,
            of_everybody(w.t("at_risk.back.is", n=back.n, days=BACK_DAYS), wanted, w) if judged else not_yet(first_answer_ms, say_it),
            w.t("at_risk.back.means", days=BACK_DAYS), beside=w.t("at_risk.sure", interval=_sure(back.came_back, back.n, w)) if judged else "",
        ),
        Tile(w.t("Value at risk"), w.money(sums.value, say_it.currency), spent, w.t("at_risk.value.means", days=VALUE_DAYS)),
    ]  # fmt: skip


def of_everybody(said: str, wanted: Filters, w: Words) -> str:
    """Add to what is said of a figure that filters do not touch it, where some are set."""
    return f"{said} · {w.t('at_risk.all')}" if wanted.set else said


def not_yet(first_answer_ms: int | None, say_it: Saying) -> str:
    """Say that nobody's time is up yet, and when the first answer comes."""
    if first_answer_ms is None:
        return say_it.w.t("at_risk.right.nobody")
    return say_it.w.t("at_risk.right.none", date=say_it.w.date(first_answer_ms, say_it.zone))


def band_shares(sums: Sums, threshold: float, wanted: Filters, link: Link, say_it: Saying) -> list[Share]:
    """Return how many people are in each band that has any, or could have; each leads to its people, and the chosen one back to all.

    Parameters
    ----------
    threshold : float
        What a risk must reach for an alert, 0 to 1: who is below it was above it when they were flagged.
    """
    w = say_it.w
    found = []
    for name, low in BANDS:
        n, chosen = sums.bands[name], name == wanted.band
        if n or chosen or upper(name) > threshold:
            share, href = n / sums.people if sums.people else 0.0, link(band=None if chosen else name, page=None)
            found.append(Share(name, w.t(f"band.{name}"), _range(low, upper(name), w), bar(share, name), w.number(n), "", href, chosen))
    return found


def topic_shares(sums: Sums, wanted: Filters, link: Link, say_it: Saying) -> list[Share]:
    """Return what share of the people has each kind of reason."""
    w = say_it.w
    found = []
    for topic, n in sums.topics:
        chosen, name, share = topic == wanted.topic, topic_said(topic, say_it), n / sums.people
        about = w.t("at_risk.why.of", n=n, of=sums.people)
        found.append(Share(topic, name, "", bar(share), w.percent(share), about, link(reason=None if chosen else topic, page=None), chosen))
    return found


def over_time(days: Sequence[DayOfAlerts], wanted: Filters, say_it: Saying) -> OverTime | None:
    """Return the charts of the last weeks, from the first day that had an alert on; None before there is a second such day."""
    first = next((at for at, day in enumerate(days) if day.open_at_end or day.flagged), len(days))
    shown = days[max(0, first - 1) :]
    if len(shown) < 2:
        return None
    w, zone = say_it.w, say_it.zone
    times = [_noon_ms(day.day, zone) for day in shown]
    is_open = Series(w.t("open alerts"), [day.open_at_end for day in shown], "accent", area=True)
    up = [Counts(w.t("flagged"), "high", [day.flagged for day in shown])]
    down = [Counts(w.t("came back"), "good", [day.came_back for day in shown])]
    title, flows = w.t("People at risk, over time"), w.t("Flagged and came back, per day")
    return OverTime(
        of_everybody(w.t("at_risk.over_time.is"), wanted, w),
        twice(lambda size: lines(size, Axis(w), zone, times, [is_open], title=title, desc=w.t("at_risk.over_time.is")), WIDE, NARROW),
        twice(lambda size: columns(size, w, zone, times, up, down, title=flows, desc=flows), WIDE, NARROW),
        [w.t("Day"), w.t("open alerts"), w.t("flagged"), w.t("came back")],
        [
            [w.date(at, zone), w.number(day.open_at_end), w.number(day.flagged), w.number(day.came_back)]
            for at, day in zip(reversed(times), reversed(shown), strict=True)
        ],
    )


def right(judged: Sequence[JudgedBand], first_answer_ms: int | None, wanted: Filters, say_it: Saying) -> Right:
    """Return what was said of each band, and how many of it really left."""
    w = say_it.w
    rows = [
        RightRow(w.t(f"band.{one.band}"), w.percent(one.said), w.percent(one.left / one.n), _sure(one.left, one.n, w), w.number(one.n))
        for one in judged
        if one.n
    ]
    return Right(of_everybody(w.t("at_risk.right.is", days=RIGHT_DAYS), wanted, w), rows, not_yet(first_answer_ms, say_it))


def _sure(hits: int, n: int, w: Words) -> str:
    interval = interval_of(hits, n)
    return "" if interval is None else w.interval(*interval)


def _range(low: float, above: float, w: Words) -> str:
    if above == 1.0:
        return w.t("band.from", low=w.percent(low))
    return w.t("band.below", high=w.percent(above)) if low == 0 else w.t("band.between", low=w.percent(low), high=w.percent(above))


def _noon_ms(day: int, zone: tzinfo) -> int:
    """Return a time of a local day that is on it whatever its clocks do."""
    return round(datetime.combine(date_of(day), time(12), zone).timestamp() * 1000)
