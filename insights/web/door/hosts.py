"""By which names may this server be called, and is a request from a page of ours? Pure: a header goes in, yes or no comes out.

A web site of a stranger can let its own name point to 127.0.0.1 ("DNS rebinding") and would then be of the same origin as a page on this
machine, which asks nobody to sign in. So on loopback only loopback's own names are answered; any port, since a tunnel may end at another one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from stream.settings import is_loopback

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_HOST = re.compile(r"^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$", re.ASCII)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""


def name_of(host: str) -> str | None:
    """Return the name in a Host header, without its port; None for what is no host.

    >>> name_of("LocalHost:6080"), name_of("[::1]:80"), name_of("a b"), name_of("evil.example@127.0.0.1")
    ('localhost', '[::1]', None, None)
    """
    match = _HOST.fullmatch(host.lower())
    return match[1] if match else None


@dataclass(frozen=True, slots=True)
class Hosts:
    """The names of this server.

    Attributes
    ----------
    names : frozenset of str or None
        Without ports; None for any, where people and tokens are asked for anyway.
    origin : str
        Scheme and host under which people reach the page, when that was configured; else "".
    """

    names: frozenset[str] | None
    origin: str = ""

    @classmethod
    def of(cls, address: str, url: str) -> Hosts:
        """Return the names for the address that is listened on, and the one that people type (settings page.address and page.url).

        >>> sorted(Hosts.of("127.0.0.1:6080", "").names), Hosts.of("0.0.0.0:6080", "").names
        (['127.0.0.1', '[::1]', 'localhost'], None)
        >>> sorted(Hosts.of("0.0.0.0:6080", "https://Page.example/").names)
        ['127.0.0.1', '[::1]', 'localhost', 'page.example']
        """
        host = address.rpartition(":")[0]
        typed = urlsplit(url)
        if not url and not is_loopback(host):
            return cls(None)
        named = {name_of(typed.netloc) or ""} if url else set()
        own = {host.lower()} if not is_loopback(host) and host not in {"0.0.0.0", "[::]"} else set()  # noqa: S104 - not listened on here
        return cls(LOOPBACK | named | own, f"{typed.scheme}://{typed.netloc}".lower() if url else "")

    def allows(self, host: str) -> bool:
        """Whether a request with this Host header is for us.

        >>> Hosts.of("127.0.0.1:6080", "").allows("localhost:7000"), Hosts.of("127.0.0.1:6080", "").allows("rebound.example")
        (True, False)
        """
        name = name_of(host)
        return name is not None and (self.names is None or name in self.names)

    def from_our_page(self, scheme: str, headers: Mapping[bytes, bytes]) -> bool:
        """Whether a browser sent a request from a page of ours, and not from another site's. What sends neither header is no browser.

        Parameters
        ----------
        headers : mapping
            Of the request, names in lower case.

        >>> ours = Hosts.of("127.0.0.1:6080", "")
        >>> ours.from_our_page("http", {b"host": b"localhost", b"origin": b"http://localhost"})
        True
        >>> ours.from_our_page("http", {b"host": b"localhost", b"origin": b"http://evil.example"})
        False
        >>> ours.from_our_page("http", {b"host": b"localhost", b"sec-fetch-site": b"cross-site"})
        False
        """
        if headers.get(b"sec-fetch-site", b"same-origin") not in {b"same-origin", b"none"}:
            return False
        origin = headers.get(b"origin")
        if origin is None:
            return True
        here = f"{scheme}://{headers.get(b'host', b'').decode('latin-1')}".lower()
        return origin.decode("latin-1").lower() in {here, self.origin} - {""}
