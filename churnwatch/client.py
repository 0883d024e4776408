"""A client of churnwatch's API: ask who is at risk, or send events, from any Python program.

::

    from churnwatch.client import Client, Event

    with Client("https://churn.example.com", token) as churn:
        if churn.risk("ann").at_risk:
            send_win_back("ann")
        churn.send([Event(user="ann", ts=int(time.time() * 1000), type="purchase", value=9.5, event_id="order-77")])

`AsyncClient` is the same with ``await``. A call that is answered by 429 or 503, or by nobody, is repeated after the pause that the answer asks for. That
is safe: an event that is sent again has the id that it had before, so it counts once. Errors are in `churnwatch.calls`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import Any, Self, TypeVar

import httpx

from churnwatch import calls
from churnwatch.answers import AtRisk, Band, Batch, Data, Event, Model, Problem, Risk, Sort, Sums
from churnwatch.calls import ApiError, ApiRefused, ApiUnreachable, Call

__all__ = [
    "ApiError", "ApiRefused", "ApiUnreachable", "AsyncClient", "AtRisk", "Band", "Batch", "Client", "Data", "Event", "Model", "Problem",
    "Risk", "Sort", "Sums",
]  # fmt: skip

T = TypeVar("T")


class _Core:
    """What both clients share: everything but waiting."""

    def __init__(self, url: str, token: str, tries: int) -> None:
        if tries < 1:
            raise ValueError(f"`tries` must be at least 1, got {tries}")
        self._base, self._tries = url.rstrip("/") + "/api/v1", tries
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def _request(self, client: httpx.Client | httpx.AsyncClient, call: Call[Any]) -> httpx.Request:
        headers, content = call.sent()
        query = {name: value for name, value in call.query.items() if value is not None}
        return client.build_request(call.method, self._base + call.path, params=query, headers=self._headers | headers, content=content)

    def _again_s(self, tried: int, found: httpx.Response | httpx.TransportError) -> float | None:
        if isinstance(found, httpx.Response):
            again_s = calls.pause_s(tried, self._tries, found.status_code, found.headers.get("retry-after", ""))
        else:
            again_s = calls.pause_s(tried, self._tries, None)
        return None if again_s is None else again_s * random.uniform(1.0, 1.2)  # so that many clients do not come back together

    def _read(self, call: Call[T], found: httpx.Response | httpx.TransportError) -> T:
        if isinstance(found, httpx.TransportError):
            raise ApiUnreachable(f"{self._base} does not answer: {found!r}") from found
        return call.read(found.status_code, found.content)


class Client(_Core):
    """The API, for programs that wait.

    Parameters
    ----------
    url : str
        Address of `churnwatch web`, such as ``https://churn.example.com``.
    token : str
        With the scope ``read:people`` for questions about users, ``write:events`` to send events.
    tries : int
        How often a call is tried at most, at least 1.
    timeout_s : float
        Bound of each wait for the server.
    transport : httpx.BaseTransport, optional
        Otherwise httpx's own.
    sleep : callable
        Waits for some seconds.
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        tries: int = 5,
        timeout_s: float = 15.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(url, token, tries)
        self._client, self._sleep = httpx.Client(timeout=timeout_s, transport=transport), sleep

    def risk(self, user: str, definition: str | None = None) -> Risk:
        """Return one user's risk at this moment; somebody whom nobody has seen is not at risk, and `known` is false."""
        return self.risks([user], definition)[0] if user in calls.DOTS else self._ask(calls.risk(user, definition))

    def risks(self, users: Sequence[str], definition: str | None = None) -> list[Risk]:
        """Return the risks of any number of users, in their order."""
        return [risk for call in calls.risks(users, definition) for risk in self._ask(call).risks]

    def at_risk(
        self,
        definition: str | None = None,
        *,
        channel: str | None = None,
        band: Band | None = None,
        reason: str | None = None,
        q: str | None = None,
        sort: Sort | None = None,
        page: int = 200,
    ) -> Iterator[AtRisk]:
        """Yield everybody at risk, a page at a time; the document of the API says what the filters are."""
        query = {"definition": definition, "channel": channel, "band": band, "reason": reason, "q": q, "sort": sort, "limit": page}
        cursor = None
        while True:
            answer = self._ask(calls.at_risk(query, cursor))
            yield from answer.people
            if (cursor := answer.next_cursor) is None:
                return

    def sums(
        self, definition: str | None = None, *, channel: str | None = None, band: Band | None = None, reason: str | None = None
    ) -> Sums:
        """Return what everybody at risk adds up to, and nobody's id: for a token with the scope ``read:aggregates``."""
        return self._ask(calls.sums({"definition": definition, "channel": channel, "band": band, "reason": reason}))

    def model(self) -> Model:
        """Return which model says the risks."""
        return self._ask(calls.MODEL)

    def send(self, events: Iterable[Event | dict[str, Any]]) -> Batch:
        """Send any number of events; return what became of them, in their order. After an error, send all of them again."""
        return calls.together([self._ask(call) for call in calls.batches(events)])

    def data(self) -> Data:
        """Return how fresh and how complete the data is."""
        return self._ask(calls.DATA)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, call: Call[T]) -> T:
        for tried in count(1):
            found = self._try(call)
            if (again_s := self._again_s(tried, found)) is None:
                return self._read(call, found)
            self._sleep(again_s)
        raise AssertionError("tries are bounded")

    def _try(self, call: Call[Any]) -> httpx.Response | httpx.TransportError:
        try:
            return self._client.send(self._request(self._client, call))
        except httpx.TransportError as error:
            return error


class AsyncClient(_Core):
    """The API, for programs on asyncio; see `Client`, whose methods it has."""

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        tries: int = 5,
        timeout_s: float = 15.0,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(url, token, tries)
        self._client, self._sleep = httpx.AsyncClient(timeout=timeout_s, transport=transport), sleep

    async def risk(self, user: str, definition: str | None = None) -> Risk:
        """See `Client`."""
        return (await self.risks([user], definition))[0] if user in calls.DOTS else await self._ask(calls.risk(user, definition))

    async def risks(self, users: Sequence[str], definition: str | None = None) -> list[Risk]:
        """See `Client`."""
        return [risk for call in calls.risks(users, definition) for risk in (await self._ask(call)).risks]

    async def at_risk(
        self,
        definition: str | None = None,
        *,
        channel: str | None = None,
        band: Band | None = None,
        reason: str | None = None,
        q: str | None = None,
        sort: Sort | None = None,
        page: int = 200,
    ) -> AsyncIterator[AtRisk]:
        """See `Client`."""
        query = {"definition": definition, "channel": channel, "band": band, "reason": reason, "q": q, "sort": sort, "limit": page}
        cursor = None
        while True:
            answer = await self._ask(calls.at_risk(query, cursor))
            for person in answer.people:
                yield person
            if (cursor := answer.next_cursor) is None:
                return

    async def sums(
        self, definition: str | None = None, *, channel: str | None = None, band: Band | None = None, reason: str | None = None
    ) -> Sums:
        """See `Client`."""
        return await self._ask(calls.sums({"definition": definition, "channel": channel, "band": band, "reason": reason}))

    async def model(self) -> Model:
        """See `Client`."""
        return await self._ask(calls.MODEL)

    async def send(self, events: Iterable[Event | dict[str, Any]]) -> Batch:
        """See `Client`."""
        return calls.together([await self._ask(call) for call in calls.batches(events)])

    async def data(self) -> Data:
        """See `Client`."""
        return await self._ask(calls.DATA)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _ask(self, call: Call[T]) -> T:
        for tried in count(1):
            found = await self._try(call)
            if (again_s := self._again_s(tried, found)) is None:
                return self._read(call, found)
            await self._sleep(again_s)
        raise AssertionError("tries are bounded")

    async def _try(self, call: Call[Any]) -> httpx.Response | httpx.TransportError:
        try:
            return await self._client.send(self._request(self._client, call))
        except httpx.TransportError as error:
            return error
