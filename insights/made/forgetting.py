"""What is forgotten of erased users: they leave every list, and no question names them any more."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from sqlalchemy import Connection, delete, update

from insights.made.shelf import every
from insights.made.tables import MADE, MEMBERS
from insights.made.things import Question

NAMING = "without"
"""The parameter that holds ids: who is not counted."""


def forget(db: Connection, users: Collection[str]) -> None:
    """Forget users. A question that named one is a new revision, so that nobody puts the id back from what they saw before."""
    for user in users:
        db.execute(delete(MEMBERS).where(MEMBERS.c.user == user))
    gone = set(users)
    for made in every(db, Question):
        named = made.what.parameters.get(NAMING) or ()
        kept = [one for one in named if one not in gone]
        if len(kept) == len(named):
            continue
        parameters = {**made.what.parameters, NAMING: kept}
        body = msgspec.json.encode(msgspec.structs.replace(made.what, parameters=parameters)).decode()
        here = (MADE.c.kind == "question", MADE.c.name == made.name)
        db.execute(update(MADE).where(*here).values(body=body, revision=made.revision + 1))
