"""What the settings file gives people to begin with: the tables `[[questions]]`, `[[boards]]`, `[[segments]]`.

Read here only as tables; `insights.made.seeds` knows what they mean. A definition of churn may name a segment of the file, whose rule then stands in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MADE = ("questions", "boards", "segments")
BY_NAME = "segment."


def made_of(tables: Mapping[str, list[Any]], faults: list[str]) -> dict[str, tuple[Mapping[str, Any], ...]]:
    """Return the tables by kind; what is no table is a fault."""
    faults += [f"{kind}: must be tables, [[{kind}]]" for kind in MADE if not all(isinstance(one, dict) for one in tables[kind])]
    return {kind: tuple(one for one in tables[kind] if isinstance(one, dict)) for kind in MADE}


def rule_named(text: str, segments: tuple[Mapping[str, Any], ...]) -> tuple[str, ...]:
    """Return the conditions that one text of a definition's segment stands for.

    Raises
    ------
    ValueError
        It names a segment that the file has not, or that is a list of users.

    >>> rule_named("segment.payers", ({"name": "payers", "rule": ["purchases >= 1"]},)), rule_named("channel = ads", ())
    (('purchases >= 1',), ('channel = ads',))
    """
    if not text.strip().startswith(BY_NAME):
        return (text,)
    name = text.strip()[len(BY_NAME) :]
    rules = [one.get("rule") for one in segments if one.get("name") == name]
    if not rules:
        raise ValueError(f"no segment {name!r} in [[segments]] of this file: the engine knows no others")
    if not isinstance(rules[0], list) or not rules[0]:
        raise ValueError(f"the segment {name!r} is a list of users: a definition takes rules over features only, as in purchases >= 1")
    return tuple(map(str, rules[0]))
