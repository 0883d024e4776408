"""Cards of Today, from answers made by hand: lines by channel, what is to come of open weeks, and open alerts by definition."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from insights.analyses.as_plain import known_of
from insights.history.reader import AsOf
from insights.live.listing import Sums
from insights.past.rows import CameBack
from insights.web.crowd.alerts import OfDefinition, open_alerts
from insights.web.crowd.found import Found
from insights.web.crowd.lost import losses
from insights.web.crowd.outlook import MOST_COHORTS, channels_of, outlook_of
from insights.web.saying import Saying
from insights.words import DASH, words
from tests.insights.past.history import SPEC

W = words("en")
WEEKS = tuple(f"2026-03-{day:02}" for day in (2, 9, 16, 23, 30))


def nobody(name: str, asked: object, row: Any) -> str:
    return f"{name}?{row['k']}"


def found_of(*rows: dict[str, Any]) -> Found:
    empty = {"cohort": None, "k": None, "group": None, "n": 0, "value": None, "low": None, "high": None, "state": "complete"}
    return Found([{**empty, **row} for row in rows], known_of(AsOf(), 0))


def channel(name: str, size: int, share: float) -> list[dict[str, Any]]:
    cell = {"group": name, "n": size, "value": share, "low": share - 0.1, "high": share + 0.1}
    return [
        {"metric": "retention", "k": 0, "cohort": WEEKS[0], **cell},
        *({"metric": "retention", "k": 7, "cohort": week, **cell} for week in WEEKS[:3]),
        {"metric": "overall", "k": 7, **cell},
    ]


def test_the_largest_channel_comes_first_and_each_says_its_share() -> None:
    shown = channels_of(found_of(*channel("mail", 50, 0.2), *channel("ads", 400, 0.4)), W, nobody)
    assert shown is not None
    assert [(one.name, one.share, one.n) for one in shown.rows] == [("ads", "40%", "of 400"), ("mail", "20%", "of 50")]
    assert shown.top == "40%"
    assert all(one.href == "retention?7" and "path" in str(one.line) for one in shown.rows)


def test_one_channel_is_not_told_apart() -> None:
    assert channels_of(found_of(*channel("ads", 400, 0.4)), W, nobody) is None


def test_a_channel_of_which_nothing_is_known_yet_has_a_dash() -> None:
    new = {"metric": "retention", "k": 0, "cohort": WEEKS[4], "group": "new", "n": 9, "value": 1.0}
    shown = channels_of(found_of(*channel("ads", 400, 0.4), new), W, nobody)
    assert shown is not None
    assert [(one.name, one.share, one.href) for one in shown.rows] == [("ads", "40%", "retention?7"), ("new", DASH, "")]


def forecast(week: str, value: float) -> list[dict[str, Any]]:
    cell = {"cohort": week, "k": 1, "n": 100}
    return [
        {"metric": "forecast", **cell, "value": value, "low": value - 0.1, "high": value + 0.1, "state": "open"},
        {"metric": "so_far", **cell, "value": value / 2},
    ]


def test_open_weeks_are_said_newest_first_with_where_they_will_close() -> None:
    weeks = (*WEEKS, "2026-02-23")
    shown = outlook_of(found_of(*(row for at, week in enumerate(weeks) for row in forecast(week, 0.3 + at / 100))), W, nobody)
    assert shown is not None
    assert len(shown.rows) == MOST_COHORTS
    first = shown.rows[0]
    assert (first.cohort, first.so_far, first.forecast, first.sure, first.n) == ("Mar 30", "17%", "34%", W.interval(0.24, 0.44), "of 100")
    assert [one.cohort for one in shown.rows][-1] == "Mar 2"
    assert shown.record == ""


def test_how_right_forecasts_were_is_counted() -> None:
    judged = [
        row
        for week, came in zip(WEEKS, (0.25, 0.2, 0.36, 0.4, None), strict=True)
        for row in ({"metric": "forecast_then", "cohort": week, "k": 1, "value": 0.3, "low": 0.2, "high": 0.36}, {"metric": "came", "cohort": week, "k": 1, "value": came})
    ]  # fmt: skip
    shown = outlook_of(found_of(*forecast(WEEKS[4], 0.3), *judged), W, nobody)
    assert shown is not None
    assert shown.record == W.t("today.outlook.record", n=3, of=4)
    assert outlook_of(found_of(*judged), W, nobody) is None


def test_the_steps_at_which_most_will_be_lost_are_said_with_who_has_left_there() -> None:
    rows = [
        {"metric": metric, "k": k, "step": step, "n": n, "value": value, "low": low, "high": high}
        for k, step, loss in ((2, "cart", 40.4), (1, "view", 7.0))
        for metric, n, value, low, high in (("loss_to_come", 90, loss, loss - 5, loss + 5), ("stopped_here", 120, 120, None, None), ("already_left", 120, 11, None, None))
    ]  # fmt: skip
    shown = losses(found_of(*rows), {"steps": ("view", "cart", "pay")}, "EUR", W, nobody, 1)
    assert [one.nodes for one in shown] == [["cart", "pay"]]
    assert shown[0].said == W.t("crowd.lost.about", n=40)
    assert shown[0].about == W.t("crowd.lost.loss", n=90, low=35, high=45) + W.t("crowd.lost.loss.of", stopped=120, left=11)


@pytest.mark.parametrize(("people", "likely", "back"), [(12, "5 ± 3", "25%"), (0, DASH, DASH)])
def test_open_alerts_of_a_definition_say_how_many_will_leave_and_who_came_back(people: int, likely: str, back: str) -> None:
    sums = Sums(people, 5.2, 2.9, None, 0, 0, {}, [])
    one = OfDefinition("gone", "channel = ads", 7 * 86_400_000, sums, people, CameBack(8 if people else 0, 2 if people else 0))
    (line,) = open_alerts([one], Saying(W, SPEC, UTC, "EUR", 0))
    assert (line.people, line.likely, line.back, line.href) == (str(people), likely, back, "/at-risk?definition=gone")
    assert "channel = ads" in line.about
