"""The page Today, put together: one sentence, then what came of new people, who comes in and goes, where they are lost, who they are. It is what a growth lead opens first.

The sentence is of the live engine and equals the page At risk; all else is of the history.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from insights.live.board import Listed
from insights.live.listing import Sums
from insights.web.at_risk.rows import channel_named
from insights.web.crowd import flows, lost, rates
from insights.web.crowd.alerts import OfDefinition, OpenAlerts, open_alerts
from insights.web.crowd.behind import Behind
from insights.web.crowd.flows import Flows
from insights.web.crowd.found import Found, as_of_said
from insights.web.crowd.lost import Lost
from insights.web.crowd.outlook import Channels, Outlook, channels_of, outlook_of
from insights.web.crowd.questions import CHANNELS, FORECAST, LIFECYCLE, RATES, RFM, OfToday, Parameters
from insights.web.crowd.rates import Lines
from insights.web.crowd.segments import Segment, segments
from insights.web.saying import Saying
from insights.web.tile import Tile

MOST_LOST = 3
"""Places at which people are lost, of each kind."""


class Now(NamedTuple):
    """What the live engine says of one definition.

    Attributes
    ----------
    rows : sequence of Listed
        Open alerts.
    sums : Sums
        What they add up to.
    week_ago : int
        How many were open a week ago.
    horizon_ms : int
    definitions : sequence of OfDefinition
        The same of every definition.
    """

    rows: Sequence[Listed]
    sums: Sums
    week_ago: int
    horizon_ms: int
    definitions: Sequence[OfDefinition] = ()


class Answers(NamedTuple):
    """What was found; None while an answer is not there yet, of the funnel also where none is configured, of what is to come also where nothing was ever scored."""

    rates: Found | None
    channels: Found | None
    forecast: Found | None
    lifecycle: Found | None
    states: Found | None
    funnel: Found | None
    loss: Found | None
    silence: Found | None
    rfm: Found | None


class Page(NamedTuple):
    """What the template shows; see `insights/web/templates/today.html`."""

    sentence: str
    more: str
    rates: Lines | None
    tiles: list[Tile]
    channels: Channels | None
    outlook: Outlook | None
    flows: Flows | None
    four: list[Tile]
    stops: list[Lost]
    stops_are: str
    silence: list[Lost]
    alerts: list[OpenAlerts]
    segments: list[Segment]
    as_of: list[str]


class Ask(Protocol):
    """Gives an answer, or None; of what rests on scores also where there are none."""

    def __call__(self, name: str, parameters: Parameters, *, needs_scores: bool = False) -> Found | None:
        """See `insights.web.crowd.asking.Asking`."""


def answers_of(ask: Ask, asked: OfToday) -> Answers:
    """Return all answers."""
    return Answers(
        ask("retention", RATES),
        ask("retention", CHANNELS),
        ask("retention_forecast", FORECAST, needs_scores=True),
        ask("lifecycle", LIFECYCLE),
        ask("daily_states", {}),
        ask("funnel", asked.funnel) if asked.has_funnel else None,
        ask("loss_to_come", asked.funnel, needs_scores=True) if asked.has_funnel else None,
        ask("paths_into_silence", {}),
        ask("rfm", RFM),
    )


def page_of(now: Now | None, answers: Answers, asked: OfToday, say_it: Saying, behind: Behind) -> Page:
    """Put the page together.

    Parameters
    ----------
    now : Now or None
        None before the engine has seen an event.
    asked : OfToday
        What was asked.
    """
    w, known = say_it.w, next((one for one in answers if one is not None), None)
    to_come = [] if answers.loss is None else lost.losses(answers.loss, asked.funnel, say_it.currency, w, behind, MOST_LOST)
    stopped = [] if answers.funnel is None or to_come else lost.stops(answers.funnel, asked.funnel, w, behind, MOST_LOST)
    return Page(
        sentence="" if now is None else sentence(now, say_it),
        more="" if now is None else reach(now, say_it),
        rates=None if answers.rates is None else rates.over_weeks(answers.rates, w, rates.HALF),
        tiles=[] if answers.rates is None else rates.tiles(answers.rates, RATES, w, behind),
        channels=None if answers.channels is None else channels_of(answers.channels, w, behind),
        outlook=None if answers.forecast is None else outlook_of(answers.forecast, w, behind),
        flows=None if answers.lifecycle is None else flows.in_and_out(answers.lifecycle, w),
        four=[] if answers.states is None else flows.four_rates(answers.states, w, behind),
        stops=to_come or stopped,
        stops_are=w.t("crowd.lost.losses" if to_come else "crowd.lost.stops"),
        silence=[] if answers.silence is None else lost.before_silence(answers.silence, w, behind, MOST_LOST),
        alerts=[] if now is None else open_alerts(now.definitions, say_it),
        segments=[] if answers.rfm is None else segments(answers.rfm, RFM, say_it.currency, w, behind),
        as_of=[] if known is None else as_of_said(known, w),
    )


def sentence(now: Now, say_it: Saying) -> str:
    """Say how many are going quiet, how many of them will be gone, and by which channel most of that came."""
    w, sums = say_it.w, now.sums
    if not sums.people:
        return w.t("today.nobody")
    low, high = max(0, round(sums.leaving - sums.plus_minus)), min(sums.people, round(sums.leaving + sums.plus_minus))
    said = w.t("today.sentence", n=sums.people, likely=round(sums.leaving), low=low, high=high, horizon=w.duration(now.horizon_ms / 1000))
    if now.week_ago:
        more = sums.people - now.week_ago
        said += w.t(f"today.week.{'more' if more > 0 else 'fewer' if more < 0 else 'same'}", n=abs(more))
    by: dict[str, float] = {}
    for row in now.rows:
        if row.known.channel:
            by[row.known.channel] = by.get(row.known.channel, 0.0) + row.risk
    if by and sums.leaving:
        most = max(sorted(by), key=by.__getitem__)
        said += w.t("today.channel", share=w.percent(by[most] / sums.leaving), channel=channel_named(most, w))
    return said + w.t("today.stop")


def reach(now: Now, say_it: Saying) -> str:
    """Say how many can still be reached before their time is up, and what they are worth."""
    rows = [row for row in now.rows if row.alert.valid_until_ms > say_it.as_of_ms]
    if not rows:
        return ""
    values = [row.value for row in rows if row.value is not None]
    if not sum(values):
        return say_it.w.t("today.reach", n=len(rows))
    return say_it.w.t("today.reach.worth", n=len(rows), value=say_it.w.money(sum(values), say_it.currency))
