"""Paths into silence are those of landmarks counted one by one; a planted one comes first, and the idle do not look like one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.analyses.analysis import Cell
from insights.analyses.crowd import AsOf, Crowd, crowd_of
from insights.analyses.paths_into_silence import PATHS_INTO_SILENCE, PathsIntoSilence, behind, landmarks
from stream.faults import UsageFault
from tests.insights.analyses.logs import crowd_of_log, logs
from tests.oracles.analyses import silence as oracle
from tests.oracles.analyses.log import Log


def test_ratios_are_those_of_landmarks_counted_one_by_one(full: bool) -> None:
    @settings(max_examples=300 if full else 20, deadline=None)
    @given(log=logs(40, 30), last=st.integers(1, 3))
    def holds(log: Log, last: int) -> None:
        found = oracle.landmarks(log, lambda e: e.type, last, timedelta(days=14))
        crowd = crowd_of_log(log)
        asked = PathsIntoSilence(last=last, least_people=1)
        rows = PATHS_INTO_SILENCE.run(crowd, asked).rows.to_dicts()
        said = {(row["metric"], row["path"]): row for row in rows}
        paths = {one.path for one in found if one.path}
        assert {row["path"] for row in rows} == {" > ".join(path) for path in paths}
        for path in paths:
            text, here = " > ".join(path), [one for one in found if one.path == path]
            assert said["path_landmarks", text]["value"] == len(here)
            assert said["path_silences", text]["value"] == sum(one.silent for one in here)
            assert said["path_ratio", text]["n"] == len({one.user for one in here})
            for metric, equal in (("path_ratio", True), ("plain_path_ratio", False)):
                right = oracle.ratio(found, path, equal)
                assert said[metric, text]["value"] == (None if right is None else pytest.approx(right))
            assert behind(crowd, asked, Cell(metric="path_ratio", path=text))["user"].to_list() == sorted({one.user for one in here})

    holds()


def made_up(cause: bool) -> Crowd:
    """Two hundred people for sixty days: half come every other day, half seldom and end with "news" whenever they come; who meets "error" leaves, if it is a cause."""
    random = np.random.default_rng(3)
    rows: list[tuple[str, datetime, str]] = []
    for number in range(200):
        idle, day, gone = number % 2, float(random.random()), False
        while day < 60 and not gone:
            at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day)
            steps = ["open", "read", "news" if idle else "buy"]
            if random.random() < 0.1:
                steps, gone = ["open", "error"], cause
            rows += [(f"u{number}", at + timedelta(minutes=k), step) for k, step in enumerate(steps)]
            day += 1 + random.exponential(12 if idle else 1)
    frame = pl.DataFrame(rows, schema={"user": pl.String, "ts": pl.Datetime("us", "UTC"), "type": pl.String}, orient="row")
    return crowd_of(frame, AsOf(watermark=datetime(2024, 3, 1, tzinfo=UTC)))


def test_a_cause_comes_first_and_the_idle_do_not_look_like_one() -> None:
    rows = PATHS_INTO_SILENCE.run(made_up(True), PathsIntoSilence(last=1)).rows
    ratios = rows.filter(pl.col("metric") == "path_ratio")
    assert ratios["path"][0] == "error"
    assert ratios["low"][0] > 5
    said = {(row["metric"], row["path"]): row for row in PATHS_INTO_SILENCE.run(made_up(False), PathsIntoSilence(last=1)).rows.to_dicts()}
    assert said["path_ratio", "error"]["low"] < 1.1
    assert said["plain_path_ratio", "news"]["low"] > 1.5  # the idle end everywhere
    assert said["path_ratio", "news"]["value"] < 0.75 * said["plain_path_ratio", "news"]["value"]


def test_few_people_are_no_row() -> None:
    rows = PATHS_INTO_SILENCE.run(made_up(True), PathsIntoSilence(last=1, least_people=201)).rows
    assert rows.is_empty()


def test_more_nodes_than_a_number_holds_are_refused() -> None:
    with pytest.raises(UsageFault, match="last must be"):
        PATHS_INTO_SILENCE.run(made_up(True), PathsIntoSilence(last=40))


def test_active_days_are_those_of_28_days() -> None:
    begin = datetime(2024, 1, 1, 12, tzinfo=UTC)
    days = {"ann": (0, 27), "bob": (0, 28)}
    rows = [(user, begin + timedelta(days=day), "open") for user, active in days.items() for day in active]
    frame = pl.DataFrame(rows, schema={"user": pl.String, "ts": pl.Datetime("us", "UTC"), "type": pl.String}, orient="row")
    found, _ = landmarks(crowd_of(frame, AsOf(watermark=datetime(2024, 6, 1, tzinfo=UTC))), PathsIntoSilence())
    assert found["activity"].to_list() == [0, 1, 0, 0]  # on two days of 28, on one
