"""Everything by which somebody comes in, made once from the settings and the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from insights.store.secrets import new_secret
from insights.store.store import Store
from insights.web.door.cookies import Cookies
from insights.web.door.hosts import Hosts
from insights.web.door.known import Known
from insights.web.door.passwords import Passwords
from insights.web.who import MAY, Who
from stream.settings import Settings, is_loopback

if TYPE_CHECKING:
    from insights.web.door.provider import Provider


class Door:
    """See the module.

    Attributes
    ----------
    machine : Who
        Whoever asks from this machine while nobody has an account.
    provider : Provider or None
    """

    def __init__(self, settings: Settings, store: Store, now_ms: Callable[[], int]) -> None:
        url = settings["page.url"]
        self.store, self.now_ms = store, now_ms
        self.hosts = Hosts.of(settings["page.address"], url)
        self.cookies = Cookies(https=url.startswith("https://"))
        self.known = Known(store, now_ms, settings["page.session_idle"])
        self.passwords = Passwords()
        self.provider = _provider(settings) if settings["page.oidc_issuer"] else None
        self.life_ms: int = settings["page.session_life"]
        self.machine = Who("this machine", "this machine", MAY["admin"], new_secret())
        # behind a proxy everybody comes from this machine
        self._may_be_open = is_loopback(settings["page.address"].rpartition(":")[0]) and not url and self.provider is None

    async def open(self) -> bool:
        """Whether everybody on this machine may do everything: it listens here only, and nobody has an account."""
        return self._may_be_open and not await self.known.people()


def _provider(settings: Settings) -> Provider:
    from insights.web.door.provider import Provider  # takes a second to import, and many have none

    return Provider(settings)
