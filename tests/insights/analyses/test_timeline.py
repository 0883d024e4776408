"""A timeline is a person's own events, the newest first, whichever page of it is asked for."""

from __future__ import annotations

from insights.analyses.timeline import events_of, kinds_of
from tests.insights.analyses.logs import crowd_of_log, for_logs
from tests.oracles.analyses.log import Log


def test_a_timeline_is_the_persons_own_events_the_newest_first(full: bool) -> None:
    def check(log: Log) -> None:
        crowd = crowd_of_log(log)
        for user in "ab":
            own = [one for one in reversed(log.in_order()) if one.user == user]
            for kind in ("", "view"):
                right = [(one.ts, one.type, one.value) for one in own if kind in ("", one.type)]
                pages = [events_of(crowd, user, kind, skip, 3).rows(named=True) for skip in range(0, len(right) + 3, 3)]
                assert [(row["ts"], row["type"], row["value"]) for rows in pages for row in rows] == right
            assert dict(kinds_of(crowd, user)) == {kind: sum(one.type == kind for one in own) for kind in {one.type for one in own}}
        crowd.close()

    for_logs(full, check)


def test_an_id_that_is_sql_is_an_id() -> None:
    crowd = crowd_of_log(Log([]))
    assert events_of(crowd, "' OR '1'='1").is_empty()
    assert kinds_of(crowd, "x'; DROP TABLE events; --") == ()
