"""Under which address is somebody's page? Ids come from strangers, and not every one of them can stand in a path."""

from __future__ import annotations

from urllib.parse import quote

PERSON = "/person"
_LIKE_FOLDERS = frozenset({".", ".."})


def person_link(user: str) -> str:
    """Return the address of somebody's page.

    Browsers and proxies take ``.`` and ``..`` in a path for folders, and some take apart an encoded slash; routes end at a line: such ids stand in the query.

    >>> person_link("ann"), person_link("李雷"), person_link("a/../b")
    ('/person/ann', '/person/%E6%9D%8E%E9%9B%B7', '/person?q=a%2F..%2Fb')
    """
    safe = quote(user, safe="", errors="replace")
    return (
        f"{PERSON}?q={safe}"
        if user in _LIKE_FOLDERS or "/" in user or "\\" in user or not user.isprintable() or not user
        else f"{PERSON}/{safe}"
    )
