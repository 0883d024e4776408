"""What is said beside a table: as of when and where, what is marked, what was left out."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from insights.analyses.plain import Found
from insights.analyses.units import WEEK_STARTS
from insights.words.language import Words
from insights.written.tables import OPEN, Table


def lines_under(found: Found, tables: list[Table], words: Words) -> list[str]:
    """Return the lines under the tables of a result, the line as of when first."""
    as_of = found.as_of
    if as_of.watermark is None:
        when = words.t("written.nothing")
    else:
        when = words.t("written.as_of", moment=words.moment(int(as_of.watermark.timestamp() * 1000), ZoneInfo(as_of.zone)))
    where = words.t("written.zone", zone=as_of.zone, weekday=words.weekday(WEEK_STARTS.index(as_of.week_start)))
    lines = [f"{when} {where}" if words.lang == "en" else f"{when}{where}"]
    if as_of.late or as_of.rejected:
        lines.append(words.t("written.counted", late=as_of.late, rejected=as_of.rejected))
    if not any(table.rows for table in tables):
        lines.append(words.t("written.empty"))
    lines += [words.t(note.key, **note.values) for note in found.notes]
    if any(cell.is_open for table in tables for row in table.rows for cell in row):
        lines.append(words.t("written.open", mark=OPEN))
    hidden = sum(table.hidden for table in tables)
    if hidden:
        lines.append(words.t("written.hidden", n=hidden))
    return lines
