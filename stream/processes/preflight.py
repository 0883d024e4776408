"""Checks before anything starts whether what is configured fits what is there. All findings come at once, each with what to do."""

from __future__ import annotations

from typing import Any

import msgspec
import redis
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import CoordinatorNotAvailableError, GroupAuthorizationFailedError, KafkaError

from features.store.app_spec import AppSpec, SpecMismatch, as_started, broken_definitions, only_appends
from features.store.redis import load_spec, replace_spec, save_spec
from features.store.server_check import Finding, findings
from stream.kafka.connection import admin, connection_of
from stream.kafka.reach import Unreachable, reach
from stream.kafka.tls import closed, in_words, names_of
from stream.kafka.topics import topic_names
from stream.processes.fitness import Cluster, judge_clicks, judge_group, judge_place, judge_topics, new_app, settled_group
from stream.settings import Settings


class NotReady(RuntimeError):
    """The start is refused.

    Attributes
    ----------
    findings : list of Finding
        All that was found; those that are fatal stand against the start.
    """

    def __init__(self, found: list[Finding]) -> None:
        super().__init__("\n".join(f"- {one}" for one in found))
        self.findings = found

    @property
    def away(self) -> bool:
        """Whether nothing stands against the start but servers that do not answer, so that a later start may succeed."""
        return all(one.away for one in self.findings if one.fatal)


def admin_client(settings: Settings) -> KafkaAdminClient:
    """Return an admin client.

    Raises
    ------
    NotReady
        When no broker answers.
    """
    place = connection_of(settings)
    try:
        reach(place)
        return admin(place, request_timeout_ms=10_000, bootstrap_timeout_ms=5_000)
    except Unreachable as error:
        raise NotReady([Finding(True, error.what, error.do, away=error.away)]) from None
    except (KafkaError, OSError, ValueError) as error:
        raise NotReady(
            [Finding(True, f"no Kafka at {place.bootstrap} ({type(error).__name__})", "start it, or set CHURNWATCH_KAFKA", away=True)]
        ) from None


def look_at_kafka(settings: Settings) -> Cluster:
    """Ask Kafka for the facts about the cluster and our topics. Raises NotReady when no broker answers."""
    names = topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])
    client = admin_client(settings)
    try:
        existing = set(client.list_topics())
        wanted = [name for name in names.values() if name in existing]
        described: list[dict[str, Any]] = client.describe_topics(wanted) if wanted else []
        by_name = {one["name"]: one for one in described}
        clicks = by_name.get(names["clicks"])
        about: dict[str, Any] = client.describe_cluster()
        config: dict[str, str] = {}
        if clicks is not None:
            resource = ConfigResource(ConfigResourceType.TOPIC, names["clicks"])
            configs = client.describe_configs([resource], config_filter="all")["topic"][names["clicks"]]
            config = {name: str(one["value"]) for name, one in configs.items()}
        return Cluster(
            cluster_id=str(about["cluster_id"]),
            topic_id=str(clicks["topic_id"]) if clicks else "",
            partitions={logical: len(by_name[name]["partitions"]) for logical, name in names.items() if name in by_name},
            clicks_config=config,
            replicas={
                logical: min(len(one["replica_nodes"]) for one in by_name[name]["partitions"])
                for logical, name in names.items()
                if name in by_name
            },
            brokers=len(about["brokers"]),
        )
    finally:
        client.close()


def members_of(settings: Settings, group: str) -> list[str]:
    """Return the client ids of a consumer group's members; an empty list when there is no such group, or we may not look at it."""
    client = admin_client(settings)
    try:
        found: dict[str, Any] = client.describe_groups([group])[group]
    except (CoordinatorNotAvailableError, GroupAuthorizationFailedError):
        return []
    finally:
        client.close()
    return [str(member["client_id"]) for member in found["members"]]


def judge_app(client: redis.Redis, settings: Settings) -> list[Finding]:
    """Compare the settings with those the workers were started with, for processes that only read along. A definition that was added is fine."""
    stored = load_spec(client, settings["app.name"])
    return judge_place(settings, stored) + judge_definitions(stored, settings)


def judge_spec(client: redis.Redis, settings: Settings, cluster: Cluster, key_events: tuple[str, ...]) -> list[Finding]:
    """Store the spec at the first start. At a later one compare it, and store definitions that were added and values that were not stored before."""
    stored = load_spec(client, settings["app.name"])
    features = as_started(settings.spec(key_events), None if stored is None else stored.spec)
    spec = AppSpec(
        spec=features,
        cluster_id=cluster.cluster_id,
        topic_id=cluster.topic_id,
        partitions=cluster.partitions.get("clicks", 0),
        app=settings["app.name"],
        group=settings["app.group"],
        topic_prefix=settings["kafka.topic_prefix"],
        spec_hash=features.hash,
    )
    try:
        save_spec(client, settings["app.name"], spec)
    except SpecMismatch as error:
        return _judge_change(client, settings, error, spec)
    return []


def _judge_change(client: redis.Redis, settings: Settings, error: SpecMismatch, spec: AppSpec) -> list[Finding]:
    stored = error.stored
    # the group has been judged before: if it is another one, nobody is left in the old one
    known = msgspec.structs.replace(stored.filled(spec), group=spec.group)
    alike = msgspec.structs.replace(known, spec_hash=spec.spec_hash)
    if known != alike and (alike == spec or only_appends(alike, spec)):
        what = f"app {settings['app.name']!r} was started by a build with other features: its states, pending snapshots and models are vectors of those"
        return [
            Finding(True, what, f"start the version it was started with; to have the new features, start a new app: {new_app(settings)}")
        ]
    known = alike  # the hash follows from the rest: it is no difference of its own
    if known != spec and not only_appends(known, spec):
        broken = broken_definitions(stored.spec.definitions, spec.spec.definitions)
        do = f"restore the configuration, or start a new app: {new_app(settings)}"
        return [Finding(True, str(SpecMismatch(settings["app.name"], known, spec)), "; ".join(broken) or do)]
    # another worker may be storing the same at this moment: replacing what is there already is no change
    replace_spec(client, settings["app.name"], stored, spec)
    added = ", ".join(one.name for one in spec.spec.definitions[len(stored.spec.definitions) :])
    return (
        [Finding(False, f"definition added: {added}", "restart the trainer and the other workers with this configuration")] if added else []
    )


def judge_definitions(stored: AppSpec | None, settings: Settings) -> list[Finding]:
    """Compare the definitions with those that the workers follow."""
    broken = [] if stored is None else broken_definitions(stored.spec.definitions, settings.definitions)
    return [Finding(True, "the workers follow other churn definitions", one) for one in broken]


def stored_key_events(client: redis.Redis, settings: Settings) -> tuple[str, ...] | None:
    """Return the key events that were chosen at the first start; None before it."""
    found = load_spec(client, settings["app.name"])
    return None if found is None else found.spec.key_events


def judge_redis(client: redis.Redis) -> list[Finding]:
    """Judge the Redis server; that it cannot be reached is a finding too."""
    try:
        info: Any = client.info()
    except redis.RedisError as error:
        names = names_of("redis")
        words = in_words(error, names)
        if (
            words is None
            and isinstance(error.__context__, ConnectionResetError | BrokenPipeError)
            and issubclass(client.connection_pool.connection_class, redis.SSLConnection)
        ):
            words = closed(names)
        if words is not None:
            return [Finding(True, "Redis cannot be reached by TLS", words)]
        return [Finding(True, f"no Redis ({type(error).__name__})", "start it, or set CHURNWATCH_REDIS", away=True)]
    return findings(info)


def check_start(client: redis.Redis, settings: Settings) -> tuple[Cluster, str, list[Finding]]:
    """Check everything that can be checked without owning a shard; return the cluster, the consumer group and the warnings.

    Raises
    ------
    NotReady
        If any finding is fatal; it holds all that are.
    """
    found = judge_redis(client)
    stored = None if any(one.fatal for one in found) else load_spec(client, settings["app.name"])
    group = settled_group(settings, stored)
    try:
        cluster = look_at_kafka(settings)
        found += judge_place(settings, stored) or judge_clicks(settings, stored, cluster) or judge_topics(settings, cluster)
        if not any(one.fatal for one in found):
            before = members_of(settings, stored.group) if stored is not None and stored.group not in {None, group} else []
            found += judge_group(settings, stored, group, members_of(settings, group), before)
    except NotReady as error:
        raise NotReady([one for one in found if one.fatal] + error.findings) from None
    fatal = [one for one in found if one.fatal]
    if fatal:
        raise NotReady(fatal)
    return cluster, group, found
