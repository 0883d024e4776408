"""What changed since the last report, in words: people as they are counted, shares only where they surely differ, and what was restated."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

from insights.web.crowd.found import cohort_said
from insights.web.intervals import difference_of
from insights.web.report.figures import KINDS, LESS_IS_GOOD, Figure, Figures
from insights.words import Words


class Change(NamedTuple):
    """One sentence; `up` says whether it went up, `good` whether that is good; both are None where it did neither."""

    said: str
    up: bool | None = None
    good: bool | None = None

    @property
    def sign(self) -> str:
        """What stands before it."""
        return "·" if self.up is None else "▲" if self.up else "▼"


class Since(NamedTuple):
    """What both reports are of.

    Attributes
    ----------
    before, now : str
        Their days, as in 2026-11-27.
    currency : str
        ISO 4217.
    zone : ZoneInfo
        In which days are counted.
    """

    before: str
    now: str
    currency: str
    zone: ZoneInfo


def changes(before: Figures, now: Figures, since: Since, w: Words) -> list[Change]:
    """Return a sentence for each figure that changed, in the order of `KINDS`, and a last one that names those which did not.

    A figure that only one of both reports knows has not changed: nothing is said of it. Nor of a week that both reports tell alike.
    """
    told, same = [], []
    for name in KINDS:
        if name not in before or name not in now:
            continue
        change = _change(name, before[name], now[name], since, w)
        if change is not None:
            told.append(change)
        elif not now[name].cohort or now[name].cohort != before[name].cohort:
            same.append(w.t(f"report.{name}"))
    return [*told, *([Change(w.t("report.same", names=w.list_of(same)))] if same else [])]


def _change(name: str, was: Figure, now: Figure, since: Since, w: Words) -> Change | None:
    kind, differs = KINDS[name], now.value - was.value
    if now.cohort and now.cohort == was.cohort:
        if abs(differs) < 1e-9:
            return None
        values = {"what": w.t(f"report.{name}"), "cohort": _cohort(name, now, since, w)}
        return Change(w.t("report.restated", **values, now=_value(name, now, since, w), was=_value(name, was, since, w)))
    if kind == "share":
        if not _surely(was, now):
            return None
    elif not differs:
        return None
    direction = "more" if differs > 0 else "fewer"
    values = {"what": w.t(f"report.{name}"), "now": _value(name, now, since, w), "was": _value(name, was, since, w)}
    if kind == "share":
        values["n"] = w.number(abs(differs) * 100)
    else:
        values["n"] = w.money(abs(differs), since.currency) if kind == "money" else w.number(abs(differs))
    if now.cohort:
        values |= {"cohort": _cohort(name, now, since, w), "before": _cohort(name, was, since, w)}
        key = f"report.{'share' if kind == 'share' else 'week'}.{direction}"
    else:
        values["ago"] = ago(since.before, since.now, w)
        key = f"report.{kind}.{direction}"
    return Change(w.t(key, **values), differs > 0, (differs > 0) is not (name in LESS_IS_GOOD))


def _surely(was: Figure, now: Figure) -> bool:
    """Whether two shares differ beyond chance, at 95%."""
    found = difference_of(now.count, now.n, was.count, was.n)
    return found is not None and not found[1] <= 0 <= found[2]


def _value(name: str, figure: Figure, since: Since, w: Words) -> str:
    match KINDS[name]:
        case "share":
            return w.percent(figure.value)
        case "money":
            return w.money(figure.value, since.currency)
        case _:
            return w.number(figure.value)


def _cohort(name: str, figure: Figure, since: Since, w: Words) -> str:
    """Say the week or the day that a figure is of: rates from day to day are of a day, all others of a week."""
    said = cohort_said(figure.cohort, "day", w, since.zone)
    return said if name.endswith("rr") else w.t("report.week", day=said)


def ago(before: str, now: str, w: Words) -> str:
    """Say how long one day was before another.

    >>> from insights.words import words
    >>> [ago(before, "2026-03-15", words("en")) for before in ("2026-03-14", "2026-03-08", "2026-03-01", "2026-03-10")]
    ['a day ago', 'a week ago', '2 weeks ago', '5 days ago']
    >>> ago("2026-03-08", "2026-03-15", words("zh"))
    '一周前'
    """
    days = (date.fromisoformat(now) - date.fromisoformat(before)).days
    if days in {1, 7}:
        return w.t("report.ago.day" if days == 1 else "report.ago.week")
    return w.t("report.ago.weeks", n=days // 7) if days % 7 == 0 else w.t("report.ago.days", n=days)
