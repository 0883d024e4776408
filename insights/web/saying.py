"""In which words is a page said? Its language, the names of the app, its zone and currency, and the events' own present time, in one value."""

from __future__ import annotations

from datetime import tzinfo
from typing import NamedTuple

from features.users.spec import OTHER_CHANNEL, FeatureSpec
from insights.words import Words
from stream.shown import visible


class Saying(NamedTuple):
    """What every part of a page needs to say something.

    Attributes
    ----------
    spec : FeatureSpec
        Has the names of channels, key events and steps, and the definitions.
    zone : tzinfo
        In which times are said.
    currency : str
        ISO 4217.
    as_of_ms : int
        The events' present time, ms.
    """

    w: Words
    spec: FeatureSpec
    zone: tzinfo
    currency: str
    as_of_ms: int


def channel_said(code: int, say_it: Saying) -> str:
    """Return a channel by its code in a state: names of the settings stand as they are.

    >>> from datetime import UTC
    >>> from insights.words import words
    >>> say_it = Saying(words("en"), FeatureSpec(channels=("ads",)), UTC, "USD", 0)
    >>> [channel_said(code, say_it) for code in (0, 1, 2, OTHER_CHANNEL)]
    ['Channel not known', 'ads', 'Other channel', 'Other channel']
    """
    channels = say_it.spec.channels
    if code == 0:
        return say_it.w.t("Channel not known")
    return visible(channels[code - 1]) if code != OTHER_CHANNEL and code <= len(channels) else say_it.w.t("Other channel")
