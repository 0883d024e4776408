"""`churnwatch demo`: from nothing to a full page, by itself or until Ctrl-C, and nothing is left behind."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from stream.demo.days import LIVE_SPEED, live_ms
from stream.demo.embedded import EmbeddedKafka, EmbeddedLooker
from stream.demo.folder import PORT, PREFIX, clear
from stream.demo.product import DAY_MS
from stream.kafka.connection import Connection, sender
from stream.kafka.reach import reach
from stream.settings import load_settings
from tests.servers.process import Program, wait_until

Start = Callable[..., Program]


@pytest.fixture
def demo(tmp_path: Path) -> Start:
    """Start a demo, small enough for a test, whose temporary folder is in ours."""
    (tmp_path / "tmp").mkdir()

    def start(*arguments: str) -> Program:
        # no setting of the environment may lead it to somebody's real servers
        environment = {"TMPDIR": str(tmp_path / "tmp"), "CHURNWATCH_KAFKA": "127.0.0.1:1", "CHURNWATCH_PAGE": "0.0.0.0:1"}
        users = () if "--users" in arguments else ("--users", "120")
        return Program(["demo", *users, *arguments], environment, tmp_path / "log")

    return start


def page_of(program: Program) -> str:
    """The address, which is in the first line."""
    wait_until(lambda: "http://" in program.text() or program.process.poll() is not None, 30, "an address", program.text)
    found = re.search(r"http://127\.0\.0\.1:\d+", program.text().splitlines()[0])
    assert found is not None, program.text()
    return found[0]


def wait_for(program: Program, words: str, timeout_s: float) -> None:
    """Wait until the demo has said some words."""
    wait_until(
        lambda: words in program.text() or program.process.poll() is not None, timeout_s, words, program.text, lambda: len(program.text())
    )
    assert words in program.text()


def nothing_is_left(program: Program, url: str) -> bool:
    with socket.socket() as probe:
        listens = probe.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) == 0
    return not listens and not list((program.log.parent / "tmp").glob("churnwatch-demo-*"))


def test_without_a_terminal_it_ends_by_itself_once_the_page_shows_what_the_engine_says(demo: Start) -> None:
    program = demo("--days", "30")
    url = page_of(program)
    assert program.process.wait(240) == 0, program.text()
    said = program.text()
    shown = re.search(r"The page shows (\d+) people at risk now, as many as the engine has", said)
    assert shown is not None, said
    assert int(shown[1]) > 0
    assert re.search(r"at risk +\d+% +user-\d{5}", said)
    assert re.search(r"The history holds all [\d,]+ events: Today, Retention, Journeys, Groups and Features are full", said)
    assert "leavers caught" in said
    assert "Traceback" not in said
    assert "rdkafka" not in said  # the broker in memory was asked nothing that it does not know
    assert nothing_is_left(program, url)


def test_a_scenario_says_in_chinese_which_planted_causes_its_pages_found_and_where(demo: Start) -> None:
    """In thirty days the shop's form has lost many; its gold members lose their perks on day 90 only, so that cause is not there yet."""
    program = demo("--scenario", "ecommerce", "--days", "30", "--users", "600", "--lang", "zh")
    url = page_of(program)
    assert program.process.wait(300) == 0, program.text()
    said = program.text()
    assert "有风险" in said
    assert "已找到：android 在“路径”页面上排在首位" in said
    assert "未找到：“留存”页面没有把它排在首位" in said
    assert "页面找到了 2 个植入原因中的 1 个" in said
    assert f"{url}/journeys?step=sign_up_start&step=fill_form&step=sign_up_done&window=1d&by=props.platform&lang=zh" in said
    assert "Traceback" not in said
    assert nothing_is_left(program, url)


def test_it_goes_on_live_with_all_pages_until_it_is_interrupted(demo: Start) -> None:
    program = demo("--days", "4", "--stay")
    url = page_of(program)
    wait_for(program, f"Live at {url}", 120)
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as browser:
        wait_until(
            lambda: "at 127.0.0.1" in browser.get("/data").text, 30, "the page has seen the worker", lambda: browser.get("/data").text
        )
        for path in ("/at-risk", "/person", "/model", "/data", "/today", "/retention", "/journeys", "/groups", "/features"):
            answer = browser.get(path)
            assert answer.status_code == httpx.codes.OK
            assert "does not answer" not in answer.text
        before = browser.get("/data").text
        wait_until(lambda: browser.get("/data").text != before, 30, "time goes on")
    program.signal(signal.SIGINT)
    assert program.process.wait(10) == 0, program.text()
    assert nothing_is_left(program, url)


def test_it_can_be_interrupted_while_days_go_by(demo: Start) -> None:
    program = demo("--stay")
    url = page_of(program)
    wait_for(program, "the page answers", 90)
    program.signal(signal.SIGINT)
    assert program.process.wait(10) == 0, program.text()
    assert nothing_is_left(program, url)


def test_what_a_demo_leaves_behind_that_was_killed_hard_goes_when_the_next_one_starts(demo: Start) -> None:
    program = demo("--stay")
    place = program.log.parent / "tmp"
    wait_until(lambda: bool(list(place.glob(f"{PREFIX}*/churnwatch.toml"))), 60, "its servers are there", program.text)
    (folder,) = place.iterdir()
    port = int((folder / PORT).read_text())
    assert clear(place) == [], "a demo that runs is left alone"
    program.kill()
    assert clear(place) == [folder]
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    wait_until(lambda: clear(place) == [] and not folder.exists(), 30, "what its other processes still wrote is gone, too")


def test_live_time_never_overtakes_the_clock() -> None:
    assert live_ms(0, 2.0, now_ms=DAY_MS) == 2_000 * LIVE_SPEED
    assert live_ms(0, 30.0, now_ms=DAY_MS) == DAY_MS


def test_the_broker_in_memory_can_be_reached_and_looked_at() -> None:
    kafka = EmbeddedKafka()
    kafka.make_topics(["clicks"])
    reach(Connection(kafka.bootstrap))
    producer = sender(Connection(kafka.bootstrap), {})
    for _ in range(3):
        producer.produce("clicks", b"{}", partition=1)
    assert producer.flush(10) == 0
    looker = EmbeddedLooker(load_settings(Path("/dev/null"), {"CHURNWATCH_KAFKA": kafka.bootstrap}))
    look = looker.look(4, "demo")
    looker.close()
    assert look.ends == {0: 0, 1: 3, 2: 0, 3: 0}
    assert look.members is not None
    assert [member.partitions for member in look.members] == [(0, 1, 2, 3)]
