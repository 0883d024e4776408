"""Each planted cause stands first in the analysis and on the page where it is said to be seen, and does not in the same product without it; the truth is true of the events."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec
import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from features.files.options import ReadOptions
from features.files.reader import EventFile
from features.files.summary import Summary
from insights.analyses.analysis import Result
from insights.analyses.as_plain import found_of
from insights.analyses.catalog import CATALOG
from insights.analyses.crowd import AsOf, Crowd, crowd_of
from insights.scenarios.play import Played, play
from insights.scenarios.scenario import Cause, Scenario, Shown, load, names
from insights.scenarios.seen import StandsFirst, seen_on
from insights.scenarios.write import FORMS, Truth, frame_of, truth_of, write_events
from insights.web.crowd import features, journeys, retention
from insights.web.crowd.behind import nobody
from insights.web.crowd.found import Found
from insights.web.crowd.questions import OfRetention
from insights.web.crowd.standing import Finding
from insights.web.frame import templates
from insights.words import words
from stream.cli import app
from stream.faults import UsageFault

END_MS = 1_767_225_600_000
SEED = 11
EN = words("en")


def played(scenario: Scenario, users: int = 2_500) -> Played:
    return play(scenario, end_ms=END_MS, days=scenario.days, users=users, seed=SEED)


@cache
def crowd_named(name: str, without: str) -> Crowd:
    """The crowd of a scenario, without a cause if one is named; several questions are asked of each."""
    scenario = load(name).without(without) if without else load(name)
    events = frame_of(scenario, played(scenario)).with_columns(pl.from_epoch("ts", time_unit="ms").dt.replace_time_zone("UTC"))
    return crowd_of(events, AsOf(watermark=datetime.fromtimestamp(END_MS / 1000, UTC), zone=scenario.timezone))


def answer(crowd: Crowd, name: str, asks: Mapping[str, object]) -> Result:
    return CATALOG[name].run(crowd, msgspec.convert(asks, CATALOG[name].parameters, strict=False))


def clear_first(crowd: Crowd, shown: Shown) -> set[str]:
    """Return what stands first in the analysis, as many as are to be shown; nothing if the next might as well."""
    rows = answer(crowd, shown.analysis, shown.asks).rows
    rows = rows.filter(pl.col("metric") == shown.metric, pl.col("value").is_not_null(), pl.col("n") >= 50)
    if shown.k is not None:
        rows = rows.filter(pl.col("k") == shown.k)
    least = shown.order == "least"
    *first, last, after = rows.sort("value", descending=not least).head(len(shown.first) + 1).rows(named=True)
    clear = last["high"] < after["low"] if least else last["low"] > after["high"]
    return {str(row[shown.column]) for row in (*first, last)} if clear else set()


def planted() -> Iterator[Any]:
    for name in names():
        for cause in load(name).causes:
            yield pytest.param(name, cause, id=f"{name}-{cause.name}")


@pytest.mark.parametrize(("name", "cause"), list(planted()))
def test_a_cause_stands_first_where_it_is_seen_and_not_without_it(name: str, cause: Cause) -> None:
    assert cause.shown is not None, "each planted cause is seen somewhere"
    assert clear_first(crowd_named(name, ""), cause.shown) == set(cause.shown.first)
    assert clear_first(crowd_named(name, cause.name), cause.shown) != set(cause.shown.first)


def on_page(crowd: Crowd, shown: Shown) -> StandsFirst:
    """Return what a page at its address says, put together by the page and drawn by its template."""

    def found(name: str, asks: Mapping[str, object]) -> Found:
        plain = found_of(answer(crowd, name, asks))
        return Found(plain.rows.dicts(), plain.as_of, plain.notes)

    path, _, asked = shown.page.partition("#")[0].partition("?")
    query = parse_qs(asked)
    by = query.get("by", ["channel"])[0]
    parts: list[Finding | None] = []
    if path == "/retention":
        of = OfRetention(kind=query["kind"][0], by=by)
        page = retention.page_of(of, retention.Answers(None, None, found("retention", of.groups)), EN, nobody)
        parts += [panel.finding for panel in page.panels]
    elif path == "/features":
        use = features.Asked(within=query["within"][0])
        parts.append(features.page_of(use, found("feature_use", use.parameters), EN, nobody).finding)
    else:
        way = journeys.Asked(tuple(query.get("step", ["open_app", "quote"])), query.get("window", ["7d"])[0], by)
        answers = journeys.Answers(found("funnel", way.funnel), found("funnel", way.groups), None, None, found("hours", {}))
        whole = journeys.page_of(way, [], answers, EN, nobody, guessed=False)
        assert way.window in journeys.WINDOWS
        parts += [whole.worst_step, whole.worst_groups, whole.worst_hours]
    drawn = StandsFirst()
    macro = templates().get_template("crowd_parts.html").module.standing_out  # type: ignore[attr-defined]  # a macro of the template
    for part in parts:
        drawn.feed(str(macro(part)))
    return drawn


@pytest.mark.parametrize(("name", "cause"), list(planted()))
def test_a_cause_stands_first_on_its_page_and_not_without_it(name: str, cause: Cause) -> None:
    assert cause.shown is not None
    assert seen_on(on_page(crowd_named(name, ""), cause.shown), cause.shown)
    assert not seen_on(on_page(crowd_named(name, cause.name), cause.shown), cause.shown)


@pytest.mark.parametrize("name", names())
def test_the_truth_is_true_of_the_events(name: str) -> None:
    scenario = load(name)
    happened = played(scenario, 400)
    truth = truth_of(scenario, happened, SEED)
    last = np.full(400, -1, np.int64)
    np.maximum.at(last, happened.user, happened.ts)
    for user, left_ms, cause in truth.leavers:
        number = int(user[1:])
        assert last[number] <= left_ms < END_MS, "nobody is seen after they left"
        assert cause is None or happened.touched[number, [one.name for one in scenario.causes].index(cause)]
    assert truth.left == len(truth.leavers) == (happened.left_ms >= 0).sum()
    assert {kind for one in scenario.causes for kind in one.says} == {"en", "zh"} == set(scenario.title)
    assert sum(one.left for one in truth.causes) == sum(cause is not None for _, _, cause in truth.leavers)
    assert msgspec.json.decode(msgspec.json.encode(truth), type=Truth) == truth


@pytest.mark.parametrize("form", FORMS)
def test_the_reader_of_files_takes_every_row_with_its_props(form: str, tmp_path: Path) -> None:
    scenario = load("ecommerce")
    frame = frame_of(scenario, played(scenario, 60))
    write_events(frame, tmp_path / f"events{form}")
    file = EventFile(tmp_path / f"events{form}", ReadOptions(now_ms=END_MS), Summary("events"))
    read = pl.concat([file.settled(one) for one in file.frames()], how="diagonal")
    assert (file.summary.usable, file.summary.rows) == (frame.height, frame.height)
    assert read.sort("event_id").select(frame.columns).with_columns(pl.col("ts").cast(pl.Int64)).equals(frame.sort("event_id"))


def test_the_same_seed_gives_the_same_events_and_another_seed_others() -> None:
    scenario = load("transport")
    one, same, other = (frame_of(scenario, play(scenario, end_ms=END_MS, days=20, users=80, seed=seed)) for seed in (1, 1, 2))
    assert one.equals(same)
    assert not one.equals(other)


def test_a_cause_slows_what_it_touches() -> None:
    scenario = load("transport")
    happened = played(scenario, 300)
    hour = (happened.ts + 8 * 3_600_000) // 3_600_000 % 24
    asked = ~np.isnan(happened.latency_ms) & (happened.step == list(scenario.steps).index("quote"))
    slow = asked & (hour >= 7) & (hour < 9)
    assert 6 < np.median(happened.latency_ms[slow]) / np.median(happened.latency_ms[asked & ~slow]) < 10
    assert math.isclose(np.isnan(happened.value[happened.step == list(scenario.steps).index("ride")]).mean(), 0)


def test_the_command_writes_the_same_events_and_their_truth_and_leaves_a_cause_out(tmp_path: Path) -> None:
    def simulate(*words: str) -> str:
        asked = ["simulate", "--scenario", "hospital", "--users", "120", "--out", str(tmp_path / "e.parquet"), *words]
        done = CliRunner().invoke(app, asked, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    said = simulate("--truth", str(tmp_path / "t.json"))
    first, truth = pl.read_parquet(tmp_path / "e.parquet"), msgspec.json.decode((tmp_path / "t.json").read_bytes(), type=Truth)
    assert "no_reminder: Cardiology reminds nobody" in said
    assert (truth.events, truth.scenario, [one.name for one in truth.causes]) == (first.height, "hospital", ["no_reminder"])
    simulate()
    assert pl.read_parquet(tmp_path / "e.parquet").equals(first)
    assert "no_reminder" not in simulate("--without", "no_reminder")
    assert not pl.read_parquet(tmp_path / "e.parquet").equals(first)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--scenario", "shop", "--out", "e.csv"], "there is no scenario 'shop': community, devices"),
        (["--scenario", "hospital"], "say --out FILE"),
        (["--scenario", "hospital", "--out", "e.txt"], "must end in .parquet, .jsonl, .csv"),
        (["--scenario", "hospital", "--out", "e.csv", "--without", "rain"], "has no cause 'rain': no_reminder"),
        (["--scenario", "hospital", "--out", "e.csv", "--end", "soon"], "no day such as 2026-01-01"),
        (["--truth", "t.json"], "go with --scenario"),
    ],
)
def test_what_the_command_cannot_do_is_said(words: list[str], says: str) -> None:
    with pytest.raises(UsageFault, match=re.escape(says)):
        CliRunner().invoke(app, ["simulate", *words], catch_exceptions=False)
