"""What is written into the audit log, and of whom. Ids of persons stand there and nowhere else; logs have none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from insights.store import audit
from insights.store.store import Db
from stream.shown import visible

Deed = Literal[
    "signed_in", "sign_in_refused", "signed_out", "person_added", "person_disabled", "person_enabled", "role_changed", "password_changed",
    "token_made", "token_revoked", "token_used", "refused", "person_seen", "list_downloaded", "person_erased", "thing_made",
    "thing_changed", "thing_removed",
]  # fmt: skip
"""Each has its words in `insights.words.access`, under "audit." and its name."""
DEEDS: tuple[Deed, ...] = get_args(Deed)


@dataclass(frozen=True, slots=True)
class By:
    """Who does something.

    Attributes
    ----------
    who, address : str
        As the audit log has them.
    at_ms : int
        When, ms since the epoch.
    """

    who: str
    address: str
    at_ms: int

    def note(self, db: Db, deed: Deed, about: str = "") -> None:
        """Add a line, in the transaction of the deed itself. What cannot be seen is spelled out, and PostgreSQL takes no NUL anyway."""
        audit.note(db, at_ms=self.at_ms, who=visible(self.who), what=deed, about=visible(about), address=self.address)
