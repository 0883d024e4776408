"""Who is at risk is for those who may see persons; how many, for everybody who may look."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.reader import UserReader
from insights.web.door.deeds import By
from insights.web.door.managed import make_token
from insights.web.who import MAY
from stream.demo.local_redis import LocalRedis
from tests.web.world import make_world

pytestmark = pytest.mark.real_redis
ROLES = ("viewer", "analyst")


def test_a_viewer_sees_how_many_and_nobodys_id(redis_server: LocalRedis, tmp_path: Path) -> None:
    world = make_world("full", redis_server, tmp_path, app_name="at-risk-roles", users=400)
    with world.parts.store.write() as db:
        tokens = {role: make_token(db, By("test", "", world.now_ms), role, sorted(MAY[role] - {"manage"}), None)[1] for role in ROLES}
    shown = {role: world.browser().get("/at-risk", headers={"Authorization": f"Bearer {token}"}).text for role, token in tokens.items()}
    users = sorted(row.user for row in UserReader(world.parts.engine.client, world.parts.engine.app).users_at_risk(only_open=True))
    world.close()
    assert len(users) > 1
    for role, text in shown.items():
        assert f"{len(users)} people" in text
        assert [user for user in users if user in text] == (users if role == "analyst" else [])
