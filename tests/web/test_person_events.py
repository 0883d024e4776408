"""What somebody did stands on their page as the history has it, a page at a time; and an admin has them forgotten by the same record as the command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from starlette.testclient import TestClient

from insights.asked.messages import Listed
from insights.store import audit
from insights.web.person.address import person_link
from insights.web.person.timeline import MOST
from stream.demo.local_redis import LocalRedis
from stream.demo.product import Click
from tests.web.access.house import csrf_in
from tests.web.world import NOW_MS, WebWorld, make_world

pytestmark = pytest.mark.real_redis


def text_of(html: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)))


def lines_of(page: str) -> list[str]:
    return [text_of(line) for line in re.findall(r"<li><time>.*?</li>", page.split('id="events"')[1], re.DOTALL)]


async def asked(world: WebWorld, sql: str) -> list[dict[str, object]]:
    found = await world.parts.asked.sql(sql, 10_000)
    assert isinstance(found, Listed)
    return found.rows.dicts()


async def test_all_events_are_there_once_and_the_newest_first_over_all_pages(full: WebWorld) -> None:
    busiest = "SELECT user, count(*) AS n FROM events GROUP BY user ORDER BY n DESC, user LIMIT 1"
    (most,) = await asked(full, busiest)
    user, n = str(most["user"]), int(str(most["n"]))
    assert n > MOST
    browser, seen = full.browser(), list[str]()
    link: str | None = f"{person_link(user)}?lang=en"
    while link is not None:
        page = browser.get(link).text
        lines = lines_of(page)
        assert lines, link
        seen += lines
        older = re.search(r'<a href="([^"]*)#events">Older', page)
        link = None if older is None else f"{person_link(user)}{unescape(older[1])}"
    rows = await asked(
        full,
        f"WITH most AS ({busiest}) SELECT strftime(ts, '%H:%M:%S') AS at, type FROM events JOIN most USING (user) ORDER BY ts DESC, part DESC, off DESC",  # noqa: S608 - a constant of this test
    )
    assert len(seen) == len(rows) == n
    for line, row in zip(seen, rows, strict=True):
        assert f" {row['at']} " in line
        assert f" {row['type']} " in f"{line} "


async def test_one_type_is_picked_without_a_script_and_stays_while_pages_are_turned(full: WebWorld) -> None:
    (most,) = await asked(full, "SELECT user, type, count(*) AS n FROM events GROUP BY ALL ORDER BY n DESC, user, type LIMIT 1")
    page = full.browser().get("/person", params={"q": str(most["user"]), "type": str(most["type"]), "lang": "en"}).text
    assert {line.split()[4] for line in lines_of(page)} == {most["type"]}
    assert 'method="post"' not in page.split('id="events"')[1].split("</form>")[0], "the filter is a form that asks, and changes nothing"
    older = re.search(r'<a href="\?([^"]*)#events">Older', page)
    if int(str(most["n"])) > MOST:
        assert older is not None
        assert dict(parse_qsl(unescape(older[1])))["type"] == most["type"]


async def test_whoever_is_not_in_the_history_has_none_and_a_page_that_is_none_is_refused(full: WebWorld) -> None:
    await asked(full, "SELECT 1 AS one")  # what reads has started when this returns
    said = text_of(full.browser().get("/person?q=user-00114&lang=en").text)
    assert "The history has no event of theirs" in said
    assert full.browser().get("/person?q=user-00114&page=2000").status_code == 422
    assert full.browser().get("/person?q=user-00114&page=x").status_code == 422
    assert urlsplit(person_link("a/b")).query, "such an id stands in the query, where the pages keep it"


@pytest.fixture(scope="module")
def world(redis_server: LocalRedis, kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebWorld]:
    settings = {"kafka__bootstrap": kafka, "kafka__topic_prefix": "forget."}
    made = make_world("warming", redis_server, tmp_path_factory.mktemp("forget"), app_name="person-forget", users=40, settings=settings)
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic("forget.clicks", made.made_up.partitions)])["forget.clicks"].result(30)
    yield made
    made.close()


def records(world: WebWorld, kafka: str) -> list[dict[str, object]]:
    """All that stands in the clicks."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "look", "enable.auto.commit": False})
    found: list[dict[str, object]] = []
    for number in range(world.made_up.partitions):
        place = TopicPartition("forget.clicks", number, 0)
        end = consumer.get_watermark_offsets(place, 10)[1]
        consumer.assign([place])
        found += [msgspec.json.decode(one.value()) for one in consumer.consume(end, 20)] if end else []
    consumer.close()
    return found


def form(browser: TestClient, user: str, again: str, csrf: str | None = None) -> dict[str, str]:
    page = browser.get(person_link(user) + "?lang=en").text
    return {"csrf": csrf_in(page) if csrf is None else csrf, "user": user, "again": again}


@pytest.mark.real_kafka
def test_nobody_is_erased_by_a_slip_or_by_another_site(world: WebWorld, kafka: str) -> None:
    browser, user = world.browser(), "user-00007"
    slip = browser.post("/person/erase?lang=en", data=form(browser, user, "user-00008"))
    assert slip.status_code == 422
    assert "the id that was typed is not theirs" in text_of(slip.text)
    assert browser.post("/person/erase", data=form(browser, user, user, csrf="x")).status_code == 403
    assert browser.post("/person/erase", data={"user": user, "again": user}).status_code == 403
    token = world.token("read:aggregates", "read:people")
    headers = {"Authorization": f"Bearer {token}"}
    assert "/person/erase" not in world.browser().get(person_link(user), headers=headers).text
    assert world.browser().post("/person/erase", data={"user": user, "again": user}, headers=headers).status_code == 403
    assert records(world, kafka) == []


@pytest.mark.real_kafka
def test_an_admin_erases_somebody_by_their_form(world: WebWorld, kafka: str) -> None:
    browser, user = world.browser(), "user-00007"
    assert f"<bdi>{user}" in browser.get(person_link(user)).text
    done = browser.post("/person/erase", data=form(browser, user, user))
    assert (done.status_code, done.headers["location"]) == (303, "/person?done=erased")
    assert "They are being forgotten" in text_of(browser.get("/person?done=erased&lang=en").text)
    sent = records(world, kafka)
    assert {(one["user"], one["type"]) for one in sent} == {(user, "erase")}
    with world.parts.store.read() as db:
        lines = audit.newest_lines(db)
    assert "person_erased" in [line.what for line in lines]
    assert user not in repr(lines)

    world.later([Click(NOW_MS, user, msgspec.json.encode({"user": user, "ts": NOW_MS, "type": "erase", "event_id": "1"}))], NOW_MS + 1)
    page = text_of(browser.get(person_link(user) + "?lang=en").text)
    assert "This person was erased" in page
    assert "What they did" not in page
    assert "/person/erase" not in page
    world.later([Click(NOW_MS + 2, user, msgspec.json.encode({"user": user, "ts": NOW_MS + 2, "type": "consent"}))], NOW_MS + 3)
    assert "This person was erased" not in text_of(browser.get(person_link(user) + "?lang=en").text)


@pytest.mark.real_kafka
def test_where_there_is_no_kafka_nothing_is_said_to_be_erased(redis_server: LocalRedis, tmp_path: Path) -> None:
    made = make_world("warming", redis_server, tmp_path, app_name="person-no-kafka", users=20, settings={"kafka__bootstrap": "127.0.0.1:1"})
    browser, user = made.browser(), "user-00003"
    answer = browser.post("/person/erase?lang=en", data=form(browser, user, user))
    made.close()
    assert answer.status_code == 422
    assert "Nothing was erased: no Kafka at 127.0.0.1:1" in text_of(answer.text)
