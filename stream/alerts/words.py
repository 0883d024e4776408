"""An alert in a few words, for a terminal and wherever else a person reads it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from stream.alerts.message import Alert
from stream.alerts.spoken import Lang
from stream.shown import Part, Styled

WIDTH = len("returned")
_ENDS: dict[str | None, tuple[str, str]] = {"returned": ("returned", "green"), "erased": ("erased", "dim")}
_CHINESE = {"at risk": "有风险", "returned": "已回来", "erased": "已抹除", "gone": "已流失"}


def headline(alert: Alert, lang: Lang = "en") -> list[Part]:
    """Say when, what and who, and for an opened alert how likely it is that the user leaves.

    An alert ends when the user returned, or when its horizon passed without them; then the user is gone. It ends, too, when they are erased.

    >>> from stream.shown import plain
    >>> alert = Alert(alert_id="a", type="opened", cause=None, user="ann", definition="d", risk=0.813, threshold=0.7, horizon_ms=1,
    ... landmark_ms=0, valid_until_ms=1, event_time_ms=0, scored_ms=0, reasons=["No activity for 9.8 days"], model="m", model_version=0,
    ... partition=0, input_offset=0)
    >>> plain(headline(alert))
    '1970-01-01 00:00  at risk   81%  ann'
    >>> plain(headline(alert, "zh"))
    '1970-01-01 00:00  有风险  81%  ann'
    """
    when = f"{datetime.fromtimestamp(alert.event_time_ms / 1000, UTC):%Y-%m-%d %H:%M}  "
    if alert.type == "opened":
        risk = "" if alert.risk is None else f"{min(alert.risk, 0.99):.0%}"
        return [when, Styled(_word("at risk", lang), "bold red"), f"  {risk:>3}  {alert.user}"]
    word, style = _ENDS.get(alert.cause, ("gone", "yellow"))
    return [when, Styled(_word(word, lang), style), f"       {alert.user}"]


def _word(word: str, lang: Lang) -> str:
    """Return a word as wide as all others of its language."""
    return _CHINESE[word] if lang == "zh" else f"{word:<{WIDTH}}"


def because(sentences: Sequence[str], lang: Lang = "en") -> str:
    """Return reasons as sentences in a row; nothing for a resolved alert, which has none.

    >>> because(["No errors lately", "Joined 90 days ago"]), because(["近期没有出错", "90 天前加入"], "zh"), because([])
    ('No errors lately. Joined 90 days ago.', '近期没有出错。90 天前加入。', '')
    """
    stop = "。" if lang == "zh" else ". "
    return "".join(f"{sentence}{stop}" for sentence in sentences).rstrip()
