"""Is what the figures stand on fresh and complete? In a few numbers, for programs."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from churnwatch.answers import Data
from insights.web.api import examples
from insights.web.api.behind import Behind
from insights.web.api.operation import Nothing, Operation


async def data(behind: Behind, _request: Request, _asked: Nothing) -> Data:
    """Ask this before you trust a list: `as_of_ms` stands still while nothing is counted."""
    view = await asyncio.to_thread(behind.parts.engine.view)
    return Data(
        as_of_ms=view.as_of_ms,
        newest_ms=view.newest_ms,
        answered_ms=view.answered_ms,
        reached=view.reached,
        partitions=0 if view.spec is None else view.spec.partitions,
        followed=len(view.metas),
        unreadable=list(view.unreadable),
        outcomes=dict(view.totals),
    )


OPERATIONS = (
    Operation(
        name="data",
        path="/data",
        summary="How fresh and complete the data is",
        scope="read:aggregates",
        asked=Nothing,
        answers=Data,
        words="As Redis has it, at most a second ago.",
        example=examples.DATA,
        does=data,
    ),
)
