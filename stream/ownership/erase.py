"""Erases users from a running app: asks whether it can, and puts the records into its log. The command `churnwatch erase` and the page do the same by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from stream.faults import UsageFault
from stream.kafka.erasures import Sent, send_erasures
from stream.ownership.stored import stored_metas

if TYPE_CHECKING:
    import redis

    from features.store.app_spec import AppSpec
    from stream.ownership.erased import Held
    from stream.settings import Settings


def must_erase(client: redis.Redis, app: str, spec: AppSpec) -> None:
    """Refuse where a record of type `erase` would be taken for an event like others.

    Raises
    ------
    UsageFault
        With the next step.
    """
    if "erase" not in spec.spec.set_aside:
        raise UsageFault(
            "this app names the type `erase` for purposes of its own, so no record of it can erase anybody: run a new app without that"
        )
    metas = stored_metas(client, app, spec.partitions)
    behind = [number for number, meta in metas.items() if not meta.rules or "erase" not in meta.rules[-1].rules.set_aside]
    if behind:
        shards = ", ".join(map(str, behind))
        raise UsageFault(f"shard {shards} was not taken by a worker that can erase: restart the workers with this version first")


def send(settings: Settings, spec: AppSpec, users: Sequence[str], before: Iterable[Held]) -> list[Sent]:
    """Put the erasures into the log: where a shard knows the user, or knew them, else in all, because only the sender of clicks knows who goes where.

    Parameters
    ----------
    before : iterable of Held
        What shards hold of them.

    Raises
    ------
    UsageFault
        If Kafka does not take all of them.
    """
    known = defaultdict[str, list[int]](list)
    for one in before:
        if one.state or one.erased_ms is not None:
            known[one.user].append(one.partition)
    every = list(range(spec.partitions))
    return send_erasures(settings, {name: known.get(name, every) for name in users})
