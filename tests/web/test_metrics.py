"""What the page says to Prometheus, and to whoever asks whether it lives."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from insights.web.metrics import PAGE_METRICS
from stream.metric import markdown
from tests.web.world import WebWorld

pytestmark = pytest.mark.real_redis
ROOT = Path(__file__).parents[2]


def figures(world: WebWorld, scope: str = "read:aggregates") -> dict[tuple[str, ...], float]:
    answer = world.browser().get("/metrics", headers={"Authorization": f"Bearer {world.token(scope)}"})
    assert answer.status_code == 200
    assert not [row for row in world.parts.keeper.board.rows.values() if len(row.alert.user) > 5 and row.alert.user in answer.text]
    return {
        (one.name, *one.labels.values()): one.value
        for family in text_string_to_metric_families(answer.text)
        for one in family.samples
        if not one.name.endswith("_bucket")
    }


def test_it_says_how_many_alerts_are_open_and_who_answers(full: WebWorld) -> None:
    shown, board = figures(full), full.parts.keeper.board
    for definition in {row.alert.definition for row in board.rows.values()}:
        assert shown["churnwatch_page_open_alerts", definition] == board.open_count(definition) > 0
    assert shown["churnwatch_page_reached", "redis"] == 1


def test_answers_are_counted_by_kind(full: WebWorld) -> None:
    before = figures(full)
    browser = full.browser()
    browser.get("/data")
    browser.get("/no-such-page")
    browser.get("/static/page.js")
    browser.get("/api/v1/users/nobody/risk")
    after = figures(full)
    name = "churnwatch_page_answers_total"
    counted = {key[1:]: after[key] - before.get(key, 0) for key in after if key[0] == name}
    assert {key: n for key, n in counted.items() if n} == {("page", "2xx"): 2, ("page", "4xx"): 1, ("file", "2xx"): 1, ("api", "2xx"): 1}
    assert after["churnwatch_page_answer_seconds_count", "api"] == before.get(("churnwatch_page_answer_seconds_count", "api"), 0) + 1


def test_what_the_follower_does_is_shown(full: WebWorld) -> None:
    metrics = full.parts.metrics
    metrics.holds(ours=True)
    metrics.troubled("Kafka is away")
    assert figures(full)["churnwatch_page_past_stuck",] == 1
    before = figures(full).get(("churnwatch_page_past_records_total", "alerts"), 0)
    metrics.committed(Counter(alerts=3, examples=5), 0.02, lag=7)
    shown = figures(full)
    assert shown["churnwatch_page_past_records_total", "alerts"] == before + 3
    assert (shown["churnwatch_page_past_lag_records",], shown["churnwatch_page_past_stuck",], shown["churnwatch_page_past_holds",]) == (
        7,
        0,
        1,
    )


def test_metrics_ask_for_a_token_and_life_does_not(full: WebWorld) -> None:
    browser = full.browser()
    assert browser.get("/live").text == "ok\n"
    browser.headers["Authorization"] = "Bearer cw_nobody"
    assert browser.get("/live").status_code == 200
    assert browser.get("/metrics").status_code == 401
    browser.headers["Authorization"] = f"Bearer {full.token('write:events')}"
    assert browser.get("/metrics").status_code == 403


def test_the_docs_have_the_table() -> None:
    assert markdown(PAGE_METRICS) in (ROOT / "docs" / "metrics.md").read_text()
