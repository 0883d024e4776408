"""What is new since a page was drawn? Server-sent events that carry counts only: the page says "3 new, show", and nothing moves until somebody does.

A client hears at most one event in `APART_S`; what happens meanwhile is in the next one. Each says everything that is new since the page was
drawn, so an event that was lost is missed by nobody.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import msgspec

from insights.live.board import Board
from insights.live.keeper import Keeper
from insights.live.listing import Filters, filtering

APART_S = 2.0
"""Least time between two events for one client, in seconds."""
STILL_HERE_S = 15.0
"""A client that hears nothing for so long is told that the stream is still here: proxies end what is silent."""
LONGEST_S = 600.0
"""A stream ends after so long, and the browser opens the next by itself: so a session that was ended, or a role that was taken away, is noticed."""
RETRY_MS = 3_000


class News(msgspec.Struct, frozen=True):
    """What is new.

    Attributes
    ----------
    new : int
        People who pass the page's filters and were flagged since.
    ended : int
        Alerts that were open when the page was drawn, and have ended since.
    whole : bool
        Whether all that ended since the page was drawn is remembered; if not, the page is too old and offers to be drawn anew.
    """

    new: int
    ended: int
    whole: bool


def news_of(board: Board, wanted: Filters, number: int) -> News:
    """Return what is new to somebody who saw the board of a number."""
    since = board.since(number, filtering(wanted))
    return News(since.new, len(since.ended), since.whole)


async def events(
    keeper: Keeper, wanted: Callable[[Board], msgspec.Struct], clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[str]:
    """Yield what a client is sent: first where things stand, then what is new whenever that is another thing.

    Parameters
    ----------
    wanted : callable
        What is new to this client, by the present board.
    """
    yield f"retry: {RETRY_MS}\n\n"
    end = clock() + LONGEST_S
    edition, told = -1, None
    while (left := end - clock()) > 0:
        if not await keeper.changed(edition, min(STILL_HERE_S, left)):
            yield ": still here\n\n"
            continue
        board = keeper.board
        edition, news = board.edition, wanted(board)
        if news != told:
            told = news
            yield f"event: changed\ndata: {msgspec.json.encode(news).decode()}\n\n"
        if keeper.stopped:
            return
        await asyncio.sleep(APART_S)
