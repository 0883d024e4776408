"""A backtest never looks ahead, gives the same result twice, and has the labels that a recount in SQL finds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from features.definitions.definition import DAY_MS, ChurnDefinition
from features.users.landmarks import PHASE_STEP_MS, phase_of
from online_models.example import Examples
from online_models.quality import Tally
from online_models.trainer import Version
from stream.backtest.log import active_days, read_history, steps
from stream.backtest.replay import PREDICTION_COLUMNS, Replay
from stream.cli import app
from stream.faults import UsageFault
from tests.backtest.logs import DEFINITION, START, habits, history_of, replay, steady, written


def auc(frame: pl.DataFrame) -> float:
    tally = Tally()
    tally.add(frame["label"].to_numpy(), frame["score"].to_numpy())
    return tally.auc


@pytest.mark.parametrize("landmarks", ["daily", "active-day"])
def test_no_prediction_uses_a_label_that_had_not_matured(landmarks: str) -> None:
    result = replay(history_of(habits()), landmarks=landmarks)
    learned = result.predictions.filter(pl.col("model") != "cadence")
    assert learned.height > 500
    assert (learned["learned_until_ms"] < learned["landmark_ms"]).all()
    assert (result.predictions["matured_ms"] >= result.predictions["landmark_ms"] + DEFINITION.horizon_ms).all()


class Leaking(Replay):
    """A build that is broken on purpose: it learns labels at once, a horizon too early."""

    def _asked_labels(self, snapshots: Examples, now: int) -> Examples:
        return super()._asked_labels(snapshots, now + DEFINITION.horizon_ms)

    def _feed(self, items: Examples, watermark_ms: int) -> Sequence[Version]:
        return super()._feed(items, watermark_ms + DEFINITION.horizon_ms)


def test_a_planted_leak_is_seen() -> None:
    result = replay(history_of(habits()), landmarks="active-day", kind=Leaking)
    learned = result.predictions.filter(pl.col("model") != "cadence")
    told_too_early = learned.filter(pl.col("learned_until_ms") >= pl.col("landmark_ms"))
    assert told_too_early.height > 500


def test_shuffled_labels_teach_nothing() -> None:
    history = history_of(habits())
    asked = active_days(history, DEFINITION, "UTC", 0)
    # drawn with replacement, since the second half of a permutation leans against its first, which alone moves the AUC of noise
    shuffled = asked.with_columns(label=pl.Series(np.random.default_rng(3).choice(asked["label"].to_numpy(), asked.height)))
    honest, noise = (replay(history, asked=labels, models=("cadence", "logistic")) for labels in (asked, shuffled))
    assert auc(honest.predictions) > 0.6
    assert abs(auc(noise.predictions) - 0.5) < 0.03


def test_the_same_seed_gives_the_same_predictions() -> None:
    frame = habits(150)
    first, second = (replay(history_of(frame)).predictions for _ in range(2))
    assert first.equals(second)


def test_the_order_of_rows_in_the_file_does_not_matter_but_for_ties(tmp_path: Path) -> None:
    frame = habits(100).unique("ts", keep="first", maintain_order=True)
    ordered = read_history(written(frame, tmp_path))
    mixed = read_history(written(frame.sample(fraction=1.0, shuffle=True, seed=1), tmp_path))
    assert mixed.sorted_here
    assert ordered.frame.equals(mixed.frame)


def test_what_is_set_aside_is_nobodys_deed(tmp_path: Path) -> None:
    frame = habits(40).with_columns(type=pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit("identify")).otherwise(pl.lit("click")))
    left = read_history(written(frame, tmp_path), set_aside=("identify",)).frame
    assert left.height == frame.filter(pl.col("type") == "click").height > 0
    assert set(left["type"]) == {"click"}
    with pytest.raises(UsageFault, match=r"all events are of types that are set aside \(click, identify\)"):
        read_history(written(frame, tmp_path), set_aside=("click", "identify"))


def test_a_model_that_is_asked_for_serves_once_it_can() -> None:
    from stream.backtest.run import candidates_of

    result = replay(history_of(habits()), models=candidates_of("logistic"), wanted="logistic")
    assert set(result.predictions["model"]) == {"cadence", "logistic"}


LANDMARKS = """
-- the daily instants within one active window (whole days) after any activity, whose label matures before the log ends
create table wanted as
with steps as (
    select distinct a.user, p.phase_ms, cast(ceil((a.ts - p.phase_ms) / $day) as bigint) as first from acts a join phases p using (user)
)
select * from (select distinct user, (first + unnest(range($window))) * $day + phase_ms as landmark_ms from steps)
where landmark_ms + $horizon < (select max(ts) from events)
"""
RECOUNT = """
with labelled as (
    select w.user, w.landmark_ms, exists (
        select 1 from hits h where h.user = w.user and h.ts > w.landmark_ms and h.ts <= w.landmark_ms + $horizon
    ) as hit
    from wanted w
)
select count(*) from predictions p full join labelled l using (user, landmark_ms)
where p.label is null or l.hit is null or p.label <> case when l.hit then $if_hit else 1 - $if_hit end
"""


def differing(predictions: pl.DataFrame, definition: ChurnDefinition, frame: pl.DataFrame, folder: Path, *, daily: bool) -> int:
    """Return the rows of (user, landmark, label) in which a recount of the events in SQL differs. For daily landmarks it finds the landmarks as well."""
    acts = frame.filter(pl.col("type").is_in(definition.activity)) if definition.activity else frame
    hits = frame.filter(pl.col("type").is_in(definition.target)) if definition.kind == "did_event" else acts
    users = frame["user"].unique().to_list()
    phases = pl.DataFrame({"user": users, "phase_ms": [phase_of(user) * PHASE_STEP_MS for user in users]})
    connection = duckdb.connect()
    for name, table in (("predictions", predictions.select("user", "landmark_ms", "label")), ("events", frame), ("acts", acts), ("hits", hits), ("phases", phases)):  # fmt: skip
        table.write_parquet(folder / f"{name}.parquet")
        connection.read_parquet(str(folder / f"{name}.parquet")).create(name)
    horizon, days = definition.horizon_ms, definition.active_window_ms // DAY_MS
    if daily:
        connection.execute(LANDMARKS.replace("$window", str(days)), {"day": DAY_MS, "horizon": horizon})
    else:
        connection.execute("create table wanted as select user, landmark_ms from predictions")
    found = connection.execute(RECOUNT, {"horizon": horizon, "if_hit": definition.label(hit=True)}).fetchone()
    assert found is not None
    return int(found[0])


@pytest.mark.parametrize(("name", "days"), [("stepik", 14), ("collegemsg", 7), ("kddcup2015", 30)])
def test_labels_equal_a_recount_in_sql(name: str, days: int, shared_data: Path, tmp_path: Path, full: bool) -> None:
    history = read_history(shared_data / name / "events.parquet")
    activity = ("sent",) if name == "collegemsg" else ()
    for horizon_days in (7, 14, 30) if full else (days,):
        definition = ChurnDefinition(name="gone", horizon_ms=horizon_days * DAY_MS, activity=activity)
        daily = replay(history, definition, models=("cadence",)).predictions
        assert daily.height > 10_000
        assert differing(daily, definition, history.frame, tmp_path, daily=True) == 0
        by_day = active_days(history, definition, "UTC", 0)
        assert by_day.height > 10_000
        assert differing(by_day, definition, history.frame, tmp_path, daily=False) == 0


@pytest.mark.parametrize(("name", "target"), [("stepik", "wrong"), ("collegemsg", "received"), ("kddcup2015", "problem")])
def test_labels_of_did_event_equal_a_recount_in_sql(name: str, target: str, shared_data: Path, tmp_path: Path) -> None:
    history = read_history(shared_data / name / "events.parquet")
    definition = ChurnDefinition(name="did", kind="did_event", target=(target,), horizon_ms=7 * DAY_MS)
    daily = replay(history, definition, models=("cadence",)).predictions
    assert daily.height * 0.01 < daily["label"].sum() < daily.height * 0.99
    assert differing(daily, definition, history.frame, tmp_path, daily=True) == 0
    by_day = active_days(history, definition, "UTC", 0)
    assert by_day.height * 0.01 < by_day["label"].sum() < by_day.height * 0.99
    assert differing(by_day, definition, history.frame, tmp_path, daily=False) == 0


def test_days_follow_the_zone_and_its_changes_of_clocks() -> None:
    """Sunday of the change in Berlin, 2020-10-25, has 25 hours; the landmark is its last millisecond."""
    noon = 1_603_623_600_000  # 2020-10-25 12:00 in Berlin
    frame = pl.DataFrame({"user": ["a", "a"], "ts": [noon, noon + 20 * DAY_MS], "type": ["x", "x"]})
    found = active_days(history_of(frame), DEFINITION, "Europe/Berlin", 0)
    assert found["landmark_ms"][0] == 1_603_666_800_000 - 1
    assert found["label"][0] == 1


def test_events_that_are_no_activity_still_make_features() -> None:
    frame = habits(120)
    only_buys = ChurnDefinition(name="gone", active_window_ms=7 * DAY_MS, horizon_ms=7 * DAY_MS, activity=("buy",))
    with_views = replay(history_of(frame), only_buys, landmarks="active-day", models=("cadence",))
    buys = frame.filter(pl.col("type") == "buy")
    without = replay(history_of(buys), only_buys, landmarks="active-day", models=("cadence",))
    assert with_views.predictions.height >= without.predictions.height > 100
    assert with_views.learner.sample.tobytes() != without.learner.sample.tobytes()


def test_a_batch_ends_with_the_day() -> None:
    history = history_of(habits(50))
    from features.users.spec import FeatureSpec

    for records in steps(history, FeatureSpec(), None):
        assert len(np.unique(records.columns.ts // DAY_MS)) == 1


def test_no_false_alarm_of_drift_in_steady_runs(full: bool) -> None:
    for seed in range(30 if full else 10):
        learner = replay(history_of(steady(seed=seed)), models=("cadence", "logistic", "mix")).learner
        assert learner.learned > 1_000
        assert (learner.loss_watch.detections, learner.score_watch.detections) == (0, 0), seed


def run_cli(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["backtest", *arguments])
    return done.exit_code, done.output + (str(done.exception) if done.exception else "")


def test_the_command_writes_its_three_files(tmp_path: Path) -> None:
    events = written(habits(), tmp_path)
    out = tmp_path / "out"
    code, said = run_cli(str(events), "--active-window", "7d", "--horizon", "7d", "--model", "live", "--out", str(out))
    assert code == 0, said
    predictions = pl.read_parquet(out / "predictions.parquet")
    assert tuple(predictions.columns) == PREDICTION_COLUMNS
    found = json.loads((out / "report.json").read_text())
    assert found["figures"]["all"]["n"] == predictions.height
    assert found["counts"]["events"] == habits().height
    assert {"network", "logistic"} <= set(found["costs"])
    every = found["calibration"]["all"]
    assert every["excess"] == pytest.approx(every["ece_equal_bins"] - every["floor"], abs=2e-6)
    assert every["stated"] == pytest.approx(predictions["score"].to_numpy().mean(), abs=1e-6)
    days = found["by_day"]
    assert sum(day["n"] for day in days) == predictions.height
    assert sum(day["n"] * day["seen"] for day in days) == pytest.approx(predictions["label"].sum(), rel=1e-4)
    assert days[0]["boosting, raw"] is None
    assert days[-1].keys() >= {"served", "mix", "mix, raw", "boosting, raw", "network, raw", "logistic, raw", "cadence"}
    page = (out / "report.html").read_text()
    assert page.count("data:image/svg+xml") == 7
    assert "http" not in page.replace("http-equiv", "")


def test_labels_from_outside_are_scored_every_one(tmp_path: Path) -> None:
    frame = habits()
    events = written(frame, tmp_path)
    rng = np.random.default_rng(0)
    known = frame["user"].unique().sort()
    labels = pl.DataFrame(
        {
            "user": known,
            "landmark_ms": START + rng.integers(20, 80, len(known)) * DAY_MS,
            "label": rng.integers(0, 2, len(known)),
        }
    ).with_columns(matured_ms=pl.col("landmark_ms") + 30 * DAY_MS)
    labels.write_parquet(tmp_path / "labels.parquet")
    out = tmp_path / "out"
    code, said = run_cli(str(events), "--labels", str(tmp_path / "labels.parquet"), "--model", "logistic", "--out", str(out))
    assert code == 0, said
    got = pl.read_parquet(out / "predictions.parquet")
    told = got.select("user", "landmark_ms", pl.col("label").cast(pl.Int64), "matured_ms").sort("user")
    assert told.equals(labels.select(told.columns).sort("user"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nowhere.parquet",), "no such file"),
        (("events.parquet", "--model", "logistc"), "did you mean logistic"),
        (("events.parquet", "--horizon", "two weeks"), "must be a duration"),
        (("events.parquet", "--horizon", "70d"), "below 62 days"),
        (("events.parquet", "--definition", "churn"), "did you mean churn14"),
        (("events.parquet", "--labels", "events.parquet"), "labels need user, landmark_ms"),
        (("events.parquet", "--tz", "Europe/Berlim"), "Berlim"),
    ],
)
def test_misuse_is_said_with_what_to_do(arguments: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(habits(20), tmp_path)
    code, said = run_cli(*arguments, "--out", "out")
    assert code != 0
    assert says in said
