"""Who may see what: three roles, each of which may do what the one before it may."""

from __future__ import annotations

from typing import Literal

Role = Literal["viewer", "analyst", "admin"]
"""A viewer sees aggregates, an analyst persons too, and an admin also manages who may look."""
ROLES: tuple[Role, ...] = ("viewer", "analyst", "admin")


def at_least(role: Role, wanted: Role) -> bool:
    """Whether a role may do what another one may.

    >>> at_least("admin", "analyst"), at_least("viewer", "analyst")
    (True, False)
    """
    return ROLES.index(role) >= ROLES.index(wanted)
