"""Read what churnwatch knows from any Python program: one user, all users at risk, or features by name for a model of your own.

It only reads (GET, MGET, SSCAN, HMGET), so a Redis user with ``+@read ~cw:<app>:*`` is enough. Answers are as of the workers' last commits::

    reader = UserReader("redis://127.0.0.1:6379", "shop")
    view = reader.user("ann", at_ms=int(time.time() * 1000))
    if view and view.definitions["churn14"].risk > 0.7: ...

Errors: `AppUnknown` when nothing is stored under the app's name, `features.store.contract.StoreUnavailable` when Redis does not answer,
`features.store.app_spec.NewerStorage` and `OtherFeatures` when the workers are of another version, `features.users.state.LayoutError` for a
state that cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, TypeVar

import msgspec
import numpy as np
import redis

from features.store.app_spec import AppSpec, OtherFeatures
from features.store.contract import StoreUnavailable
from features.store.keys import ShardKeys, shard_keys
from features.store.redis import connect, load_spec
from features.users.landmarks import BUCKETS
from features.users.named import RISK_STEPS, DefinitionView, UserView, definition_view, time_or_none, user_view, value_from_mirror
from features.users.packed_state import read_states
from features.users.standing import Standing, standings, together
from features.users.state import NEVER

T = TypeVar("T")
_SCANS = 32
"""How many buckets are scanned in one round trip."""
_MEMBERS = 500
"""How many members of each bucket Redis is asked for in a round trip."""


class AppUnknown(LookupError):
    """Nothing is stored under the app's name."""

    def __init__(self, app: str) -> None:
        super().__init__(f"nothing is stored for app {app!r}: is the name right, and has a worker run?")
        self.app = app


class RiskRow(msgspec.Struct, frozen=True):
    """One user by one definition, for lists.

    Attributes
    ----------
    seen_ms, scored_ms : int
        Event time of the newest event, and of the score.
    view : DefinitionView
        Risk, model version, last activity, alert.
    """

    user: str
    definition: str
    partition: int
    seen_ms: int | None
    scored_ms: int
    view: DefinitionView

    @property
    def risk(self) -> float:
        """Last stated probability of churn, 0 to 1."""
        return self.view.risk or 0.0


class UserReader:
    """Reads the states of one app.

    Parameters
    ----------
    client_or_url : redis.Redis or str
        The Redis in which the workers store. A client must answer in bytes (see `features.store.redis.connect`), and you close it yourself.
    app : str
        The workers' ``app.name``.
    """

    def __init__(self, client_or_url: redis.Redis | str, app: str) -> None:
        self._owns_client = isinstance(client_or_url, str)
        self._client = connect(client_or_url) if isinstance(client_or_url, str) else client_or_url
        self._app = app

    def close(self) -> None:
        """Close the connections if they are ours."""
        if self._owns_client:
            self._client.close()

    @cached_property
    def spec(self) -> AppSpec:
        """What the app was started with. It is read only once, so make a new reader after a definition was added.

        Raises
        ------
        AppUnknown
            If nothing is stored under the app's name.
        OtherFeatures
            If the workers have another catalog of features or another layout of the state than this build.
        NewerStorage
            If a newer build stored what this one cannot read.
        """
        stored = _asked(lambda: load_spec(self._client, self._app))
        if stored is None:
            raise AppUnknown(self._app)
        if stored.spec_hash not in {None, stored.spec.hash}:
            raise OtherFeatures(self._app, str(stored.spec_hash), stored.spec.hash)
        return stored

    def user(self, user: str, at_ms: int) -> UserView | None:
        """Return one user as of a time, None if no user with this id has been seen.

        Parameters
        ----------
        at_ms : int
            The time to state the features for, milliseconds since the epoch; usually now, because the recency grows while a user is silent. Risks are
            the last ones stated.
        """
        return self.users([user], at_ms)[0]

    def users(self, users: Sequence[str], at_ms: int) -> list[UserView | None]:
        """Return several users as `user` does, in the order asked for, in one round trip."""
        by_shard = self._of_all_shards(users)
        return [self._view(user, [states[i] for states in by_shard], at_ms) for i, user in enumerate(users)]

    def standings(self, users: Sequence[str]) -> list[Standing | None]:
        """Return risks and alerts of several users without their features, in the order asked for, in one round trip; None for an unknown user.

        A user takes a few microseconds, where `users` takes some hundred.
        """
        found = [
            (i, partition, state)
            for partition, states in enumerate(self._of_all_shards(users))
            for i, state in enumerate(states)
            if state is not None
        ]
        if not found:
            return [None] * len(users)
        places, partitions, packed = zip(*found, strict=True)
        known = [users[i] for i in places]
        parts: dict[int, list[Standing]] = {}
        for i, one in zip(places, standings(known, partitions, read_states(known, packed, len(self._definitions()))), strict=True):
            parts.setdefault(i, []).append(one)
        return [together(parts[i]) if i in parts else None for i in range(len(users))]

    def users_at_risk(self, definition: str | None = None, *, at_least: float = 0.0, only_open: bool = False) -> Iterator[RiskRow]:
        """Yield the users who are not dormant, in no particular order; a few thousand are read at a time.

        Parameters
        ----------
        definition : str, optional
            Name of the definition; by default the first of the spec.
        at_least : float
            Least risk of the users to yield, 0 to 1. Users without a score are left out.
        only_open : bool
            Whether to yield only users with an open alert.

        Raises
        ------
        KeyError
            If there is no such definition.
        """
        names = self._definitions()
        name = names[0] if definition is None else definition
        if name not in names:
            raise KeyError(f"no definition {name!r}, there are: {', '.join(names)}")
        return self._at_risk(name, names.index(name), round(at_least * RISK_STEPS), only_open=only_open)

    def named_features(self, users: Sequence[str], names: Sequence[str]) -> list[dict[str, float | None] | None]:
        """Return features of some users by name, from the mirror, in one round trip; None for a user who is not in it.

        Workers write the mirror when they run with ``mirror = "alerted"`` or ``"all"``. They do so at commits, so values are as of the last change of
        the user. A missing feature is None.
        """
        shards = self._shards()

        def call() -> list[list[bytes | None]]:
            with self._client.pipeline(transaction=False) as pipe:
                for user in users if names else ():
                    for keys in shards:
                        pipe.hmget(keys.mirror(user), list(names))
                return pipe.execute()

        rows = _asked(call)
        found = []
        for at in range(0, len(rows), len(shards)):
            row = next((row for row in rows[at : at + len(shards)] if any(value is not None for value in row)), None)
            found.append(None if row is None else dict(zip(names, map(value_from_mirror, row), strict=True)))
        return found or [None] * len(users)

    def _of_all_shards(self, users: Sequence[str]) -> list[list[bytes | None]]:
        """Return the stored states of some users in each shard: only the producer's partitioner knows which shard has a user."""
        before_users = [keys.states for keys in self._shards()]

        def call() -> list[list[bytes | None]]:
            with self._client.pipeline(transaction=False) as pipe:
                for before in before_users if users else ():
                    pipe.mget([before + user for user in users])
                return pipe.execute()

        return _asked(call)

    def _shards(self) -> list[ShardKeys]:
        return [shard_keys(self._app, partition) for partition in range(self.spec.partitions)]

    def _definitions(self) -> list[str]:
        return [definition.name for definition in self.spec.spec.definitions]

    def _view(self, user: str, packed: Sequence[bytes | None], at_ms: int) -> UserView | None:
        names = self._definitions()
        found = [(partition, read_states([user], [one], len(names))[0]) for partition, one in enumerate(packed) if one is not None]
        if not found:
            return None
        found.sort(key=lambda pair: (-int(pair[1]["seen_ms"]), pair[0]))
        (partition, state), *others = found
        return user_view(user, state, names, at_ms, self.spec.spec.timezone, partition, [other for other, _ in others])

    def _at_risk(self, name: str, k: int, least: int, *, only_open: bool) -> Iterator[RiskRow]:
        for partition, users in self._armed():
            stored = self._states(partition, users)
            held = [user for user, state in zip(users, stored, strict=True) if state is not None]
            rows = read_states(held, [state for state in stored if state is not None], len(self._definitions()))
            wanted = (rows["risk"][:, k] >= least) & (rows["scored_ms"] != NEVER)
            if only_open:
                wanted &= rows["alert_open"][:, k] != 0
            for i in np.flatnonzero(wanted).tolist():
                yield RiskRow(
                    held[i], name, partition, time_or_none(rows["seen_ms"][i]), int(rows["scored_ms"][i]), definition_view(rows[i], k)
                )

    def _states(self, partition: int, users: Sequence[str]) -> list[bytes | None]:
        keys = shard_keys(self._app, partition)
        stored: Any = _asked(lambda: self._client.mget(list(map(keys.state, users))))
        return list(stored)

    def _armed(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (partition, users) of all wheels. SSCAN may return a user twice, so the users of a bucket are remembered while it is scanned."""
        for partition, keys in enumerate(self._shards()):
            for first in range(0, BUCKETS, _SCANS):
                cursors = dict.fromkeys(range(first, min(first + _SCANS, BUCKETS)), 0)
                seen: set[bytes] = set()
                while cursors:
                    answers = self._scan(keys, cursors)
                    fresh = set(chain.from_iterable(members for _, members in answers)) - seen
                    seen |= fresh
                    if fresh:
                        yield partition, [user.decode() for user in fresh]
                    cursors = {bucket: int(cursor) for bucket, (cursor, _) in zip(cursors, answers, strict=True) if int(cursor)}

    def _scan(self, keys: ShardKeys, cursors: Mapping[int, int]) -> list[tuple[int, list[bytes]]]:
        def call() -> list[tuple[int, list[bytes]]]:
            with self._client.pipeline(transaction=False) as pipe:
                for bucket, cursor in cursors.items():
                    pipe.sscan(keys.wheel(bucket), cursor, count=_MEMBERS)
                return pipe.execute()

        return _asked(call)


def _asked(call: Callable[[], T]) -> T:
    try:
        return call()
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise StoreUnavailable(f"Redis did not answer: {type(error).__name__}") from error
