"""When is somebody usually here? Columns by hour of the day, or a field for each hour of the week."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from insights.charts.colours import heat_name
from insights.charts.measure import width
from insights.charts.plot import labels_below, plot
from insights.charts.scale import Axis
from insights.charts.svg import SMALL, Size, Told, drawing, hit, hits, is_drawable, rect, text, tip
from insights.words import Words

HOURS, DAYS = 24, 7
LEGEND = 26
"""Height of the line that explains the colours, px."""


def hours(size: Size, words: Words, shares: Sequence[float | None], *, title: str, desc: str, name: str) -> Markup:
    """Draw a column for each hour of the day.

    Parameters
    ----------
    size : Size
    words : Words
    shares : sequence of 24 floats or None
        Share of the actions in each hour, 0 to 1.
    title, desc : str
    name : str
        What the shares are of.

    Raises
    ------
    ValueError
        If there are not 24 shares, or one is negative.
    """
    _check(shares, HOURS)
    axis = Axis(words, "share")
    field, grid = plot(size, axis, axis.ticks(shares, 3))
    wide = (field.right - field.left) / HOURS
    places = [field.left + wide * hour for hour in range(HOURS)]
    drawn, fields = [], []
    for hour, (left, share) in enumerate(zip(places, shares, strict=True)):
        if not is_drawable(share):
            continue
        if share > 0:
            top = field.y(share)
            drawn.append(rect(left + 1, top, wide - 2, max(1.0, field.zero - top), "accent"))
        fields.append(hit(left, field.top, wide, field.height, tip(_hour(hour, words), [Told("accent", name, words.percent(share))])))
    named = [(left + wide / 2, words.hour(hour)) for hour, left in enumerate(places) if hour % 3 == 0]
    return drawing(size, "".join([grid, labels_below(size, named, from_first=True), *drawn, hits(fields)]), title=title, desc=desc)


def week(size: Size, words: Words, shares: Sequence[Sequence[float | None]], *, title: str, desc: str, name: str) -> Markup:
    """Draw a field for each hour of each weekday, the darker (in the dark theme: the lighter) the more.

    Parameters
    ----------
    size : Size
    words : Words
    shares : sequence of 7 sequences of 24 floats or None
        Share of the actions, 0 to 1; Monday first.
    title, desc, name : str
        As in `hours`.

    Raises
    ------
    ValueError
        If there are not 7 times 24 shares, or one is negative.
    """
    if len(shares) != DAYS:
        raise ValueError(f"a week has {DAYS} days, got {len(shares)}")
    for of_day in shares:
        _check(of_day, HOURS)
    left = max(width(words.weekday(day), SMALL) for day in range(DAYS)) + 8
    wide, high = (size.width - left) / HOURS, (size.height - LEGEND - 22) / DAYS
    most = max((share for of_day in shares for share in of_day if is_drawable(share)), default=0.0)
    drawn, fields = [], []
    for day, of_day in enumerate(shares):
        top = high * day
        drawn.append(text(left - 8, top + high / 2 + 4, words.weekday(day), anchor="end", size=SMALL))
        for hour, share in enumerate(of_day):
            filled = heat_name(share / most) if is_drawable(share) and most > 0 else "sunken"
            drawn.append(rect(left + wide * hour, top, wide - 1, high - 1, filled))
            if is_drawable(share) and share > 0:
                told = tip(f"{words.weekday(day)} {_hour(hour, words)}", [Told(filled, name, words.percent(share))])
                fields.append(hit(left + wide * hour, top, wide, high, told))
    named = [(left + wide * (hour + 0.5), words.hour(hour)) for hour in range(0, HOURS, 3)]
    lifted = Size(size.width, size.height - LEGEND)
    return drawing(
        size,
        "".join([*drawn, labels_below(lifted, named, from_first=True), *_legend(left, size, most, words), hits(fields)]),
        title=title,
        desc=desc,
    )


def _legend(left: float, size: Size, most: float, words: Words) -> Iterator[str]:
    """Yield the scale of colours from nothing to the most."""
    top = size.height - 14
    none, full = words.percent(0.0), words.percent(most)
    yield text(left, top + 9, none, size=SMALL)
    start = left + width(none, SMALL) + 6
    for step in range(5):
        yield rect(start + 18 * step, top, 17, 10, heat_name(step / 4))
    yield text(start + 96, top + 9, full, size=SMALL)


def _hour(hour: int, words: Words) -> str:
    return f"{words.hour(hour)}–{words.hour((hour + 1) % HOURS)}"  # noqa: RUF001 - an en dash is meant


def _check(shares: Sequence[float | None], wanted: int) -> None:
    if len(shares) != wanted:
        raise ValueError(f"a day has {wanted} hours, got {len(shares)}")
    if any(is_drawable(share) and share < 0 for share in shares):
        raise ValueError("a share must not be negative")
