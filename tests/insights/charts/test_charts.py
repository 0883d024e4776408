"""Whatever the numbers and whatever strangers write: a chart is well-formed, lies within its view box, and shows text as text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from insights.charts.bars import Bar, bars
from insights.charts.calibration import Judged, calibration
from insights.charts.colours import COLOURS
from insights.charts.columns import Counts, columns
from insights.charts.habits import hours, week
from insights.charts.heading import with_heading
from insights.charts.level import JudgedDay, level
from insights.charts.lines import curves, lines
from insights.charts.marks import Extras, Level, Mark, Span
from insights.charts.measure import shortened, width
from insights.charts.quadrants import Corners, Point, quadrants
from insights.charts.scale import Axis
from insights.charts.series import Series
from insights.charts.small import bar, meter, spark
from insights.charts.svg import Size, twice
from insights.charts.ways import Way, ways
from insights.charts.whiskers import Whisker, whiskers
from insights.words import words
from stream.shown import visible
from tests.insights.charts.reading import ATTRIBUTES, TAGS, elements, parsed, points, tag, texts, tips

DAY = 86_400_000
NOW = 1_795_766_400_000
EN, ZH = words("en"), words("zh")
WORDS = st.sampled_from([EN, ZH])
SIZES = st.sampled_from([Size(240, 130), Size(340, 150), Size(880, 240)])
ANY = st.one_of(st.none(), st.floats(), st.integers(-5, 1000).map(float), st.floats(0, 1))
COUNT = st.one_of(st.none(), st.just(float("nan")), st.floats(0), st.integers(0, 40).map(float))
SHARE = st.one_of(st.none(), st.just(float("nan")), st.floats(0, 1), st.floats(0, 1e-9), st.just(1e300))
NAME = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["<script>alert(1)</script>", '"><b onload=x>', "a\x00\u202eb", "社交媒体" * 9, "]]>&amp;", "{n}", "🙂" * 9]),
)
COLOUR = st.sampled_from(sorted(COLOURS))


@st.composite
def days(draw: Any) -> list[int]:
    steps = draw(st.lists(st.integers(1, 5 * DAY), max_size=12))
    times = [NOW]
    for step in steps:
        times.append(times[-1] + step)
    return times[: draw(st.integers(0, len(times)))]


def some(draw: Any, values: Any, n: int) -> list[Any]:
    """Draw n values, few of them different, so that the search is quick."""
    few = draw(st.lists(values, min_size=1, max_size=6))
    return [few[number % len(few)] for number in range(n)]


@st.composite
def a_series(draw: Any, n: int) -> Series:
    with_interval = draw(st.booleans())
    return Series(
        draw(NAME), some(draw, ANY, n), draw(COLOUR), some(draw, ANY, n) if with_interval else (), some(draw, ANY, n) if with_interval else (),
        some(draw, st.booleans(), n) if draw(st.booleans()) else (), draw(st.booleans()), draw(st.booleans()),
    )  # fmt: skip


@st.composite
def some_lines(draw: Any) -> Markup:
    times = draw(days())
    series = [draw(a_series(len(times))) for _ in range(draw(st.integers(0, 5)))]
    at = st.integers(NOW - DAY, NOW + 200 * DAY)
    extras = Extras(
        draw(st.lists(st.builds(Mark, at, NAME, COLOUR, st.sampled_from(["up", "ring", "cross"])), max_size=4)),
        draw(st.lists(st.builds(Span, at, at, COLOUR), max_size=2)),
        draw(st.one_of(st.none(), st.builds(Level, st.one_of(st.floats(), st.floats(0, 1)), NAME))),
    )
    axis = Axis(draw(WORDS), draw(st.sampled_from(["count", "share", "number"])), draw(st.sampled_from([None, 1.0])))
    return lines(
        draw(SIZES),
        axis,
        draw(st.sampled_from([UTC, ZoneInfo("Asia/Shanghai")])),
        times,
        series,
        title=draw(NAME),
        desc=draw(NAME),
        extras=extras,
    )


@st.composite
def some_columns(draw: Any) -> Markup:
    times = draw(days())
    known = st.booleans()
    up, down = (
        [
            Counts(draw(NAME), draw(COLOUR), some(draw, COUNT, len(times)), some(draw, known, len(times)) if draw(known) else ())
            for _ in range(n)
        ]
        for n in (draw(st.integers(1, 3)), draw(st.integers(1, 2)))
    )
    return columns(draw(SIZES), draw(WORDS), UTC, times, up, down, title=draw(NAME), desc=draw(NAME))


@st.composite
def some_curves(draw: Any) -> Markup:
    labels = draw(st.lists(NAME, max_size=12))
    series = [draw(a_series(len(labels))) for _ in range(draw(st.integers(0, 5)))]
    return curves(draw(SIZES), Axis(draw(WORDS), "share"), labels, series, title=draw(NAME), desc=draw(NAME))


@st.composite
def some_whiskers(draw: Any) -> Markup:
    rows = draw(st.lists(st.builds(Whisker, NAME, SHARE, SHARE, SHARE, st.sampled_from(["", "of 1,234", "共 12 人"]), COLOUR), max_size=5))
    axis = Axis(draw(WORDS), draw(st.sampled_from(["count", "share", "number"])))
    return whiskers(draw(st.sampled_from([330, 370, 600])), axis, rows, title=draw(NAME), desc=draw(NAME))


@st.composite
def some_ways(draw: Any) -> Markup:
    name = st.sampled_from(["open", "view", "社交媒体" * 5, "<b>", "silence"])
    links = draw(st.lists(st.builds(Way, st.integers(-1, 6), name, name, COUNT, NAME, st.booleans()), max_size=12))
    heads = draw(st.lists(st.sampled_from(["Step 1", "步骤 1"]), min_size=1, max_size=5))
    return ways(draw(st.sampled_from([Size(330, 340), Size(1140, 420)])), draw(WORDS), links, heads, title=draw(NAME), desc=draw(NAME))


@st.composite
def some_quadrants(draw: Any) -> Markup:
    value = st.one_of(st.none(), st.floats(-100, 100), st.just(float("nan")))
    points = draw(st.lists(st.builds(Point, NAME, SHARE, value, value, value, COLOUR, st.just((("n", "3"),))), max_size=8))
    size, corners = draw(st.sampled_from([Size(330, 340), Size(1140, 420)])), Corners("few", "刚需", "idle", "many")
    return quadrants(size, draw(WORDS), points, draw(st.floats(0, 1)), corners, "across", "up", title=draw(NAME), desc=draw(NAME))


@st.composite
def some_bars(draw: Any) -> Markup:
    rows = draw(st.lists(st.builds(Bar, NAME, ANY, NAME, COLOUR, NAME), max_size=5))
    return bars(draw(st.sampled_from([240, 340, 600])), rows, title=draw(NAME), desc=draw(NAME))


@st.composite
def some_calibration(draw: Any) -> Markup:
    rows = draw(st.lists(st.builds(Judged, NAME, SHARE, SHARE, SHARE, SHARE, st.integers(0, 10**9), COLOUR), max_size=7))
    return calibration(Size(draw(st.sampled_from([240, 420])), 280), draw(WORDS), rows, title=draw(NAME), desc=draw(NAME))


@st.composite
def some_hours(draw: Any) -> Markup:
    shares = some(draw, COUNT, 24)
    return hours(draw(SIZES), draw(WORDS), shares, title=draw(NAME), desc=draw(NAME), name=draw(NAME))


@st.composite
def a_week(draw: Any) -> Markup:
    shares = [some(draw, COUNT, 24) for _ in range(2)] * 3 + [[0.0] * 24]
    return week(Size(draw(st.sampled_from([240, 340, 600])), 220), draw(WORDS), shares, title=draw(NAME), desc=draw(NAME), name=draw(NAME))


@st.composite
def some_level(draw: Any) -> Markup:
    rows = [JudgedDay(time, draw(SHARE), draw(SHARE), draw(SHARE), draw(SHARE), draw(st.booleans())) for time in draw(days())]
    return level(draw(SIZES), draw(WORDS), UTC, rows, title=draw(NAME), desc=draw(NAME))


CHARTS: dict[str, Callable[[], st.SearchStrategy[Markup]]] = {
    "lines": some_lines, "columns": some_columns, "bars": some_bars, "calibration": some_calibration, "hours": some_hours, "week": a_week, "level": some_level,
    "curves": some_curves, "whiskers": some_whiskers, "ways": some_ways, "quadrants": some_quadrants,
}  # fmt: skip


def faults_of(chart: str) -> list[str]:
    """What is wrong with a drawing of ours."""
    root = parsed(chart)
    wide, high = (float(one) for one in root.attrib["viewBox"].split()[2:])
    faults = [f"a point outside: {point}" for point in points(root) if not (-1 <= point.x <= wide + 1 and -1 <= point.y <= high + 1)]
    for one in elements(root):
        faults += [f"a foreign element {one.tag}"] if tag(one) not in TAGS else []
        faults += [f"a foreign attribute {name}" for name in one.attrib if name not in ATTRIBUTES]
        faults += [f"a colour without a name: {one.get(name)}" for name in ("fill", "stroke") if not _is_named(one.get(name))]
        if tag(one) == "text":
            start = float(one.get("x", 0)) - width(one.text or "", float(one.get("font-size", 12))) * {"middle": 0.5, "end": 1}.get(
                one.get("text-anchor", ""), 0
            )
            if start < -2 or start + width(one.text or "", float(one.get("font-size", 12))) > wide + 2:
                faults.append(f"a text that leaves the drawing: {one.text}")
    return faults


def _is_named(value: str | None) -> bool:
    return value in {None, "none"} or (value.startswith("var(--") and value[6:-1] in COLOURS | {f"h{step}": "" for step in range(21)})  # type: ignore[union-attr]


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_of_any_numbers_lies_within_its_view_box(name: str) -> None:
    @settings(max_examples=40)
    @given(CHARTS[name]())
    def sound(chart: Markup) -> None:
        assert not faults_of(chart)
        root = parsed(chart)
        assert root.get("role") == "img"
        assert [tag(child) for child in root][:2] == ["title", "desc"]

    sound()


@pytest.mark.parametrize(
    "bad",
    [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50"><path d="M0 0L120 9"/></svg>',
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50"><g transform="translate(90 0)"><circle cx="20" cy="9" r="1"/></g></svg>',
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50"><text x="90" y="9">far too long</text></svg>',
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50"><script/></svg>',
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50"><rect style="fill:red"/></svg>',
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50"><rect fill="#ff0000"/></svg>',
    ],
)
def test_an_unsound_drawing_is_seen(bad: str) -> None:
    assert faults_of(bad)


@given(NAME, NAME, WORDS)
def test_what_strangers_write_stays_text(name: str, title: str, lang: Any) -> None:
    chart = bars(600, [Bar(name, 0.5, name)], title=title, desc=name)
    root = parsed(chart)
    said = visible(name)
    assert said in tips(chart)[0].split("\n")[0] or not said
    assert root.get("aria-label") == visible(title)
    assert any(text == said or (text.endswith("…") and said.startswith(text[:-1])) for text in texts(root))


@given(st.text(max_size=30), st.floats(0, 300))
def test_a_shortened_text_fits_or_is_one_sign(text: str, room: float) -> None:
    short, shown = shortened(text, room), visible(text)
    assert short == shown or width(short) <= room or len(short) <= 2
    assert short == shown or short.endswith("…")


@given(st.lists(ANY, max_size=20), COLOUR)
def test_small_charts_are_sound_and_silent(values: list[float | None], colour: str) -> None:
    for chart in (spark(values, colour), bar(values[0] if values else None, colour)):
        root = parsed(chart)
        assert root.get("aria-hidden") == "true"
        assert {tag(one) for one in elements(root)} <= TAGS
    for point in points(parsed(spark(values, colour))):
        assert 0 <= point.x <= 72
        assert 0 <= point.y <= 22


def test_a_bar_is_as_long_as_its_share() -> None:
    widths = [[one.get("width") for one in parsed(bar(share))] for share in (0, 0.25, 2)]
    assert widths == [["100%"], ["100%", "8", "25%"], ["100%", "8", "100%"]]
    assert [one.get("width") for one in parsed(meter(1310, 2048))][-1] == "64%"
    with pytest.raises(ValueError, match="positive"):
        meter(1, 0)


def test_a_chart_is_drawn_for_a_wide_and_a_narrow_place() -> None:
    drawn = twice(lambda size: bars(size.width, [Bar("a", 0.5, "50%")], title="t", desc="d"), Size(600, 0), Size(330, 0))
    assert [parsed(one).get("width") for one in drawn] == ["600", "330"]


def test_too_many_lines_and_missing_values_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 5 lines"):
        lines(Size(400, 200), Axis(EN), UTC, [NOW], [Series(str(n), [1]) for n in range(6)], title="", desc="")
    with pytest.raises(ValueError, match="a value for each"):
        lines(Size(400, 200), Axis(EN), UTC, [NOW, NOW + 1], [Series("a", [1])], title="", desc="")
    with pytest.raises(ValueError, match="a value for each"):
        lines(Size(400, 200), Axis(EN), UTC, [NOW], [Series("a", [1], low=[1, 2], high=[1, 2])], title="", desc="")
    with pytest.raises(ValueError, match="negative"):
        columns(Size(400, 200), EN, UTC, [NOW], [Counts("a", "high", [-1])], [Counts("b", "good", [1])], title="", desc="")
    with pytest.raises(ValueError, match="24 hours"):
        hours(Size(400, 200), EN, [1.0], title="", desc="", name="")
    with pytest.raises(ValueError, match="7 days"):
        week(Size(400, 200), EN, [], title="", desc="", name="")


def week_of_lines(known: list[bool], lang: Any = EN) -> Markup:
    times = [NOW + day * DAY for day in range(7)]
    series = Series("open", [1, 2, None, 4, 5, 6, 7], low=[0.5] * 7, high=[8] * 7, known=known)
    return lines(Size(600, 200), Axis(lang), UTC, times, [series], title="t", desc="d")


def test_what_is_not_known_yet_is_dashed_and_hollow() -> None:
    chart = week_of_lines([True] * 5 + [False] * 2)
    all_known, open_end = parsed(week_of_lines([True] * 7)), parsed(chart)
    assert not [one for one in all_known.iter() if one.get("stroke-dasharray")]
    assert len([one for one in open_end.iter() if one.get("stroke-dasharray")]) == 1
    assert len([one for one in open_end.iter() if tag(one) == "circle" and one.get("fill") == "var(--surface)"]) == 2
    assert tips(chart)[-1] == "Dec 3, 2026\naccent\topen\t7 (0.5–8), not known yet"  # noqa: RUF001 - an en dash is meant


def test_a_day_without_a_value_is_a_gap_and_tells_nothing() -> None:
    chart = week_of_lines([True] * 7)
    strokes = [one for one in parsed(chart).iter() if tag(one) == "path" and one.get("stroke-width") == "2"]
    assert len(strokes) == 2
    assert len(tips(chart)) == 6


def test_numbers_and_days_are_written_in_the_language_asked_for() -> None:
    said = texts(parsed(week_of_lines([True] * 7, ZH)))
    assert "12月3日" in said
    assert tips(week_of_lines([False] * 7, ZH))[0].endswith("，尚不可知")  # noqa: RUF001 - Chinese punctuation


def test_marks_and_a_level_are_explained_above_the_field() -> None:
    times = [NOW + day * DAY for day in range(7)]
    extras = Extras(
        [Mark(NOW + DAY, "alert opened", "high"), Mark(NOW + 5 * DAY // 2, "came back", "good", "ring")], level=Level(0.7, "threshold 70%")
    )
    chart = lines(Size(600, 200), Axis(EN, "share", 1.0), UTC, times, [Series("Risk", [0.5] * 7)], title="t", desc="d", extras=extras)
    assert {"alert opened", "came back", "threshold 70%"} <= set(texts(parsed(chart)))
    assert "high\talert opened\t08:00" in tips(chart)[1]
    assert "good\tcame back\t20:00" in tips(chart)[2]


def test_columns_go_up_and_down_from_one_line() -> None:
    chart = parsed(
        columns(Size(600, 200), EN, UTC, [NOW], [Counts("flagged", "high", [30])], [Counts("came back", "good", [10])], title="t", desc="d")
    )
    up, down = (
        next(one for one in chart.iter() if tag(one) == "rect" and one.get("fill") == f"var(--{name})") for name in ("high", "good")
    )
    assert float(up.get("y", 0)) + float(up.get("height", 0)) == pytest.approx(float(down.get("y", 0)), abs=0.11)
    assert float(up.get("height", 0)) == pytest.approx(3 * float(down.get("height", 0)), abs=0.5)
    assert "-10" not in texts(chart)


def test_a_point_on_the_diagonal_is_exactly_right() -> None:
    chart = calibration(Size(420, 320), EN, [Judged("High", 0.5, 0.5, 0.4, 0.6, 171, "high")], title="t", desc="d")
    root = parsed(chart)
    circle = next(one for one in root.iter() if tag(one) == "circle")
    diagonal = next(one for one in root.iter() if tag(one) == "path" and one.get("stroke") == "var(--ink3)")
    (x0, y0), (x1, y1) = [(point.x, point.y) for point in points(diagonal)]
    assert float(circle.get("cx", 0)) == pytest.approx((x0 + x1) / 2, abs=0.1)
    assert float(circle.get("cy", 0)) == pytest.approx((y0 + y1) / 2, abs=0.1)
    assert "High, 171 people" in texts(root)
    assert "high\treally left\t50% (40–60%)" in tips(chart)[0]  # noqa: RUF001 - an en dash is meant


def test_the_busiest_hour_of_a_week_has_the_deepest_colour() -> None:
    shares = [[0.0] * 24 for _ in range(7)]
    shares[2][9] = 0.6
    shares[5][20] = 0.3
    chart = week(Size(600, 220), EN, shares, title="t", desc="d", name="share")
    assert [tip.split("\n")[0] for tip in tips(chart)] == ["Wed 09:00–10:00", "Sat 20:00–21:00"]  # noqa: RUF001 - an en dash is meant
    assert [tip.split("\n")[1].split("\t")[0] for tip in tips(chart)] == ["h20", "h10"]


def test_labels_below_do_not_overlap_and_end_with_the_last_day() -> None:
    for n in (2, 14, 42, 90):
        times = [NOW + day * DAY for day in range(n)]
        chart = parsed(lines(Size(340, 150), Axis(ZH), UTC, times, [Series("a", [1.0] * n)], title="", desc=""))
        below = [one for one in chart.iter() if tag(one) == "text" and float(one.get("y", 0)) > 140]
        places = sorted((float(one.get("x", 0)), one.text or "") for one in below)
        assert places[-1][1] == ZH.day(times[-1], UTC)
        gaps = [right[0] - left[0] for left, right in zip(places, places[1:], strict=False)]  # noqa: RUF007 - pairs
        assert all(gap > width(places[0][1], 11) * 0.9 for gap in gaps)


def test_a_chart_that_stands_alone_has_its_title_above() -> None:
    chart = with_heading(week_of_lines([True] * 7), "Title <b>", "note")
    root = parsed(chart)
    assert root.get("width") == "632"
    assert "Title <b>" in texts(root)
    with pytest.raises(ValueError, match="view box"):
        with_heading(Markup("<p>"), "", "")


def test_what_comes_to_a_node_goes_on_from_it_and_silence_lies_at_the_foot() -> None:
    links = [
        Way(1, "open", "view", 60, "visits"),
        Way(1, "open", "silence", 40, "visits", silence=True),
        Way(2, "view", "end", 60, "visits"),
    ]
    chart = parsed(ways(Size(1140, 420), EN, links, ["1", "2", "3"], title="t", desc="d"))
    bars_ = {one.get("fill"): one for one in chart.iter() if tag(one) == "rect"}
    silent = bars_["var(--silence)"]
    assert float(silent.get("y", 0)) + float(silent.get("height", 0)) == pytest.approx(414, abs=0.2)
    wide = [float(one.get("stroke-width", 0)) for one in chart.iter() if tag(one) == "path" and one.get("stroke-width")]
    assert min(wide) / max(wide) == pytest.approx(40 / 60, abs=0.01)
    tall = sum(float(one.get("height", 0)) for one in chart.iter() if tag(one) == "rect" and float(one.get("x", 1)) == 0)
    assert wide[0] + wide[-1] == pytest.approx(tall, abs=0.3)


def test_a_count_that_may_still_grow_is_an_outline() -> None:
    up = [Counts("new", "c0", [3, 2], [True, False]), Counts("back", "c3", [1, None])]
    chart = columns(Size(600, 200), EN, UTC, [NOW, NOW + DAY], up, [Counts("gone", "silence", [4, None])], title="t", desc="d")
    drawn = [(one.get("fill"), one.get("stroke")) for one in parsed(chart).iter() if tag(one) == "rect"]
    assert drawn == [("var(--c0)", None), ("var(--c3)", None), ("var(--surface)", "var(--c0)"), ("var(--silence)", None)]
    assert "c0\tnew\t2, not known yet" in tips(chart)[1]
