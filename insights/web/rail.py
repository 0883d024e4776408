"""Which pages there are, in the order of the work: one row a page. A page is added here, in `pages/`, and in its file of words."""

from __future__ import annotations

from typing import NamedTuple

from insights.store.roles import Role


class Entry(NamedTuple):
    """One page in the rail.

    Attributes
    ----------
    path : str
    name : str
        Key of its name in the words.
    icon : str
        Its drawing in templates/icons.html.
    role : Role
        Who may open it at least.
    crowd : bool
        Whether it tells of the history: without one it has no place in the rail.
    """

    path: str
    name: str
    icon: str
    role: Role = "viewer"
    crowd: bool = False


RAIL: tuple[Entry, ...] = (
    Entry("/today", "Today", "today", crowd=True),
    Entry("/at-risk", "At risk", "risk"),
    Entry("/retention", "Retention", "retention", crowd=True),
    Entry("/journeys", "Journeys", "journeys", crowd=True),
    Entry("/groups", "Groups", "groups", crowd=True),
    Entry("/features", "Features", "features", crowd=True),
    Entry("/changes", "Changes", "changes", crowd=True),
    Entry("/dictionary", "Metrics", "metrics", crowd=True),
    Entry("/boards", "Boards", "boards", crowd=True),
    Entry("/segments", "Segments", "segments", "analyst", crowd=True),
    Entry("/person", "Person", "person", "analyst"),
    Entry("/model", "Model", "model"),
    Entry("/data", "Data", "data"),
    Entry("/explore", "Explore", "explore", crowd=True),
)
TABS = 4
"""How many of them have a tab on a phone; the others are under More."""
