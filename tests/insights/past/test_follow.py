"""A follower reads what the topics hold, exactly once: on a broker in memory, and on a real Kafka while it is killed again and again."""

from __future__ import annotations

import multiprocessing
import random
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from insights.past.follow import Follower
from insights.past.hold import OtherApp
from insights.past.past import Past
from insights.store.store import Store, open_store
from stream.demo.embedded import EmbeddedKafka
from tests.insights.past.comparing import compare
from tests.insights.past.following import APP_SPEC, PARTITIONS, Heard, follow_and_die, publish, settings_of
from tests.insights.past.history import SPEC, made_up
from tests.insights.past.oracle import Oracle
from tests.servers.process import wait_until

DAYS = range(20_000, 20_020)
_context = multiprocessing.get_context("forkserver")


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'page.db'}")
    yield store
    store.close()


@pytest.fixture
def broker() -> Iterator[str]:
    """Return the address of a broker in memory, which lives as long as its object."""
    made = EmbeddedKafka()
    made.make_topics(["alerts", "examples"])
    yield made.bootstrap
    del made


def caught_up(heard: Heard) -> bool:
    return heard.commits > 0 and heard.lag == 0 and heard.counts["examples"] > 0


def test_a_follower_reads_all_there_is_and_ends_when_it_is_told(broker: str, sqlite_store: Store) -> None:
    topics = made_up(7, DAYS)
    publish(broker, "", topics)
    heard, stop = Heard(), threading.Event()
    thread = Follower(settings_of(broker, ""), sqlite_store, lambda: APP_SPEC, heard, check_crcs=False).start(stop)
    wait_until(lambda: caught_up(heard), 30, "all is read", lambda: f"{vars(heard)}")
    assert heard.ours
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert not heard.ours
    done = compare(Past(sqlite_store, lambda: SPEC), Oracle().read(topics.partitions()), DAYS)
    assert min(done[what] for what in ("alerts", "outcomes of alerts", "risks", "outcomes")) > 10, done
    assert heard.counts["foreign"] + heard.counts["unreadable"] > 0
    assert heard.counts["repeated"] > 0
    assert heard.troubles == []


def test_a_follower_goes_on_where_the_store_says(broker: str, sqlite_store: Store) -> None:
    topics = made_up(8, DAYS)
    publish(broker, "", topics)
    heards = [Heard(), Heard()]
    for heard in heards:
        stop = threading.Event()
        follower = Follower(settings_of(broker, ""), sqlite_store, lambda: APP_SPEC, heard, hold_ms=300, check_crcs=False)
        thread = follower.start(stop)
        wait_until(lambda one=heard: one.commits > 0 and one.lag == 0, 30, "all is read", lambda one=heard: f"{vars(one)}")
        stop.set()
        thread.join(20)
    assert caught_up(heards[0])
    assert sum(heards[1].counts.values()) == 0
    compare(Past(sqlite_store, lambda: SPEC), Oracle().read(topics.partitions()), DAYS)


def test_a_follower_waits_until_the_app_is_started(broker: str, sqlite_store: Store) -> None:
    publish(broker, "", made_up(9, range(20_000, 20_004)))
    heard, stop, asked = Heard(), threading.Event(), list[None]()

    def find() -> object:
        asked.append(None)
        return APP_SPEC if len(asked) > 1 else None

    thread = Follower(settings_of(broker, ""), sqlite_store, find, heard, check_crcs=False).start(stop)
    wait_until(lambda: caught_up(heard), 30, "all is read", lambda: f"{vars(heard)}")
    stop.set()
    thread.join(20)
    assert len(asked) == 2


def test_of_two_followers_one_writes_and_the_other_takes_over(broker: str, sqlite_store: Store) -> None:
    heards, stops, threads = [Heard(), Heard()], [threading.Event(), threading.Event()], []
    for heard, stop in zip(heards, stops, strict=True):
        follower = Follower(settings_of(broker, ""), sqlite_store, lambda: APP_SPEC, heard, check_crcs=False)
        threads.append(follower.start(stop))
    wait_until(lambda: any(heard.ours for heard in heards), 30, "one holds the past")
    first = 0 if heards[0].ours else 1
    topics = made_up(10, range(20_000, 20_006))
    publish(broker, "", topics)
    wait_until(lambda: caught_up(heards[first]), 30, "all is read", lambda: f"{vars(heards[first])}")
    assert not heards[1 - first].ours
    stops[first].set()
    threads[first].join(20)
    wait_until(lambda: heards[1 - first].ours, 10, "the other takes over at once")  # well within the hold of 15 s
    stops[1 - first].set()
    threads[1 - first].join(20)
    assert heards[1 - first].counts["examples"] == 0
    compare(Past(sqlite_store, lambda: SPEC), Oracle().read(topics.partitions()), range(20_000, 20_006))


def test_a_store_of_another_app_is_refused(broker: str, sqlite_store: Store) -> None:
    heard, stop = Heard(), threading.Event()
    thread = Follower(settings_of(broker, ""), sqlite_store, lambda: APP_SPEC, heard, check_crcs=False).start(stop)
    wait_until(lambda: heard.ours, 30, "it holds the past")
    with pytest.raises(OtherApp, match="belongs to app 'shop', and this is app 'blog': give each app a store of its own"):
        Follower(settings_of(broker, "", "blog"), sqlite_store, lambda: APP_SPEC)
    stop.set()
    thread.join(20)


def test_a_follower_waits_for_a_broker_that_is_away(sqlite_store: Store) -> None:
    heard, stop = Heard(), threading.Event()
    thread = Follower(settings_of("127.0.0.1:1", ""), sqlite_store, lambda: APP_SPEC, heard).start(stop)
    wait_until(lambda: heard.troubles != [], 30, "it says so")
    assert "127.0.0.1:1" in heard.troubles[0]
    assert "CHURNWATCH_KAFKA" in heard.troubles[0]
    assert thread.is_alive()
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def make_topics(bootstrap: str, prefix: str) -> None:
    made = AdminClient({"bootstrap.servers": bootstrap}).create_topics(
        [NewTopic(f"{prefix}alerts", PARTITIONS, 1), NewTopic(f"{prefix}examples", 1, 1)]
    )
    for future in made.values():
        future.result(30)


def wait_read(store: Store) -> None:
    past = Past(store, lambda: SPEC)
    wait_until(
        lambda: len(past.positions()) == PARTITIONS + 1 and past.lag() == 0 and all(one.end_offset > 0 for one in past.positions()),
        60, "all is read", lambda: f"{past.positions()}", past.positions,
    )  # fmt: skip


@pytest.mark.real_kafka
@pytest.mark.timeout(900)
def test_killed_again_and_again_nothing_is_lost_and_nothing_doubled(
    kafka: str, store: Store, store_url: str, app_name: str, full: bool, say: Callable[[str], None]
) -> None:
    kills, rng, prefix = 100 if full else 10, random.Random(5), f"{app_name}."
    days = range(20_000, 20_150)
    topics = made_up(12, days)
    make_topics(kafka, prefix)
    publish(kafka, prefix, topics, aborted=True)

    def start(statement: int | None) -> BaseProcess:
        process = _context.Process(target=follow_and_die, args=(kafka, prefix, store_url, statement), daemon=True)
        process.start()
        return process

    alive, died = [start(rng.randrange(3, 25 if full else 60)) for _ in range(2)], 0
    while died < kills:
        wait([one.sentinel for one in alive], 120)
        for process in [one for one in alive if one.exitcode is not None]:
            assert process.exitcode == -9, process.exitcode
            died += 1
            alive[alive.index(process)] = start(rng.randrange(3, 25 if full else 60))
    for process in alive:
        process.kill()
        process.join()
    last = start(None)
    wait_read(store)
    last.kill()
    last.join()
    done = compare(Past(store, lambda: SPEC), Oracle().read(topics.partitions()), days)
    say(f"{died} followers killed on {store.dialect}: {dict(done)} as the oracle says")


@pytest.mark.real_kafka
@pytest.mark.timeout(300)
def test_topics_that_no_longer_fit_make_the_past_anew(kafka: str, sqlite_store: Store, app_name: str) -> None:
    prefix = f"{app_name}."
    before, after = made_up(13, range(20_000, 20_010)), made_up(14, range(20_100, 20_104))
    changes = 0
    for topics in (before, after):
        make_topics(kafka, prefix)
        publish(kafka, prefix, topics, aborted=True)
        stop, heard = threading.Event(), Heard()
        thread = Follower(settings_of(kafka, prefix), sqlite_store, lambda: APP_SPEC, heard).start(stop)
        wait_until(lambda one=heard: caught_up(one), 60, "all is read", lambda one=heard: f"{vars(one)}")
        stop.set()
        thread.join(20)
        compare(Past(sqlite_store, lambda: SPEC), Oracle().read(topics.partitions()), range(20_000, 20_104))
        rows, newest = Past(sqlite_store, lambda: SPEC).changes_since(changes)
        assert {row.alert_id for row in rows} == {row.alert_id for row in Past(sqlite_store, lambda: SPEC).changes_since(0)[0]}
        assert newest > changes
        changes = newest
        for future in AdminClient({"bootstrap.servers": kafka}).delete_topics([f"{prefix}alerts", f"{prefix}examples"]).values():
            future.result(30)
