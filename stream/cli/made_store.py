"""What commands share that read or write what people have made: the page's store, opened only where something of it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from stream.cli import context
from stream.cli.web_store import by_command_line, page_store

if TYPE_CHECKING:
    from insights.analyses.plain import Members
    from insights.made.seeds import Seed
    from insights.store.store import Store


@contextmanager
def made_store() -> Iterator[Store]:
    """Open the page's store, with what the settings file gives in it."""
    from insights.made.seeds import plant

    seeds = file_seeds()
    with page_store() as store:
        if seeds:
            with store.write() as db:
                plant(db, seeds, by_command_line().at_ms)
        yield store


def file_seeds() -> list[Seed]:
    """Return what the settings file gives people to begin with.

    Raises
    ------
    stream.faults.UsageFault
        With everything that is wrong.
    """
    from insights.analyses.as_plain import entry_of
    from insights.analyses.catalog import CATALOG
    from insights.asked.questions import judge_question
    from insights.made.seeds import seeds_of

    made = context.settings().made
    if not any(made.values()):
        return []
    entries = {one.name: entry_of(one) for one in CATALOG.values()}
    return seeds_of(made, lambda one: judge_question(one.analysis, one.parameters, one.cell, entries))


def forget_made(users: Sequence[str]) -> None:
    """Forget users in what people have made and in what analyses have found; where there is no store yet, none is made."""
    from insights.made.forgetting import forget
    from insights.store import answers
    from insights.store.store import is_there

    if not is_there(context.settings()["page.store"]):
        return
    with made_store() as store, store.write() as db:
        forget(db, users)
        answers.forget(db)


def members_of(asked: Mapping[str, object]) -> tuple[Members, ...]:
    """Return who is in the segments that a question speaks of."""
    from insights.analyses.plain import segments_in
    from insights.made.shelf import members

    names = segments_in(asked)
    if not names:
        return ()
    with made_store() as store, store.read() as db:
        return members(db, names)
