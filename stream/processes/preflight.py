"""Before anything starts: does what is configured fit what is there? Every finding at once, each with what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import redis
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError

from features.store.app_spec import AppSpec, SpecMismatch, as_started, broken_definitions, only_appends
from features.store.redis import load_spec, replace_spec, save_spec
from features.store.server_check import Finding, findings
from stream.kafka.topics import TOPICS, topic_names
from stream.settings import Settings


class NotReady(RuntimeError):
    """The start is refused.

    Attributes
    ----------
    findings : list of Finding
    """

    def __init__(self, found: list[Finding]) -> None:
        super().__init__("\n".join(f"- {one}" for one in found))
        self.findings = found


@dataclass(frozen=True, slots=True)
class Cluster:
    """What Kafka says of itself."""

    cluster_id: str
    topic_id: str
    partitions: dict[str, int]
    """By logical topic name; missing topics are not in it."""
    append_time: bool


def admin_client(settings: Settings) -> KafkaAdminClient:
    """Return an admin client.

    Raises
    ------
    NotReady
        When no broker answers.
    """
    bootstrap = settings["kafka.bootstrap"]
    try:
        return KafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000, bootstrap_timeout_ms=5_000)
    except (KafkaError, OSError, ValueError) as error:
        raise NotReady([Finding(True, f"no Kafka at {bootstrap} ({type(error).__name__})", "start it, or set CHURNWATCH_KAFKA")]) from None


def look_at_kafka(settings: Settings) -> Cluster:
    """Ask the cluster."""
    names = topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])
    admin = admin_client(settings)
    try:
        existing = set(admin.list_topics())
        wanted = [name for name in names.values() if name in existing]
        described: list[dict[str, Any]] = admin.describe_topics(wanted) if wanted else []
        by_name = {one["name"]: one for one in described}
        clicks = by_name.get(names["clicks"])
        append_time = False
        if clicks is not None:
            resource = ConfigResource(ConfigResourceType.TOPIC, names["clicks"])
            configs = admin.describe_configs([resource], config_filter="all")["topic"][names["clicks"]]
            append_time = configs["message.timestamp.type"]["value"] == "LogAppendTime"
        return Cluster(
            cluster_id=str(admin.describe_cluster()["cluster_id"]),
            topic_id=str(clicks["topic_id"]) if clicks else "",
            partitions={logical: len(by_name[name]["partitions"]) for logical, name in names.items() if name in by_name},
            append_time=append_time,
        )
    finally:
        admin.close()


def judge_kafka(settings: Settings, cluster: Cluster) -> list[Finding]:
    """Judge the topics."""
    found = []
    names = topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])
    missing = [names[topic.logical] for topic in TOPICS if topic.logical not in cluster.partitions]
    if missing:
        found.append(Finding(True, f"topics missing: {', '.join(missing)}", "run `churnwatch topics create`"))
    clicks = cluster.partitions.get("clicks")
    for topic in TOPICS:
        have, want = cluster.partitions.get(topic.logical), topic.partitions or clicks
        if have is not None and want is not None and have != want:
            found.append(
                Finding(
                    True, f"{names[topic.logical]} has {have} partitions, it needs {want}", "make it anew with `churnwatch topics create`"
                )
            )
    if clicks is not None and not cluster.append_time:
        do = "set message.timestamp.type=LogAppendTime, or the future is judged by the producers' clocks and retention deletes old logs"
        found.append(Finding(False, f"{names['clicks']} does not stamp records itself", do))
    return found


def judge_spec(client: redis.Redis, settings: Settings, cluster: Cluster, key_events: tuple[str, ...]) -> list[Finding]:
    """Store the spec on the first start; on a later one compare, and take up definitions that were added."""
    stored = load_spec(client, settings["app.name"])
    spec = AppSpec(
        spec=as_started(settings.spec(key_events), None if stored is None else stored.spec),
        cluster_id=cluster.cluster_id,
        topic_id=cluster.topic_id,
        partitions=cluster.partitions.get("clicks", 0),
    )
    try:
        save_spec(client, settings["app.name"], spec)
    except SpecMismatch as error:
        return _judge_change(client, settings, error, spec)
    return []


def _judge_change(client: redis.Redis, settings: Settings, error: SpecMismatch, spec: AppSpec) -> list[Finding]:
    stored = error.stored
    if not only_appends(stored, spec):
        broken = broken_definitions(stored.spec.definitions, spec.spec.definitions)
        do = "restore the configuration, or start under a new app.name and replay"
        return [Finding(True, str(error), "; ".join(broken) or do)]
    # another worker may be adding the same ones at this moment: replacing what is there already is no change
    replace_spec(client, settings["app.name"], stored, spec)
    added = ", ".join(one.name for one in spec.spec.definitions[len(stored.spec.definitions) :])
    return [Finding(False, f"definition added: {added}", "restart the trainer and the other workers with this configuration")]


def judge_definitions(client: redis.Redis, settings: Settings) -> list[Finding]:
    """Compare the definitions with those that the workers follow; for processes that only read along. A new one here is fine."""
    stored = load_spec(client, settings["app.name"])
    broken = [] if stored is None else broken_definitions(stored.spec.definitions, settings.definitions)
    return [Finding(True, "the workers follow other churn definitions", one) for one in broken]


def stored_key_events(client: redis.Redis, settings: Settings) -> tuple[str, ...] | None:
    """Return the key events chosen at the first start, None before it."""
    found = load_spec(client, settings["app.name"])
    return None if found is None else found.spec.key_events


def judge_redis(client: redis.Redis) -> list[Finding]:
    """Judge the server; an unreachable one is a finding."""
    try:
        info: Any = client.info()
    except redis.RedisError as error:
        return [Finding(True, f"no Redis ({type(error).__name__})", "start it, or set CHURNWATCH_REDIS")]
    return findings(info)


def check_start(client: redis.Redis, settings: Settings) -> tuple[Cluster, list[Finding]]:
    """Check everything that can be checked without owning a shard; return the cluster and the warnings.

    Raises
    ------
    NotReady
        With every fatal finding.
    """
    found = judge_redis(client)
    try:
        cluster = look_at_kafka(settings)
        found += judge_kafka(settings, cluster)
    except NotReady as error:
        raise NotReady([one for one in found if one.fatal] + error.findings) from None
    fatal = [one for one in found if one.fatal]
    if fatal:
        raise NotReady(fatal)
    return cluster, found
