"""What raises somebody's risk now, and what lowers it? In words, with how much each changes the odds of leaving."""

from __future__ import annotations

from collections.abc import Iterable
from math import exp
from typing import NamedTuple

from markupsafe import Markup

from insights.charts.small import bar
from insights.web.saying import Saying
from stream.alerts.message import ReasonCode
from stream.alerts.sentences import say
from stream.ownership.risk_now import RiskNow
from stream.shown import visible

MOST = 100.0
"""Odds are said up to so many times as high, or as low."""
FULL = 3.0
"""Change of the log-odds that fills the bar: the odds are then twenty times as high, or as low."""


class Move(NamedTuple):
    """One thing that moves the risk: the sentence, how much, and a bar of it."""

    said: str
    odds: str
    bar: Markup


class Moves(NamedTuple):
    """What raises the risk, and what lowers it, the strongest first."""

    raises: list[Move]
    lowers: list[Move]


def moves_of(now: RiskNow, say_it: Saying) -> Moves:
    """Return what moves the risk of somebody, compared with everybody else."""
    return Moves(_said(now.raises, "silence", say_it), _said(now.lowers, "good", say_it))


def odds_said(size: float, say_it: Saying) -> str:
    """Say by how much the odds change, given the change of the log-odds: to two digits or so, and no further than a reader can imagine.

    >>> from datetime import UTC
    >>> from features.users.spec import FeatureSpec
    >>> from insights.words import words
    >>> say_it = Saying(words("en"), FeatureSpec(), UTC, "USD", 0)
    >>> [odds_said(size, say_it) for size in (0.5, 3.0, 9.0, -0.5, -9.0)]
    ['odds × 1.6', 'odds × 20', 'odds over 100 times', 'odds × 0.61', 'odds below a 100th']
    """
    factor, w = exp(size), say_it.w
    if factor > MOST:
        return w.t("person.odds.over", n=MOST)
    if factor < 1 / MOST:
        return w.t("person.odds.below", n=MOST)
    return w.t("person.odds", factor=w.number(factor, 0 if factor >= 10 else 1 if factor >= 1 else 2))


def _said(told: Iterable[tuple[ReasonCode, float]], colour: str, say_it: Saying) -> list[Move]:
    w = say_it.w
    return [
        Move(
            visible(say(code, say_it.spec, w.lang)),
            odds_said(size, say_it),
            bar(min(1.0, abs(size) / FULL), colour),
        )
        for code, size in told
    ]  # fmt: skip
