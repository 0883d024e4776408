"""Take a shard, and bring it to where it can go on.

Take it in the store, fence the wire, check the token again, read the marker; see whether the store and the log fit each other; agree on the rules
that records are judged by; adopt what was published, and hand on what was not confirmed.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import replace

import msgspec

from features.definitions.rules import Rules, RulesSince, followed, pack_history, unpack_history
from features.store.contract import Damaged, Taken
from features.users.state import NEVER
from stream.alerts.message import decode_alert
from stream.alerts.policy import Adopted
from stream.faults import Refused, as_new_app
from stream.kafka.wire import Marker
from stream.ownership.session import Dependencies, Session, open_wire, refusal_of
from stream.position import Position
from stream.shard.meta import NOT_YET, OtherDefinitions, ShardMeta, unpack_meta
from stream.shard.settings import ShardSettings

log = logging.getLogger(__name__)

SALT_BYTES = 16
_NOTHING = Position(-1, NEVER, "", 0)
"""Position of a marker that vouches for no output."""


async def open_session(
    settings: ShardSettings, dependencies: Dependencies, generation: int, *, force: bool = False, first: int = 0
) -> Session:
    """Take a shard and bring it to where it can go on.

    Parameters
    ----------
    first : int
        First offset that the log still has.

    Raises
    ------
    TakeRefused
        A higher group generation holds it.
    StaleOwner
        Another owner was faster.
    Refused
        The store and the log contradict each other.
    """
    try:
        return await _open(settings, dependencies, generation, force=force, first=first)
    except Damaged as damage:
        raise refusal_of(settings.partition, damage) from None


async def _open(settings: ShardSettings, dependencies: Dependencies, generation: int, *, force: bool, first: int) -> Session:
    partition = settings.partition
    taken = await dependencies.store.take(partition, generation, force=force)
    wire = dependencies.make_wire(partition)
    try:
        marker = await open_wire(dependencies, wire, partition, taken.token)
        said = marker if marker is not None and marker.position > _NOTHING else None
        if taken.rebuild:
            taken = await _cleared(settings, dependencies, taken, said, first)
        _check_history(settings, dependencies, taken, said, first)
        meta = _begin(first, said) if taken.meta is None and first else _meta_of(taken, partition)
        rules = _rules(settings, taken, marker, meta)
        if rules != (meta.rules if marker is None else unpack_history(marker.rules)) and (marker is not None or taken.meta is not None):
            # Kafka must know the rules before the first record is judged by them, so that no version is lost with Redis.
            marker = Marker(_NOTHING, 0) if marker is None else marker
            await wire.publish([], Marker(marker.position, marker.next_offset, pack_history(rules)))
        meta.rules = rules
        adopted = Adopted(_NOTHING, frozenset())
        if said is not None:
            opened: frozenset[Position] = frozenset()
            if said.position.offset >= meta.next_offset:
                # The store is behind what was published, so the published decisions stand (docs/architecture.md).
                published = await wire.alerts_after(meta.next_offset)
                opened = frozenset(entry.position for entry in published if decode_alert(entry.value).type == "opened")
            adopted = Adopted(said.position, opened)
        ticks = await wire.ticks_from(meta.time_offset)
        meta.spec_hash, meta.salt = settings.spec.hash, meta.salt or secrets.token_bytes(SALT_BYTES)
        meta.definitions = meta.following(settings.spec.definitions, settings.spec.lateness_ms)
        session = Session(settings, dependencies, taken, wire, meta, adopted, ticks)
    except BaseException:
        await wire.close()
        raise
    session.start()
    return session


async def _cleared(settings: ShardSettings, dependencies: Dependencies, taken: Taken, marker: Marker | None, first: int) -> Taken:
    """Delete what is stored of a shard that is to be made again, so that it stands where its log begins."""
    partition = settings.partition
    if marker is not None and first and taken.rebuild != "partial":
        raise Refused(_beginning_gone(partition, first, f"--rebuild --partial --partition {partition}"))
    meta = _begin(first, marker) if first else ShardMeta()
    meta.spec_hash, meta.armed = settings.spec.hash, 0
    await dependencies.store.clear(partition, taken.token, meta.pack())
    log.warning("the shard's state is made again from the log", extra={"partition": partition, "offset": first})
    return replace(taken, meta=meta.pack(), rebuild="")


def _meta_of(taken: Taken, partition: int) -> ShardMeta:
    """Return what the shard remembers. Raises Damaged when that cannot be read, or its wheel is not as large as it says."""
    try:
        meta = unpack_meta(taken.meta)
    except msgspec.DecodeError:
        raise Damaged(partition, "what it remembers of itself, its meta, cannot be read") from None
    if meta.gone != len(taken.gone):
        raise Damaged(partition, f"{meta.gone} users are erased, and {len(taken.gone)} are remembered")
    held = sum(taken.wheel.values())
    if meta.armed not in {-1, held}:
        raise Damaged(partition, f"{meta.armed} users are armed, and {held} are in its wheel")
    return meta


def _beginning_gone(partition: int, first: int, options: str) -> str:
    return (
        f"shard {partition}: the log begins at offset {first}, what came before was deleted: it cannot be made again as it was. "
        f"To make it from what is left, start once with {options}: users seen in its first days count as left-censored, "
        "and alerts that were open before it are not resolved."
    )


def _rules(settings: ShardSettings, taken: Taken, marker: Marker | None, meta: ShardMeta) -> list[RulesSince]:
    """Return every version of the rules that the shard has applied, the last being the one it goes on with.

    A version is written to the marker before it is used, so the marker's history is never behind that in Redis, and of two histories of equal
    length the marker's is the newer one: a version that no record was judged by gives way to the next. Only an earlier build leaves a marker
    without a history. A new version begins after the last record that was judged. That may be the record to read next, because the timers that
    it crosses may have fired already.
    """
    known = (unpack_history(marker.rules) if marker is not None else []) or meta.rules
    if not known and (marker is not None or taken.meta is not None):
        known = [RulesSince(0, Rules(strict_types=settings.spec.strict_types))]  # an earlier build had these alone, in the spec
    in_a_sweep = meta.cursor is not None or meta.swept_ms > meta.watermark_ms(settings.spec.lateness_ms)
    judged = meta.next_offset + in_a_sweep
    if marker is not None:
        last = marker.position
        store_is_behind = last.offset > meta.next_offset or (last.offset == meta.next_offset and last.due_ms >= meta.swept_ms)
        judged = max(judged, marker.next_offset, last.offset + 1 if store_is_behind else 0)
    return followed(known, settings.rules, judged)


def _begin(first: int, marker: Marker | None) -> ShardMeta:
    """Return the meta of a shard whose log has lost its beginning. Examples sent before Redis was lost are not sent again."""
    published = -1 if marker is None else marker.position.offset
    lineage = str(first) if marker is None else f"{first}+{published}"
    return ShardMeta(next_offset=first, lineage=lineage, censored_before_ms=NOT_YET, examples_after=published)


def _check_history(settings: ShardSettings, dependencies: Dependencies, taken: Taken, marker: Marker | None, first: int) -> None:
    meta, partition = _meta_of(taken, settings.partition), settings.partition
    if taken.meta is None:
        if marker is not None and not dependencies.rebuild:
            raise Refused(
                f"shard {partition}: Redis is empty but alerts were published up to offset {marker.position.offset}. "
                "If Redis was lost, start once with --rebuild to make the state again from the log; if this is the wrong Redis, set CHURNWATCH_REDIS."
            )
        if marker is not None and first and not dependencies.partial:
            raise Refused(_beginning_gone(partition, first, "--rebuild --partial"))
        return
    try:
        meta.following(settings.spec.definitions, settings.spec.lateness_ms)
    except OtherDefinitions as error:
        raise Refused(
            f"shard {partition}: {error}. Start this worker again with the configuration of the others: definitions may be added, never taken away."
        ) from None
    if meta.spec_hash != settings.spec.hash:
        raise Refused(
            f"shard {partition}: its states are for other features (feature spec {meta.spec_hash}, this process has {settings.spec.hash}): "
            "the [features] settings are others, or this build has other features. Start it as it was started before, or start a new app: "
            + as_new_app(settings.app, settings.clicks)
        )
    if meta.published is not None and (marker is None or marker.position < meta.published):
        raise Refused(
            f"shard {partition}: Redis knows of alerts published up to offset {meta.published.offset}, the progress topic does not. "
            "This is another cluster, or the topic was recreated: set CHURNWATCH_KAFKA, or start a new app: "
            + as_new_app(settings.app, settings.clicks)
        )
