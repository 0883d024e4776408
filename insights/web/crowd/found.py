"""What did an analysis find? Its rows in the long form as plain values, so that the page needs no engine of tables, and as of when they hold.

A row is a mapping with the columns of `insights.analyses.analysis.LONG` and those of its analysis: metric, cohort, k, group, n, value, low, high, state, ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from insights.analyses.plain import Known, Note
from insights.words import Words
from stream.shown import visible

Row = Mapping[str, Any]


class Found(NamedTuple):
    """One answer.

    Attributes
    ----------
    rows : sequence of Row
    as_of : Known
        What was known.
    notes : sequence of Note
    """

    rows: Sequence[Row]
    as_of: Known
    notes: Sequence[Note] = ()

    def of(self, metric: str, **wanted: Any) -> Iterator[Row]:
        """Yield the rows of a metric, in order, of which other columns have a value too."""
        for row in self.rows:
            if row["metric"] == metric and all(row.get(name) == value for name, value in wanted.items()):
                yield row

    def one(self, metric: str, **wanted: Any) -> Row | None:
        """Return the first row of a metric, or None."""
        return next(self.of(metric, **wanted), None)

    @property
    def zone(self) -> ZoneInfo:
        """In which days are counted."""
        return ZoneInfo(self.as_of.zone)


def noon_ms(day: str, zone: ZoneInfo) -> int:
    """Return a time of a day, which every zone's day has, ms; of a month its first day.

    >>> noon_ms("1970-01-02", ZoneInfo("UTC")) == 36 * 3_600_000
    True
    """
    year, month, *rest = (int(part) for part in day[:10].split("-"))
    return round(datetime(year, month, rest[0] if rest else 1, 12, tzinfo=zone).timestamp() * 1000)


def cohort_said(cohort: str, unit: str, w: Words, zone: ZoneInfo) -> str:
    """Say a cohort by its label: the day, the first day of a week, or the month.

    >>> from insights.words import words
    >>> cohort_said("2026-03-02", "week", words("en"), ZoneInfo("UTC")), cohort_said("2026-03", "month", words("zh"), ZoneInfo("UTC"))
    ('Mar 2', '2026年3月')
    """
    at_ms = noon_ms(cohort, zone)
    return w.month(at_ms, zone) if unit == "month" else w.day(at_ms, zone)


def group_said(group: str | None, w: Words) -> str:
    """Say a group of a breakdown: names of events and fields stand as they are.

    >>> from insights.words import words
    >>> group_said("(none)", words("zh")), group_said("ads", words("zh"))
    ('未知', 'ads')
    """
    return w.t(GROUPS[group]) if group in GROUPS else visible(group or "")


def as_of_said(found: Found, w: Words) -> list[str]:
    """Return the sentences under a page: as of when, in which zone and weeks, what came late, what was rejected, and who is in no cohort."""
    known = found.as_of
    if known.watermark is None:
        return [w.t("written.nothing")]
    said = [
        w.t("written.as_of", moment=w.moment(round(known.watermark.timestamp() * 1000), found.zone)),
        w.t("written.zone", zone=known.zone, weekday=w.weekday(WEEK.index(known.week_start))),
    ]
    if known.late or known.rejected:
        said.append(w.t("written.counted", late=known.late, rejected=known.rejected))
    if known.left_censored:
        said.append(w.t("note.left_censored", n=known.left_censored))
    return said


GROUPS: dict[str | None, str] = {"(none)": "crowd.group.none", "other": "crowd.group.other", "(not reached)": "crowd.group.not_reached"}
"""Groups that are no names of anybody's."""
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
