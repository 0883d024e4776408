"""Cases of active users."""

from __future__ import annotations

from typing import Any

from insights.analyses.active_users import ACTIVE_USERS, ActiveUsers
from insights.analyses.crowd import Crowd


def answer(crowd: Crowd, query: dict[str, Any]) -> Any:
    day = query["day"]
    month = {"month_days": int(query["month_days"])} if "month_days" in query else {}
    rows = ACTIVE_USERS.run(crowd, ActiveUsers(since=day, until=day, **month)).rows
    said = {row["metric"]: None if row["value"] is None else row["value"] for row in rows.to_dicts()}
    return {**said, "stickiness": [said["dau"], said["mau"]]}
