"""What is asked of the API, and how an answer is read: everything of the clients but waiting. Pure.

Errors::

    ApiError
    |-- ApiRefused       the answer is a problem; `problem` has its kind, and says what to do
    `-- ApiUnreachable   there was no answer, at any try
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec

from churnwatch.answers import AtRiskPage, Batch, Data, Event, Model, Problem, Risk, Risks, Sums

T = TypeVar("T")
MOST_USERS, MOST_EVENTS, MOST_BYTES = 1_000, 2_500, 500_000
"""What goes into one request."""
OK = 200
AGAIN = frozenset({429, 503})
"""Answers after which the same request may succeed."""
LONGEST_PAUSE_S = 30.0
PACKED_FROM = 1_000
"""Bodies of so many bytes and more are packed by gzip."""
DOTS = frozenset({".", ".."})
"""Ids that no path can hold, since whoever handles an address takes them for folders."""
_encode = msgspec.json.Encoder().encode


class ApiError(Exception):
    """A call has failed."""


class ApiRefused(ApiError):
    """The answer is a problem.

    Attributes
    ----------
    problem : Problem
        `problem.type` and `problem.status` are for programs, `problem.detail` says what to do.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.title} ({problem.status}): {problem.detail}")
        self.problem = problem


class ApiUnreachable(ApiError):
    """There was no answer."""


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request, and the type of its answer."""

    method: str
    path: str
    answer: type[T]
    query: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = b""

    def sent(self) -> tuple[dict[str, str], bytes | None]:
        """Return the headers and the body that are sent."""
        if not self.body:
            return {}, None
        headers = {"Content-Type": "application/json"}
        if len(self.body) < PACKED_FROM:
            return headers, self.body
        return headers | {"Content-Encoding": "gzip"}, gzip.compress(self.body, 1)

    def read(self, status: int, body: bytes) -> T:
        """Read an answer.

        Raises
        ------
        ApiRefused
            The answer is a problem.
        ApiUnreachable
            It is nothing that the API says.
        """
        try:
            if status == OK:
                return msgspec.json.decode(body, type=self.answer)
            problem = msgspec.json.decode(body, type=Problem)
        except msgspec.MsgspecError as error:
            raise ApiUnreachable(f"{self.path}: {status}, and not what the API says: is this the address of `churnwatch web`?") from error
        raise ApiRefused(problem)


def pause_s(tried: int, tries: int, status: int | None, retry_after: str = "") -> float | None:
    """Return how long to wait before the next try, s; None if there is none.

    Parameters
    ----------
    tried, tries : int
        How often it was tried, and may be tried at most.
    status : int or None
        The last answer's; None if there was none.
    retry_after : str
        The answer's header.

    >>> pause_s(1, 5, 429, "3"), pause_s(1, 5, None), pause_s(1, 5, 422), pause_s(5, 5, 503)
    (3.0, 0.4, None, None)
    """
    if tried >= tries or (status is not None and status not in AGAIN):
        return None
    return min(float(retry_after) if retry_after.isdecimal() else 0.2 * 2.0**tried, LONGEST_PAUSE_S)


def risk(user: str, definition: str | None) -> Call[Risk]:
    """Ask about one user."""
    return Call("GET", f"/users/{quote(user, safe='')}/risk", Risk, {"definition": definition})


def risks(users: Sequence[str], definition: str | None) -> Iterator[Call[Risks]]:
    """Ask about any number of users, in as many requests as it takes."""
    for at in range(0, len(users), MOST_USERS):
        body = {"users": users[at : at + MOST_USERS]} | ({} if definition is None else {"definition": definition})
        yield Call("POST", "/risks", Risks, body=_encode(body))


def at_risk(filters: Mapping[str, Any], cursor: str | None) -> Call[AtRiskPage]:
    """Ask for one page of the list."""
    return Call("GET", "/at-risk", AtRiskPage, {**filters, "cursor": cursor})


def sums(filters: Mapping[str, Any]) -> Call[Sums]:
    """Ask what the list adds up to."""
    return Call("GET", "/at-risk/sums", Sums, filters)


def batches(events: Iterable[Event | dict[str, Any]]) -> Iterator[Call[Batch]]:
    """Send any number of events, in as many requests as it takes."""
    some: list[bytes] = []
    size = 0
    for event in events:
        one = _encode(event)
        if some and (len(some) == MOST_EVENTS or size + len(one) > MOST_BYTES):
            yield _batch(some)
            some, size = [], 0
        some.append(one)
        size += len(one) + 1
    if some:
        yield _batch(some)


def _batch(events: Sequence[bytes]) -> Call[Batch]:
    return Call("POST", "/batch", Batch, body=b'{"events":[' + b",".join(events) + b"]}")


def together(batches: Sequence[Batch]) -> Batch:
    """Return the answers of several requests as one."""
    return Batch(
        accepted=sum(one.accepted for one in batches),
        rejected=sum(one.rejected for one in batches),
        events=[verdict for one in batches for verdict in one.events],
    )


MODEL = Call("GET", "/model", Model)
DATA = Call("GET", "/data", Data)
