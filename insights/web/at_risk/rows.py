"""How is one person on the list shown? Everything in the reader's language; what strangers wrote is made visible, and is escaped by the template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from insights.charts.small import bar, spark
from insights.live.board import Listed
from insights.live.people import NO_CHANNEL, OTHER
from insights.past.bands import BandName
from insights.past.rows import AlertRow
from insights.web.person.address import person_link
from insights.web.saying import Saying
from insights.words import DASH, Words
from stream.alerts.sentences import Unsayable, say
from stream.shown import visible


class Row(NamedTuple):
    """One person.

    Attributes
    ----------
    alert_id : str
        Names the row to the script and to a selection.
    user, link : str
        The person's id as it is shown, and the address of their page.
    band_name : str
        The band in words.
    line : Markup
        The risk of the last 14 days.
    reason, others : str
        The strongest reason, and the others in a row.
    active, left, flagged : str
        When they were last active, how long the alert still lasts, when it was opened.
    """

    alert_id: str
    user: str
    link: str
    channel: str
    risk: str
    band: BandName
    band_name: str
    bar: Markup
    line: Markup
    reason: str
    others: str
    value: str
    active: str
    left: str
    flagged: str


def row_of(row: Listed, risks: Sequence[float | None], say_it: Saying) -> Row:
    """Return a person as they are shown.

    Parameters
    ----------
    risks : sequence of float or None
        Their risk on each of the last 14 days, the oldest first.
    """
    w, alert = say_it.w, row.alert
    left_s = (alert.valid_until_ms - say_it.as_of_ms) / 1000
    active_ms = row.known.last_active_ms
    first, *others = reasons_said(alert, say_it) or [DASH]
    return Row(
        alert_id=alert.alert_id,
        user=visible(alert.user),
        link=person_link(alert.user),
        channel=channel_named(row.known.channel, w),
        risk=w.percent(row.risk),
        band=row.band,
        band_name=w.t(f"band.{row.band}"),
        bar=bar(row.risk, row.band),
        line=spark(risks, row.band),
        reason=first,
        others=" · ".join(others),
        value=w.money(row.value, say_it.currency),
        active=DASH if active_ms is None else w.ago(active_ms, say_it.as_of_ms),
        left=w.duration(left_s) if left_s > 0 else w.t("at_risk.left.none"),
        flagged=w.moment(alert.landmark_ms, say_it.zone),
    )


def channel_named(channel: str, w: Words) -> str:
    """Return a channel as it is shown: names that the settings have stand as they are."""
    return w.t({OTHER: "Other channel", NO_CHANNEL: "Channel not known"}[channel]) if channel in {OTHER, NO_CHANNEL} else visible(channel)


def reasons_said(alert: AlertRow, say_it: Saying) -> list[str]:
    """Return the reasons as sentences: made from their codes, or as the message has them in English where this build has no words for one."""
    if len(alert.reason_codes) != len(alert.reasons):
        return [visible(reason) for reason in alert.reasons]
    said = []
    for code, english in zip(alert.reason_codes, alert.reasons, strict=True):
        try:
            said.append(visible(say(code, say_it.spec, say_it.w.lang)))
        except Unsayable:
            said.append(visible(english))
    return said


def topic_said(topic: str, say_it: Saying) -> str:
    """Return what a reason is about; a key event is named."""
    kind, _, slot = topic.partition(" ")
    if kind == "key" and slot.isdigit():
        names = say_it.spec.key_events
        return say_it.w.t("reason.key", event=visible(names[int(slot)])) if int(slot) < len(names) else visible(topic)
    return say_it.w.t(f"reason.{topic}")
