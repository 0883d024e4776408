"""What is one operation of the API? A row with everything that is said of it; the route and its page in the OpenAPI document are made from the row.

What a request says in its address is read into a struct, as its body is, so that types, bounds and closed sets are said once. FastAPI would do the
same by other types, for ten times the time that an answer takes here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args, get_type_hints

import msgspec
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insights.web.api.behind import Behind
from insights.web.api.problems import wrong
from insights.web.who import Forbidden, Scope, who_asks

T = TypeVar("T")
Answer = Callable[[Behind, Request, Any], Awaitable[msgspec.Struct | Response]]
_encode = msgspec.json.Encoder().encode
NO_STORE = {"Cache-Control": "no-store"}
"""The next moment's answer may be another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A request and what it is answered; a test runs it.

    Attributes
    ----------
    asked : mapping
        What the address says, by name.
    body, answer : Any
        As JSON.
    """

    asked: Mapping[str, Any]
    answer: Any
    body: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation.

    Attributes
    ----------
    name : str
        For programs that are made from the document.
    path : str
        Below /api/v1; ``{user:text}`` is a part of it that is read into the field `user`.
    scope : Scope or None
        What a token must be allowed; None for any.
    asked : type
        What the address says, path and query: a struct.
    answers : type, or mapping
        What is answered: a struct for JSON, or {media type: what it is in words}.
    problems : tuple of str
        Kinds of problems besides those that every operation may answer.
    bodies : tuple of types
        Structs, one of which the body is.
    does : callable
        Returns the answer; its docstring is part of the document.
    """

    name: str
    method: Literal["GET", "POST"] = "GET"
    path: str
    summary: str
    scope: Scope | None
    asked: type[msgspec.Struct]
    answers: type[msgspec.Struct] | Mapping[str, str]
    words: str
    example: Example
    does: Answer
    problems: tuple[str, ...] = ()
    bodies: tuple[type[msgspec.Struct], ...] = ()


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address that says nothing more."""


class _AnyText(PathConvertor):
    """A part of a path that may hold anything, slashes and ends of lines included."""

    regex = "(?s:.*)"


register_url_convertor("text", _AnyText())


def json(answer: msgspec.Struct) -> Response:
    """Return an answer as it goes out."""
    return Response(_encode(answer), 200, NO_STORE, "application/json")


def route_of(operation: Operation) -> Route:
    """Return the route that answers an operation."""

    async def answer(request: Request) -> Response:
        if operation.scope is not None and not who_asks(request).may(operation.scope):
            raise Forbidden(operation.scope)
        given = {**request.query_params, **request.path_params} if request.scope["query_string"] else request.path_params
        said = await operation.does(request.app.state.behind, request, asked_as(operation.asked, given))
        return said if isinstance(said, Response) else json(said)

    return Route(operation.path, answer, methods=[operation.method])


def asked_as(kind: type[T], given: Mapping[str, str]) -> T:
    """Read what an address says.

    Raises
    ------
    Refused
        It says something else, or has a name that is not known: a mistyped filter must not be a filter that is not there.
    """
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        says, _, where = str(error).partition(" - at `$.")
        name = where.rstrip("`")
        allowed = closed_set(kind, name)
        says = f"{says}; it is one of {', '.join(allowed)}" if allowed else says
        place = f"address.{name}" if name else "address"
        raise wrong(place, says) from None


def closed_set(kind: type, name: str) -> tuple[str, ...]:
    """Return the words that a field may be, () where they are not a closed set.

    >>> class Asked(msgspec.Struct):
    ...     sort: Literal["risk", "value"] | None = None
    >>> closed_set(Asked, "sort"), closed_set(Asked, "no such field")
    (('risk', 'value'), ())
    """
    hint = get_type_hints(kind).get(name)
    words = [word for part in (hint, *get_args(hint)) for word in get_args(part)]
    return tuple(word for word in words if isinstance(word, str))
