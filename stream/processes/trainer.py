"""`churnwatch train`: reads `examples`, feeds the trainer, and saves checkpoint and versions in one act.

Its position comes from the checkpoint only. Any number of trainers may run: the one with the newest claim writes, and the others find out at
their next save and stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from aiokafka import TopicPartition

from online_models.checkpoint import CheckpointOutdated, CheckpointRefused, seal_version
from online_models.example_blocks import unpack_record
from online_models.external_labels import LabelBlock
from online_models.nowcast import judged
from online_models.registry import Claim, NewVersion, Registry, RegistryStale, Save
from online_models.trainer import Trainer, TrainerSettings, Version, never
from online_models.trainer_checkpoint import seal_trainer, unseal_trainer
from stream.kafka.connection import aio_consumer, connection_of
from stream.kafka.origin import Headers, app_of, is_foreign
from stream.kafka.reach import Unreachable, reach
from stream.kafka.topics import topic_names
from stream.ownership.served import model_key
from stream.settings import Settings

if TYPE_CHECKING:
    from features.store.app_spec import AppSpec
    from stream.processes.program import Stopper

log = logging.getLogger(__name__)

SAVE_EVERY_BLOCKS = 2_000
"""A checkpoint is also written after this many blocks without a new version."""
FETCH_BYTES, FETCH_WAIT_MS = 1 << 16, 200
"""The broker answers a fetch once it has so many bytes, or after so many ms. A request for each block would cost a fifth of the trainer's time."""
SAVE_WITHIN_S = 7.0
"""Longest wait, from the signal on, for the present batch to be learned and saved; a stop may take 10 s in all."""
NICENESS = 10
AUTOGROUP = Path("/proc/self/autogroup")
SAVING_SHARE = 0.05
"""Largest share of its time that a trainer process spends on saving. Of the versions made between two saves, only the newest is saved."""


def trainer_settings(settings: Settings) -> TrainerSettings:
    """Return the settings of the trainer."""
    return TrainerSettings(
        horizons_ms={definition.name: definition.horizon_ms for definition in settings.definitions},
        external={
            definition.name: definition.horizon_ms + settings["features.lateness"]
            for definition in settings.definitions
            if definition.kind == "external"
        },
        judged=judged(settings.definitions, daily=True),
        batch=settings["learning.batch"],
        window=settings["learning.window"],
        min_labels=settings["learning.min_labels"],
        models=settings["learning.models"],
        wanted={definition.name: settings["learning.wanted"] for definition in settings.definitions},
        channels=settings["features.channels"],
    )


class Training:
    """The trainer with its registry: one object for the process, the demo and the tests.

    Parameters
    ----------
    fresh : bool
        Whether to begin anew even if there is a checkpoint; version numbers go on.
    saving_share : float
        Largest share of the time that goes into saving, above 0; 1 saves each version at once.
    app : str
        Name of the app. Records that name another app are skipped; if it is empty, none are.

    Attributes
    ----------
    skipped : Counter
        How many records were skipped, by whose they are: those of another app, and those of another feature spec, which come from another
        app or from a forerunner of this one on the same topic.
    next_offset : int
        Offset of `examples` to read next.

    Raises
    ------
    CheckpointOutdated
        The checkpoint is of an older build and is not read any more.
    CheckpointRefused
        The checkpoint cannot be trusted or does not belong to this app.
    """

    def __init__(
        self,
        settings: TrainerSettings,
        registry: Registry,
        spec_hash: str,
        key: bytes,
        *,
        fresh: bool = False,
        saving_share: float = 1.0,
        app: str = "",
    ) -> None:
        self.trainer = Trainer(settings)
        self._app = app
        self.skipped: Counter[str] = Counter()
        self._registry, self._spec_hash, self._key = registry, spec_hash, key
        self._configured = dict(settings.wanted or {})
        self._claim: Claim = registry.claim()
        self._commit_no = self._claim.commit_no
        self._since_save = 0
        self._unsaved: dict[str, Version] = {}
        self._apart, self._save_from_s = 1 / saving_share - 1, time.monotonic()
        self.next_offset = 0
        if fresh:
            for name, learner in self.trainer.learners.items():
                learner.version = max(registry.versions(name), default=0)
        elif self._claim.checkpoint is not None:
            try:
                self.next_offset = unseal_trainer(self._claim.checkpoint, key, spec_hash, self.trainer)
            except CheckpointOutdated:
                raise
            except CheckpointRefused as error:
                raise CheckpointRefused(
                    f"the trainer cannot go on from its checkpoint: {error}\nRun `churnwatch model rebuild`."
                ) from error
        self.hear_wishes()

    def hear_wishes(self) -> None:
        """Let the model that a person asked for serve, from the next version on."""
        for name, learner in self.trainer.learners.items():
            learner.wanted = self._registry.wish(name).candidate or self._configured.get(name, "")

    def feed(
        self,
        offset: int,
        stamp_ms: int,
        value: bytes,
        headers: Headers = (),
        *,
        save: bool = True,
        stop: Callable[[], bool] = never,
    ) -> list[Version]:
        """Learn from one record of the topic, and save if that is due; return the versions that were made. For `stop` see `Trainer.feed`."""
        versions: list[Version] = []
        if self._app and is_foreign(headers, self._app):
            self._skip(f"app {app_of(headers)}", offset)
            return versions
        block = unpack_record(value)
        if isinstance(block, LabelBlock):
            self.trainer.add_labels(block)
        elif block.spec_hash != self._spec_hash:
            self._skip(f"feature spec {block.spec_hash}", offset)
            return versions
        else:
            versions = self.trainer.feed(block, stamp_ms, stop)
        self.next_offset = offset + 1
        self._since_save += 1
        self._made(versions)
        if save:
            self.save_if_due()
        return versions

    def _skip(self, whose: str, offset: int) -> None:
        if not self.skipped[whose]:
            log.warning(
                "examples of another app are skipped: give each app a topic prefix of its own", extra={"of": whose, "offset": offset}
            )
        self.skipped[whose] += 1
        self.next_offset = offset + 1

    def go_on(self, stop: Callable[[], bool]) -> list[Version]:
        """Learn what was left when the trainer was stopped; return the versions that were made. Call it before the first record."""
        versions = self.trainer.go_on(stop)
        self._made(versions)
        return versions

    def _made(self, versions: list[Version]) -> None:
        for version in versions:
            self._unsaved[version.definition] = version.after(self._unsaved.get(version.definition))

    def save_if_due(self) -> None:
        """Save if there is a new version, or much was read since the last save, and that is long enough ago."""
        if (self._unsaved or self._since_save >= SAVE_EVERY_BLOCKS) and time.monotonic() >= self._save_from_s:
            self.save()

    def save(self) -> dict[str, Version]:
        """Write the checkpoint, and each definition's newest version since the last save, in one act; return those versions by definition.

        Raises
        ------
        RegistryStale
            Another trainer took over.
        """
        began_s = time.monotonic()
        checkpoint = seal_trainer(self.trainer, self.next_offset, self._spec_hash, self._key)
        sealed = [
            NewVersion(version.definition, version.number, version.learned_until_ms, seal_version(version, self._spec_hash, self._key))
            for version in self._unsaved.values()
        ]
        self._registry.save(Save(self._claim, self._commit_no, checkpoint, sealed))
        self._commit_no += 1
        self._since_save = 0
        saved, self._unsaved = self._unsaved, {}
        self.hear_wishes()
        now_s = time.monotonic()
        self._save_from_s = now_s + self._apart * (now_s - began_s)
        return saved


async def train(
    settings: Settings, training: Training, topic: str, stop: asyncio.Event, heard: Callable[[list[Version]], None] | None = None
) -> None:
    """Read and learn until `stop` is set, and then save.

    Parameters
    ----------
    heard : callable, optional
        Called with the versions that each record made, which may be none.

    Raises
    ------
    RegistryStale
        Another trainer took over.
    RuntimeError
        Examples were lost to retention, or a record is no block of examples.
    """
    consumer = aio_consumer(
        connection_of(settings), enable_auto_commit=False, isolation_level="read_committed",
        auto_offset_reset="none", max_partition_fetch_bytes=8 << 20, fetch_min_bytes=FETCH_BYTES, fetch_max_wait_ms=FETCH_WAIT_MS,
    )  # fmt: skip
    await consumer.start()
    tp = TopicPartition(topic, 0)
    try:
        consumer.assign([tp])
        first = (await consumer.beginning_offsets([tp]))[tp]
        if training.next_offset < first and training.next_offset > 0:
            raise RuntimeError(
                f"the topic {topic} begins at {first}, the checkpoint stands at {training.next_offset}: examples were lost to retention"
            )
        consumer.seek(tp, max(first, training.next_offset))
        log.info("reading examples", extra={"offset": training.next_offset})
        _tell(await asyncio.to_thread(training.go_on, stop.is_set), training, heard)
        caught_up = False
        while not stop.is_set():
            fetched: dict[Any, list[Any]] = await consumer.getmany(tp, timeout_ms=200, max_records=500)
            for record in fetched.get(tp, []):
                if stop.is_set():
                    break
                try:
                    # in a thread, because a block that lets a million labels mature takes a minute, and a signal must be heard meanwhile
                    versions = await asyncio.to_thread(
                        training.feed, record.offset, record.timestamp, record.value, record.headers, stop=stop.is_set
                    )
                except msgspec.DecodeError:
                    raise RuntimeError(f"{topic} offset {record.offset} is no block of examples") from None
                _tell(versions, training, heard)
            await asyncio.to_thread(training.save_if_due)
            if not caught_up and not stop.is_set() and (caught_up := (consumer.highwater(tp) or 0) <= await consumer.position(tp)):
                log.info("all examples read, waiting for more", extra={"offset": training.next_offset})
        training.save()
    finally:
        await consumer.stop()


def _tell(versions: list[Version], training: Training, heard: Callable[[list[Version]], None] | None) -> None:
    for version in versions:
        _log(version, training.trainer.external.counts)
    if heard is not None:
        heard(versions)


def _log(version: Version, external: Mapping[str, int]) -> None:
    """Log a version, and in lines of their own a change of champion and each drift, with the figures behind them."""
    about = {"definition": version.definition, "version": version.number, "champion": version.champion}
    losses = {name: round(row["log_loss"], 4) for name, row in version.figures.items()}
    log.info("model learned", extra={**about, "log_loss": losses, **({"told": dict(external)} if external else {})})
    if version.why:
        log.warning("champion changed", extra={**about, "why": version.why, "log_loss": losses})
    for drifted in version.drifts:
        log.warning("drift", extra={**about, "of": drifted.of})


def rebuild(
    settings: Settings,
    spec_hash: str,
    registry: Registry,
    report: Callable[[int, int], None] = lambda _done, _total: None,
    *,
    whole: bool = False,
    stop: Callable[[], bool] = never,
) -> dict[str, Version]:
    """Learn the whole `examples` topic anew, and put checkpoint and newest versions in place in one act at the end.

    Until then the last good version serves, and nothing changes if the process is killed. A trainer that runs meanwhile finds itself replaced and stops.

    Parameters
    ----------
    report : callable
        Called with (records done, records in all) as the work goes on.
    whole : bool
        Whether to refuse a topic whose beginning is gone, instead of warning of it.
    stop : callable
        Asked again and again whether to give up. If it says yes, nothing is changed and nothing returned.

    Returns
    -------
    dict of definition name to its new version

    Raises
    ------
    CheckpointRefused
        The beginning is gone, and `whole` was asked for.
    """
    from kafka import TopicPartition as Place

    from stream.kafka.connection import consumer as client

    training = Training(trainer_settings(settings), registry, spec_hash, model_key(settings), fresh=True, app=settings["app.name"])
    place = Place(topic_names(settings["kafka.topic_prefix"])["examples"], 0)
    there = connection_of(settings)
    reach(there)
    consumer = client(there, enable_auto_commit=False, isolation_level="read_committed")
    try:
        consumer.assign([place])
        first, end = consumer.beginning_offsets([place])[place], consumer.end_offsets([place])[place]
        consumer.seek(place, first)
        if first and whole:
            raise CheckpointRefused(
                f"the trainer's checkpoint is of an older build and cannot be read, and the first {first:,} records of the examples are gone, so "
                "learning anew would lose what they taught. The last good models go on serving. If that loss is fine, run `churnwatch model rebuild`."
            )
        if first:
            log.warning("the beginning of the examples is gone: what was learned from it is lost", extra={"records": first})
        while consumer.position(place) < end:
            for record in consumer.poll(timeout_ms=1_000).get(place, []):
                training.feed(record.offset, record.timestamp, record.value, record.headers, save=False, stop=stop)
                if stop():
                    return {}
            report(consumer.position(place) - first, end - first)
    finally:
        consumer.close()
    return training.save()


def begin(settings: Settings, spec_hash: str, registry: Registry, stop: Callable[[], bool]) -> Training | None:
    """Go on from the checkpoint; None when asked to stop before that.

    A checkpoint of an older build, in a form that is not read any more, needs nobody's help as long as the whole topic is there: the same
    examples give the same models. So they are learned anew first, and the models that serve stay until then.

    Raises
    ------
    CheckpointRefused
        The checkpoint cannot be read, and the examples cannot replace it.
    RegistryStale
        Another trainer took over meanwhile.
    """

    def resumed() -> Training:
        return Training(
            trainer_settings(settings), registry, spec_hash, model_key(settings), saving_share=SAVING_SHARE, app=settings["app.name"]
        )

    try:
        return resumed()
    except CheckpointOutdated as error:
        log.warning("the checkpoint is of an older build: all examples are learned anew, the last good models serve meanwhile: %s", error)
    rebuild(settings, spec_hash, registry, whole=True, stop=stop)
    if stop():
        return None
    log.info("all examples learned anew")
    return resumed()


async def run_trainer(settings: Settings) -> int:
    """Run until a signal; return the exit code."""
    from features.store.redis import connect, load_spec
    from online_models.registry_redis import RedisRegistry
    from stream.feedback.labels import copy_labels
    from stream.kafka.shard_wire import WireSettings
    from stream.processes.preflight import NotReady, judge_app
    from stream.processes.program import Stopper, leave

    stopper = Stopper()
    stopper.arm()
    await asyncio.to_thread(_refuse_what_is_set_wrong, settings)
    client = connect(settings["redis.url"])
    found = await _spec_when_there(lambda: load_spec(client, settings["app.name"]), stopper)
    if found is None:
        return stopper.code
    if faults := judge_app(client, settings):
        raise NotReady(faults)
    asked = asyncio.create_task(stopper.wait())
    try:
        training = await asyncio.to_thread(begin, settings, found.spec.hash, RedisRegistry(client, settings["app.name"]), asked.done)
    except RegistryStale as error:
        stopper.bug(error)
        return stopper.code
    if training is None:
        return stopper.code
    stop = asyncio.Event()
    topics = topic_names(settings["kafka.topic_prefix"])
    topic = topics["examples"]
    work = [asyncio.create_task(train(settings, training, topic, stop))]
    if external := [definition.name for definition in settings.definitions if definition.kind == "external"]:
        wires = WireSettings(
            settings["kafka.bootstrap"], settings["app.name"], settings["app.group"], topics, connection_of(settings).security
        )
        work.append(asyncio.create_task(copy_labels(wires, external, training.trainer.external.next_offset, stop)))
    await asyncio.wait([*work, asked], return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    _, busy = await asyncio.wait(work, timeout=SAVE_WITHIN_S)
    for ended in [task.exception() for task in work if task not in busy]:
        if ended is not None:
            stopper.bug(ended)  # the first one is logged, and its code is the exit code
    if busy:
        # On a busy machine a batch can take longer than a stop may. Nothing is lost: the checkpoint is that of an earlier batch, and it is safe to end here.
        log.warning(
            "stopped in the middle of a batch: what came since the last save is learned again", extra={"offset": training.next_offset}
        )
        leave(stopper.code)
    asked.cancel()
    return stopper.code


def _refuse_what_is_set_wrong(settings: Settings) -> None:
    """Raise what TLS or SASL has against us. A broker that is merely away is passed over here: the next try may find it."""
    try:
        reach(connection_of(settings))
    except Unreachable as error:
        if not error.away:
            raise


async def _spec_when_there(load: Callable[[], AppSpec | None], stopper: Stopper) -> AppSpec | None:
    """Wait for the first worker, which stores the spec; None when asked to stop meanwhile."""
    said_once = False
    while (found := await asyncio.to_thread(load)) is None:
        if not said_once:
            log.info("waiting for the first worker to store the feature spec")
            said_once = True
        try:
            await asyncio.wait_for(stopper.wait(), 1.0)
        except TimeoutError:
            continue
        return None
    return found


def make_way() -> None:
    """Let other processes go first.

    Where Linux schedules by session (autogroup), niceness counts only within a session, so a process that leads a session lowers that one too.
    """
    os.nice(NICENESS)
    if AUTOGROUP.exists() and os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):  # a container may not let us
            AUTOGROUP.write_text(str(NICENESS))


def main(settings: Settings) -> int:
    """Run the trainer in this process, which makes way for any other, since a label can wait and a click cannot. Returns the exit code."""
    model_key(settings)  # refused before anything is connected, if there must be one
    make_way()
    return asyncio.run(run_trainer(settings))
