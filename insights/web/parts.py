"""What a page is made from: everything that the program opens once and every page reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from insights.live.engine import Engine
from insights.store.store import Store
from stream.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """What the program has opened.

    Attributes
    ----------
    settings : Settings
    engine : Engine
        What the engine says of itself.
    store : Store
        The page's own database.
    now_ms : callable
        The clock on the wall, ms since the epoch. Figures follow event time (`EngineView.as_of_ms`); this is for sessions and for what is late.
    """

    settings: Settings
    engine: Engine
    store: Store
    now_ms: Callable[[], int]


async def parts_of(request: Request) -> Parts:
    """Return what the program has opened. Async, because FastAPI would give a thread to anything else, at each request."""
    return cast("Parts", request.app.state.parts)


Has = Annotated[Parts, Depends(parts_of)]
"""For the signature of a page: `def page(parts: Has)`."""
