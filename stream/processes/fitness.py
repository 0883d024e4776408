"""Whether what Kafka has fits the app. Pure: facts of the cluster come in, findings go out, each with the one thing that mends it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from features.store.app_spec import AppSpec
from features.store.server_check import Finding
from stream.faults import as_new_app, own_topics
from stream.kafka.origin import app_of_client
from stream.kafka.topics import TOPICS, topic_names
from stream.settings import Settings

LEGACY_GROUP = "churnwatch"
"""The consumer group of apps that named none, in builds before the app's name became the default."""
MAX_AHEAD_MS = 3_600_000
"""Most that a producer's clock may be ahead of the broker's on a topic that believes it."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What Kafka says of itself.

    Attributes
    ----------
    topic_id : str
        Id of the clicks topic; a topic made anew under the same name has another one.
    partitions : dict of logical topic name to int
        Missing topics are not in it.
    clicks_config : dict of str to str
        All settings of the clicks topic; empty when it is missing.
    replicas : dict of logical topic name to int
        Copies of the topic's partition that has the fewest.
    brokers : int
        Number of brokers.
    """

    cluster_id: str
    topic_id: str
    partitions: dict[str, int]
    clicks_config: dict[str, str] = field(default_factory=dict)
    replicas: dict[str, int] = field(default_factory=dict)
    brokers: int = 1


def settled_group(settings: Settings, stored: AppSpec | None) -> str:
    """Return the consumer group: the configured one, else the one that this app has had, else the app's name.

    An app that was started before the group was stored keeps the group that was the default then, since old and new workers must share one during a rolling upgrade.
    """
    if settings["app.group"]:
        return str(settings["app.group"])
    if stored is None:
        return str(settings["app.name"])
    return stored.group or LEGACY_GROUP


def judge_place(settings: Settings, stored: AppSpec | None) -> list[Finding]:
    """Judge whether the topic prefix is the one the app was started with."""
    prefix = settings["kafka.topic_prefix"]
    if stored is None or stored.topic_prefix in {None, prefix}:
        return []
    what = f"app {settings['app.name']!r} was started with kafka.topic_prefix {stored.topic_prefix!r}, now it is {prefix!r}"
    return [
        Finding(
            True,
            what,
            f"set kafka.topic_prefix (CHURNWATCH_TOPIC_PREFIX) to {stored.topic_prefix!r}, or start a new app: {new_app(settings)}",
        )
    ]


def judge_group(
    settings: Settings, stored: AppSpec | None, group: str, members: Iterable[str], stored_members: Iterable[str]
) -> list[Finding]:
    """Judge whether a consumer group may be joined.

    Parameters
    ----------
    members, stored_members : iterable of str
        Client ids of the group's members at present, and of the members of the group that the app had before.
    """
    app = settings["app.name"]
    others = sorted({other for other in map(app_of_client, members) if other not in {None, app}}, key=str)
    if others:
        return [
            Finding(
                True,
                f"the consumer group {group!r} is that of app {others[0]!r}: each of the two would get a part of the clicks only",
                f"remove app.group, or set it to a name of its own such as {app!r}",
            )
        ]
    if stored is None or stored.group in {None, group} or not list(stored_members):
        return []
    what = f"the workers of app {app!r} are the consumer group {stored.group!r}, now app.group is {group!r}: two groups would take the shards from each other"
    return [Finding(True, what, f"set app.group = {stored.group!r}, or stop all workers first: then the new group is taken up")]


def judge_holder(settings: Settings, holder: str | None) -> list[Finding]:
    """Judge whether the topic prefix is free, or this app's."""
    app, prefix = settings["app.name"], settings["kafka.topic_prefix"]
    if holder in {None, app}:
        return []
    clicks = topic_names(prefix, settings["kafka.clicks"])["clicks"]
    what = f"the topic prefix {prefix!r} is that of app {holder!r}: two apps on one prefix would learn from each other's examples"
    return [Finding(True, what, f"give app {app!r} a prefix of its own; it can read the same clicks: {own_topics(app, clicks)}")]


def judge_clicks(settings: Settings, stored: AppSpec | None, cluster: Cluster) -> list[Finding]:
    """Judge whether the clicks topic is the one whose offsets are stored. If it is not, nothing else about the topics is worth saying."""
    if stored is None:
        return []
    name = topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])["clicks"]
    app, have = settings["app.name"], cluster.partitions.get("clicks")
    if stored.cluster_id != cluster.cluster_id:
        what = f"this is not the Kafka cluster that app {app!r} was started on (cluster id stored {stored.cluster_id}, now {cluster.cluster_id})"
        return [Finding(True, what, f"set kafka.bootstrap (CHURNWATCH_KAFKA), or start a new app here: {new_app(settings)}")]
    if have is None:
        what = f"there is no topic {name}, whose offsets app {app!r} has stored"
        return [
            Finding(
                True,
                what,
                f"set kafka.topic_prefix and kafka.clicks as they were; if it was deleted, start a new app: {new_app(settings)}",
            )
        ]
    if stored.topic_id != cluster.topic_id:
        what = f"{name} was deleted and made anew since app {app!r} was started (topic id stored {stored.topic_id}, now {cluster.topic_id})"
        return [Finding(True, what, f"the stored offsets mean other clicks now; start a new app: {new_app(settings)}")]
    if stored.partitions != have:
        what = f"{name} has {have} partitions, app {app!r} was started with {stored.partitions}"
        do = (
            "Kafka cannot take partitions away, and a user's older clicks stay in another partition than the new ones. Make a new clicks topic, "
            f"send the events to it again, and read it with a new app: {new_app(settings, partitions=have)}"
        )
        return [Finding(True, what, do)]
    return []


def judge_topics(settings: Settings, cluster: Cluster) -> list[Finding]:
    """Judge whether all topics are there, and are made as they must be."""
    names = topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])
    found = []
    missing = [names[topic.logical] for topic in TOPICS if topic.needed and topic.logical not in cluster.partitions]
    if missing:
        found.append(Finding(True, f"topics missing: {', '.join(missing)}", "run `churnwatch topics create`"))
    clicks = cluster.partitions.get("clicks")
    for topic in TOPICS:
        have, want = cluster.partitions.get(topic.logical), topic.partitions or clicks
        if have is not None and want is not None and have != want:
            what = f"{names[topic.logical]} has {have} partitions, it needs {want}"
            found.append(Finding(True, what, "delete it if nothing of this app is in it, and run `churnwatch topics create`"))
    if clicks is not None:
        found += judge_clicks_config(settings, cluster.clicks_config)
    return found + _judge_copies(names, cluster)


def _judge_copies(names: dict[str, str], cluster: Cluster) -> list[Finding]:
    """Warn of topics that would be lost with one broker although there are more."""
    found, want = [], min(3, cluster.brokers)
    few = [names[logical] for logical, copies in cluster.replicas.items() if copies < want]
    if few:
        what = f"topics with fewer than {want} copies on {cluster.brokers} brokers: {', '.join(few)}"
        found.append(Finding(False, what, "raise their replication factor: what only one broker has is lost with it"))
    if cluster.brokers > 1 and cluster.clicks_config.get("min.insync.replicas") == "1":
        what = f"min.insync.replicas of {names['clicks']} is 1 on {cluster.brokers} brokers"
        found.append(Finding(False, what, "set it to 2: else a click that was confirmed may be lost with one broker"))
    return found


def judge_clicks_config(settings: Settings, config: dict[str, str]) -> list[Finding]:
    """Judge the settings of the clicks topic: some lose clicks, and some let it believe any clock."""
    name = topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])["clicks"]
    found = []
    if "compact" in config.get("cleanup.policy", "delete"):
        what = f"{name} is compacted (cleanup.policy={config['cleanup.policy']}): Kafka deletes all but the last click of a user"
        found.append(Finding(True, what, alter(settings, name, "cleanup.policy=delete")))
    if config.get("message.timestamp.type") == "LogAppendTime":
        return found
    bound = next((key for key in ("message.timestamp.after.max.ms", "message.timestamp.difference.max.ms") if key in config), None)
    if bound is None or int(config[bound]) > MAX_AHEAD_MS:
        what = f"{name} takes any time that a producer's clock says: one that is wrong by days would make all later clicks late"
        found.append(Finding(True, what, alter(settings, name, f"{bound or 'message.timestamp.difference.max.ms'}={MAX_AHEAD_MS}")))
    do = "set message.timestamp.type=LogAppendTime, or the future is judged by the producers' clocks and retention deletes old logs"
    return [*found, Finding(False, f"{name} does not stamp records itself", do)]


def alter(settings: Settings, topic: str, config: str) -> str:
    """Return the command that changes a topic's setting."""
    bootstrap = settings["kafka.bootstrap"]
    return f"run kafka-configs.sh --bootstrap-server {bootstrap} --alter --entity-type topics --entity-name {topic} --add-config {config}"


def new_app(settings: Settings, partitions: int | None = None) -> str:
    """Say how to begin anew beside the app of the settings, on its clicks or on a topic of its own with so many partitions."""
    clicks = topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])["clicks"]
    return as_new_app(settings["app.name"], clicks if partitions is None else "", partitions)
