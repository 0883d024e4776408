"""Whom may somebody look for who has typed no id yet? Those whose alerts were opened last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from insights.past.rows import AlertRow
from insights.web.person.address import person_link
from insights.web.saying import Saying
from stream.shown import visible


class Recent(NamedTuple):
    """A person who was flagged of late: their id as it is shown, the address of their page, and how high their risk is since when."""

    user: str
    link: str
    said: str


def recent_of(alerts: Sequence[AlertRow], most: int, say_it: Saying) -> list[Recent]:
    """Return those who were flagged last, each once.

    Parameters
    ----------
    alerts : sequence of AlertRow
        Open ones, newest first.
    """
    w = say_it.w
    once = list({alert.user: alert for alert in reversed(alerts)}.values())[::-1]
    return [
        Recent(
            visible(one.user),
            person_link(one.user),
            w.t("person.recent.row", risk=w.percent(one.risk), ago=w.ago(one.landmark_ms, say_it.as_of_ms)),
        )
        for one in once[:most]
    ]
