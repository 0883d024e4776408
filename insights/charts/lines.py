"""How did something go, day by day or step by step? Lines with intervals, what is not known yet, and what happened on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, tzinfo
from typing import NamedTuple

from markupsafe import Markup

from insights.charts.marks import ROW, Extras, Mark, key_drawn, level_drawn, marks_drawn, spans_drawn
from insights.charts.measure import width
from insights.charts.names import Name, names_drawn, room_for
from insights.charts.plot import Plot, labels_below, nothing, plot
from insights.charts.scale import Axis, Scale
from insights.charts.series import Series, area, band, curve
from insights.charts.svg import SMALL, Size, Told, drawing, hit, hits, tip
from insights.words import Words

MOST = 5
"""Most lines in one chart: more cannot be told apart."""
MOST_BANDS = 3
"""Most lines whose intervals are tinted: of more one cannot see which is whose; the pointer tells them."""


class Along(NamedTuple):
    """What stands along the bottom: the place of each value, in rising order, its heading under the pointer, and which places have a label."""

    places: Sequence[float]
    heads: Sequence[str]
    below: Sequence[tuple[float, str]]
    from_first: bool = False


def lines(
    size: Size,
    axis: Axis,
    zone: tzinfo,
    times_ms: Sequence[int],
    series: Sequence[Series],
    *,
    title: str,
    desc: str,
    extras: Extras | None = None,
) -> Markup:
    """Draw up to five lines over the same times.

    Parameters
    ----------
    size : Size
    axis : Axis
        What the values are, and in which language they are written.
    zone : tzinfo
        Time zone of the days below.
    times_ms : sequence of int
        Event times in rising order, ms since the epoch; each series has a value for each.
    series : sequence of Series
    title, desc : str
        Name of the chart, and what it shows.
    extras : Extras, optional

    Raises
    ------
    ValueError
        If there are more than five series, or one has another number of values than there are times.
    """
    words = axis.words
    days = [(float(time), words.day(time, zone)) for time in _days(times_ms, words, zone)]
    return _drawn(
        size, axis, Along(times_ms, [words.date(time, zone) for time in times_ms], days), series, title, desc, extras or Extras(), zone
    )


def curves(size: Size, axis: Axis, labels: Sequence[str], series: Sequence[Series], *, title: str, desc: str) -> Markup:
    """Draw up to five lines over the same steps, such as the weeks after people came.

    Parameters
    ----------
    labels : sequence of str
        What each step is called; each series has a value for each.

    Raises
    ------
    ValueError
        As `lines`.
    """
    along = Along(range(len(labels)), labels, list(enumerate(labels)), from_first=True)
    return _drawn(size, axis, along, series, title, desc, Extras(), UTC)


def _drawn(size: Size, axis: Axis, along: Along, series: Sequence[Series], title: str, desc: str, more: Extras, zone: tzinfo) -> Markup:
    _check(along.places, series)
    level = None if more.level is None else more.level.value
    steps = axis.ticks([*(value for one in series for value in (*one.values, *one.low, *one.high)), level], 4 if size.height > 150 else 3)
    named = len(series) > 1
    last = along.below[-1][1] if along.below else ""
    field, grid = plot(
        size,
        axis,
        steps,
        right=room_for([one.name for one in series], size) if named else 4 + (width(last, SMALL) / 2 if last else 10),
        top=ROW + 12 if more.has_key else 12,
    )
    x = _scale(along.places, field)
    at = [x(place) for place in along.places]
    if not any(one.last() for one in series):
        return drawing(size, nothing(size, axis.words), title=title, desc=desc)
    ends = [Name(field.y(end[1]), one.name, one.colour) for one in series if (end := one.last()) is not None]
    return drawing(
        size,
        "".join([
            spans_drawn(more.spans, x, field),
            grid,
            labels_below(size, [(x(place), label) for place, label in along.below], from_first=along.from_first),
            *(band(one, at, field.y, 0.16 if len(series) == 1 else 0.08) for one in series if one.low and len(series) <= MOST_BANDS),
            *(area(one, at, field) for one in series if one.area),
            level_drawn(more.level, field),
            *(curve(one, at, field.y) for one in series),
            *(marks_drawn(more.marks, one, along.places, x, field) for one in series[:1]),
            key_drawn(more, field.left, size),
            names_drawn(ends, field.right, size) if named else "",
            hits(_fields(along, at, series, field, axis, zone, more.marks)),
        ]),
        title=title,
        desc=desc,
    )  # fmt: skip


def _check(places: Sequence[float], series: Sequence[Series]) -> None:
    if len(series) > MOST:
        raise ValueError(f"a chart has at most {MOST} lines, got {len(series)}: leave out some, or draw several charts")
    for one in series:
        lengths = {len(part) for part in (one.low, one.high, one.known) if len(part)} | {len(one.values)}
        if lengths != {len(places)}:
            raise ValueError(f"{one.name!r} must have a value for each of the {len(places)} times, has {sorted(lengths)}")


def _scale(places: Sequence[float], field: Plot) -> Scale:
    """Return where a place stands; a single one stands in the middle."""
    if len(places) < 2:
        middle = places[0] if places else 0
        return Scale(middle - 1, middle + 1, field.left, field.right)
    return Scale(places[0], places[-1], field.left, field.right)


def _days(times_ms: Sequence[int], words: Words, zone: tzinfo) -> Iterator[int]:
    """Yield the last time of each day."""
    days = [words.day(time, zone) for time in times_ms]
    for number, time in enumerate(times_ms):
        if number + 1 == len(days) or days[number + 1] != days[number]:
            yield time


def _fields(
    along: Along, at: Sequence[float], series: Sequence[Series], field: Plot, axis: Axis, zone: tzinfo, marks: Sequence[Mark]
) -> Iterator[str]:
    """Yield a field for each place, from half-way to the one before to half-way to the next; it tells of the marks up to the next one."""
    last = len(at) - 1
    for number, (time, place) in enumerate(zip(along.places, at, strict=True)):
        start = (at[number - 1] + place) / 2 if number else field.left
        end = (at[number + 1] + place) / 2 if number < last else field.right
        told = [Told(one.colour, one.name, said) for one in series if (said := one.said(number, axis))]
        told += [
            Told(mark.colour, mark.name, axis.words.time(mark.at_ms, zone))
            for mark in marks
            if (time <= mark.at_ms or number == 0) and (number == last or mark.at_ms < along.places[number + 1])
        ]
        if told:
            yield hit(start, field.top, end - start, field.height, tip(along.heads[number], told))
