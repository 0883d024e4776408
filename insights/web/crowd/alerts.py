"""How many alerts are open by each definition, and how many of those before came back? Of the live engine; the page At risk of a definition says the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from insights.live.listing import Sums
from insights.past.rows import CameBack
from insights.web.saying import Saying
from insights.words import DASH


class OfDefinition(NamedTuple):
    """What the live engine says of one definition.

    Attributes
    ----------
    name : str
    whom : str
        Whom it is about, as its segment's conditions; "" for everybody.
    horizon_ms : int
    sums : Sums
        What its open alerts add up to.
    in_time : int
        How many of these can still be reached.
    back : CameBack
        Of alerts whose time was up of late.
    """

    name: str
    whom: str
    horizon_ms: int
    sums: Sums
    in_time: int
    back: CameBack


class OpenAlerts(NamedTuple):
    """A line of the card."""

    name: str
    about: str
    people: str
    likely: str
    in_time: str
    back: str
    back_about: str
    href: str


def open_alerts(definitions: Sequence[OfDefinition], say_it: Saying) -> list[OpenAlerts]:
    """Return a line for each definition, in the order of the settings."""
    return [_line(one, say_it) for one in definitions]


def _line(one: OfDefinition, say_it: Saying) -> OpenAlerts:
    w, sums = say_it.w, one.sums
    about = w.t("today.alerts.within", horizon=w.duration(one.horizon_ms / 1000))
    return OpenAlerts(
        one.name,
        w.t("today.alerts.whom", about=about, whom=one.whom) if one.whom else about,
        w.number(sums.people),
        f"{w.number(round(sums.leaving))} {w.t('at_risk.plus_minus', n=round(sums.plus_minus))}" if sums.people else DASH,
        w.number(one.in_time),
        w.percent(one.back.came_back / one.back.n) if one.back.n else DASH,
        w.t("crowd.n", n=one.back.n) if one.back.n else "",
        f"/at-risk?{urlencode({'definition': one.name})}",
    )
