"""`churnwatch run`: one worker process. Puts settings, store, wire, models, host, Faust app, clock, metrics, web and watchdog together."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from features.store.app_spec import as_started
from features.store.contract import StoreUnavailable
from features.store.redis import RedisStore, connect, load_spec
from features.store.server_check import Finding
from features.users.spec import FeatureSpec
from online_models.registry import Registry
from online_models.registry_redis import RedisRegistry
from stream.faults import Refused, UsageFault
from stream.kafka.claims import claim, read_claims
from stream.kafka.connection import connection_of
from stream.kafka.shard_wire import ExamplesProducer, KafkaWire, WireSettings
from stream.kafka.topics import topic_names
from stream.ownership.event_clock import EventClock
from stream.ownership.host import Host
from stream.ownership.served import ModelSource, model_key
from stream.ownership.session import Dependencies
from stream.processes.fitness import judge_holder
from stream.processes.health import build_web, serve
from stream.processes.intake_watch import IntakeWatch
from stream.processes.metrics import WorkerMetrics
from stream.processes.preflight import NotReady, check_start, judge_spec, stored_key_events
from stream.processes.ticker import Ticker
from stream.processes.warm import warm
from stream.processes.watchdog import Probe, Watchdog
from stream.settings import Settings
from stream.shard.settings import ShardSettings

log = logging.getLogger(__name__)

HEARTBEAT_S = 0.5
SERVER_CHECK_S = 60.0
REFRESH_S = 1.0
DRAIN_S = 3.0
"""Longest time for draining, of the ten seconds that a stop may take. Leaving the group may take three (`stream.intake.leaving`), closing the producers two."""
GC_THRESHOLDS = (200_000, 20, 50)
"""Python's default of 700 would run the collector several times for each batch, whose thousands of records live for milliseconds and hold no cycles."""


def wire_settings(settings: Settings) -> WireSettings:
    """Return the settings by which the shards reach Kafka."""
    topics = topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])
    place = connection_of(settings)
    return WireSettings(place.bootstrap, settings["app.name"], settings["app.group"], topics, place.security)


@dataclass
class Worker:
    """All parts of one process, so that `run` and `demo` build the same."""

    settings: Settings
    store: RedisStore
    registry: Registry
    key_events: tuple[str, ...]
    rebuild: bool = False
    partial: bool = False
    stored_spec: FeatureSpec | None = None
    """The feature spec that the app was started with; None where nothing is stored (tests, demo)."""
    heartbeat: float = field(default_factory=time.monotonic)
    redis_answered: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        settings = self.settings
        self.spec = as_started(settings.spec(self.key_events), self.stored_spec)
        events = EventClock()
        self.metrics = WorkerMetrics([definition.name for definition in settings.definitions])
        self.watch = IntakeWatch(time.monotonic)
        self.models = ModelSource(self.registry, settings.definitions, self.spec.hash, model_key(settings))
        self.wires = wire_settings(settings)
        self.examples = ExamplesProducer(self.wires)
        dependencies = Dependencies(
            store=self.store,
            make_wire=lambda partition: KafkaWire(self.wires, partition, self.examples),
            champions=self.models.champions,
            observers=(self.metrics, self.watch),
            rebuild=self.rebuild,
            partial=self.partial,
            events=events,
        )
        shard = ShardSettings(
            settings["app.name"],
            0,
            self.spec,
            settings.policy(),
            settings["worker.cache_users"],
            mirror=settings["worker.mirror"],
            rules=settings.rules(self.spec),
            clicks=self.wires.topics["clicks"],
        )
        self.host = Host(shard, dependencies, self._shard_lost, self._shard_taken)
        self.ticker = Ticker(settings, self.wires.topics["clicks"], self.host, events, self.metrics)
        self._app: Any = None
        self._redis_warnings: set[str] = set()

    def _shard_taken(self, _partition: int) -> None:
        self.metrics.counter("churnwatch_takes").inc()

    def _shard_lost(self, partition: int, error: BaseException) -> None:
        self.metrics.counter("churnwatch_shards_lost").inc()
        log.warning("shard lost", extra={"partition": partition, "why": str(error)})

    async def close(self) -> None:
        """Let go of everything; what is committed stays."""
        await asyncio.gather(self.host.revoke(list(self.host.sessions)), self.examples.close())

    async def alongside(self, app: Any) -> None:
        """Run everything that goes on beside the agent. It ends with the first of it that fails."""
        self._app = app
        loops = [
            self._every(HEARTBEAT_S, self._beat),
            self._every(REFRESH_S, self._refresh_models),
            self._every(HEARTBEAT_S, lambda: self._retake(app)),
            self._every(SERVER_CHECK_S, self._check_redis),
            self._every(self.ticker.period_s, lambda: self.ticker.look(app.consumer.thread)),
        ]
        async with asyncio.TaskGroup() as group:
            for loop in loops:
                group.create_task(loop)

    async def _every(self, period_s: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await work()
            await asyncio.sleep(period_s)

    async def _beat(self) -> None:
        self.heartbeat = time.monotonic()
        self.metrics.look(self.host.sessions, self.watch, self.ticker.lag, self.ticker.clocks.apart_ms)

    async def _refresh_models(self) -> None:
        try:
            fresh = await asyncio.to_thread(self.models.refresh)
        except Exception as error:  # noqa: BLE001 - the loaded models go on serving; the watchdog ends the process if Redis stays away
            log.warning("registry not read", extra={"why": type(error).__name__})
            return
        self.redis_answered = time.monotonic()
        for header in fresh:
            self.metrics.learned(header)
            log.info("model loaded", extra={"definition": header.definition, "version": header.number, "champion": header.champion})

    async def _check_redis(self) -> None:
        """Look whether Redis may still be trusted: somebody may have given it a limit and a policy that deletes users.

        Raises
        ------
        Refused
            It may not.
        """
        try:
            found = await self.store.check_server()
        except StoreUnavailable:
            return  # the watchdog counts how long it stays away
        fatal = [one for one in found if one.fatal]
        if fatal:
            raise Refused("; ".join(map(str, fatal)))
        warnings = {str(one) for one in found}
        for one in sorted(warnings - self._redis_warnings):
            log.warning("Redis: %s", one)
        self._redis_warnings = warnings

    async def _retake(self, app: Any) -> None:
        """Take lost shards again for which no batch has come, since only a batch would report the loss."""
        from stream.intake.app import retake  # Faust is imported after the handlers are in place

        for partition, session in list(self.host.sessions.items()):
            if session.lost is not None:
                self._shard_lost(partition, session.lost)
                await retake(app.consumer.thread, partition)

    def live(self) -> list[str]:
        """Return what stands against being alive, a sentence each; empty when all is well."""
        late_s = time.monotonic() - self.heartbeat
        return [f"the event loop has not moved for {late_s:.0f} s"] if late_s > 10 else []

    def ready(self) -> list[str]:
        """Return what stands against being ready, a sentence each; empty when all is well."""
        against = [*self.live(), *self._not_in_place()]
        against += [
            f"shard {partition} is lost, taking it again" for partition, session in self.host.sessions.items() if session.lost is not None
        ]
        against += [f"shard {partition}: too much unconfirmed" for partition, session in self.host.sessions.items() if not session.ready]
        against += [*self.ticker.in_words(), *self.watch.in_words()]
        if time.monotonic() - self.redis_answered > 10:
            against.append("Redis does not answer")
        return against

    def _not_in_place(self) -> list[str]:
        consumer = self._app.consumer.thread._consumer if self._app is not None and self._app.consumer else None
        if consumer is None or self._app.rebalancing or consumer._coordinator.generation < 0:
            return ["joining the consumer group"]
        assigned = {tp.partition for tp in consumer.assignment()}
        return [f"shard {partition} is being taken" for partition in sorted(assigned - self.host.sessions.keys())]

    def probes(self, app: Any) -> list[Probe]:
        """Return the conditions that the watchdog looks at."""

        def coordinator() -> Any:
            consumer = app.consumer.thread._consumer if app.consumer else None
            return None if consumer is None else consumer._coordinator

        def no_progress() -> bool:
            return sum(self.ticker.lag.values()) > 0 and time.monotonic() - self.metrics.last_step > HEARTBEAT_S * 4

        def no_shards() -> bool:
            consumer = app.consumer.thread._consumer if app.consumer else None
            return consumer is not None and (app.rebalancing or (bool(consumer.assignment()) and not self.host.sessions))

        return [
            Probe(80, "event loop", lambda: time.monotonic() - self.heartbeat > 5, 10),
            Probe(81, "parked error", lambda: (c := coordinator()) is not None and c._pending_exception is not None, 5),
            Probe(
                82, "coordination task", lambda: (c := coordinator()) is not None and c._coordination_task.done() and not app.should_stop, 5
            ),
            Probe(83, "no shards", no_shards, 45),
            Probe(84, "no progress", no_progress, 60),
            Probe(85, "Redis", lambda: time.monotonic() - self.redis_answered > 5, 60),
        ]


async def run_worker(
    settings: Settings, key_events: tuple[str, ...], *, rebuild: bool = False, partial: bool = False, only: Sequence[int] = ()
) -> int:
    """Run until a signal; return the exit code."""
    from stream.processes.program import Stopper, run_app

    stopper = Stopper()
    stopper.arm()
    # Faust is imported after the handlers are in place.
    from stream.intake.app import AppSettings, build_app

    warm(len(settings.definitions))  # before the group is joined: compiling takes longer than a session timeout
    client = connect(settings["redis.url"])
    store = RedisStore(client, settings["app.name"])
    for partition in only:
        await store.ask_rebuild(partition, partial=partial)
    stored = load_spec(client, settings["app.name"])
    worker = Worker(
        settings,
        store,
        RedisRegistry(client, settings["app.name"]),
        key_events,
        rebuild and not only,
        partial,
        None if stored is None else stored.spec,
    )
    app = build_app(
        AppSettings(
            worker.wires.connection,
            settings["app.name"],
            settings["app.group"],
            worker.wires.topics["clicks"],
            settings["worker.batch"],
        ),
        worker.host,
        stopper.bug,
    )
    watchdog = Watchdog(worker.probes(app))
    served = None
    gc.freeze()  # code and tables stay: the collector need not walk them again
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        if settings["worker.web"]:
            served = await serve(
                build_web(worker.metrics.registry, worker.live, worker.ready, settings["worker.web_token"]),
                settings["worker.web"],
            )

        async def alongside() -> None:
            watchdog.start()
            await worker.alongside(app)

        return await run_app(app, stopper, alongside, lambda: worker.host.drain(DRAIN_S))
    finally:
        watchdog.stop()
        if served is not None:
            await served.close()
        await worker.close()
        store.close()


def prepare(settings: Settings) -> tuple[Settings, tuple[str, ...]]:
    """Check the servers, settle the consumer group and the key events, and claim the topic prefix; return the settings and the key events.

    Raises
    ------
    NotReady
        If anything stands against the start.
    """
    client = connect(settings["redis.url"])
    cluster, group, warnings = check_start(client, settings)
    settings = settings.with_group(group)
    _refuse(warnings)
    claims = read_claims(settings)
    _refuse(judge_holder(settings, claims.holder(settings["app.name"])))
    key_events = settings["features.key_events"] or _settled_key_events(client, settings)
    found = judge_spec(client, settings, cluster, key_events)
    others = stored_key_events(client, settings)
    if any(one.fatal for one in found) and not settings["features.key_events"] and others not in {None, key_events}:
        # another worker, started at the same time, has chosen from more or fewer events and was first to store
        found = judge_spec(client, settings, cluster, key_events := others)
    _refuse(found)
    if settings["app.name"] not in claims.claimed:
        _refuse(judge_holder(settings, claim(settings)))
    return settings, key_events


def _refuse(found: list[Finding]) -> None:
    """Raise what stands against the start, and log the other findings."""
    if any(one.fatal for one in found):
        raise NotReady(found)
    for one in found:
        log.warning("%s", one)


def _settled_key_events(client: Any, settings: Settings) -> tuple[str, ...]:
    stored = stored_key_events(client, settings)
    if stored is not None:
        return stored
    from stream.processes.key_events import settle

    return settle(settings, lambda: stored_key_events(client, settings))


def main(settings: Settings, *, rebuild: bool = False, partial: bool = False, only: Sequence[int] = ()) -> int:
    """Run a worker in this process; return the exit code.

    Parameters
    ----------
    only : sequence of int
        With `rebuild`: the shards to be made again, whichever worker takes them. All others go on from where they stand.

    Raises
    ------
    UsageFault
        `only` names a shard that there is not.
    NotReady
        If anything stands against the start.
    """
    model_key(settings)  # refused before anything is connected, if there must be one
    settings, key_events = prepare(settings)
    if only:
        with connect(settings["redis.url"]) as client:
            spec = load_spec(client, settings["app.name"])
        if strange := [one for one in only if spec is not None and one >= spec.partitions]:
            raise UsageFault(
                f"--partition: there is no shard {strange[0]}, the clicks topic has {spec.partitions if spec else 0} partitions"
            )
    return asyncio.run(run_worker(settings, key_events, rebuild=rebuild, partial=partial, only=only))


__all__: Sequence[str] = ["Worker", "main", "prepare", "run_worker", "wire_settings"]
