"""What an app was started with, stored once for all its processes. A later start that differs is refused, and each field that differs is named.

Only churn definitions may be appended.

Errors::

    SpecMismatch     the stored spec is another one; `differences` names the fields
    NewerStorage     a newer build has stored what this one cannot read
    OtherFeatures    the workers' build has other features than this one
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from features.definitions.definition import ChurnDefinition
from features.users.spec import FeatureSpec

STORAGE_VERSION = 2
"""Version of all that is stored: the names of keys and the forms of values. Version 1 is what the first build stored. In version 2, states have a
checksum, and models and checkpoints are plain data.

A build that starts an app raises the stored version to its own, and refuses a higher one. In JSON the field has the name that the first build
compares, so that this build too refuses before it takes a shard."""


class NewerStorage(Exception):
    """A newer build has run this app, and this one does not know what it has stored."""

    def __init__(self, version: int) -> None:
        super().__init__(
            f"a newer churnwatch has run this app: it stores version {version}, this one reads up to {STORAGE_VERSION}. Start that version again, or a later one."
        )
        self.version = version


class OtherFeatures(Exception):
    """The app's workers are of a build with other features."""

    def __init__(self, app: str, stored: str, here: str) -> None:
        super().__init__(
            f"the workers of app {app!r} have other features than this process (feature spec {stored}, here {here}): use the version that they run"
        )


class AppSpec(msgspec.Struct, frozen=True, kw_only=True, rename={"storage_version": "prefix_version"}):
    """What one app was started with.

    Attributes
    ----------
    spec : FeatureSpec
    cluster_id, topic_id : str
        Ids of the Kafka cluster and of the clicks topic whose offsets are stored. A topic that is made anew under the same name has another id.
    partitions : int
        Partitions of the clicks topic, which is the number of shards.
    storage_version : int
        The version (`STORAGE_VERSION`) of the newest build that has run the app.
    spec_hash : str or None
        `FeatureSpec.hash` as the workers' build computes it: with its features, and its layout of a state.
    app, group, topic_prefix : str or None
        The app's name, its workers' consumer group and its topics' prefix. None if a build stored the spec that did not have these fields yet.
    """

    spec: FeatureSpec
    cluster_id: str
    topic_id: str
    partitions: int
    storage_version: int = STORAGE_VERSION
    app: str | None = None
    group: str | None = None
    topic_prefix: str | None = None
    spec_hash: str | None = None

    def filled(self, given: AppSpec) -> AppSpec:
        """Return this stored spec; fields that it does not have are taken from `given`.

        >>> old = AppSpec(spec=FeatureSpec(), cluster_id="c", topic_id="t", partitions=4)
        >>> old.filled(AppSpec(spec=FeatureSpec(), cluster_id="other", topic_id="t", partitions=4, group="g")).group
        'g'
        """
        unknown = {name: getattr(given, name) for name in ("app", "group", "topic_prefix", "spec_hash") if getattr(self, name) is None}
        return msgspec.structs.replace(self, storage_version=STORAGE_VERSION, **unknown)

    def pack(self) -> bytes:
        """Return the spec as it is stored (JSON, so that people can read it with redis-cli)."""
        return msgspec.json.encode(self)


_decoder = msgspec.json.Decoder(AppSpec)


def unpack_app_spec(packed: bytes) -> AppSpec:
    """Read a stored spec.

    Raises
    ------
    msgspec.DecodeError
        If the bytes are not a spec.
    NewerStorage
        If a newer build has run the app.

    >>> spec = AppSpec(spec=FeatureSpec(), cluster_id="c", topic_id="t", partitions=4)
    >>> unpack_app_spec(spec.pack()) == spec
    True
    """
    spec = _decoder.decode(packed)
    if spec.storage_version > STORAGE_VERSION:
        raise NewerStorage(spec.storage_version)
    return spec


def as_started(given: FeatureSpec, stored: FeatureSpec | None) -> FeatureSpec:
    """Return the configuration's spec with what only the stored one has: the types that an earlier version froze into its hash.

    >>> as_started(FeatureSpec(), FeatureSpec(strict_types=("click",))).strict_types
    ('click',)
    """
    return given if stored is None else msgspec.structs.replace(given, strict_types=stored.strict_types)


class Difference(NamedTuple):
    """One field that differs; None stands for a field that is not there."""

    field: str
    stored: Any
    given: Any

    def __str__(self) -> str:
        return f"{self.field}: stored {self.stored!r}, now {self.given!r}"


class SpecMismatch(Exception):
    """The stored spec is not the one given.

    Attributes
    ----------
    app : str
    stored : AppSpec
    differences : list of Difference
    """

    def __init__(self, app: str, stored: AppSpec, given: AppSpec) -> None:
        self.app, self.stored, self.differences = app, stored, differences(stored, given)
        super().__init__(f"app {app!r} was started with another spec: " + "; ".join(map(str, self.differences)))


def differences(stored: AppSpec, given: AppSpec) -> list[Difference]:
    """Return every field that differs; fields of definitions are named by the definition.

    >>> old = AppSpec(spec=FeatureSpec(timezone="UTC"), cluster_id="c", topic_id="t", partitions=4)
    >>> new = AppSpec(spec=FeatureSpec(timezone="Europe/Berlin"), cluster_id="c", topic_id="t", partitions=8)
    >>> [str(one) for one in differences(old, new)]
    ["spec.timezone: stored 'UTC', now 'Europe/Berlin'", 'partitions: stored 4, now 8']
    """
    old, new = (dict(_fields("", msgspec.to_builtins(one))) for one in (stored, given))
    return [Difference(name, old.get(name), new.get(name)) for name in {**old, **new} if old.get(name) != new.get(name)]


def only_appends(stored: AppSpec, given: AppSpec) -> bool:
    """Whether the only difference is definitions that were added behind the stored ones.

    >>> old = AppSpec(spec=FeatureSpec(), cluster_id="c", topic_id="t", partitions=4)
    >>> more = FeatureSpec(definitions=(ChurnDefinition(), ChurnDefinition(name="churn7")))
    >>> only_appends(old, AppSpec(spec=more, cluster_id="c", topic_id="t", partitions=4))
    True
    """
    same = msgspec.structs.replace(given, spec=msgspec.structs.replace(given.spec, definitions=stored.spec.definitions)) == stored
    return same and not broken_definitions(stored.spec.definitions, given.spec.definitions)


def broken_definitions(stored: Sequence[ChurnDefinition], given: Sequence[ChurnDefinition]) -> list[str]:
    """Return the reasons why definitions `given` cannot follow `stored`, each with what to do; empty if they can.

    States, snapshots and alerts have a place for each definition, so the stored ones must come first, unchanged and in their order.

    >>> one = ChurnDefinition()
    >>> broken_definitions((one,), ())
    ["definition 'churn14' is no longer there: put it back, its labels and alerts are pending"]
    """
    names = [one.name for one in given]
    faults = []
    for place, one in enumerate(stored):
        if one.name not in names:
            faults.append(f"definition {one.name!r} is no longer there: put it back, its labels and alerts are pending")
        elif (now := given[names.index(one.name)]) != one:
            changed = [
                f"{field} was {getattr(one, field)!r}, is {getattr(now, field)!r}"
                for field in one.__struct_fields__
                if getattr(one, field) != getattr(now, field)
            ]
            faults.append(
                f"definition {one.name!r} was changed ({', '.join(changed)}): put this one back, and add the changed one behind the others, under a name of its own"
            )
        elif names.index(one.name) != place:
            faults.append(f"definition {one.name!r} must stay number {place + 1}: add new ones behind the others")
    return faults


def _fields(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _fields(f"{path}.{name}" if path else name, inner)
    elif isinstance(value, list | tuple) and value and all(isinstance(one, dict) and "name" in one for one in value):
        # Their order matters too, because states have a slot for each.
        yield f"{path} (order)", [one["name"] for one in value]
        for one in value:
            yield from _fields(f"{path}[{one['name']}]", one)
    else:
        yield path, value
