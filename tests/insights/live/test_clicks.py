"""What the page knows of Kafka is what it said last; that it does not answer is said, and nothing else is lost."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import redis

from features.store.app_spec import AppSpec
from features.store.redis import connect, save_spec
from features.users.spec import FeatureSpec
from insights.live.clicks import Intake, Watch
from insights.live.engine import Engine, EngineView
from insights.live.letters import Rejected, Tally
from stream.demo.local_redis import LocalRedis
from stream.faults import UsageFault
from stream.kafka.look import Look, Member
from stream.settings import load_settings
from stream.shard.dead_letters import DeadLetter
from stream.shard.meta import ShardMeta

pytestmark = pytest.mark.real_redis
SPEC = AppSpec(spec=FeatureSpec(), cluster_id="c", topic_id="t", partitions=2, group="readers")
NOW = 1_700_000_000_000


class Told:
    """Kafka as somebody tells it: each look says the next thing, or does not answer."""

    def __init__(self, looks: Sequence[Look | Exception]) -> None:
        self.looks, self.asked, self.closed = list(looks), list[tuple[int, str]](), False
        self.tally = Tally()

    def look(self, partitions: int, group: str) -> Look:
        self.asked.append((partitions, group))
        said = self.looks.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    unreadable = False

    def read(self) -> None:
        if self.unreadable:
            raise UsageFault("no such topic")
        self.tally.add([DeadLetter(partition=0, offset=1, reason="not_json", append_ms=NOW, payload_bytes=1, payload="ew==")])

    def close(self) -> None:
        self.closed = True


def view_of(*next_offsets: int) -> EngineView:
    return EngineView(
        SPEC, {number: ShardMeta(next_offset=offset) for number, offset in enumerate(next_offsets)}, reached=True, answered_ms=NOW
    )


LOOK = Look({0: 10, 1: 7}, NOW - 60_000, (Member("shop", "10.0.0.1", (0, 1)),))


def test_what_waits_is_what_no_shard_has_committed() -> None:
    intake = Intake(LOOK, NOW, reached=True, taken_per_s=2.0)
    assert intake.waiting(view_of(4)) == {0: 6, 1: 7}  # shard 1 has never committed
    assert intake.waiting(view_of(10, 9)) == {0: 0, 1: 0}  # a look that is older than the shards
    clicks = intake.clicks(view_of(4, 7), NOW)
    assert (clicks.quiet_ms, clicks.waiting, clicks.workers, clicks.reached) == (60_000, 6, 1, True)


def test_what_kafka_cannot_say_is_not_known() -> None:
    clicks = Intake(Look({}, None, None), NOW, reached=True, taken_per_s=0.0).clicks(view_of(1), NOW)
    assert (clicks.quiet_ms, clicks.workers) == (None, None)
    assert Intake(None, 0, reached=False, taken_per_s=0.0).clicks(view_of(1), NOW).reached is False


def test_a_broker_that_is_ahead_of_this_clock_makes_no_negative_silence() -> None:
    assert Intake(LOOK, NOW, reached=True, taken_per_s=0.0).clicks(view_of(1), NOW - 3_600_000).quiet_ms == 0


@pytest.fixture
def engine(redis_server: LocalRedis, app_name: str) -> Engine:
    client: redis.Redis = connect(redis_server.url)
    save_spec(client, app_name, SPEC)
    return Engine(client, app_name)


def test_an_answer_is_kept_while_no_other_comes(engine: Engine) -> None:
    told = Told([LOOK, UsageFault("no Kafka"), OSError("broken"), LOOK._replace(newest_ms=NOW)])
    clock = iter(range(NOW, NOW + 10**9, 5_000))
    watch = Watch(told, told, engine, load_settings(None, {}, app__name=engine.app), lambda: next(clock))
    assert watch.intake() is None
    watch.ask()
    first = watch.intake()
    assert first is not None
    assert (first.look, first.reached) == (LOOK, True)
    assert first.rejected == {("not_json", None): Rejected(1, "JSON that was cut off", NOW)}
    for _ in range(2):
        watch.ask()
        later = watch.intake()
        assert later is not None
        assert (later.look, later.looked_ms, later.reached, later.rejected) == (LOOK, first.looked_ms, False, first.rejected)
    watch.ask()
    assert watch.intake() != first
    assert told.asked == [(2, "readers")] * 4


def test_letters_that_cannot_be_read_are_no_missing_kafka(engine: Engine) -> None:
    told = Told([LOOK, LOOK])
    watch = Watch(told, told, engine, load_settings(None, {}, app__name=engine.app), lambda: NOW)
    watch.ask()
    told.unreadable = True
    watch.ask()
    seen = watch.intake()
    assert seen is not None
    assert seen.reached
    assert seen.rejected == {("not_json", None): Rejected(1, "JSON that was cut off", NOW)}


def test_before_the_first_worker_the_group_is_that_of_the_settings(redis_server: LocalRedis, app_name: str) -> None:
    told = Told([LOOK])
    watch = Watch(told, told, Engine(connect(redis_server.url), app_name), load_settings(None, {}, app__name=app_name), lambda: NOW)
    watch.ask()
    assert told.asked == [(0, app_name)]
