"""Everything that decides what a state record and a feature vector mean, in one frozen object with one hash.

Two processes with the same `FeatureSpec.hash` write the same vectors for the same log. The hash stands beside the stored offset,
in every example and in every checkpoint; a mismatch is refused, never guessed around. Churn definitions have hashes of their own: one that is
appended changes nothing for the others, their states and models (docs/decisions/0005-definitions-are-appended.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

import msgspec

from features.definitions.definition import ChurnDefinition
from features.definitions.type_word import ACTIVITY_BIT, CHANNEL_BIT, ERROR_BIT, FUNNEL_BIT, HIT_BIT, NO_KEY, REVENUE_BIT

KEY_SLOTS = 8
FIRST_EVENTS = 10_000
"""Key event types that are not configured are the most frequent ones of so many first events."""
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
        At most 8; each has a decayed count and a decayed sum of values among the features.
    revenue_events, error_events : tuple of str
        Types whose `value` is money; types that are a failure for the user.
    funnel : tuple of str
        Types in order, at most 15; the feature is the furthest step reached.
    channels : tuple of str
        Known acquisition channels, at most 14; others are "other".
    timezone : str
        IANA name; calendar days and hours of the day follow it.
    lateness_ms : int
        Allowed lateness G, >= 0.
    session_gap_ms, rescore_ms : int
        A gap this long starts a session (and a score); a score older than this is renewed at the next event.
    definitions : tuple of ChurnDefinition
        1 to 8.
    strict_types : tuple of str or None
        Means nothing any more: what is rejected is in `features.definitions.rules`. An app that an earlier version started with it has it in its hash.
    landmarks : {"daily", "asked"}
        Daily: every armed user has one a day, at a phase of their own. Asked: only where a record asks for one (backtests).
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
        """16 hex digits over the spec without its definitions, the catalog's rows and the layout version.

        Of the definitions only the first one's activity counts: the features of silence follow it.

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

    def type_word(self, event_type: str) -> int:
        """Pack all that the kernel needs to know of an event type into one integer.

        `features.definitions.type_word` says which bits mean what; those of the channel stay free.

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
        """The channel's code, shifted to its place in the word: 0 none, 1.. known, 15 other."""
        if channel is None:
            return 0
        known: Sequence[str] = self.channels
        return ((known.index(channel) + 1) if channel in known else OTHER_CHANNEL) << CHANNEL_BIT
