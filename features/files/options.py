"""How files are to be read, as the command line and the settings say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

OLDEST_MS = 946_684_800_000
"""2000-01-01 in milliseconds since the epoch. An earlier time is taken for a mistake unless `oldest` allows it."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How one or more files are to be read.

    Attributes
    ----------
    now_ms : int
        The present time, milliseconds since the epoch; it shows which times lie in the future, and in which unit numbers are.
    mapping : mapping
        The places of each field (`mapping.read_mapping`).
    constant_type : str
        Type of all rows; empty if the file says it.
    zone : str
        IANA zone of times without one; `zone_given` says whether a person named it for this file.
    ts_unit : str
        Unit of epoch numbers: s, ms, us or ns. If empty they are milliseconds, and are refused if they look like another unit.
    ts_format : str
        Form of times, as for `strptime`; empty for RFC 3339 and similar forms.
    oldest_ms : int
        Earlier times are not accepted, milliseconds since the epoch; `oldest_given` says whether a person set it for this file.
    encoding, separator : str
        Encoding and separator of text files; empty if they are to be found out.
    not_users : frozenset of str
        Ids that stand for nobody; their rows are rejected.
    known_types : frozenset of str
        If it is not empty, rows of every other type are rejected.
    allow_future : bool
        Whether times after `now_ms` are usable; a live worker rejects them.
    """

    now_ms: int
    mapping: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    constant_type: str = ""
    zone: str = "UTC"
    zone_given: bool = False
    ts_unit: str = ""
    ts_format: str = ""
    oldest_ms: int = OLDEST_MS
    oldest_given: bool = False
    encoding: str = ""
    separator: str = ""
    not_users: frozenset[str] = frozenset()
    known_types: frozenset[str] = frozenset()
    allow_future: bool = False
