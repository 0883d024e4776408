"""May the page be served at all? Not to others without asking who they are."""

from __future__ import annotations

import logging

from insights.store import people, tokens
from insights.store.store import Store
from stream.faults import WebRefused
from stream.settings import Settings, is_loopback

log = logging.getLogger(__name__)


def refuse_without_access(settings: Settings, store: Store) -> None:
    """Refuse to serve others while there is nobody whom they could be.

    Raises
    ------
    WebRefused
        The address is not loopback, or the page stands behind a proxy, and there is neither a person, nor a token, nor a provider; or the provider is another
        one than the settings say.
    """
    address, url = settings["page.address"], settings["page.url"]
    here_only = is_loopback(address.rpartition(":")[0])
    with store.read() as db:
        somebody = people.is_anybody(db) or bool(tokens.tokens(db))
    if not (here_only and not url) and not somebody and not settings["page.oidc_issuer"]:
        raise WebRefused(
            f"page.address is {address}{f' behind {url}' if url else ''}, which others can reach, and nobody would be asked who they are: add a person "
            "(`churnwatch web people add NAME --role admin`), or make a token for a program (`churnwatch web token make NAME --scope read:people`), "
            "or set page.oidc_issuer, or listen on 127.0.0.1 and set no page.url"
        )
    if not here_only and not url:
        log.warning(
            "page.url is not set: what is sent between people and the page, passwords among it, is not encrypted; put a proxy with TLS before it"
        )
    if settings["page.oidc_issuer"]:
        _look_at_provider(settings)


def _look_at_provider(settings: Settings) -> None:
    from insights.web.door.provider import Provider, ProviderRefused

    try:
        Provider(settings).look()
    except ProviderRefused as error:
        if error.why != "away":
            raise WebRefused(str(error)) from error
        log.warning("nobody can sign in by the provider for now", extra={"said": str(error)})
