"""What raises somebody's risk now, and what lowers it? In words, with how much each changes the odds of leaving."""

from __future__ import annotations

from collections.abc import Iterable
from math import exp
from typing import NamedTuple

from markupsafe import Markup

from insights.charts.small import bar
from insights.web.saying import Saying
from stream.alerts.message import ReasonCode
from stream.alerts.reasons import contributions
from stream.alerts.sentences import say
from stream.ownership.served import RiskNow
from stream.shown import visible

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
    raises, lowers = contributions(now.champion.scorer.terms(now.vector), now.vector, say_it.spec)
    return Moves(_said(raises, "silence", say_it), _said(lowers, "good", say_it))


def _said(told: Iterable[tuple[ReasonCode, float]], colour: str, say_it: Saying) -> list[Move]:
    w = say_it.w
    return [
        Move(
            visible(say(code, say_it.spec, w.lang)),
            w.t("person.odds", factor=w.number(exp(size), 1 if size >= 0 else 2)),
            bar(min(1.0, abs(size) / FULL), colour),
        )
        for code, size in told
    ]  # fmt: skip
