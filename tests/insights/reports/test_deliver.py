"""Each recipient of each period gets one report at most, whoever is killed and wherever; and one exactly, if nobody is while it is sent."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.reports.deliver import KEPT_MS, MAKING_MS, SENDING_MS, Deliverer, standings
from insights.reports.due import Due
from insights.reports.mail import NotSent, Unsure
from insights.store import deliveries
from insights.store.deliveries import FIRST_WAIT_MS, MOST_TRIES
from insights.store.store import Store, open_store
from stream.settings.reports import ScheduledReport
from stream.settings.tables import ScheduledTable
from tests.insights.reports.test_due import HOUR_MS

START_MS = 1_795_737_600_000
"""Midnight, UTC."""
DAY_MS = 24 * HOUR_MS
REPORT = ScheduledReport(
    name="daily", weekday=None, hour=8, minute=0, zone="UTC", lang="en", to=("ann@example.org", "bob@example.org"), folder="out"
)  # fmt: skip


class Killed(BaseException):
    """The process was killed: nothing of it runs any more, not even what notes a failure."""


class World:
    """Processes over one store, and what arrived.

    Attributes
    ----------
    arrived : Counter
        How often each recipient of each period got it.
    fate : callable
        What happens in a step: called with "make", "before" (sending) or "after".
    """

    def __init__(self, store: Store, name: str = "daily") -> None:
        self.store, self.now_ms, self.report = store, START_MS, replace(REPORT, name=name)
        self.arrived: Counter[tuple[str, str]] = Counter()
        self.ended: Counter[str] = Counter()
        self.fate: Callable[[str], None] = lambda _: None
        self.lock = threading.Lock()

    def process(self, name: str) -> Deliverer[ScheduledReport, str]:
        return Deliverer(
            self.store, [self.report], self._make, self._post, name, lambda: self.now_ms, lambda _, outcome: self._end(outcome)
        )

    def _make(self, report: ScheduledReport, due: Due) -> str:
        self.fate("make")
        return f"{report.name} {due.period}"

    def _post(self, report: ScheduledReport, due: Due, recipient: str, made: str) -> None:
        assert made == f"{report.name} {due.period}"
        self.fate("before")
        with self.lock:
            self.arrived[due.period, recipient] += 1
        self.fate("after")

    def _end(self, outcome: str) -> None:
        with self.lock:
            self.ended[outcome] += 1

    def look(self, name: str) -> None:
        with suppress(Killed):
            self.process(name).look()

    def begin(self) -> None:
        """Be known before the first report is due."""
        standings(self.store, [self.report], self.now_ms)
        self.now_ms += 9 * HOUR_MS


FATES = st.sampled_from(["well", "well", "kill", "refuse", "unsure", "another looks", "much later", "fail"])
STEPS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.lists(FATES, max_size=8)), max_size=10)
WAITS_MS = (0, 61_000, MAKING_MS + 1, DAY_MS)


@pytest.fixture(scope="module")
def one_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path_factory.mktemp('deliver') / 'page.db'}")
    yield opened
    opened.close()


NAMES = count()


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_nobody_gets_it_twice_and_everybody_gets_it_unless_a_sender_dies(one_store: Store, steps: list[tuple[int, int, list[str]]]) -> None:
    world = World(one_store, f"daily {next(NAMES)}")
    world.begin()
    depth = 0

    for number, (wait, process, fates) in enumerate(steps):
        left = iter(fates)

        def fate(where: str, left: object = left) -> None:
            nonlocal depth
            match next(left, "well"):  # type: ignore[call-overload]  # an iterator of texts
                case "kill":
                    raise Killed
                case "refuse" if where == "before":
                    raise NotSent("recipient")
                case "unsure" if where != "make":
                    raise Unsure
                case "fail" if where == "make":
                    raise RuntimeError
                case "another looks" if depth < 3:
                    depth += 1
                    world.look(f"other-{depth}")
                    depth -= 1
                case "much later":
                    world.now_ms += max(MAKING_MS, SENDING_MS) + 1

        world.fate = fate
        world.now_ms += WAITS_MS[wait]
        world.look(f"process-{process}-{number}")
    world.fate = lambda _: None
    for _ in range(MOST_TRIES + 2):
        world.now_ms += max(MAKING_MS, SENDING_MS) + 1
        world.look("the last")
    assert not [key for key, times in world.arrived.items() if times > 1]
    (now,) = standings(world.store, [world.report], world.now_ms)
    assert now.due is not None
    assert len(now.rows) == 3
    for row in now.rows:
        got = world.arrived[now.due.period, row.recipient]
        assert row.is_over
        assert got == 1 or row.state == "unsure" or row.tries >= MOST_TRIES, row
        assert got == 1 or row.state != "sent"


def test_many_processes_at_once_send_one_each(store: Store) -> None:
    world = World(store)
    world.begin()
    gate = threading.Barrier(6)

    def run(number: int) -> None:
        gate.wait(30)
        world.look(f"process-{number}")

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert world.arrived == {("2026-11-27", recipient): 1 for recipient in REPORT.recipients}
    assert world.ended == {"sent": 3}
    world.look("late")
    assert sum(world.arrived.values()) == 3


def test_a_new_report_waits_for_its_next_time(store: Store) -> None:
    world = World(store)
    world.now_ms += 9 * HOUR_MS
    world.look("a")
    assert not world.arrived
    world.now_ms += DAY_MS
    world.look("a")
    assert set(world.arrived.values()) == {1}
    assert {period for period, _ in world.arrived} == {"2026-11-28"}


def test_what_was_missed_for_days_comes_once_for_the_newest_day_and_late(store: Store) -> None:
    world = World(store)
    world.begin()
    world.now_ms += 3 * DAY_MS
    (before,) = standings(store, [REPORT], world.now_ms)
    assert (before.sent, before.overdue_ms(world.now_ms)) == (0, HOUR_MS)
    world.look("a")
    assert {period for period, _ in world.arrived} == {"2026-11-30"}
    (after,) = standings(store, [REPORT], world.now_ms)
    assert (after.sent, after.overdue_ms(world.now_ms)) == (3, 0)


def test_a_refusal_is_tried_again_ever_more_seldom_and_six_times(store: Store) -> None:
    world = World(store)
    world.begin()

    def refuse(where: str) -> None:
        if where == "before":
            raise NotSent("connect")

    world.fate = refuse
    tried = []
    for minute in range(120):
        world.look("a")
        with store.read() as db:
            tries = deliveries.deliveries(db, "report daily", "2026-11-27")["ann@example.org"].tries
        if tries > len(tried):
            tried.append(minute)
        world.now_ms += FIRST_WAIT_MS
    assert tried == [0, 1, 3, 7, 15, 31]
    with store.read() as db:
        found = deliveries.deliveries(db, "report daily", "2026-11-27")["ann@example.org"]
    assert (found.state, found.why, found.tries, found.is_over) == ("failed", "connect", MOST_TRIES, True)
    assert world.ended["failed"] == 3 * MOST_TRIES


def test_old_rows_go_and_a_known_report_stays_known(store: Store) -> None:
    world = World(store)
    world.begin()
    world.look("a")
    world.now_ms += KEPT_MS + DAY_MS
    world.look("a")
    with store.read() as db:
        assert not deliveries.deliveries(db, "report daily", "2026-11-27")
        assert deliveries.deliveries(db, "report daily", "")


def test_what_takes_the_place_of_what_it_left_is_begun_again_when_its_process_died(store: Store) -> None:
    world = World(store)
    table = ScheduledTable(
        name="daily", weekday=None, hour=8, minute=0, zone="UTC", analysis="rfm", parameters={}, question="", folder="out", forms=("csv",), table="t"
    )  # fmt: skip
    got: Counter[str] = Counter()

    def process(name: str, *, dies: bool = False) -> None:
        def post(_: ScheduledTable, __: Due, recipient: str, ___: str) -> None:
            got[recipient] += 1
            if dies:
                raise Killed

        with suppress(Killed):
            Deliverer(store, [table], lambda *_: "made", post, name, lambda: world.now_ms, lambda *_: None).look()

    standings(store, [table], world.now_ms)
    world.now_ms += 9 * HOUR_MS
    process("a", dies=True)
    process("b")
    assert got == {"folder:out": 1}, "both are claimed by the one that died"
    world.now_ms += max(MAKING_MS, SENDING_MS) + 1
    process("b")
    assert got == {"folder:out": 2, "table:t": 1}
    process("c")
    assert got == {"folder:out": 2, "table:t": 1}
    (now,) = standings(store, [table], world.now_ms)
    assert (now.sent, now.recipients) == (2, 2)
    world.now_ms += DAY_MS
    for number in range(MOST_TRIES + 3):
        process(f"dying-{number}", dies=True)
        world.now_ms += max(MAKING_MS, SENDING_MS) + 1
    assert got["folder:out"] == 2 + MOST_TRIES, "what kills its process each time is left alone in the end"
