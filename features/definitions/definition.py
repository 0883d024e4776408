"""What "churned" means, as data: one frozen row per definition. One stream may have several definitions at once.

A definition knows its windows and which event types count. It knows nothing of storage, models or time zones.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

DAY_MS = 86_400_000
BITMAP_DAYS = 64
MAX_DEFINITIONS = 8
NO_LABEL = 255
"""Stands in the place of a label that is not known."""


class ChurnDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """One definition of churn.

    A user is *eligible* at a landmark L if they were active in ``(L - active_window, L]``. For ``kind="inactivity"`` the label is 1 if there is no
    activity in ``(L, L + horizon]``. For ``kind="did_event"`` it is 1 if an event of a ``target`` type happened in that time. For
    ``kind="external"`` it comes from the `labels` topic.

    Parameters
    ----------
    name : str
        1 to 32 characters of ``a-z``, ``0-9``, ``_`` and ``-``, because it stands in every key, example, alert and metric.
    kind : {"inactivity", "did_event", "external"}
    active_window_ms, horizon_ms : int
        A and H in milliseconds, positive. H and the allowed lateness together must stay below 62 days, because the bitmap of landmarks holds 64.
    activity : tuple of str
        Event types that count as activity; empty means all.
    target : tuple of str
        Event types of a ``did_event`` definition.
    segment : tuple of str
        Conditions on features that a user must meet at a landmark to be eligible (`features.users.segment`); empty means everybody.

    Examples
    --------
    >>> ChurnDefinition(name="churn14").horizon_ms // DAY_MS
    14
    """

    name: str = "churn14"
    kind: Literal["inactivity", "did_event", "external"] = "inactivity"
    active_window_ms: int = 14 * DAY_MS
    horizon_ms: int = 14 * DAY_MS
    activity: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    segment: tuple[str, ...] = ()

    @property
    def hash(self) -> str:
        """16 hex digits over the whole definition. A shard remembers the hash it has followed, so a change under the same name is noticed.

        >>> ChurnDefinition().hash == ChurnDefinition(horizon_ms=DAY_MS).hash
        False
        """
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]

    def counts_as_activity(self, event_type: str) -> bool:
        """Whether an event of this type makes a user active.

        >>> ChurnDefinition(activity=("sent",)).counts_as_activity("received")
        False
        """
        return not self.activity or event_type in self.activity

    def sets_hit(self, event_type: str) -> bool:
        """Whether an event of this type sets the hit bits of pending landmarks.

        >>> ChurnDefinition(kind="did_event", target=("cancel",)).sets_hit("cancel")
        True
        """
        if self.kind != "inactivity":
            return event_type in self.target
        return self.counts_as_activity(event_type)

    def label(self, hit: bool) -> int:
        """Return the label of a matured landmark from its hit bit: 0 or 1, or `NO_LABEL` for a definition whose labels come from outside.

        >>> ChurnDefinition().label(hit=False)
        1
        """
        if self.kind == "external":
            return NO_LABEL
        return int(hit) if self.kind == "did_event" else int(not hit)
