"""Was somebody erased, and how is somebody erased? The same record of the log as that of `churnwatch erase`; the history's own reader of the log does the rest."""

from __future__ import annotations

import redis

from insights.live.engine import EngineView
from insights.web.parts import Parts
from stream.faults import UsageFault
from stream.ownership.erase import must_erase, send
from stream.ownership.erased import held


def erased_ms(parts: Parts, view: EngineView, user: str) -> int | None:
    """Return when somebody was erased, ms since the epoch, if they have not consented since; None also while Redis is away."""
    if view.spec is None:
        return None
    try:
        found = list(held(parts.engine.client, parts.engine.app, view.spec.partitions, [user]))
    except redis.RedisError:
        return None
    if any(one.state for one in found):
        return None
    return max((one.erased_ms for one in found if one.erased_ms is not None and one.away), default=None)


def erase(parts: Parts, view: EngineView, user: str) -> None:
    """Put somebody's erasure into the log.

    Raises
    ------
    UsageFault
        Where it cannot be done, with what to do first.
    """
    if view.spec is None:
        raise UsageFault(
            "no engine has run here, so there is no log to erase from; of a history without an app, `churnwatch history erase` does it"
        )
    client, app = parts.engine.client, parts.engine.app
    try:
        must_erase(client, app, view.spec)
        before = list(held(client, app, view.spec.partitions, [user]))
    except redis.RedisError as error:
        raise UsageFault("Redis does not answer ({error}): try again when it does", error=type(error).__name__) from error
    send(parts.settings, view.spec, [user], before)
