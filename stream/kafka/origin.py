"""Whose a record is: every example block, tick and alert names the app that wrote it, so that two apps cannot take each other's for their own.

Alerts say it in `ce_source`, as CloudEvents ask; the rest in a header of ours. Builds before this one named no app on blocks and ticks: a
record that names none is taken for ours.
"""

from __future__ import annotations

from collections.abc import Iterable

APP_HEADER = "cw-app"
SOURCE_HEADER = "ce_source"
_CLIENT = "churnwatch/"
Headers = Iterable[tuple[str, bytes]]


def app_header(app: str) -> list[tuple[str, bytes]]:
    """Return the headers that name an app.

    >>> app_of(app_header("shop"))
    'shop'
    """
    return [(APP_HEADER, app.encode())]


def app_of(headers: Headers) -> str | None:
    """Return the app that a record names; None when it names none.

    >>> app_of([("ce_source", b"/churnwatch/shop/3")]), app_of([])
    ('shop', None)
    """
    for name, value in headers:
        if name == APP_HEADER:
            return value.decode(errors="replace")
        if name == SOURCE_HEADER and value.startswith(b"/churnwatch/"):
            return value.split(b"/")[2].decode(errors="replace")
    return None


def is_foreign(headers: Headers, app: str) -> bool:
    """Whether a record names another app.

    >>> is_foreign(app_header("shop"), "blog"), is_foreign(app_header("shop"), "shop"), is_foreign([], "shop")
    (True, False, False)
    """
    return app_of(headers) not in {None, app}


def client_id(app: str) -> str:
    """Return the client id of an app's workers; the members of a consumer group show by it whose they are.

    >>> app_of_client(client_id("shop"))
    'shop'
    """
    return f"{_CLIENT}{app}"


def app_of_client(client: str) -> str | None:
    """Return the app of a member of the consumer group; None for a member that does not say.

    >>> app_of_client("faust-0.15.3") is None
    True
    """
    return client.removeprefix(_CLIENT) if client.startswith(_CLIENT) else None
