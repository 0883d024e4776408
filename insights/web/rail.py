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
    """

    path: str
    name: str
    icon: str
    role: Role = "viewer"


RAIL: tuple[Entry, ...] = (
    Entry("/at-risk", "At risk", "risk"),
    Entry("/person", "Person", "person", "analyst"),
    Entry("/model", "Model", "model"),
    Entry("/data", "Data", "data"),
)
