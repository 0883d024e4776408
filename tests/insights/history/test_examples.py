"""Scores and outcomes in the history: each example of the topic once, however its blocks were cut, through kills between the two tables and rivals."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from features.definitions.definition import DAY_MS
from features.users.landmarks import PHASE_STEP_MS, phase_of
from insights.history.derived import derive
from insights.history.erasing import erase_all, pending
from insights.history.erasures import ERASE, Erasures
from insights.history.events import Events
from insights.history.faults import HistoryMissing, HistoryStale
from insights.history.live.clicks import Topic as Source
from insights.history.live.example_rows import labels_of
from insights.history.live.examples import ExamplesWriter
from insights.history.table import Table
from insights.history.tables import OUTCOMES, SCORES
from online_models.example import ExampleBlock
from online_models.external_labels import ExternalLabel, LabelBlock
from stream.cli import app
from stream.shard.records import LogRecords, of_records
from tests.insights.history.example_topic import START_MS, block, records
from tests.insights.history.histories import BERLIN, asked, ms_of
from tests.insights.history.test_derived import frame
from tests.insights.history.topic import Topic
from tests.oracles.examples import expected
from tests.oracles.history import Row
from tests.servers.process import wait_until

SOURCE = Source("examples", "id of the topic", 1, "examples")


class Sent:
    """A record as Kafka keeps it."""

    key, timestamp = None, 0

    def __init__(self, offset: int, value: bytes) -> None:
        self.offset, self.value = offset, value


def fetched(topic: Sequence[ExampleBlock | LabelBlock], begin: int, end: int) -> LogRecords:
    return of_records([Sent(at, topic[at].pack()) for at in range(begin, end)])


def held(folder: Path) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Return scores and outcomes as the oracle writes them; it leaves the landmark of a label from outside to another test."""
    scores = asked(folder, 'select "user", definition, landmark, risk, model_version, flags, matured, lineage, shard, number from scores')
    outcomes = asked(folder, 'select "user", definition, landmark, label, matured, source, lineage, shard, number from outcomes')
    return (
        [(*row[:2], ms_of(row[2]), round(row[3], 6), *row[4:6], ms_of(row[6]), *row[7:]) for row in scores],
        [(*row[:2], None if row[5] == "labels" else ms_of(row[2]), row[3], ms_of(row[4]), *row[5:]) for row in outcomes],
    )


def test_each_example_is_there_once_however_it_was_read(tmp_path: Path, full: bool) -> None:
    for seed in range(100 if full else 4):
        folder, chance, topic = tmp_path / str(seed), random.Random(seed), list(records(seed, 120))
        Events(folder, BERLIN)
        writer = ExamplesWriter(folder, BERLIN)
        at = writer.begin(SOURCE, {0: 0})[0]
        while at < len(topic):
            end = min(len(topic), at + chance.randrange(1, 12))
            writer.take(0, fetched(topic, at, end))
            draw = chance.random()
            if draw < 0.2:  # killed before it committed, or between the two tables
                if draw < 0.1:
                    writer.scores.flush({0: end})
                writer = ExamplesWriter(folder, BERLIN)
                at = writer.begin(SOURCE, {0: 0})[0]
            else:
                writer.flush({0: end})
                at = end
        writer.flush({0: at})
        scores, outcomes = held(folder)
        assert (len(scores), len(outcomes)) == (len(set(scores)), len(set(outcomes)))
        assert (set(scores), set(outcomes)) == expected(topic)
        assert {one.lost for one in (writer.scores.table.standing, writer.outcomes.table.standing)} == {0}


def test_a_writer_that_lost_its_race_writes_nothing(tmp_path: Path) -> None:
    Events(tmp_path, BERLIN)
    topic = [block(0, 1, 20)]
    first, second = ExamplesWriter(tmp_path, BERLIN), ExamplesWriter(tmp_path, BERLIN)
    for writer in (first, second):
        writer.begin(SOURCE, {0: 0})
        writer.take(0, fetched(topic, 0, 1))
    first.flush({0: 1})
    with pytest.raises(HistoryStale):
        second.flush({0: 1})
    assert second.begin(SOURCE, {0: 0}) == {0: 1}
    assert set(held(tmp_path)[0]) == expected(topic)[0]


def test_missing_numbers_are_counted_and_passed_over(tmp_path: Path) -> None:
    Events(tmp_path, BERLIN)
    writer = ExamplesWriter(tmp_path, BERLIN)
    writer.begin(SOURCE, {0: 0})
    topic = [block(0, 5, 10), block(0, 19, 10), block(0, 1, 3, lineage="7")]
    writer.take(0, fetched(topic, 0, 3))
    assert writer.flush({0: 3})["missing"] == 4
    assert Table.open(tmp_path, SCORES).standing.lost == 4
    assert (set(held(tmp_path)[0]), set(held(tmp_path)[1])) == expected(topic)


def test_a_topic_made_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    Events(tmp_path, BERLIN)
    writer = ExamplesWriter(tmp_path, BERLIN)
    for source in (SOURCE, Source("examples", "another", 1, "examples")):
        assert writer.begin(source, {0: 0}) == {0: 0}
        writer.take(0, fetched([block(0, 1, 9)], 0, 1))
        assert writer.flush({0: 1})["scores"] == 6


def test_what_is_no_example_is_passed_over(tmp_path: Path) -> None:
    Events(tmp_path, BERLIN)
    writer = ExamplesWriter(tmp_path, BERLIN)
    writer.begin(SOURCE, {0: 0})
    unfit = block(0, 1, 5)
    unfit.items.definition[:] = 9
    writer.take(0, of_records([Sent(0, b""), Sent(1, b"\x80"), Sent(2, b"no"), Sent(3, unfit.pack()), Sent(4, block(0, 1, 3).pack())]))
    assert writer.flush({0: 5}) == {"scores": 2, "outcomes": 1, "missing": 0}


def test_a_label_from_outside_holds_for_the_last_landmark_before_it() -> None:
    shift = phase_of("ann") * PHASE_STEP_MS
    at = 20_000 * DAY_MS + shift
    told = [ExternalLabel(n, "ann", "contract", at + late, 1, at + DAY_MS) for n, late in enumerate((0, 1, DAY_MS - 1, DAY_MS, -1))]
    days = [0, 0, 0, 1, -1]
    assert [ms_of(mark) for mark in labels_of(told)["landmark"]] == [at + day * DAY_MS for day in days]


def test_the_watermark_is_that_of_the_shard_furthest_behind(tmp_path: Path) -> None:
    Events(tmp_path, BERLIN)
    writer = ExamplesWriter(tmp_path, BERLIN)
    writer.begin(SOURCE, {0: 0})
    topic = [block(0, 1, 9), block(1, 1, 2), block(0, 10, 1)]
    writer.take(0, fetched(topic, 0, 3))
    writer.flush({0: 3})
    assert Table.open(tmp_path, OUTCOMES).standing.watermark_ms == topic[1].watermark_ms < topic[0].watermark_ms


def test_an_erased_user_is_taken_out_and_comes_in_no_more(tmp_path: Path) -> None:
    events = Events(tmp_path, BERLIN)
    told = Row("user 0-1", START_MS, "identify", None, None, (0, 0, "0"), {"plan": "pro"})
    events.append(frame([told, told._replace(user="user 0-2", place=(0, 1, "1"))]), {}, {}, events.table.standing)
    derive(tmp_path)
    writer = ExamplesWriter(tmp_path, BERLIN)
    writer.begin(SOURCE, {0: 0})
    topic = [block(0, 1, 60), block(0, 61, 60)]
    writer.take(0, fetched(topic, 0, 1))
    writer.flush({0: 1})
    when = datetime(2030, 1, 1, tzinfo=UTC)
    Erasures.make(tmp_path).register([("user 0-1", ERASE, when, when, 0, 7)])
    assert pending(tmp_path) == 1
    removed = erase_all(tmp_path).rows
    assert min(removed["scores"], removed["outcomes"], removed["traits"], removed["events"]) > 0
    writer.begin(SOURCE, {0: 0})
    writer.take(0, fetched(topic, 1, 2))
    assert writer.flush({0: 2})["scores"] > 0
    for name in ("scores", "outcomes", "traits", "events"):
        users = {user for (user,) in asked(tmp_path, f'select distinct "user" from {name}')}
        assert "user 0-2" in users
        assert "user 0-1" not in users


@pytest.fixture
def topic(kafka: str, app_name: str, tmp_path: Path) -> Iterator[Topic]:
    made = Topic(kafka, app_name, tmp_path)
    yield made
    made.stop_all()


def send(topic: Topic, some: Sequence[ExampleBlock | LabelBlock]) -> None:
    producer = Producer({"bootstrap.servers": topic.kafka, "enable.idempotence": True})
    for one in some:
        producer.produce(f"{topic.app}.examples", one.pack())
    producer.flush()


def has_read(topic: Topic, count: int) -> bool:
    try:
        return all(sum(Table.open(topic.history, spec).standing.ends.values()) >= count for spec in (SCORES, OUTCOMES))
    except HistoryMissing:
        return False


@pytest.mark.real_kafka
def test_kills_and_rivals_lose_and_double_nothing_and_a_recount_says_so(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    every = list(records(1))
    half = len(every) // 2
    send(topic, every[:half])
    writers = [topic.start(), topic.start()]
    wait_until(lambda: has_read(topic, half), 60, "examples read", writers[0].text)
    send(topic, every[half:])
    writers[0].kill()
    writers.append(topic.start())
    wait_until(lambda: has_read(topic, len(every)), 60, "examples read", writers[1].text)
    assert {writer.terminate() for writer in writers[1:]} == {0}
    scores, outcomes = held(topic.history)
    right = expected(every)
    assert (sorted(scores, key=str), sorted(outcomes, key=str)) == tuple(sorted(one, key=str) for one in right)
    for name, value in topic.environment.items():
        monkeypatch.setenv(name, value)

    def recount() -> tuple[int, dict[str, Any]]:
        done = CliRunner().invoke(app, ["history", "verify", "--json"], catch_exceptions=False)
        return done.exit_code, json.loads(done.output)["tables"]

    sound = {"lost": 0, "foreign": 0, "doubled": 0, "gone": 0}
    assert recount() == (0, {"scores": {"rows": len(right[0]), **sound}, "outcomes": {"rows": len(right[1]), **sound}})
    table = Table.open(topic.history, SCORES)
    day = max({one.partition for one in table.files()}, key=lambda name: sum(one.rows for one in table.files_of(name)))
    rows = table.read(table.files_of(day))
    for broken, fault in ((rows[1:], "lost"), (rows[:1].extend(rows), "doubled"), (rows.with_columns(user=rows["user"] + "x"), "foreign")):
        table.commit(table.standing, adds=[table.write(day, broken)], removes=table.files_of(day))
        code, found = recount()
        assert code == 2
        assert found["scores"][fault] > 0
    said = CliRunner().invoke(app, ["history", "status"], catch_exceptions=False).output
    assert f"{len(right[1])}, up to " in said
