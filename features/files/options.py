"""How files are read: what the command line and the settings say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

OLDEST_MS = 946_684_800_000
"""2000-01-01: an earlier time is a mistake until `oldest` says otherwise."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What is told about files.

    Attributes
    ----------
    now_ms : int
        The present, for times that lie ahead of it and for the guess of the unit.
    mapping : mapping
        Of each field its places, by `mapping.read_mapping`.
    constant_type : str
        Type of all rows; empty: from the file.
    zone : str
        IANA zone of times without one; `zone_told` when a person said so for this file.
    ts_unit : str
        Of epoch numbers: s, ms, us or ns; empty: milliseconds, and refused if they look like something else.
    ts_format : str
        As of `strptime`; empty: RFC 3339 and its kin.
    oldest_ms : int
        Earlier times are not believed; `oldest_told` when a person said so for this file.
    encoding, separator : str
        Of text files; empty: found.
    not_users : frozenset of str
        Ids that stand for nobody; rows of theirs are rejected.
    known_types : frozenset of str
        When there are any, rows of every other type are rejected.
    allow_future : bool
        Whether times ahead of `now_ms` are usable; a live worker rejects them.
    """

    now_ms: int
    mapping: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    constant_type: str = ""
    zone: str = "UTC"
    zone_told: bool = False
    ts_unit: str = ""
    ts_format: str = ""
    oldest_ms: int = OLDEST_MS
    oldest_told: bool = False
    encoding: str = ""
    separator: str = ""
    not_users: frozenset[str] = frozenset()
    known_types: frozenset[str] = frozenset()
    allow_future: bool = False
