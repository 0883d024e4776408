"""All that decides what a state record and a feature vector mean, in one frozen object with one hash.

Two processes with the same `FeatureSpec.hash` write the same vectors for the same log. The hash is stored with every offset, every example and
every checkpoint, and a mismatch is refused. Churn definitions have hashes of their own, because one that is appended changes nothing for the
states and models of the others (docs/decisions/0005-definitions-are-appended.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

import msgspec

from features.definitions.definition import ChurnDefinition
from features.definitions.rules import RESERVED
from features.definitions.type_word import ACTIVITY_BIT, CHANNEL_BIT, ERROR_BIT, FUNNEL_BIT, HIT_BIT, NO_KEY, REVENUE_BIT

KEY_SLOTS = 8
FIRST_EVENTS = 10_000
"""When no key events are configured, the most frequent types among this many first events are taken."""
FUNNEL_STEPS = 15
CHANNEL_SLOTS = 14
OTHER_CHANNEL = 15
MINUTE_MS = 60_000
HOUR_MS = 3_600_000


class FeatureSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Which event types mean what, which clock the days follow, and the churn definitions.

    Attributes
    ----------
    key_events : tuple of str
        At most 8 event types; for each, the features have a decayed count and a decayed sum of values.
    revenue_events, error_events : tuple of str
        Types whose `value` is money, and types that are a failure for the user.
    funnel : tuple of str
        At most 15 types, in order; the feature is the furthest step reached.
    channels : tuple of str
        At most 14 known acquisition channels; any other counts as "other".
    timezone : str
        IANA name of the zone that calendar days and hours of the day follow.
    lateness_ms : int
        Allowed lateness G in milliseconds, at least 0.
    session_gap_ms, rescore_ms : int
        Milliseconds. An event after a pause of `session_gap_ms` begins a session and is scored; an event is also scored when the last score is
        `rescore_ms` old.
    definitions : tuple of ChurnDefinition
        1 to 8 of them.
    strict_types : tuple of str or None
        Has no meaning any more (what is rejected is in `features.definitions.rules`), but is in the hash of apps that an earlier version started with it.
    landmarks : {"daily", "asked"}
        With "daily" every armed user has one landmark a day, at a phase of their own. With "asked" there is one only where a record asks for it (backtests).
    """

    key_events: tuple[str, ...] = ()
    revenue_events: tuple[str, ...] = ("purchase",)
    error_events: tuple[str, ...] = ("error",)
    funnel: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    timezone: str = "UTC"
    lateness_ms: int = HOUR_MS
    session_gap_ms: int = 30 * MINUTE_MS
    rescore_ms: int = HOUR_MS
    definitions: tuple[ChurnDefinition, ...] = (ChurnDefinition(),)
    strict_types: tuple[str, ...] | None = None
    landmarks: Literal["daily", "asked"] = "daily"

    @property
    def hash(self) -> str:
        """16 hex digits over the spec without its definitions, the rows of the catalog, and the layout version.

        Of the definitions only the activity of the first one counts, because the features of silence follow it.

        >>> from features.definitions.definition import DAY_MS
        >>> one = ChurnDefinition()
        >>> FeatureSpec(definitions=(one, ChurnDefinition(name="churn30", horizon_ms=30 * DAY_MS))).hash == FeatureSpec(definitions=(one,)).hash
        True
        """
        from features.users.catalog import catalog_fingerprint
        from features.users.state import LAYOUT_VERSION

        common = msgspec.structs.replace(self, definitions=())
        body = msgspec.json.encode([LAYOUT_VERSION, catalog_fingerprint(), common, self.definitions[0].activity])
        return hashlib.sha256(body).hexdigest()[:16]

    @property
    def set_aside(self) -> tuple[str, ...]:
        """The reserved event types, but for those that this spec names for any purpose: they count as any other.

        >>> FeatureSpec(key_events=("alias",), definitions=(ChurnDefinition(activity=("feedback",)),)).set_aside
        ('identify', 'consent', 'erase')
        """
        lists = [self.key_events, self.revenue_events, self.error_events, self.funnel]
        lists += [names for one in self.definitions for names in (one.activity, one.target)]
        named = {name for names in lists for name in names}
        return tuple(name for name in RESERVED if name not in named)

    def type_word(self, event_type: str) -> int:
        """Return all that the kernel needs to know of an event type, packed into one integer.

        `features.definitions.type_word` says what each bit means; the bits of the channel are left 0.

        >>> FeatureSpec(key_events=("click", "purchase")).type_word("purchase") == 1 | 1 << REVENUE_BIT | 1 << ACTIVITY_BIT | 1 << HIT_BIT
        True
        """
        word = self.key_events.index(event_type) if event_type in self.key_events else NO_KEY
        word |= (event_type in self.revenue_events) << REVENUE_BIT
        word |= (event_type in self.error_events) << ERROR_BIT
        if event_type in self.funnel:
            word |= (self.funnel.index(event_type) + 1) << FUNNEL_BIT
        for index, definition in enumerate(self.definitions):
            word |= definition.counts_as_activity(event_type) << (ACTIVITY_BIT + index)
            word |= definition.sets_hit(event_type) << (HIT_BIT + index)
        return word

    def channel_bits(self, channel: str | None) -> int:
        """Return the code of a channel (0 none, 1 and up known, 15 other), shifted to its place in the word."""
        if channel is None:
            return 0
        known: Sequence[str] = self.channels
        return ((known.index(channel) + 1) if channel in known else OTHER_CHANNEL) << CHANNEL_BIT
