"""What became of somebody's alerts? A row for each: when, why, until when, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from insights.past.rows import AlertRow
from insights.web.saying import Saying
from stream.alerts.message import ReasonCode
from stream.alerts.sentences import Unsayable, say
from stream.shown import visible


class Life(NamedTuple):
    """One alert.

    Attributes
    ----------
    flagged, risk, reasons, until, ended : str
        When it was opened, at which risk, why, until when it was valid, and how it ended.
    end : {"open", "returned", "horizon"}
    """

    flagged: str
    risk: str
    band: str
    reasons: list[str]
    until: str
    ended: str
    end: str


def lives_of(alerts: Sequence[AlertRow], say_it: Saying) -> list[Life]:
    """Return the alerts of a person and a definition as they are shown, newest first."""
    return [_life(alert, say_it) for alert in alerts]


def _life(alert: AlertRow, say_it: Saying) -> Life:
    w = say_it.w
    return Life(
        flagged=w.moment(alert.landmark_ms, say_it.zone),
        risk=w.percent(alert.risk),
        band=alert.band,
        reasons=reasons_of(alert, say_it),
        until=w.moment(alert.valid_until_ms, say_it.zone),
        ended=ended_in_words(alert, say_it),
        end=alert.cause or "open",
    )


def ended_in_words(alert: AlertRow, say_it: Saying) -> str:
    """Say how an alert ended, or how long it still lasts; whether somebody really left is said only once it is known."""
    w = say_it.w
    if alert.ended_ms is None:
        left_s = (alert.valid_until_ms - say_it.as_of_ms) / 1000
        return w.t("person.alert.open", duration=w.duration(left_s)) if left_s > 0 else w.t("person.alert.due")
    lasted = w.duration(max(0, alert.ended_ms - alert.landmark_ms) / 1000)
    if alert.cause == "returned":
        return w.t("person.alert.returned", duration=lasted)
    return w.t({True: "person.alert.left", False: "person.alert.stayed", None: "person.alert.horizon"}[alert.really_left], duration=lasted)


def reasons_of(alert: AlertRow, say_it: Saying) -> list[str]:
    """Return why, as sentences: made from the codes, or in English as the message has them where this build has no words for one."""
    codes = _codes(alert) if len(alert.reason_codes) == len(alert.reasons) else []
    if not codes:
        return [visible(reason) for reason in alert.reasons]
    said = []
    for code, english in zip(codes, alert.reasons, strict=True):
        try:
            said.append(visible(say(code, say_it.spec, say_it.w.lang)))
        except Unsayable:
            said.append(visible(english))
    return said


def _codes(alert: AlertRow) -> list[ReasonCode]:
    try:
        return msgspec.convert(alert.reason_codes, list[ReasonCode])
    except msgspec.ValidationError:  # of a build that wrote them otherwise
        return []
