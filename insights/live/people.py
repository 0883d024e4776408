"""What does Redis know of the people on the list that their alert does not say? Many states at once, as whole columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import redis

from features.definitions.definition import DAY_MS
from features.store.app_spec import AppSpec
from features.store.keys import shard_keys
from features.users.named import RISK_STEPS, time_or_none
from features.users.packed_state import read_states
from features.users.spec import OTHER_CHANNEL, FeatureSpec
from features.users.state import LayoutError

NO_CHANNEL, OTHER = "none", "other"
"""What stands in place of a channel's name: none is known, or one that is not in `features.channels`. Segments use the same words."""
AT_ONCE = 1_000
"""Users asked for in one round trip: a state is some 250 bytes, and Redis does nothing else meanwhile."""
LEAST_DAYS = 28
"""Days over which money is spread at least, so that a purchase on the first day makes nobody the best customer."""


class Known(msgspec.Struct, frozen=True):
    """What Redis knows of one person, by one definition.

    Attributes
    ----------
    risk : float or None
        Last stated risk, 0 to 1, while the alert is open; None when there is none.
    channel : str
        Name of a channel of the spec, "none" or "other".
    money : float or None
        What they have spent so far a day, over at least 28 days; None where no event type brings money.
    last_active_ms : int or None
        Event time of the last event that counts as activity.
    """

    risk: float | None
    channel: str
    money: float | None
    last_active_ms: int | None


class Asked(msgspec.Struct, frozen=True):
    """A person to look up.

    Attributes
    ----------
    partition : int
        The shard that opened the alert.
    definition : str
    opened_ms : int
        Landmark at which the alert was opened, ms.
    """

    user: str
    partition: int
    definition: str
    opened_ms: int


def look_up(client: redis.Redis, app: str, stored: AppSpec, asked: Sequence[Asked]) -> list[Known | None]:
    """Return what is known of some people, in the order asked for; None for a state that is not there or cannot be read.

    Raises
    ------
    redis.RedisError
        If Redis does not answer.
    """
    found: list[Known | None] = [None] * len(asked)
    names = [definition.name for definition in stored.spec.definitions]
    for start in range(0, len(asked), AT_ONCE):
        places = [place for place in range(start, min(start + AT_ONCE, len(asked))) if asked[place].definition in names]
        places, packed = _fetched(client, app, asked, places)
        places, states = _read([asked[place].user for place in places], places, packed, len(names))
        for place, state in zip(places, states, strict=True):
            found[place] = _known(state, asked[place], names.index(asked[place].definition), stored.spec)
    return found


def channel_names(spec: FeatureSpec) -> tuple[str, ...]:
    """Return every channel that people may have, those of the spec first.

    >>> channel_names(FeatureSpec(channels=("ads",)))
    ('ads', 'other', 'none')
    """
    return (*spec.channels, *(name for name in (OTHER, NO_CHANNEL) if name not in spec.channels))


def channel_name(code: int, spec: FeatureSpec) -> str:
    """Return the name of a channel by its code in a state.

    >>> [channel_name(code, FeatureSpec(channels=("ads",))) for code in (0, 1, 2, 15)]
    ['none', 'ads', 'other', 'other']
    """
    if code == 0:
        return NO_CHANNEL
    return spec.channels[code - 1] if code != OTHER_CHANNEL and code <= len(spec.channels) else OTHER


def _fetched(client: redis.Redis, app: str, asked: Sequence[Asked], places: Iterable[int]) -> tuple[list[int], list[bytes]]:
    by_partition: dict[int, list[int]] = defaultdict(list)
    for place in places:
        by_partition[asked[place].partition].append(place)
    with client.pipeline(transaction=False) as pipe:
        for partition, some in by_partition.items():
            pipe.mget([shard_keys(app, partition).state(asked[place].user) for place in some])
        answers: list[Any] = pipe.execute() if by_partition else []
    pairs = [
        (place, state)
        for some, states in zip(by_partition.values(), answers, strict=True)
        for place, state in zip(some, states, strict=True)
        if state is not None
    ]
    return [place for place, _ in pairs], [state for _, state in pairs]


def _read(users: list[str], places: list[int], packed: list[bytes], definitions: int) -> tuple[list[int], npt.NDArray[np.void]]:
    """Decode states; those that cannot be read are left out, so that one damaged record does not empty the list."""
    while True:
        try:
            return places, read_states(users, packed, definitions)
        except LayoutError as error:
            for column in (users, places, packed):
                del column[error.row]


def _known(state: Any, asked: Asked, k: int, spec: FeatureSpec) -> Known:
    is_this_alert = bool(state["alert_open"][k]) and int(state["opened_ms"][k]) == asked.opened_ms
    days = max(LEAST_DAYS, (asked.opened_ms - int(state["first_ms"])) / DAY_MS)
    return Known(
        risk=float(state["risk"][k]) / RISK_STEPS if is_this_alert else None,
        channel=channel_name(int(state["channel"]), spec),
        money=max(0.0, float(state["revenue"])) / days if spec.revenue_events else None,
        last_active_ms=time_or_none(state["last_active_ms"][k]),
    )
