"""What is answered when something is wrong? Problem details (RFC 9457): one table of kinds, and each answer says what to do.

Programs decide by `status` and `type`, which never change their meaning; `detail` is for whoever reads the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from churnwatch.answers import Fault, Problem
from features.reader import AppUnknown
from features.store.contract import StoreUnavailable
from features.users.state import LayoutError
from insights.web.who import Forbidden

MEDIA_TYPE = "application/problem+json"
_encode = msgspec.json.Encoder().encode


class Kind(NamedTuple):
    """One kind of problem.

    Attributes
    ----------
    status : int
    title : str
        The same words each time.
    retry_s : int
        After how many seconds the same request may succeed; 0 if it will not by itself.
    """

    status: int
    title: str
    retry_s: int = 0


KINDS: Mapping[str, Kind] = {
    "not-json": Kind(400, "The body cannot be read"),
    "unauthenticated": Kind(401, "Who asks is not known"),
    "forbidden": Kind(403, "The token may not do this"),
    "not-found": Kind(404, "There is no such address"),
    "method": Kind(405, "The address does not take this method"),
    "too-large": Kind(413, "The body is too large"),
    "encoding": Kind(415, "The body is packed in a way that is not read"),
    "misdirected": Kind(421, "This server is not called so"),
    "invalid": Kind(422, "The request is not valid"),
    "too-many": Kind(429, "Too many requests", retry_s=1),
    "internal": Kind(500, "The server made a mistake"),
    "damaged": Kind(500, "What is stored of a user cannot be read"),
    "no-kafka": Kind(503, "Kafka takes no events now", retry_s=5),
    "no-store": Kind(503, "The page's own store does not answer", retry_s=5),
    "no-redis": Kind(503, "Redis does not answer", retry_s=2),
    "not-started": Kind(503, "Nothing is known yet", retry_s=10),
    "no-history": Kind(503, "There is no history to ask"),
    "busy": Kind(503, "The question is not answered now", retry_s=10),
    "too-big": Kind(422, "The question takes more time or memory than it may"),
}
"""All kinds by the last part of their type, ``urn:churnwatch:problem:NAME``."""
_OF_STATUS = {400: "not-json", 401: "unauthenticated", 403: "forbidden", 404: "not-found", 405: "method", 413: "too-large", 415: "encoding"}
INTERNAL = "the server's log says what went wrong; asking again may help, and nothing was half done"
ADDRESSES = "GET /api/v1/openapi.json lists what there is"


ELSEWHERE: Mapping[type[Exception], tuple[str, str]] = {
    StoreUnavailable: ("no-redis", "send nobody a message on the strength of an older answer; ask again after Retry-After"),
    AppUnknown: ("not-started", "no worker of this app has run yet: start one, and check that `app.name` is that of the workers"),
    LayoutError: ("damaged", "`churnwatch state check` names the keys, and says how their shard is made again from the log"),
}
"""Errors of the engine's own reader, and what is answered."""


class Refused(Exception):
    """A request that is answered by a problem.

    Parameters
    ----------
    kind : str
        A name of `KINDS`.
    detail : str
        What is wrong, and what to do.
    retry_s : int, optional
        Otherwise the kind's.
    """

    def __init__(self, kind: str, detail: str, errors: Sequence[Fault] = (), retry_s: int | None = None) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.errors = kind, detail, list(errors)
        self.retry_s = KINDS[kind].retry_s if retry_s is None else retry_s


def wrong(where: str, says: str) -> Refused:
    """Return what a request is answered by of which one part is wrong, and which says where."""
    return Refused("invalid", f"{where}: {says}", [Fault(where, says)])


def problem(refused: Refused, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer."""
    kind = KINDS[refused.kind]
    said = Problem(
        type=f"urn:churnwatch:problem:{refused.kind}", title=kind.title, status=kind.status, detail=refused.detail, errors=refused.errors
    )
    retry = {"Retry-After": str(refused.retry_s)} if refused.retry_s else {}
    return Response(_encode(said), kind.status, {**(headers or {}), **retry, "Cache-Control": "no-store"}, MEDIA_TYPE)


def refused_of(error: Exception) -> Refused:
    """Say an error as a problem; one that is not known is a mistake of ours, which the server logs."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, HTTPException):
        kind = _OF_STATUS.get(error.status_code, "internal")
        return Refused(kind, ADDRESSES if kind in {"not-found", "method"} else str(error.detail))
    if isinstance(error, Forbidden):
        return Refused("forbidden", f'the scope "{error.wanted}" is needed: an admin can make a token that has it')
    return next((Refused(*said) for known, said in ELSEWHERE.items() if isinstance(error, known)), Refused("internal", INTERNAL))


async def _answer(_request: Request, error: Exception) -> Response:
    if isinstance(error, Forbidden):
        return problem(
            refused_of(error), {"WWW-Authenticate": f'Bearer realm="churnwatch", error="insufficient_scope", scope="{error.wanted}"'}
        )
    return problem(refused_of(error), error.headers if isinstance(error, HTTPException) else None)


HANDLERS = dict.fromkeys((Refused, HTTPException, Forbidden, *ELSEWHERE, Exception), _answer)
"""For Starlette: how each error is answered. One that is not known is raised again behind the answer, and the server logs it."""
