"""A watched number over a real history: opened once, told by mail and on the topic, and not again by whoever starts next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html import unescape
from pathlib import Path

import msgspec
import pytest
from starlette.testclient import TestClient

from insights.asked.questions import entry_named
from insights.store import watching
from insights.watches.core import Event
from insights.web.app import make_app
from insights.web.crowd.questions import RATES
from insights.web.parts import Parts
from insights.web.report.runner import to_topic
from insights.web.watching.telling import Telling
from insights.web.watching.watcher import check, look, look_at_all
from stream.faults import UsageFault
from stream.kafka.clients import everything, reader
from stream.settings import load_settings
from stream.settings.watches import Watch
from tests.servers.smtp import smtp_server
from tests.stream.topics import make_topics
from tests.web.world import WebWorld

pytestmark = pytest.mark.real_redis
OPENS = Watch(
    name="day one", analysis="retention", parameters=dict(RATES), metric="retention", cell={"k": 1}, rule="above", bound=0.0, least=1,
    to=("ann@example.org",),
)  # fmt: skip
STAYS = replace(OPENS, name="never", bound=1.0, to=())


class Topic:
    """A topic in memory, which may be away."""

    def __init__(self) -> None:
        self.records: list[tuple[bytes, bytes]] = []
        self.is_away = False

    def __call__(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        if self.is_away:
            raise UsageFault("no Kafka")
        self.records += records


def parts_with(world: WebWorld, port: int, *watches: Watch) -> Parts:
    values = {**world.parts.settings.values, "mail.host": "localhost", "mail.port": port, "mail.tls": "none", "mail.from": "c@example.org"}
    return replace(world.parts, settings=replace(world.parts.settings, values=values, watches=watches))


def test_what_opens_is_told_once_to_each_and_stands_on_data(full: WebWorld) -> None:
    with smtp_server() as (box, port):
        parts, topic = parts_with(full, port, OPENS, STAYS), Topic()
        found = look_at_all(parts, wait_s=120)
        assert [[one.type for one in looked.events] for looked in found] == [["opened"], []]
        topic.is_away = True
        with pytest.raises(UsageFault):
            Telling(parts, topic).tell()
        assert len(box.mails) == 1, "mail does not wait for Kafka"
        topic.is_away = False
        for _ in range(2):  # as if it had been started again
            assert not [one for looked in look_at_all(parts, wait_s=120) for one in looked.events]
            Telling(parts, topic).tell()
    ((to, mail),) = box.mails
    ((key, value),) = topic.records
    event = msgspec.json.decode(value, type=Event)
    assert (to, mail["Subject"], key) == ("ann@example.org", "Out of bounds: day one", b"day one")
    body = mail.get_body()
    assert body is not None
    assert f"in {event.cohort} ({event.n} people" in body.get_content()
    answer = parts.asked.look("retention", RATES, persons=True, wait_s=120).result
    assert answer is not None
    newest = [
        row
        for row in answer.rows.dicts()
        if row["metric"] == "retention" and row["k"] == 1 and row["group"] is None and row["state"] == "complete"
    ][-1]
    assert (event.cohort, event.value, event.n) == (newest["cohort"], newest["value"], newest["n"])
    page = TestClient(make_app(parts), base_url="http://127.0.0.1").get("/data?lang=en").text
    said = unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page)))
    assert f"day one open: {newest['value']:,.4g} in {newest['cohort']}" in said
    assert f"never within bounds as of {newest['cohort']}" in said


@pytest.mark.real_kafka
def test_on_a_real_kafka_the_topic_is_written_in_order_and_one_that_is_missing_is_named(
    kafka: str, app_name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable, value in (("KAFKA", kafka), ("TOPIC_PREFIX", f"{app_name}-")):
        monkeypatch.setenv(f"CHURNWATCH_{variable}", value)
    publish, told = to_topic(load_settings()), [(b"day one", b"1"), (b"never", b"2"), (b"day one", b"3")]
    with pytest.raises(UsageFault, match="churnwatch topics create"):
        publish(told)
    make_topics(kafka, f"{app_name}-", 1)
    publish(told[:2])
    publish(told[2:])
    written = everything(*reader(load_settings(), "metric_alerts"))
    assert [(record.key, record.value) for record in written] == told


def test_a_watch_of_what_there_is_not_is_refused_with_what_there_is(full: WebWorld) -> None:
    entry = entry_named("retention", full.parts.asked.catalog())
    check(OPENS, entry)
    for wrong, said in (
        (replace(OPENS, metric="retenion"), "retention has no metric 'retenion'; there are: overall, retention"),
        (replace(OPENS, parameters={"unit": "year"}), "unit"),
        (replace(OPENS, cell={"kk": 1}), "retention has no 'kk' to choose a cell by"),
    ):
        with pytest.raises(UsageFault, match=said):
            check(wrong, entry)


def test_what_cannot_be_judged_says_why_and_keeps_no_state(full: WebWorld) -> None:
    parts = parts_with(full, 25, replace(OPENS, name="many", cell={}))
    (looked,) = look_at_all(parts, wait_s=120)
    assert "could be several numbers of retention" in looked.trouble
    with parts.store.read() as db:
        assert watching.kept(db, "many") is None
    few = look(parts, replace(OPENS, name="few", least=10**6), wait_s=120)
    assert (few.events, few.state.judged) == ([], "")
