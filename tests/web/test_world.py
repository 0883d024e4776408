"""The made-up world that the page's tests stand on is what it says, and the same every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.alerts.message import decode_alert
from stream.demo.local_redis import LocalRedis
from tests.web.world import NOW_MS, make_world

pytestmark = pytest.mark.real_redis


def test_the_same_world_twice(redis_server: LocalRedis, tmp_path: Path, app_name: str) -> None:
    said = []
    for twin in ("a", "b"):
        world = make_world("warming", redis_server, tmp_path, app_name=f"{app_name}-{twin}", users=60)
        said.append(
            [(alert.user, alert.landmark_ms, alert.risk) for alert in (decode_alert(one.value) for one in world.made_up.topics.alerts)]
        )
        assert world.parts.engine.view().newest_ms is not None
        world.close()
    assert said[0] == said[1]


def test_in_a_full_world_a_model_serves_and_people_are_at_risk(redis_server: LocalRedis, tmp_path: Path, app_name: str) -> None:
    world = make_world("full", redis_server, tmp_path, app_name=app_name, users=60)
    alerts = [decode_alert(one.value) for one in world.made_up.topics.alerts]
    ended = {alert.alert_id for alert in alerts if alert.type == "resolved"}
    assert {alert.cause for alert in alerts} == {None, "returned", "horizon"}
    assert [alert for alert in alerts if alert.alert_id not in ended]
    assert alerts[-1].model_version > 0
    assert world.parts.engine.view().newest_ms == NOW_MS
    world.close()


def test_when_redis_is_gone_the_last_view_stays(redis_server: LocalRedis, tmp_path: Path, app_name: str) -> None:
    world = make_world("redis_down", redis_server, tmp_path, app_name=app_name, users=20)
    assert world.parts.engine.view().spec is not None
    world.close()
