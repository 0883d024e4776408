"""When is somebody usually here? Their active days as a calendar, their weekdays, their usual hour, pauses and visits: what the record knows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import NamedTuple

from features.users.habits import COUNT_DAYS, MAP_DAYS, Habits
from features.users.named import UserView
from insights.charts.bars import Bar, bars
from insights.charts.calendar import WEEK, calendar, calendar_width, weekday_of
from insights.charts.lines import lines
from insights.charts.scale import Axis
from insights.charts.series import Series
from insights.charts.svg import Drawn, Size, twice
from insights.web.saying import Saying
from stream.alerts.message import ReasonCode
from stream.alerts.sentences import say

DAY_MS = 86_400_000
LEAST_DAYS = 28
"""Days that the calendar has at least."""
LEAST_REGULAR = 0.4
"""From this regularity on there is a usual hour; below it the sentence of the reasons is that they come at any time."""


class Fact(NamedTuple):
    """Something that is known: its name, the value, and what it is of."""

    name: str
    said: str
    about: str = ""


class HabitsCard(NamedTuple):
    """What the page shows of habits.

    Attributes
    ----------
    days, weekdays, actions : Drawn
        Charts: the calendar, the share of each weekday that was active, and actions by day.
    heads, rows
        The table behind the calendar and the weekdays.
    facts : list of Fact
    """

    days: Drawn
    weekdays: Drawn
    actions: Drawn
    heads: list[str]
    rows: list[list[str]]
    action_heads: list[str]
    action_rows: list[list[str]]
    about: str
    actions_about: str
    facts: list[Fact]


def habits_card(view: UserView, say_it: Saying) -> HabitsCard:
    """Return what is known of somebody's habits."""
    w, habits = say_it.w, view.habits
    by_weekday = weekdays_of(habits)
    title, desc = w.t("person.days"), w.t("person.days.is", n=MAP_DAYS)
    first = max(habits.today - MAP_DAYS + 1, min(habits.known_from, habits.today - LEAST_DAYS + 1))
    active = frozenset(habits.active_days)
    shares = [
        Bar(w.weekday(day), on / of if of else None, w.t("person.of", n=on, of=of), beside="") for day, (on, of) in enumerate(by_weekday)
    ]
    times = [_noon(view.as_of_ms // DAY_MS - COUNT_DAYS + 1 + number) for number in range(COUNT_DAYS)]
    series = Series(w.t("person.actions"), [float(n) for n in habits.events_by_day], area=True)
    return HabitsCard(
        days=twice(lambda size: calendar(size, w, first, habits.today, habits.known_from, active, title=title, desc=desc), *[Size(calendar_width(first, habits.today), 206)] * 2),
        weekdays=twice(lambda size: bars(size.width, shares, title=w.t("By weekday"), desc=w.t("person.weekdays.is")), Size(200, 0), Size(300, 0)),
        actions=twice(
            lambda size: lines(size, Axis(w), UTC, times, [series], title=w.t("person.actions.day"), desc=w.t("person.actions.is", n=COUNT_DAYS)),
            Size(1100, 150), Size(330, 150),
        ),
        heads=[w.t("Weekday"), w.t("person.days.active"), w.t("person.days.all")],
        rows=[[w.weekday(day), w.number(on), w.number(of)] for day, (on, of) in enumerate(by_weekday)],
        action_heads=[w.t("Day"), w.t("person.actions")],
        action_rows=[[w.date(at, UTC), w.number(n)] for at, n in zip(times, habits.events_by_day, strict=True)][::-1],
        about=w.t("person.days.about", n=len(active), of=len(days_known(habits))),
        actions_about=w.t("person.actions.is", n=COUNT_DAYS),
        facts=_facts(view.features, habits, say_it),
    )  # fmt: skip


def days_known(habits: Habits) -> range:
    """Return the days of which it is known whether the person was active."""
    return range(habits.known_from, habits.today + 1)


def weekdays_of(habits: Habits) -> list[tuple[int, int]]:
    """Return (active, known) days of each weekday, Monday first.

    >>> weekdays_of(Habits(today=5, active_days=(4,), known_from=3, events_by_day=(), usual_hour=None, regularity=0.0))
    [(1, 1), (0, 1), (0, 0), (0, 0), (0, 0), (0, 0), (0, 1)]
    """
    counts = [[0, 0] for _ in range(WEEK)]
    active = frozenset(habits.active_days)
    for day in days_known(habits):
        counts[weekday_of(day)][1] += 1
        counts[weekday_of(day)][0] += day in active
    return [(on, of) for on, of in counts]


def _facts(features: Mapping[str, float | None], habits: Habits, say_it: Saying) -> list[Fact]:
    w = say_it.w
    regular = say(ReasonCode("time_of_day", habits.regularity, None, "regularity"), say_it.spec, w.lang)
    facts = [
        Fact(
            w.t("person.hour"),
            w.t("person.hour.about", hour=_clock(habits.usual_hour, say_it)) if habits.usual_hour is not None and habits.regularity >= LEAST_REGULAR else w.t("person.hour.none"),
            f"{regular} · {w.t('person.hour.zone', zone=str(say_it.zone))}",
        )
    ]  # fmt: skip
    pauses = features["gaps"] or 0
    if features["gap_mean_s"] is not None:
        facts.append(Fact(w.t("person.pause"), w.duration(max(60.0, features["gap_mean_s"])), w.t("person.pause.is", n=round(pauses))))
        facts.append(Fact(w.t("person.longest"), w.duration(features["gap_max_s"]), w.t("person.longest.is")))
    visits = features["sessions"] or 0
    length = features["session_mean_s"]
    about = w.t("person.visits.length", duration=w.duration(length)) if length is not None else w.t("person.visits.first")
    facts.append(Fact(w.t("person.visits"), w.number(visits), about))
    return facts


def _clock(hour: float, say_it: Saying) -> str:
    """Write a time of the day to the nearest half hour, which is as exact as it is known."""
    minutes = round(hour * 2) % 48 * 30
    return say_it.w.time(minutes * 60_000, UTC)


def _noon(day: int) -> int:
    return day * DAY_MS + DAY_MS // 2
