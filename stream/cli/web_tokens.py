"""`web token`: which programs may ask the page's API, and for what."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from stream.cli.web_store import by_command_line, day, page_store
from stream.faults import UsageFault
from stream.screen import Column, Screen

token_app = typer.Typer(no_args_is_help=True)


@token_app.command()
def make(
    name: Annotated[str, typer.Argument(metavar="NAME", help="what it is for, such as crm")],
    scope: Annotated[
        list[str], typer.Option("--scope", help="what it may do; several times for several: read:aggregates, read:people, write:events")
    ],
    days: Annotated[int | None, typer.Option("--days", help="it ends after so many days; without: never")] = None,
) -> None:
    """Make a token, and print its secret this once: only its hash is kept."""
    from insights.web.door.managed import make_token

    with page_store() as store, store.write() as db:
        made, secret = make_token(db, by_command_line(), name, scope, days)
    Screen(error=True).line(
        f"token {made.name}, ends: {day(made.expires_ms)}. Copy it now, it is not shown again: Authorization: Bearer TOKEN"
    )
    Screen().verbatim(secret)


@token_app.command()
def ls() -> None:
    """List all tokens."""
    from insights.store.tokens import tokens

    now_ms = int(time.time() * 1000)
    with page_store() as store, store.read() as db:
        rows = [
            (
                str(one.id), one.name, f"{one.prefix}…", " ".join(one.scopes), day(one.created_ms), day(one.last_used_ms), day(one.expires_ms),
                "" if one.holds(now_ms) else "revoked" if one.revoked_ms else "ended",
            )
            for one in tokens(db)
        ]  # fmt: skip
    columns = ("number", "name", "begins with", "scopes", "made", "last used", "ends", "")
    Screen().table([Column(one, right=one == "number", wrapped=one == "scopes") for one in columns], rows)


@token_app.command()
def revoke(name: Annotated[str, typer.Argument(metavar="NAME", help="its name or number, as in `web token ls`")]) -> None:
    """End a token: within five seconds no page process takes it any more."""
    from insights.store.tokens import tokens
    from insights.web.door import managed

    with page_store() as store, store.write() as db:
        found = [one for one in tokens(db) if one.revoked_ms is None and name in {one.name, str(one.id)}]
        if len(found) != 1:
            raise UsageFault(
                f"{'no token' if not found else 'more than one token'} {name!r} that could be revoked: `churnwatch web token ls` lists them, with their numbers"
            )
        managed.revoke(db, by_command_line(), found[0])
    Screen().line(f"token {found[0].name} is revoked")
