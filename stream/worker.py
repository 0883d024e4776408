"""`churnwatch run`: one worker process. Wires settings, store, wire, models, host, Faust app, clock, metrics and watchdog."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from features.kernel import warm
from features.store import Store
from features.store_redis import RedisStore, connect
from online_models.cadence import CadenceScorer
from online_models.scorer import Champion
from stream.engine import Means, Observer, Silent
from stream.host import Host
from stream.settings import Settings
from stream.shard import ShardSettings
from stream.topics import topic_names
from stream.wire_kafka import ExamplesProducer, KafkaWire, WireSettings

log = logging.getLogger(__name__)

Champions = Callable[[int], Sequence[Champion]]


def rule_champions(settings: Settings) -> Champions:
    """Return the rule for every definition: what serves before anything was learned."""
    rules = [Champion(0, CadenceScorer(definition.horizon_ms)) for definition in settings.definitions]
    return lambda _watermark_ms: rules


def wire_settings(settings: Settings) -> WireSettings:
    """Return how the shards reach Kafka."""
    topics = topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])
    return WireSettings(settings["kafka.bootstrap"], settings["app.name"], settings["app.group"], topics)


def build_host(
    settings: Settings,
    store: Store,
    examples: ExamplesProducer,
    champions: Champions,
    observer: Observer | None = None,
    *,
    key_events: tuple[str, ...] | None = None,
    rebuild: bool = False,
) -> Host:
    """Return the owner of this process's shards."""
    wires = wire_settings(settings)
    means = Means(
        store=store,
        make_wire=lambda partition: KafkaWire(wires, partition, examples),
        champions=champions,
        observer=observer or Silent(),
        rebuild=rebuild,
    )
    shard = ShardSettings(settings["app.name"], 0, settings.spec(key_events), settings.policy(), settings["worker.cache_users"])
    return Host(shard, means, lambda partition, error: log.warning("shard lost", extra={"partition": partition, "why": str(error)}))


async def run_worker(settings: Settings, *, key_events: tuple[str, ...] | None = None, rebuild: bool = False) -> int:
    """Run until a signal; return the exit code."""
    from stream.program import Stopper, run_app

    stopper = Stopper()
    stopper.arm()
    # Faust is imported after the handlers are in place: it installs none of its own then.
    from stream.app import AppSettings, build_app

    warm(len(settings.definitions))  # before the group is joined: compiling takes longer than a session timeout
    store = RedisStore(connect(settings["redis.url"]), settings["app.name"])
    examples = ExamplesProducer(wire_settings(settings))
    host = build_host(settings, store, examples, rule_champions(settings), key_events=key_events, rebuild=rebuild)
    app = build_app(
        AppSettings(settings["kafka.bootstrap"], settings["app.group"], wire_settings(settings).topics["clicks"], settings["worker.batch"]),
        host,
        stopper.bug,
    )
    try:
        return await run_app(app, stopper)
    finally:
        await host.revoke(list(host.sessions))
        await examples.close()
        store.close()


def main(settings: Settings, **options: bool) -> int:
    """Run a worker in this process."""
    return asyncio.run(run_worker(settings, **options))  # type: ignore[arg-type]  # options are those of run_worker
