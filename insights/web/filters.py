"""What was asked for in an address? Filters are closed sets: a wrong value is refused by name, so that nobody takes an unfiltered list for a filtered one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar, cast

from fastapi import FastAPI, Request, Response

from insights.web.frame import draw
from stream.shown import visible

T = TypeVar("T", bound=str)
LONGEST = 256
"""Characters of a text to search for: no id of a user is longer."""


class WrongFilter(Exception):
    """A filter has a value that it does not have.

    Attributes
    ----------
    name, value : str
    known : tuple of str
        The values that there are.
    """

    def __init__(self, name: str, value: str, known: Sequence[str]) -> None:
        super().__init__(f"{name}={value}")
        self.name, self.value, self.known = name, value, tuple(known)


class Pick(NamedTuple):
    """A filter as a form offers it: `first` is what stands for no choice, and is empty where there must be one."""

    name: str
    label: str
    options: list[tuple[str, str]]
    chosen: str
    first: str


def one_of(request: Request, name: str, known: Sequence[T], default: T) -> T:
    """Return the value of a filter; `default` when it is not given, or empty.

    Raises
    ------
    WrongFilter
        If it has another value than those known.
    """
    asked = request.query_params.get(name, "")
    if not asked:
        return default
    found = next((value for value in known if value == asked), None)
    if found is None:
        raise WrongFilter(name, asked, known)
    return found


def number_of(request: Request, name: str, default: int) -> int:
    """Return a whole number from 0 on. Raises WrongFilter for anything else."""
    asked = request.query_params.get(name, "")
    if not asked:
        return default
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 18):
        raise WrongFilter(name, asked, ("0", "1", "2"))
    return int(asked)


def text_of(request: Request, name: str) -> str:
    """Return a text to search for, without blanks around it."""
    return request.query_params.get(name, "").strip()[:LONGEST]


def add_wrong_filters(app: FastAPI) -> None:
    """Let an application say which filter has a value that it does not have."""
    app.add_exception_handler(WrongFilter, _wrong)


def _wrong(request: Request, error: Exception) -> Response:
    wrong = cast("WrongFilter", error)
    return draw(
        request, "wrong_filter.html", "state.wrong_filter", status=422, name=wrong.name, value=visible(wrong.value)[:LONGEST], known=wrong.known
    )  # fmt: skip
