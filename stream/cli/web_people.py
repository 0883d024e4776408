"""`web people`: who may sign in to the page by a password, and with which role."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from stream.cli import context
from stream.cli.web_store import by_command_line, day, page_store
from stream.faults import UsageFault
from stream.screen import Column, Screen

if TYPE_CHECKING:
    from insights.store.people import Person
    from insights.store.store import Db

people_app = typer.Typer(no_args_is_help=True)
Role = Literal["viewer", "analyst", "admin"]
Name = Annotated[str, typer.Argument(metavar="NAME", help="what they type to sign in")]
GivenRole = Annotated[Role, typer.Option("--role", help="viewer sees aggregates, analyst persons too, admin also manages access")]


@people_app.command()
def add(name: Name, role: GivenRole = "viewer") -> None:
    """Let a person in. Their password is asked for twice, or read from standard input."""
    from insights.web.door.managed import add_person

    provider = bool(context.settings()["page.oidc_issuer"])
    password = asked_password(name)
    with page_store() as store, store.write() as db:
        add_person(db, by_command_line(), name, role, password, provider=provider)
    Screen().line(f"{name} may sign in as {role}")


@people_app.command()
def ls() -> None:
    """List everybody who may sign in, or who may no more."""
    from insights.store.people import everybody
    from insights.web.door.known import said_name

    with page_store() as store, store.read() as db:
        rows = [
            (said_name(one), one.role, one.issuer or "password", day(one.created_ms), day(one.disabled_ms) if one.disabled_ms else "")
            for one in everybody(db)
        ]
    Screen().table([Column("name", shortened=True), Column("role"), Column("by"), Column("since"), Column("shut out")], rows)


@people_app.command()
def role(name: Name, role: Annotated[Role, typer.Argument(metavar="ROLE", help="viewer, analyst or admin")]) -> None:
    """Give a person another role. It holds from their next request on."""
    from insights.web.door.managed import set_role

    with page_store() as store, store.write() as db:
        set_role(db, by_command_line(), person_called(db, name), role)
    Screen().line(f"{name} is {role} now")


@people_app.command()
def disable(name: Name) -> None:
    """Shut a person out: their sessions end at once."""
    from insights.web.door.managed import shut_out

    with page_store() as store, store.write() as db:
        shut_out(db, by_command_line(), person_called(db, name))
    Screen().line(f"{name} is shut out")


@people_app.command()
def enable(name: Name) -> None:
    """Let a person in again who was shut out."""
    from insights.web.door.managed import let_in_again

    with page_store() as store, store.write() as db:
        let_in_again(db, by_command_line(), person_called(db, name))
    Screen().line(f"{name} may sign in again")


@people_app.command()
def password(name: Name) -> None:
    """Give a person another password, which ends their sessions. It is asked for twice, or read from standard input."""
    from insights.web.door.managed import set_password

    given = asked_password(name)
    with page_store() as store, store.write() as db:
        set_password(db, by_command_line(), person_called(db, name), given)
    Screen().line(f"{name} has another password")


def asked_password(name: str) -> str:
    """Return the password that is typed twice at a terminal, or the first line of what is piped in. It is no option, which other users of the machine could see."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True))


def person_called(db: Db, name: str) -> Person:
    """Return the person whom `web people ls` lists under a name. Raises UsageFault where there is none, or more than one."""
    from insights.store.people import everybody
    from insights.web.door.known import said_name

    found = [one for one in everybody(db) if said_name(one) == name]
    if len(found) != 1:
        raise UsageFault(
            f"{'nobody' if not found else 'more than one person'} is called {name!r}: `churnwatch web people ls` lists everybody"
        )
    return found[0]
