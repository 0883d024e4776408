"""Under which address is somebody's page? Ids come from strangers, and not every one of them can stand in a path."""

from __future__ import annotations

from urllib.parse import quote

PERSON = "/person"
_LIKE_FOLDERS = frozenset({".", ".."})
_NOT_IN_PATHS = frozenset("/\\")


def person_link(user: str) -> str:
    """Return the address of somebody's page.

    Browsers and proxies take ``.`` and ``..`` in a path for folders, some take apart an encoded slash, and a router may take a line's end for the
    end of the path: such ids stand in the query.

    >>> person_link("ann"), person_link("李雷"), person_link("a/../b")
    ('/person/ann', '/person/%E6%9D%8E%E9%9B%B7', '/person?q=a%2F..%2Fb')
    """
    safe = quote(user, safe="", errors="replace")
    may = user.isprintable() and user not in _LIKE_FOLDERS and not _NOT_IN_PATHS & set(user) and user != ""
    return f"{PERSON}/{safe}" if may else f"{PERSON}?q={safe}"
