"""Do name and password let somebody in? Whoever may not come in learns nothing else.

An unknown name, a wrong password and a disabled person take the same work and get the same answer, and the limits hold for names that nobody has, too.
"""

from __future__ import annotations

import asyncio
import ipaddress

from insights.store import attempts, people
from insights.store.attempts import Limit
from insights.store.people import Person
from insights.web.door.door import Door
from insights.web.door.passwords import Busy

LOGIN = 128
"""Most characters of a login."""
_QUARTER_MS = 15 * 60_000
LIMITS: tuple[tuple[str, Limit], ...] = (
    ("address {address} name {login}", Limit(10, _QUARTER_MS)),
    ("address {address}", Limit(50, _QUARTER_MS)),
    ("name {login}", Limit(100, _QUARTER_MS)),
)
"""How often one may try. By name alone it is much, or a stranger who tries could keep out whoever has the name."""
BUSY_MS = 5_000


class TooMany(Exception):
    """They have tried too often, or too many try at once.

    Attributes
    ----------
    wait_ms : int
        Until they may try again, ms.
    """

    def __init__(self, wait_ms: int) -> None:
        super().__init__(wait_ms)
        self.wait_ms = wait_ms


async def by_password(door: Door, login: str, password: str, address: str) -> tuple[Person | None, bool]:
    """Return the person with a login, and whether they may come in.

    Raises
    ------
    TooMany
        The password was not looked at.
    """
    login, keys = login.strip()[:LOGIN], _keys(login.strip()[:LOGIN], address)
    if wait_ms := await asyncio.to_thread(_try, door, keys):
        raise TooMany(wait_ms)
    found = await asyncio.to_thread(_person, door, login)
    able = found is not None and found.disabled_ms is None
    try:
        right = await door.passwords.holds(found.password_hash if found and able else None, password)
    except Busy:
        raise TooMany(BUSY_MS) from None
    if right:
        await asyncio.to_thread(_forgive, door, keys[0])
    return found, right


def network_of(address: str) -> str:
    """Return by what an address is limited: somebody with IPv6 has 2**64 of them.

    >>> network_of("10.0.0.7"), network_of("2001:db8:1:2:3::4"), network_of("::ffff:10.0.0.7"), network_of("")
    ('10.0.0.7', '2001:db8:1:2::/64', '10.0.0.7', '')
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.ip_network((int(found) >> 64 << 64, 64)))
    return str(found)


def _keys(login: str, address: str) -> list[str]:
    return [form.format(address=network_of(address), login=login) for form, _ in LIMITS]


def _try(door: Door, keys: list[str]) -> int:
    with door.store.write() as db:
        return max(attempts.attempt(db, key, limit, door.now_ms()) for key, (_, limit) in zip(keys, LIMITS, strict=True))


def _person(door: Door, login: str) -> Person | None:
    with door.store.read() as db:
        return people.person_by_login(db, login)


def _forgive(door: Door, key: str) -> None:
    with door.store.write() as db:
        attempts.forgive(db, key)
