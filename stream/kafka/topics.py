"""The topics: what each is for and how it must be made. One table; creation, checks and docs derive from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """One row of the table. `partitions` None means as many as `clicks` has; without one that is `needed` no worker starts."""

    logical: str
    partitions: int | None
    config: dict[str, str]
    purpose: str
    needed: bool = True


TOPICS: tuple[Topic, ...] = (
    Topic(
        "clicks", None, {"message.timestamp.type": "LogAppendTime", "retention.ms": str(90 * 86_400_000)}, "click events in, keyed by user"
    ),
    Topic("alerts", None, {"retention.ms": str(90 * 86_400_000)}, "alerts out; a shard writes its own partition"),
    Topic("dead_letters", None, {"retention.ms": str(30 * 86_400_000)}, "what was rejected, with the reason"),
    Topic("progress", None, {"cleanup.policy": "compact", "segment.bytes": "16777216"}, "how far each shard has published"),
    Topic(
        "time", None, {"message.timestamp.type": "LogAppendTime", "retention.ms": str(90 * 86_400_000)}, "ticks: time itself, in the log"
    ),
    Topic("labels", 1, {"retention.ms": str(90 * 86_400_000)}, "labels from outside, for definitions of kind external"),
    Topic("examples", 1, {"retention.ms": str(90 * 86_400_000), "max.message.bytes": "8388608"}, "snapshots and labels for the trainer"),
    Topic(
        "metric_alerts", 1, {"retention.ms": str(90 * 86_400_000)}, "watched numbers that went out of bounds, or came back", needed=False
    ),
)


def topic_names(prefix: str = "", clicks: str | None = None) -> dict[str, str]:
    """Return the real name of each topic, by its logical name.

    >>> topic_names("shop.")["alerts"]
    'shop.alerts'
    """
    names = {topic.logical: prefix + topic.logical for topic in TOPICS}
    if clicks:
        names["clicks"] = clicks
    return names
