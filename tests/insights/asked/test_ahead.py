"""When a day is over, what will be asked is computed before anybody asks: once, by one of several processes, and not while somebody waits for something else."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from insights.asked import crew, version
from insights.asked.ahead import Ahead, Question, closed_at
from insights.asked.asked import Asked
from insights.history.standing import KEY
from insights.history.table import Table
from insights.history.tables import EVENTS
from insights.store import answers
from tests.insights.asked.conftest import Clock
from tests.insights.asked.test_asked import copy_of, grown, pids
from tests.insights.example import said

UTC_ZONE = ZoneInfo("UTC")
QUESTIONS: list[Question] = [("lifecycle", {"unit": "week"}), ("active_users", {})]
SUNDAY = date(2026, 3, 29)
"""On whose morning the example ends."""


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests wait for what nobody waits for."""
    monkeypatch.setattr(crew, "NICE", 0)


class Looking:
    """One process that computes ahead, and what became of its questions."""

    def __init__(self, asked: Asked, questions: list[Question] = QUESTIONS) -> None:
        self.asked, self.told = asked, Counter[str]()
        self.ahead = Ahead(asked, lambda: questions, lambda: UTC_ZONE, lambda outcome: self.told.update([outcome]))
        self.time_s = 0.0
        asked.crew.clock = lambda: self.time_s

    def look(self) -> tuple[date | None, int, int]:
        return tuple(self.ahead.look(threading.Event()))  # type: ignore[return-value]  # a NamedTuple of these


def states(asked: Asked, questions: list[Question] = QUESTIONS) -> set[str]:
    return {asked.look(*one, persons=True).state for one in questions}


def test_the_newest_day_that_is_over_is_one_of_the_zone() -> None:
    at = datetime(2026, 10, 25, 22, 30, tzinfo=UTC)  # in Berlin 23:30 of a day of 25 hours
    assert closed_at(round(at.timestamp() * 1000), ZoneInfo("Europe/Berlin")) == (date(2026, 10, 24), 1_792_879_200_000)
    assert closed_at(round(at.timestamp() * 1000) + 1_800_000, ZoneInfo("Europe/Berlin")).day == date(2026, 10, 25)


def test_the_watermark_is_read_as_the_history_says_it(history: Path, tmp_path: Path) -> None:
    assert version.KEY == KEY
    assert version.watermark_of(history) == Table.open(history, EVENTS).standing.watermark_ms
    assert version.watermark_of(tmp_path) is None
    log = copy_of(history, tmp_path) / version.LOG
    (log / f"{99:020}.json").write_text(json.dumps({"commitInfo": {"operation": "OPTIMIZE"}}) + "\n")  # of another program
    assert version.watermark_of(log.parents[1]) == version.watermark_of(history)


def test_when_a_day_is_over_the_answers_are_there_before_anybody_asks(
    opened: Callable[..., Asked], history: Path, tmp_path: Path, clock: Clock
) -> None:
    folder = copy_of(history, tmp_path)
    one, page = Looking(opened(folder=folder)), opened(folder=folder)
    assert one.ahead.standing() == (date(2026, 3, 28), 0, 2)
    assert one.look() == (date(2026, 3, 28), 2, 0)
    assert (states(page), pids(page), one.asked.crew._quiet) == ({"ready"}, [], []), "from the store, and nothing is left running"
    grown(folder, [{"user": "new", "ts": "2026-03-29T15:00:00Z", "type": "open"}])
    assert one.look() == (date(2026, 3, 28), 2, 0)
    assert one.told == {"computed": 2}, "no day is over"
    grown(folder, [{"user": "newer", "ts": "2026-03-30T00:30:00Z", "type": "open"}], "monday")
    assert one.ahead.standing() == (SUNDAY, 0, 2)
    assert one.look() == (SUNDAY, 2, 0)
    clock.now_ms += 3_600_000  # an answer of before would be old enough to be made again
    for name, parameters in QUESTIONS:
        answer = page.look(name, parameters, persons=True)
        assert answer.state == "ready"
        assert answer.as_of is not None
        assert answer.as_of.watermark == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)
        assert answer.result is not None
        assert answer.result.rows.height == len(json.loads(said(folder, [name.replace("_", "-"), *_words(parameters), "--json"]))["rows"])
    assert pids(page) == []
    other = Looking(page)
    assert other.look() == (SUNDAY, 2, 0)
    assert other.told == {}, "a start finds them there"
    with page._keeping._store.write() as db:
        answers.forget(db)  # as when somebody was erased
    assert other.look() == (SUNDAY, 2, 0)
    assert other.told == {"computed": 2}


def _words(parameters: object) -> list[str]:
    assert isinstance(parameters, dict)
    return [word for name, value in parameters.items() for word in (f"--{name}", str(value))]


def test_of_two_processes_one_computes_each_answer(opened: Callable[..., Asked]) -> None:
    one, other = Looking(opened()), Looking(opened())
    threads = [threading.Thread(target=each.look) for each in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sum((one.told + other.told).values()) == len(QUESTIONS)
    assert one.look()[1:] == other.look()[1:] == (2, 0)


def test_it_waits_while_somebody_waits_for_something_else(opened: Callable[..., Asked]) -> None:
    one = Looking(opened())
    asked = one.asked
    asked.catalog()
    waits = asked.look("stickiness", {}, persons=True)
    assert one.look()[1:] == (0, 2)
    assert one.told == {}
    assert asked.look("stickiness", {}, persons=True, wait_s=120).state == "ready"
    assert waits.state == "running"
    assert one.look()[1:] == (2, 0)


def test_what_is_refused_is_not_tried_again_on_that_day_and_a_long_round_is_rested_for(opened: Callable[..., Asked]) -> None:
    wrong: Question = ("funnel", {"steps": ["open"], "window": "soon"})
    one = Looking(opened(), [wrong, ("fame", {}), QUESTIONS[0]])
    assert one.look()[1:] == (1, 0)
    assert one.told == {"refused": 1, "computed": 1}
    assert one.look()[1:] == (1, 0)
    assert one.told == {"refused": 1, "computed": 1}
    with one.asked._keeping._store.write() as db:
        answers.forget(db)
    one.ahead._spent_s = 5.0  # as if the round had taken so long
    one.look()
    assert one.told["computed"] == 2
    with one.asked._keeping._store.write() as db:
        answers.forget(db)
    one.time_s = 99.0
    assert one.look()[1:] == (0, 1)
    one.time_s = 101.0
    assert one.look()[1:] == (1, 0)


def test_a_stop_ends_it_in_the_middle(opened: Callable[..., Asked]) -> None:
    one = Looking(opened())
    stop = threading.Event()
    stop.set()
    assert one.ahead.look(stop).ready == 0
    assert one.told == {}


def test_without_a_history_nothing_is_started(opened: Callable[..., Asked], tmp_path: Path) -> None:
    one = Looking(opened(folder=tmp_path / "none"))
    assert one.look() == (None, 0, 0)
    assert pids(one.asked) == []
